package access

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

func (d door) impersonateRoutes() []api.Route {
	return []api.Route{
		api.Row("POST", "/impersonate", api.Needs(identity.AdminsWrite),
			"Act as another user in this browser. The session is replaced; pages get a redirect, clients that accept JSON get it.", d.impersonate),
		api.Row("POST", "/impersonate/stop", api.LoggedIn(),
			"Stop acting as another user and get a session of one's own again.", d.stopImpersonating),
	}
}

type actBody struct {
	User string `json:"user" form:"user" doc:"The name of the user to act as."`
}

func (d door) impersonate(ctx context.Context, r api.Request[api.None, actBody]) (swapped, error) {
	if r.Body.User == "" {
		return swapped{}, fault.New(fault.Invalid, "the user to act as is missing: user=NAME, or {\"user\": \"NAME\"}")
	}
	secret, expires, err := d.Sessions.StartActing(ctx, r.Caller, r.Body.User, d.origin(ctx, r.HTTP, ""))
	if err != nil {
		return swapped{}, err
	}
	return d.swapped(r.HTTP, secret, expires, r.Body.User, r.User.Name), nil
}

func (d door) stopImpersonating(ctx context.Context, r api.Request[api.None, api.None]) (swapped, error) {
	secret, expires, err := d.Sessions.StopActing(ctx, r.Caller, d.origin(ctx, r.HTTP, ""))
	if err != nil {
		return swapped{}, err
	}
	return d.swapped(r.HTTP, secret, expires, r.ActorName(), ""), nil
}

func (d door) swapped(r *http.Request, secret string, expires time.Time, user, actor string) swapped {
	return swapped{User: user, Actor: actor, Expires: expires.Unix(), cookie: d.cookie(r, secret, expires)}
}

// swapped is the reply to a session that has taken the place of another.
type swapped struct {
	User    string `json:"user" doc:"Whose rights apply from now on."`
	Actor   string `json:"actor,omitempty" doc:"Who acts as the user."`
	Expires int64  `json:"expires" doc:"When the session ends at the latest, Unix seconds."`

	cookie *http.Cookie
}

// Respond sets the cookie and sends the browser on, or says in JSON what has become.
func (s swapped) Respond(w http.ResponseWriter, r *http.Request) error {
	setCookie(w.Header(), s.cookie)
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		return api.JSON(w, http.StatusOK, s)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// Package access is the door's own door: who asks, login and logout in the browser, and the public keys.
package access

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"reflect"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Logins checks names and passwords. *authn.Service is one.
type Logins interface {
	// Login returns the user; fault.Unauthenticated, fault.TooMany.
	Login(ctx context.Context, a identity.Attempt) (identity.User, error)
}

// LoginPage shows the page with the login form. *webui.Handler is one.
type LoginPage interface {
	// Login writes the page with that status and message.
	Login(w http.ResponseWriter, r *http.Request, status int, message string)
}

// Config is what the door needs.
type Config struct {
	Gate     *Gate
	Logins   Logins
	Sessions SessionKeeper
	Page     LoginPage
	OAuth    OAuth
	// SingleSignOn is the login at another provider; nil when there is none.
	SingleSignOn SingleSignOn
	// CrossLogins takes tokens of other sites; nil believes none. CrossCookie is the cookie that brings one, "" is none.
	CrossLogins CrossLogins
	CrossCookie string
	JWKS        func() []byte // the public keys as they are now, RFC 7517
	Status      StatusLister
	// PublicURL is where clients reach this head, without a slash at the end; "" believes them where they name this machine.
	PublicURL string
	// Head is this machine's name.
	Head  string
	Clock clock.Clock
	Log   *slog.Logger // gets what clients are not told
}

type door struct{ Config }

// New returns the dialect: login and logout, acting as somebody else, the public keys, and what standard OAuth clients
// need.
func New(c Config) *api.Dialect {
	d := door{c}
	dialect := &api.Dialect{
		Name: "access", Title: "Bridgehead access", Version: "1",
		Description: "Browser login and the public keys that verify tokens.",
		Failure:     d.failure,
		Error:       reflect.TypeFor[problem](),
		Routes: []api.Route{
			api.Row("POST", "/login", api.Public(), "Log in with name and password and get a session cookie.", d.login).
				WithStatus(http.StatusFound).Produces("text/html"),
			api.Row("POST", "/logout", api.Public(), "End the session.", d.logout).Produces("text/html"),
			api.Row("GET", "/.well-known/jwks.json", api.Public(), "The public keys as a JSON Web Key Set (RFC 7517).", d.jwks),
		},
	}
	for _, table := range [][]api.Route{d.impersonateRoutes(), d.oauthRoutes(), d.statusRoutes(), d.outsideRoutes()} {
		dialect.Routes = append(dialect.Routes, table...)
	}
	return dialect
}

type credentials struct {
	Username string `json:"username" form:"username" doc:"Login name."`
	Password string `json:"password" form:"password" doc:"Password."`
	Code     string `json:"code" form:"code" doc:"One-time code, for accounts with a second factor."`
	Redirect string `json:"redirect" form:"redirect" doc:"Path to go to after the login."`
}

func (d door) login(ctx context.Context, r api.Request[api.None, credentials]) (api.Responder, error) {
	if raw := d.crossCookie(r.HTTP); raw != "" && r.Body.Username == "" {
		return d.enterByCookie(ctx, r.HTTP, raw, r.Body.Redirect)
	}
	a := d.attempt(ctx, r.HTTP)
	a.Name, a.Password, a.Code = r.Body.Username, r.Body.Password, r.Body.Code
	user, err := d.Logins.Login(ctx, a)
	if err != nil {
		return d.refused(err)
	}
	return d.begin(ctx, r.HTTP, user, user.Source.Method(), r.Body.Redirect)
}

// refused shows the login page to who is not let in, with the reason as far as it is his business.
func (d door) refused(err error) (api.Responder, error) {
	switch fault.KindOf(err) { //nolint:exhaustive // the others are failures
	case fault.Unauthenticated, fault.TooMany:
		return page{d.Page, http.StatusUnauthorized, fault.Message(err)}, nil
	case fault.Unavailable:
		d.Log.Error("a login provider does not answer", "error", err)
		return page{d.Page, http.StatusServiceUnavailable, fault.Message(err)}, nil
	}
	return nil, err
}

func (d door) logout(ctx context.Context, r api.Request[api.None, api.None]) (api.Responder, error) {
	if err := d.endSessions(ctx, r.HTTP); err != nil {
		return nil, err
	}
	return loggedOut{page{d.Page, http.StatusOK, "Logged out."}}, nil
}

func (d door) jwks(context.Context, api.Request[api.None, api.None]) (json.RawMessage, error) {
	return json.RawMessage(d.JWKS()), nil
}

// page is a reply with the login form.
type page struct {
	to      LoginPage
	status  int
	message string
}

// Respond shows the login form.
func (p page) Respond(w http.ResponseWriter, r *http.Request) error {
	p.to.Login(w, r, p.status, p.message)
	return nil
}

type loggedOut struct{ page }

// Respond takes the cookie away and shows the login form.
func (l loggedOut) Respond(w http.ResponseWriter, r *http.Request) error {
	setCookie(w.Header(), sessionCookie(r, "", -1))
	return l.page.Respond(w, r)
}

// redirect is the reply to a login that succeeded.
type redirect struct {
	cookie *http.Cookie
	to     string
	status int // 0 is 302
}

// Respond sets the cookie and sends the browser on.
func (rd redirect) Respond(w http.ResponseWriter, r *http.Request) error {
	setCookie(w.Header(), rd.cookie)
	http.Redirect(w, r, rd.to, cmp.Or(rd.status, http.StatusFound))
	return nil
}

// localPath returns path when a browser would read it as a path on this server, "/" otherwise. Two slashes, or a slash
// and a backslash, would name another host.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

type problem struct {
	Status string `json:"status"`
	Error  string `json:"error"`
}

// failure is the one exit for errors of this door.
func (d door) failure(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	if kind == fault.Internal {
		d.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "request_id", RequestID(r.Context()), "error", err)
	}
	if isOAuth(r) {
		oauthFailure(w, r, err)
		return
	}
	code := api.StatusOf(kind)
	_ = api.JSON(w, code, problem{http.StatusText(code), fault.Message(err)}) // strings always encode
}

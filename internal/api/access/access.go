// Package access is the door's own door: who asks, login and logout in the browser, and the public keys.
package access

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Logins checks names and passwords. *authn.Service is one.
type Logins interface {
	// Login returns the user; fault.Unauthenticated, fault.TooMany.
	Login(ctx context.Context, a identity.Attempt) (identity.User, error)
}

// SessionKeeper starts and ends browser logins. *token.Sessions is one.
type SessionKeeper interface {
	// Start makes a session and returns the secret that only the browser keeps.
	Start(ctx context.Context, u identity.User, o token.Origin) (secret string, expires time.Time, err error)
	// End closes a session. It is no error when there is none.
	End(ctx context.Context, secret, addr, requestID string) error
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
	JWKS     []byte // the public keys, RFC 7517
	Clock    clock.Clock
	Log      *slog.Logger // gets what clients are not told
}

type door struct{ Config }

// New returns the dialect: POST /login, POST /logout, GET /.well-known/jwks.json.
func New(c Config) *api.Dialect {
	d := door{c}
	return &api.Dialect{
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
}

type credentials struct {
	Username string `json:"username" form:"username" doc:"Login name."`
	Password string `json:"password" form:"password" doc:"Password."`
	Redirect string `json:"redirect" form:"redirect" doc:"Path to go to after the login."`
}

func (d door) login(ctx context.Context, r api.Request[api.None, credentials]) (api.Responder, error) {
	addr, id := d.Gate.ClientAddr(r.HTTP), RequestID(ctx)
	user, err := d.Logins.Login(ctx, identity.Attempt{
		Name: r.Body.Username, Password: r.Body.Password, Addr: addr, Agent: r.HTTP.UserAgent(), RequestID: id,
	})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Unauthenticated || kind == fault.TooMany) {
		return page{d.Page, http.StatusUnauthorized, fault.Message(err)}, nil
	}
	if err != nil {
		return nil, err
	}
	secret, expires, err := d.Sessions.Start(ctx, user, token.Origin{Addr: addr, Agent: r.HTTP.UserAgent(), RequestID: id, Method: "password"})
	if err != nil {
		return nil, err
	}
	// A session that was open in this browser ends here, so that no id survives a login.
	if old, err := r.HTTP.Cookie(SessionCookie); err == nil {
		if err := d.Sessions.End(ctx, old.Value, addr, id); err != nil {
			return nil, err
		}
	}
	cookie := sessionCookie(r.HTTP, secret, int(expires.Sub(d.Clock.Now()).Seconds()))
	return redirect{cookie, localPath(r.Body.Redirect)}, nil
}

func (d door) logout(ctx context.Context, r api.Request[api.None, api.None]) (api.Responder, error) {
	if c, err := r.HTTP.Cookie(SessionCookie); err == nil {
		if err := d.Sessions.End(ctx, c.Value, d.Gate.ClientAddr(r.HTTP), RequestID(ctx)); err != nil {
			return nil, err
		}
	}
	return loggedOut{page{d.Page, http.StatusOK, "Logged out."}}, nil
}

func (d door) jwks(context.Context, api.Request[api.None, api.None]) (json.RawMessage, error) {
	return json.RawMessage(d.JWKS), nil
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
	http.SetCookie(w, sessionCookie(r, "", -1))
	return l.page.Respond(w, r)
}

// redirect is the reply to a login that succeeded.
type redirect struct {
	cookie *http.Cookie
	to     string
}

// Respond sets the cookie and sends the browser on.
func (rd redirect) Respond(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, rd.cookie)
	http.Redirect(w, r, rd.to, http.StatusFound)
	return nil
}

// sessionCookie returns the session's cookie; a negative maxAge deletes it. It is Secure wherever the browser came by
// TLS: over plain HTTP, which some sites use inside the cluster, a Secure cookie would never come back.
func sessionCookie(r *http.Request, value string, maxAge int) *http.Cookie {
	secure := r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
	return &http.Cookie{ //nolint:gosec // Secure depends on the connection, see above
		Name: SessionCookie, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure,
	}
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
	code := api.StatusOf(kind)
	_ = api.JSON(w, code, problem{http.StatusText(code), fault.Message(err)}) // strings always encode
}

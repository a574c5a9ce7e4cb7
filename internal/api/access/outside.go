package access

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// SingleSignOn is the login at an OpenID Connect provider. *oidc.Logins is one.
type SingleSignOn interface {
	// Begin returns where the browser goes, and what it keeps meanwhile in a cookie; fault.Unavailable.
	Begin(ctx context.Context, back, to string) (location, cookie string, err error)
	// Finish returns the user with whom the browser has come back, and the path to go to; fault.Unauthenticated,
	// fault.TooMany, fault.Unavailable.
	Finish(ctx context.Context, cookie string, query url.Values, a identity.Attempt) (u identity.User, to string, err error)
}

// CrossLogins takes tokens of other sites for a login. *crosslogin.Logins is one.
type CrossLogins interface {
	// Link lets in whom a token from a link names; fault.Unauthenticated, fault.TooMany.
	Link(ctx context.Context, raw string, a identity.Attempt) (identity.User, error)
	// Cookie lets in whom a token from a cookie names; fault.Unauthenticated, fault.TooMany.
	Cookie(ctx context.Context, raw string, a identity.Attempt) (identity.User, error)
}

// outsideRoutes are the ways in by the word of others (contract clustercockpit 1.6). They are there whether or not the
// site has switched them on, so that nothing else answers in their place.
func (d door) outsideRoutes() []api.Route {
	return []api.Route{
		api.Row("GET", "/oidc-login", api.Public(), "Go to the OpenID Connect provider to log in.", d.oidcLogin).
			WithStatus(http.StatusFound).Produces("text/html"),
		api.Row("GET", callbackPath, api.Public(), "Come back from the OpenID Connect provider.", d.oidcCallback).
			WithStatus(http.StatusTemporaryRedirect).Produces("text/html"),
		api.Row("GET POST PUT PATCH DELETE", "/jwt-login", api.Public(), "Log in with a token that another site has issued for it.", d.jwtLogin).
			WithStatus(http.StatusFound).Produces("text/html"),
	}
}

func (d door) attempt(ctx context.Context, r *http.Request) identity.Attempt {
	return identity.Attempt{Addr: d.Gate.ClientAddr(r), Agent: r.UserAgent(), RequestID: RequestID(ctx)}
}

const (
	callbackPath = "/oidc-callback"
	// stateCookie holds, sealed, what a login at the provider needs when the browser comes back.
	stateCookie     = "oidc-login"
	stateCookieTime = 600 // seconds
)

type whereTo struct {
	Redirect string `query:"redirect" doc:"Path to go to after the login."`
}

func (d door) oidcLogin(ctx context.Context, r api.Request[whereTo, api.None]) (api.Responder, error) {
	if d.SingleSignOn == nil {
		return nil, errNotHere("single sign-on", "auth.oidc")
	}
	base, err := d.callbackBase(r.HTTP)
	if err != nil {
		return nil, err
	}
	location, state, err := d.SingleSignOn.Begin(ctx, base+callbackPath, localPath(r.Params.Redirect))
	if err != nil {
		return d.refused(err)
	}
	return redirect{cookie: outsideCookie(r.HTTP, state, stateCookieTime), to: location}, nil
}

func errNotHere(what, key string) error {
	return fault.New(fault.NotFound, "%s is not set up here; %s in config.json does that", what, key)
}

// callbackBase is where the browser reaches this head: what is configured, else what it says. The provider only sends
// browsers to addresses that it knows.
func (d door) callbackBase(r *http.Request) (string, error) {
	switch {
	case d.PublicURL != "":
		return d.PublicURL, nil
	case r.Host == "":
		return "", fault.New(fault.Invalid, "the request names no host")
	case underTLS(r):
		return "https://" + r.Host, nil
	default:
		return "http://" + r.Host, nil
	}
}

// callbackParams are read by what checks them. Providers add some of their own.
type callbackParams struct {
	api.AnyQuery
	State string `query:"state" doc:"From the request that began the login."`
	Code  string `query:"code" doc:"What the provider gives tokens for."`
	Error string `query:"error" doc:"Why there is no code."`
}

func (d door) oidcCallback(ctx context.Context, r api.Request[callbackParams, api.None]) (api.Responder, error) {
	if d.SingleSignOn == nil {
		return nil, errNotHere("single sign-on", "auth.oidc")
	}
	var state string
	if c, err := r.HTTP.Cookie(stateCookie); err == nil {
		state = c.Value
	}
	gone := outsideCookie(r.HTTP, "", -1)
	u, to, err := d.SingleSignOn.Finish(ctx, state, r.HTTP.URL.Query(), d.attempt(ctx, r.HTTP))
	if err != nil {
		return without(gone)(d.refused(err))
	}
	begun, err := d.begin(ctx, r.HTTP, u, "oidc", to)
	if rd, ok := begun.(redirect); ok {
		rd.status = http.StatusTemporaryRedirect
		begun = rd
	}
	return without(gone)(begun, err)
}

// outsideCookie is the cookie of a login that goes on elsewhere. The browser sends it along when the provider sends it
// back, which SameSite=Strict would prevent.
func outsideCookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure depends on the connection, as for the session's cookie
		Name: stateCookie, Value: value, Path: callbackPath, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: underTLS(r),
	}
}

type jwtParams struct {
	Token    string `query:"login-token" doc:"The token, unless it is in the header Authorization."`
	Redirect string `query:"redirect" doc:"Path to go to after the login."`
}

func (d door) jwtLogin(ctx context.Context, r api.Request[jwtParams, api.None]) (api.Responder, error) {
	if d.CrossLogins == nil {
		return nil, errNotHere("the login with a token of another site", "auth.jwts together with CROSS_LOGIN_JWT_HS512_KEY in .env")
	}
	raw := r.Params.Token
	if bearer := r.HTTP.Header.Get("Authorization"); bearer != "" {
		raw = bearer
		if scheme, rest, ok := strings.Cut(bearer, " "); ok && strings.EqualFold(scheme, "Bearer") {
			raw = rest
		}
	}
	if cookie := d.crossCookie(r.HTTP); raw == "" && cookie != "" {
		return d.enterByCookie(ctx, r.HTTP, cookie, r.Params.Redirect)
	}
	u, err := d.CrossLogins.Link(ctx, raw, d.attempt(ctx, r.HTTP))
	if err != nil {
		return d.refused(err)
	}
	return d.begin(ctx, r.HTTP, u, "jwt", r.Params.Redirect)
}

// crossCookie returns the token in the cookie of another site, "" when there is none.
func (d door) crossCookie(r *http.Request) string {
	if d.CrossLogins == nil || d.CrossCookie == "" {
		return ""
	}
	c, err := r.Cookie(d.CrossCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// enterByCookie logs in with the token of a cookie, and deletes the cookie whatever comes of it.
func (d door) enterByCookie(ctx context.Context, r *http.Request, raw, to string) (api.Responder, error) {
	gone := &http.Cookie{Name: d.CrossCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: underTLS(r)} //nolint:gosec // it is deleted
	u, err := d.CrossLogins.Cookie(ctx, raw, d.attempt(ctx, r))
	if err != nil {
		return without(gone)(d.refused(err))
	}
	return without(gone)(d.begin(ctx, r, u, "jwt", to))
}

// without adds the deletion of a cookie to a reply.
func without(gone *http.Cookie) func(api.Responder, error) (api.Responder, error) {
	return func(reply api.Responder, err error) (api.Responder, error) {
		if err != nil {
			return nil, err
		}
		return withCookie{gone, reply}, nil
	}
}

// withCookie is another reply with a cookie.
type withCookie struct {
	cookie *http.Cookie
	api.Responder
}

// Respond sets the cookie and writes the reply.
func (c withCookie) Respond(w http.ResponseWriter, r *http.Request) error {
	setCookie(w.Header(), c.cookie)
	return c.Responder.Respond(w, r)
}

package access_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// outsiders play the provider and the portal: the code, and the token, "good" are alice's.
type outsiders struct{ back, to, cookie string }

func (o *outsiders) Begin(_ context.Context, back, to string) (location, cookie string, err error) {
	o.back, o.to = back, to
	if to == "/down" {
		return "", "", fault.New(fault.Unavailable, "the login provider does not answer")
	}
	return "https://idp.example.org/auth?state=s", "sealed", nil
}

func (o *outsiders) Finish(_ context.Context, cookie string, query url.Values, _ identity.Attempt) (identity.User, string, error) {
	o.cookie = cookie
	if query.Get("code") != "good" {
		return identity.User{}, "/", fault.New(fault.Unauthenticated, "the login did not succeed; begin again")
	}
	return identity.User{Name: "alice", Source: identity.AuthOIDC}, o.to, nil
}

func (o *outsiders) Link(_ context.Context, raw string, a identity.Attempt) (identity.User, error) {
	if raw != "good" || a.Addr == "" {
		return identity.User{}, fault.New(fault.Unauthenticated, "invalid token")
	}
	return identity.User{Name: "alice"}, nil
}

func (o *outsiders) Cookie(ctx context.Context, raw string, a identity.Attempt) (identity.User, error) {
	return o.Link(ctx, raw, a)
}

func outsideDoor(t *testing.T, edits ...func(*access.Config)) (*outsiders, http.Handler) {
	t.Helper()
	o := &outsiders{}
	edits = append([]func(*access.Config){func(c *access.Config) {
		c.SingleSignOn, c.CrossLogins, c.CrossCookie = o, o, "portal"
	}}, edits...)
	f := &fake{}
	c := access.Config{
		Gate: &access.Gate{Tokens: f, Sessions: f, Users: f}, Logins: f, Sessions: f, Page: loginPage{}, Clock: clock.NewManual(begin), Log: slog.New(slog.DiscardHandler),
	}
	for _, edit := range edits {
		edit(&c)
	}
	d := access.New(c)
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return o, d.Mux(api.Guard{Auth: c.Gate})
}

// call sends a request and returns the reply with its cookies by name.
func outsideCall(t *testing.T, h http.Handler, method, path, body string, edits ...func(*http.Request)) (*httptest.ResponseRecorder, map[string]*http.Cookie) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	cookies := map[string]*http.Cookie{}
	for _, c := range w.Result().Cookies() {
		cookies[c.Name] = c
	}
	return w, cookies
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) }
}

func TestSingleSignOnGoesAndComesBack(t *testing.T) {
	o, h := outsideDoor(t)
	w, cookies := outsideCall(t, h, "GET", "http://head.example.org/oidc-login?redirect=/nodes", "")
	state := cookies["oidc-login"]
	if w.Code != http.StatusFound || w.Header().Get("Location") != "https://idp.example.org/auth?state=s" || o.back != "http://head.example.org/oidc-callback" || o.to != "/nodes" {
		t.Errorf("%d %v, back to %s and %s", w.Code, w.Header(), o.back, o.to)
	}
	if state == nil || state.Value != "sealed" || !state.HttpOnly || state.SameSite != http.SameSiteLaxMode || state.Path != "/oidc-callback" || state.MaxAge != 600 {
		t.Errorf("cookie %+v", state)
	}
	w, cookies = outsideCall(t, h, "GET", "/oidc-callback?code=good&state=s&session_state=x&iss=y", "", with("oidc-login", "sealed"), with("session", "planted"))
	if w.Code != http.StatusTemporaryRedirect || w.Header().Get("Location") != "/nodes" || o.cookie != "sealed" || cookies["session"].Value != "open" || cookies["oidc-login"].MaxAge >= 0 {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w, cookies = outsideCall(t, h, "GET", "/oidc-callback?code=bad", "")
	if w.Code != http.StatusUnauthorized || w.Body.String() != "login page: the login did not succeed; begin again" || cookies["session"] != nil || cookies["oidc-login"].MaxAge >= 0 {
		t.Errorf("%d %s %v", w.Code, w.Body, cookies)
	}
	if w, _ = outsideCall(t, h, "GET", "/oidc-login?redirect=/down", ""); w.Code != http.StatusServiceUnavailable || w.Body.String() != "login page: the login provider does not answer" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if _, cookies = outsideCall(t, h, "GET", "/oidc-login", "", func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }); !cookies["oidc-login"].Secure || o.back != "https://example.com/oidc-callback" {
		t.Errorf("behind TLS: %+v, %s", cookies["oidc-login"], o.back)
	}
	o, h = outsideDoor(t, func(c *access.Config) { c.PublicURL = "https://hpc.example.org" })
	if outsideCall(t, h, "GET", "http://evil.example/oidc-login?redirect=//evil.example", ""); o.back != "https://hpc.example.org/oidc-callback" || o.to != "/" {
		t.Errorf("back to %s and %s", o.back, o.to)
	}
}

func TestTokensOfOtherSitesLogIn(t *testing.T) {
	_, h := outsideDoor(t)
	bearer := func(v string) func(*http.Request) { return header("Authorization", v) }
	for _, c := range []struct {
		method, path, to string
		edits            []func(*http.Request)
	}{
		{"GET", "/jwt-login?login-token=good", "/", nil},
		{"POST", "/jwt-login?login-token=good&redirect=/nodes", "/nodes", nil},
		{"GET", "/jwt-login?login-token=good&redirect=//evil.example", "/", nil},
		{"GET", "/jwt-login", "/", []func(*http.Request){bearer("Bearer good")}},
		{"PUT", "/jwt-login", "/", []func(*http.Request){bearer("good")}},
		{"GET", "/jwt-login", "/", []func(*http.Request){with("portal", "good")}},
		{"GET", "/jwt-login?login-token=bad", "", nil},
		{"GET", "/jwt-login?login-token=good", "", []func(*http.Request){bearer("bad")}}, // what was presented on purpose decides
		{"GET", "/jwt-login", "", nil},
		{"GET", "/jwt-login", "", []func(*http.Request){with("portal", "bad")}},
		{"GET", "/jwt-login", "", []func(*http.Request){with("other", "good")}},
	} {
		w, cookies := outsideCall(t, h, c.method, c.path, "", c.edits...)
		if got := w.Header().Get("Location"); got != c.to || (cookies["session"] != nil) != (c.to != "") || (w.Code == http.StatusFound) != (c.to != "") {
			t.Errorf("%s %s: %d to %q, %v", c.method, c.path, w.Code, got, cookies)
		}
	}
}

func TestCookieOfAnotherSiteIsUsedOnceAndOnlyWithoutAName(t *testing.T) {
	_, h := outsideDoor(t)
	for _, c := range []struct {
		cookie, form string
		code         int
		gone         bool
	}{
		{"good", "redirect=/nodes", http.StatusFound, true},
		{"bad", "", http.StatusUnauthorized, true},
		{"bad", "username=alice&password=pw", http.StatusFound, false},
		{"good", "username=alice&password=wrong", http.StatusUnauthorized, false},
	} {
		w, cookies := outsideCall(t, h, "POST", "/login", c.form, with("portal", c.cookie))
		gone := cookies["portal"] != nil && cookies["portal"].MaxAge < 0
		if w.Code != c.code || gone != c.gone {
			t.Errorf("%+v: %d, %v", c, w.Code, cookies)
		}
	}
}

func TestWaysInThatAreNotSetUp(t *testing.T) {
	_, h := outsideDoor(t, func(c *access.Config) { c.SingleSignOn, c.CrossLogins = nil, nil })
	for path, want := range map[string]string{
		"/oidc-login": "auth.oidc in config.json", "/oidc-callback?code=good": "auth.oidc in config.json", "/jwt-login?login-token=good": "CROSS_LOGIN_JWT_HS512_KEY",
	} {
		if w, cookies := outsideCall(t, h, "GET", path, ""); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), want) || len(cookies) != 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w, _ := outsideCall(t, h, "POST", "/login", "", with("portal", "good")); w.Code != http.StatusUnauthorized {
		t.Errorf("cookie: %d", w.Code)
	}
}

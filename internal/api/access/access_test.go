package access_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// fake plays the services: the token "good" and the session "open" belong to alice, whose password is "pw".
type fake struct {
	ended   []string
	renewed string // what every session gets
}

func (f *fake) Authenticate(_ context.Context, secret, addr, _ string) (identity.Caller, error) {
	if secret == "acting" {
		return identity.Caller{User: identity.User{Name: "bob"}, Actor: &identity.Actor{Name: "alice"}, Addr: addr}, nil
	}
	if secret != "good" && secret != "open" {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "invalid token")
	}
	return identity.Caller{User: identity.User{Name: "alice"}, Permissions: identity.All(), Addr: addr}, nil
}

func (f *fake) Enter(ctx context.Context, secret, addr, id string) (c identity.Caller, renewed string, err error) {
	c, err = f.Authenticate(ctx, secret, addr, id)
	c.Expires = begin.Add(time.Hour)
	return c, f.renewed, err
}

func (f *fake) Resolve(_ context.Context, name string) (identity.Standing, error) {
	if name != "alice" {
		return identity.Standing{}, fault.New(fault.NotFound, "no user %s", name)
	}
	return identity.Standing{User: identity.User{Name: name}, Permissions: identity.All(), HandsOn: identity.All()}, nil
}

func (f *fake) Login(_ context.Context, a identity.Attempt) (identity.User, error) {
	name, password := a.Name, a.Password
	if password == "flood" {
		return identity.User{}, fault.New(fault.TooMany, "too many login attempts")
	}
	if name != "alice" || password != "pw" {
		return identity.User{}, fault.New(fault.Unauthenticated, "wrong user name or password")
	}
	return identity.User{Name: name}, nil
}

func (f *fake) Start(context.Context, identity.User, token.Origin) (string, time.Time, error) {
	return "open", begin.Add(time.Hour), nil
}

func (f *fake) End(_ context.Context, secret, _, _ string) error {
	f.ended = append(f.ended, secret)
	return nil
}

func (f *fake) StartActing(_ context.Context, c identity.Caller, target string, _ token.Origin) (string, time.Time, error) {
	if target == "boss" {
		return "", time.Time{}, fault.New(fault.Denied, "user %q has more rights than you may hand on", target)
	}
	return c.User.Name + " as " + target, begin.Add(time.Minute), nil
}

func (f *fake) StopActing(_ context.Context, c identity.Caller, _ token.Origin) (string, time.Time, error) {
	if c.Actor == nil {
		return "", time.Time{}, fault.New(fault.Invalid, "you do not act as somebody else")
	}
	return "own", begin.Add(time.Hour), nil
}

// Login shows the login page (access.LoginPage).
type loginPage struct{}

func (loginPage) Login(w http.ResponseWriter, _ *http.Request, status int, message string) {
	w.WriteHeader(status)
	_, _ = w.Write([]byte("login page: " + message))
}

var begin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func newDoor(t *testing.T) (*fake, http.Handler) {
	t.Helper()
	f := &fake{}
	gate := &access.Gate{Tokens: f, Sessions: f, Users: f, Clock: clock.NewManual(begin)}
	d := access.New(access.Config{Gate: gate, Logins: f, Sessions: f, Page: loginPage{}, JWKS: func() []byte { return []byte(`{"keys":[]}`) }, Clock: clock.NewManual(begin), Log: slog.New(slog.DiscardHandler)})
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return f, d.Mux(api.Guard{Auth: gate})
}

func TestWhoAsks(t *testing.T) {
	tests := []struct {
		name string
		edit func(*http.Request)
		user string // "" means refused
		why  string
	}{
		{"nothing", func(*http.Request) {}, "", "no user for secured check"},
		{"bearer", header("Authorization", "Bearer good"), "alice", ""},
		{"lower case bearer", header("Authorization", "bearer good"), "alice", ""},
		{"bare token", header("Authorization", "good"), "alice", ""},
		{"X-Auth-Token", header("X-AUTH-TOKEN", "good"), "alice", ""},
		{"basic", header("Authorization", "Basic Z29vZDo="), "", "Bearer is"},
		{"bad token", header("Authorization", "Bearer bad"), "", "invalid token"},
		{"two tokens", func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer good", "Bearer bad"} }, "", "more than one"},
		{"two headers that agree", both(header("Authorization", "Bearer good"), header("X-Auth-Token", "good")), "alice", ""},
		{"two headers that differ", both(header("Authorization", "Bearer bad"), header("X-Auth-Token", "good")), "", "more than one"},
		{"a proxy's own scheme", both(header("Authorization", "Basic Z29vZDo="), header("X-Auth-Token", "good")), "alice", ""},
		{"InfluxDB's word where its clients write", both(header("Authorization", "Token good"), path("/api/v2/write")), "alice", ""},
		{"the same with other slashes", both(header("Authorization", "Token good"), path("//api/v2/write/")), "alice", ""},
		{"InfluxDB's word with a bad token", both(header("Authorization", "Token bad"), path("/api/v2/write")), "", "invalid token"},
		{"InfluxDB's word elsewhere", header("Authorization", "Token good"), "", "Bearer is"},
		{"InfluxDB's word below", both(header("Authorization", "Token good"), path("/api/v2/write/x")), "", "Bearer is"},
		{"session", cookie("open"), "alice", ""},
		{"closed session", cookie("closed"), "", "invalid token"},
		{"a bad token is not saved by a good session", both(header("Authorization", "Bearer bad"), cookie("open")), "", "invalid token"},
		{"token in a cookie named otherwise", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "token", Value: "good"}) }, "", "no user"},
		{"token in the query", func(r *http.Request) { r.URL.RawQuery = "access_token=good" }, "", "no user"},
		{"socket", peer("alice"), "alice", ""},
		{"socket of a stranger", peer("mallory"), "", "cw-adminctl create name=mallory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/jobs/", http.NoBody)
			r.RemoteAddr = "192.0.2.1:1234"
			tt.edit(r)
			if name, ok := strings.CutPrefix(r.Header.Get("Test-Peer"), "peer="); ok {
				r = r.WithContext(access.WithPeer(r.Context(), name))
			}
			c, err := (&access.Gate{Tokens: f, Sessions: f, Users: f}).Authenticate(r, http.Header{})
			if c.User.Name != tt.user || (err == nil) != (tt.user != "") {
				t.Fatalf("user %q, error %v", c.User.Name, err)
			}
			if err != nil && (!fault.Is(err, fault.Unauthenticated) || !strings.Contains(fault.Message(err), tt.why)) {
				t.Errorf("refused with %v", err)
			}
		})
	}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func path(p string) func(*http.Request) {
	return func(r *http.Request) { r.URL.Path = p }
}

func cookie(value string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: access.SessionCookie, Value: value}) }
}

func peer(name string) func(*http.Request) { return header("Test-Peer", "peer="+name) }

func both(a, b func(*http.Request)) func(*http.Request) {
	return func(r *http.Request) { a(r); b(r) }
}

func TestAddressComesFromConfiguredProxiesOnly(t *testing.T) {
	gate := &access.Gate{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	tests := []struct{ peer, forwarded, realIP, want string }{
		{"192.0.2.1:99", "203.0.113.9", "203.0.113.9", "192.0.2.1"},
		{"10.1.1.1:99", "198.51.100.7, 203.0.113.9", "", "203.0.113.9"},
		{"10.1.1.1:99", "", "203.0.113.5", "203.0.113.5"},
		{"10.1.1.1:99", "nonsense", "", "10.1.1.1"},
		{"[2001:db8::1]:99", "203.0.113.9", "", "2001:db8::1"},
		{"@", "203.0.113.9", "", ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = tt.peer
		r.Header.Set("X-Forwarded-For", tt.forwarded)
		r.Header.Set("X-Real-Ip", tt.realIP)
		if got := gate.ClientAddr(r); got != tt.want {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}

func TestAllowedAddressesHoldBelowAPI(t *testing.T) {
	f := &fake{}
	gate := &access.Gate{Tokens: f, Sessions: f, APIAllowed: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for path, addr := range map[string]string{
		"/api/jobs/": "192.0.2.1", "//api/jobs/": "192.0.2.1", "/x/../api//jobs": "192.0.2.1", "/api/v1/../jobs": "192.0.2.1",
		"/userapi/jobs/": "", "/api/v1/nodes": "",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.URL.Path = path
		r.RemoteAddr = "192.0.2.1:5"
		r.Header.Set("Authorization", "Bearer good")
		_, err := gate.Authenticate(r, http.Header{})
		if addr == "" && err != nil || addr != "" && (err == nil || fault.Message(err) != "unknown ip: "+addr) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func post(t *testing.T, h http.Handler, path string, form url.Values, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func cookies(t *testing.T, w *httptest.ResponseRecorder) []*http.Cookie {
	t.Helper()
	var all []*http.Cookie
	for _, line := range w.Header().Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func TestLoginGivesASessionAndEndsTheOldOne(t *testing.T) {
	f, h := newDoor(t)
	resp := post(t, h, "/login", url.Values{"username": {"alice"}, "password": {"pw"}, "redirect": {"/monitoring/jobs/?state=running"}},
		&http.Cookie{Name: access.SessionCookie, Value: "old"})
	if resp.Code != http.StatusFound || resp.Header().Get("Location") != "/monitoring/jobs/?state=running" {
		t.Errorf("status %d to %q", resp.Code, resp.Header().Get("Location"))
	}
	c := cookies(t, resp)[0]
	if c.Value != "open" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 3600 {
		t.Errorf("cookie %+v", c)
	}
	if len(f.ended) != 1 || f.ended[0] != "old" {
		t.Errorf("ended sessions: %v", f.ended)
	}
}

func TestLoginThatFailsShowsThePage(t *testing.T) {
	_, h := newDoor(t)
	for password, want := range map[string]string{"wrong": "wrong user name or password", "flood": "too many login attempts"} {
		resp := post(t, h, "/login/", url.Values{"username": {"alice"}, "password": {password}})
		if resp.Code != http.StatusUnauthorized || !strings.Contains(resp.Body.String(), want) || len(cookies(t, resp)) != 0 {
			t.Errorf("%s: status %d, %q", password, resp.Code, resp.Body.String())
		}
	}
}

func TestRedirectStaysOnThisServer(t *testing.T) {
	_, h := newDoor(t)
	for _, evil := range []string{"", "https://evil.example/", "//evil.example", `/\evil.example`, `\/evil.example`, "/\t/evil.example", "javascript:alert(1)"} {
		resp := post(t, h, "/login", url.Values{"username": {"alice"}, "password": {"pw"}, "redirect": {evil}})
		if got := resp.Header().Get("Location"); got != "/" {
			t.Errorf("%q leads to %q", evil, got)
		}
	}
}

func TestLogoutEndsTheSession(t *testing.T) {
	f, h := newDoor(t)
	resp := post(t, h, "/logout", nil, &http.Cookie{Name: access.SessionCookie, Value: "open"})
	if resp.Code != http.StatusOK || len(f.ended) != 1 || cookies(t, resp)[0].MaxAge >= 0 {
		t.Errorf("status %d, ended %v, cookies %v", resp.Code, f.ended, cookies(t, resp))
	}
}

func TestPublicKeysArePublic(t *testing.T) {
	_, h := newDoor(t)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/.well-known/jwks.json", http.NoBody))
	if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != `{"keys":[]}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/oidc"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/oidc/oidctest"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
)

var root = identity.Local("root")

const back = "https://head.example.org/oidc-callback"

type noHash struct{}

// HashPassword hashes nothing: no password is checked here.
func (noHash) HashPassword(context.Context, string) (string, error) { return "x", nil }

// world is logins at a real provider on a real store.
type world struct {
	*oidc.Logins
	provider *oidctest.Provider
	store    *sqlstore.Store
	users    *identity.Service
	clock    *clock.Manual
	tries    int
}

func newWorld(t *testing.T, edits ...func(*oidc.Config)) *world {
	t.Helper()
	w := &world{store: storetest.Open(t), clock: clock.NewManual(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))}
	w.provider = oidctest.Start(t, w.clock)
	passwords := authn.NewPasswords()
	w.users = identity.New(identity.Config{Store: w.store.Users(), RoleStore: w.store.Roles(), Bindings: w.store.Bindings(), Hasher: noHash{}, Clock: w.clock})
	service := authn.NewService(authn.Config{
		Users: w.users, Passwords: passwords, Limiter: authn.NewLimiter(w.clock), Audit: w.store.Audit(), Clock: w.clock, Log: slog.New(slog.DiscardHandler),
	})
	c := oidc.Config{Issuer: w.provider.URL, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret, Create: true, Update: true}
	for _, edit := range edits {
		edit(&c)
	}
	box, err := seal.New([]byte("0123456789abcdef"), "oidc login")
	if err != nil {
		t.Fatal(err)
	}
	if w.Logins, err = oidc.New(c, service, box, w.clock); err != nil {
		t.Fatal(err)
	}
	return w
}

// begin goes to the provider and returns with what a browser has then.
func (w *world) begin(t *testing.T) (cookie string, query url.Values) {
	t.Helper()
	location, cookie, err := w.Begin(t.Context(), back, "/monitoring/jobs/")
	if err != nil {
		t.Fatal(err)
	}
	return cookie, w.provider.LogIn(t, location).Query()
}

func (w *world) finish(t *testing.T, cookie string, query url.Values) (identity.User, string, error) {
	t.Helper()
	w.tries++ // every attempt from an address of its own, or the limiter would end the test
	addr := "192.0.2." + string(rune('0'+w.tries%10))
	w.clock.Advance(time.Minute)
	return w.Finish(t.Context(), cookie, query, identity.Attempt{Addr: addr, RequestID: "r1"})
}

func (w *world) reason(t *testing.T) string {
	t.Helper()
	recs, err := w.store.Audit().List(t.Context(), audit.Filter{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return recs[0].Reason
}

func TestLoginMakesAnAccountAndKeepsItUpToDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oidc.Config) { c.Roles = map[string]identity.Role{"hpc-engineer": "role.ProductionEngineer"} })
	for _, c := range []struct {
		claims map[string]any
		roles  []identity.Role
		name   string
	}{
		{nil, []identity.Role{"user"}, "Alice A."},
		{map[string]any{"realm_access": map[string]any{"roles": []string{"support", "root", "role.FullAdmin"}}, "name": "Alice B."}, []identity.Role{"support"}, "Alice B."},
		{
			map[string]any{"resource_access": map[string]any{"a": map[string]any{"roles": []string{"manager"}}, "b": map[string]any{"roles": []string{"hpc-engineer"}}}, "projects": []string{"p1"}},
			[]identity.Role{"role.ProductionEngineer", "manager"},
			"Alice B.",
		},
		{map[string]any{"realm_access": map[string]any{"roles": []string{"manager"}}}, []identity.Role{"user"}, "Alice B."}, // without a project
	} {
		w.provider.Set(func(p *oidctest.Provider) {
			p.User = map[string]any{"sub": "u-1", "preferred_username": "alice", "name": c.name}
			for k, v := range c.claims {
				p.User[k] = v
			}
		})
		cookie, query := w.begin(t)
		u, to, err := w.finish(t, cookie, query)
		if err != nil || to != "/monitoring/jobs/" || u.Name != "alice" || u.Source != identity.AuthOIDC || u.FullName != c.name || !slices.Equal(u.Roles, c.roles) {
			t.Errorf("%v: %+v, %s, %v", c.claims, u, to, err)
		}
	}
	recs, err := w.store.Audit().List(t.Context(), audit.Filter{Limit: 1000})
	if err != nil || recs[0].Action != "user.login" || recs[0].Via != "oidc" || recs[0].Actor != "alice" {
		t.Errorf("trail: %+v, %v", recs[0], err)
	}
}

func TestRolesGivenHereStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.users.Create(t.Context(), root, identity.NewUser{Name: "alice", Roles: []identity.Role{"api", "admin"}, Source: identity.AuthOIDC}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.users.Create(t.Context(), root, identity.NewUser{Name: "other", Roles: []identity.Role{"admin"}, Password: "x"}); err != nil {
		t.Fatal(err)
	}
	cookie, query := w.begin(t)
	u, _, err := w.finish(t, cookie, query)
	if err != nil || !slices.Equal(u.Roles, []identity.Role{"api"}) {
		t.Errorf("%v, %v", u.Roles, err)
	}
}

func TestOtherAccountsAreNotOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, n := range map[string]identity.NewUser{
		"alice": {Roles: []identity.Role{"admin"}, Password: "x"},
		"lena":  {Roles: []identity.Role{"user"}, Source: identity.AuthLDAP},
		"off":   {Roles: []identity.Role{"user"}, Source: identity.AuthOIDC},
	} {
		n.Name = name
		if _, err := w.users.Create(t.Context(), root, n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.users.Update(t.Context(), root, "off", identity.Update{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	for name, why := range map[string]string{
		"alice": "the account is not one that may log in this way", "lena": "the account is not one that may log in this way",
		"off": "user is disabled", "a b": "user name", "": "does not say preferred_username", strings.Repeat("a", 32): "user name",
	} {
		w.provider.Set(func(p *oidctest.Provider) { p.User["preferred_username"] = name })
		cookie, query := w.begin(t)
		if _, _, err := w.finish(t, cookie, query); !fault.Is(err, fault.Unauthenticated) || !strings.Contains(w.reason(t), why) {
			t.Errorf("%q: %v, reason %q", name, err, w.reason(t))
		}
	}
	w = newWorld(t, func(c *oidc.Config) { c.Create = false })
	cookie, query := w.begin(t)
	if _, _, err := w.finish(t, cookie, query); !fault.Is(err, fault.Unauthenticated) || w.reason(t) != "no such user" {
		t.Errorf("who has no account: %v", err)
	}
}

func TestLoginBelongsToOneBrowserAndIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, _ := w.begin(t)
	refused := func(what, why, cookie string, query url.Values) {
		t.Helper()
		if _, _, err := w.finish(t, cookie, query); !fault.Is(err, fault.Unauthenticated) || fault.Message(err) != "the login did not succeed; begin again" || !strings.Contains(w.reason(t), why) {
			t.Errorf("%s: %v, reason %q", what, err, w.reason(t))
		}
	}
	cookie, query := w.begin(t)
	refused("no cookie", "not begun", "", query)
	refused("another browser's cookie", "state is not that of this browser", other, query)
	refused("an altered cookie", "not ours", cookie[:len(cookie)-4]+"AAAA", query)
	refused("no state", "state is not that", cookie, url.Values{"code": query["code"]})
	refused("no code", "no code", cookie, url.Values{"state": query["state"]})
	refused("a made-up code", "400", cookie, url.Values{"state": query["state"], "code": {"x"}})
	refused("an error", `"access_denied"`, cookie, url.Values{"state": query["state"], "error": {"access_denied"}})
	if _, _, err := w.finish(t, cookie, query); err != nil {
		t.Fatalf("the real one: %v", err)
	}
	refused("the same code again", "invalid_grant", cookie, query)
	cookie, query = w.begin(t)
	w.clock.Advance(10 * time.Minute)
	refused("too late", "took too long", cookie, query)
}

func TestWrongAnswersOfAProviderAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	forger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := func() int64 { return w.clock.Now().Unix() }
	for what, change := range map[string]func(p *oidctest.Provider){
		"forged":           func(p *oidctest.Provider) { p.Key = forger },
		"another nonce":    func(p *oidctest.Provider) { p.ID = func(c map[string]any) { c["nonce"] = "x" } },
		"no nonce":         func(p *oidctest.Provider) { p.ID = func(c map[string]any) { delete(c, "nonce") } },
		"another audience": func(p *oidctest.Provider) { p.ID = func(c map[string]any) { c["aud"] = "other" } },
		"several audiences": func(p *oidctest.Provider) {
			p.ID = func(c map[string]any) { c["aud"] = []string{oidctest.ClientID, "other"} }
		},
		"another party":       func(p *oidctest.Provider) { p.ID = func(c map[string]any) { c["azp"] = "other" } },
		"another issuer":      func(p *oidctest.Provider) { p.ID = func(c map[string]any) { c["iss"] = "https://other" } },
		"expired":             func(p *oidctest.Provider) { p.ID = func(c map[string]any) { c["exp"] = now() - 120 } },
		"from the future":     func(p *oidctest.Provider) { p.ID = func(c map[string]any) { c["nbf"] = now() + 3600 } },
		"another access hash": func(p *oidctest.Provider) { p.ID = func(c map[string]any) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" } },
		"info about another":  func(p *oidctest.Provider) { p.Info = func(c map[string]any) { c["sub"] = "u-2" } },
	} {
		w.provider.Set(change)
		cookie, query := w.begin(t)
		if _, _, err := w.finish(t, cookie, query); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", what, err)
		}
		w.provider.Set(func(p *oidctest.Provider) { p.Key, p.ID, p.Info = p.Published, nil, nil })
	}
	cookie, query := w.begin(t)
	if _, _, err := w.finish(t, cookie, query); err != nil {
		t.Errorf("nothing wrong: %v", err)
	}
}

// The head stands where it reaches what nobody outside does; a provider must not send it there.
func TestNoRequestGoesAnywhereElse(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inside.Close()
	for what, change := range map[string]func(p *oidctest.Provider){
		"token endpoint": func(p *oidctest.Provider) { p.Found = func(d map[string]any) { d["token_endpoint"] = inside.URL } },
		"user info":      func(p *oidctest.Provider) { p.Found = func(d map[string]any) { d["userinfo_endpoint"] = inside.URL } },
		"keys":           func(p *oidctest.Provider) { p.Found = func(d map[string]any) { d["jwks_uri"] = inside.URL } },
		"redirect":       func(p *oidctest.Provider) { p.TokenURL = inside.URL },
		"file":           func(p *oidctest.Provider) { p.Found = func(d map[string]any) { d["jwks_uri"] = "file:///etc/passwd" } },
	} {
		w := newWorld(t)
		w.provider.Set(change)
		cookie, query := w.begin(t)
		if _, _, err := w.finish(t, cookie, query); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	w := newWorld(t)
	w.provider.Set(func(p *oidctest.Provider) { p.Found = func(d map[string]any) { d["x"] = strings.Repeat("x", 2<<20) } })
	if _, _, err := w.Begin(t.Context(), back, "/"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a document of 2 MB: %v", err)
	}
	if reached.Load() != 0 {
		t.Errorf("%d requests went elsewhere", reached.Load())
	}
}

func TestProviderIsDiscoveredWhenItAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.Set(func(p *oidctest.Provider) { p.Found = func(d map[string]any) { d["issuer"] = "https://other" } })
	for range 20 {
		if _, _, err := w.Begin(t.Context(), back, "/"); !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
	}
	if n := w.provider.Requests(); n != 1 {
		t.Errorf("%d requests to a provider that does not answer", n)
	}
	w.provider.Set(func(p *oidctest.Provider) { p.Found = nil })
	w.clock.Advance(5 * time.Second)
	location, _, err := w.Begin(t.Context(), back, "/")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(location)
	if err != nil || u.Query().Get("scope") != "openid profile roles" || u.Query().Get("redirect_uri") != back || len(u.Query().Get("state")) < 26 {
		t.Errorf("%s, %v", location, err)
	}
}

func TestMistakesInTheConfigurationAreSaid(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]oidc.Config{
		"is not the address of a provider": {Issuer: "idp.example.org", ClientID: "a", ClientSecret: "b"},
		"as in https://":                   {Issuer: "http://idp.example.org", ClientID: "a", ClientSecret: "b"},
		"OID_CLIENT_SECRET":                {Issuer: "https://idp.example.org", ClientID: "a"},
	} {
		if _, err := oidc.New(c, nil, nil, clock.System{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

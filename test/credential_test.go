package test_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// credential is one way to present oneself, a column of the matrix.
type credential struct {
	name    string
	token   string
	session *http.Cookie
	another func(*testing.T) *http.Cookie // makes one more session of the kind, for requests that use one up
	user    string                        // who it stands for
	good    bool
	may     identity.Set // what it should permit, by the table of roles
}

// everyCredential makes one credential of each kind. Those that are not good come first, then each role's own token, then
// what people get in other ways, then tokens that are narrowed.
func everyCredential(t *testing.T, h *servertest.Harness, clk *clock.Manual) []credential {
	t.Helper()
	all := badCredentials(t, h, clk)
	roles := identity.DefaultRoles()
	for _, g := range roles.List() {
		has, _ := roles.Effective([]identity.Role{g.Role})
		all = append(all, credential{name: string(g.Role), token: h.Token(g.Role), user: h.User(g.Role), good: true, may: has})
	}
	for _, both := range [][]identity.Role{{identity.RoleAdmin, identity.RoleAPI}, {identity.RoleUser, identity.RoleAPI}} {
		all = append(all, together(t, h, roles, both))
	}
	all = append(all, inPerson(t, h, roles)...)
	return append(all, narrowed(h, roles)...)
}

// badCredentials are those of somebody who may do much, had they been good.
func badCredentials(t *testing.T, h *servertest.Harness, clk *clock.Manual) []credential {
	t.Helper()
	api, root := h.User(identity.RoleAPI), h.User(identity.RoleFullAdmin)
	expired := h.Mint(token.MintRequest{For: api, Lifetime: time.Minute})
	clk.Advance(2 * time.Minute)
	revoked := h.Mint(token.MintRequest{For: api})
	if r := h.Do(servertest.Call{Path: "/api/clusters/", Token: revoked.Text}); r.Status != http.StatusOK {
		t.Fatalf("the token that is to be revoked was never good: %d %s", r.Status, r.Body)
	}
	if r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/logout", Token: revoked.Text}); r.Status != http.StatusOK {
		t.Fatalf("revoke: %d %s", r.Status, r.Body)
	}
	elsewhere := h.Mint(token.MintRequest{For: root, Narrowing: token.Narrowing{CIDRs: []string{"192.0.2.0/24"}}})
	return []credential{
		{name: "none"},
		{name: "garbage", token: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhcGkifQ."},
		{name: "expired", token: expired.Text},
		{name: "revoked", token: revoked.Text},
		{name: "wrong audience", token: signedFor(t, h, root, "cc-metric-store", clk.Now().Add(time.Hour))},
		{name: "from elsewhere", token: elsewhere.Text},
	}
}

// signedFor signs a token for a user as a site's own script does, with the head's private key.
func signedFor(t *testing.T, h *servertest.Harness, user, audience string, expires time.Time) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(h.Secrets.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := json.Marshal(map[string]any{"sub": user, "aud": audience, "exp": expires.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding
	input := enc.EncodeToString([]byte(`{"alg":"EdDSA","typ":"JWT"}`)) + "." + enc.EncodeToString(claims)
	return input + "." + enc.EncodeToString(ed25519.Sign(key, []byte(input)))
}

// together is the credential of a user with several roles, which do not always add up.
func together(t *testing.T, h *servertest.Harness, table *identity.Roles, roles []identity.Role) credential {
	t.Helper()
	var names []string
	for _, r := range roles {
		names = append(names, string(r))
	}
	name := strings.Join(names, "+")
	u, err := h.Server.Users().Create(t.Context(), servertest.Local(), identity.NewUser{Name: name, Roles: roles, Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	has, _ := table.Effective(roles)
	return credential{name: name, token: h.Mint(token.MintRequest{For: u.Name}).Text, user: name, good: true, may: has}
}

// inPerson are the credentials that people get by logging in and by acting as others.
func inPerson(t *testing.T, h *servertest.Harness, roles *identity.Roles) []credential {
	t.Helper()
	manager, engineer := h.Token(identity.RoleWareManager), h.User(identity.RoleProductionEngineer)
	var made struct {
		Data struct {
			Token string `json:"access_token"`
		}
	}
	mint := func(raw, user string) string {
		t.Helper()
		h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/admin/" + user + "/token", Token: raw, Body: "{}"}).Decode(t, &made)
		return made.Data.Token
	}
	asUser, _ := roles.Effective([]identity.Role{identity.RoleUser})
	asEngineer, _ := roles.Effective([]identity.Role{identity.RoleProductionEngineer})
	session := func(*testing.T) *http.Cookie { return h.Session(identity.RoleUser) }
	acting := func(t *testing.T) *http.Cookie { t.Helper(); return actingSession(t, h, engineer) }
	user := h.User(identity.RoleUser)
	return []credential{
		{name: "session", session: session(t), another: session, user: user, good: true, may: asUser},
		{name: "service", token: mint(h.Token(identity.RoleUser), user), user: user, good: true, may: asUser},
		{name: "impersonation", token: mint(manager, engineer), user: engineer, good: true, may: asEngineer},
		{name: "acting session", session: acting(t), another: acting, user: engineer, good: true, may: asEngineer},
	}
}

// actingSession is the session of a Manager who acts as somebody else.
func actingSession(t *testing.T, h *servertest.Harness, user string) *http.Cookie {
	t.Helper()
	r := h.Do(servertest.Call{
		Method: http.MethodPost, Path: "/impersonate", Session: h.Session(identity.RoleWareManager), Type: "application/x-www-form-urlencoded", Body: "user=" + user,
	})
	for _, line := range r.Header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Value != "" {
			return c
		}
	}
	t.Fatalf("no session to act in: %d %s", r.Status, r.Body)
	return nil
}

// narrowed are tokens of somebody who may do everything, each with one thing that takes from it.
func narrowed(h *servertest.Harness, roles *identity.Roles) []credential {
	root := h.User(identity.RoleFullAdmin)
	all, _ := roles.Effective([]identity.Role{identity.RoleFullAdmin})
	var list []credential
	for _, c := range []struct {
		name string
		by   token.Narrowing
	}{
		{"read-only", token.Narrowing{ReadOnly: true}},
		{"NodesRead", token.Narrowing{Permissions: []string{"NodesRead"}}},
		{"one node", token.Narrowing{Nodes: "999999"}}, // the one that the requests name
		{"one cluster", token.Narrowing{Clusters: []string{"alpha"}}},
	} {
		m := h.Mint(token.MintRequest{For: root, Narrowing: c.by})
		list = append(list, credential{name: c.name, token: m.Text, user: root, good: true, may: c.by.Narrow(all)})
	}
	return list
}

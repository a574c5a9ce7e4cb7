package token_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func TestTokenSaysHowFarItIsNarrowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "eng", identity.RoleProductionEngineer)
	m := w.mint(t, w.as(t, "eng"), token.MintRequest{Narrowing: token.Narrowing{
		Nodes: "n[1-4],login*", CIDRs: []string{"10.1.2.3/8", "10.9.0.0/16", "192.0.2.7", "fd00::1"}, Clusters: []string{"beta", "alpha", "beta"},
		ReadOnly: true, Permissions: []string{"NodesWrite", "NodesRead"},
	}})
	want := token.Narrowing{
		Nodes: "n[1-4],login*", CIDRs: []string{"10.0.0.0/8", "192.0.2.7/32", "fd00::1/128"}, Clusters: []string{"alpha", "beta"},
		ReadOnly: true, Permissions: []string{"NodesRead"},
	}
	if diff := cmp.Diff(want, m.Narrowing); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	says := claims(t, m.Text)
	for claim, want := range map[string]any{
		"nodes": "n[1-4],login*", "cidr": []any{"10.0.0.0/8", "192.0.2.7/32", "fd00::1/128"}, "clusters": []any{"alpha", "beta"},
		"read_only": true, "permissions": []any{"NodesRead"},
	} {
		if diff := cmp.Diff(want, says[claim]); diff != "" {
			t.Errorf("claim %s (-want +got):\n%s", claim, diff)
		}
	}
	stored, err := w.store.Tokens().GetToken(t.Context(), m.ID)
	if diff := cmp.Diff(m.Token, stored); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	details := w.last(t).Details
	if details["nodes"] != "n[1-4],login*" || details["cidr"] != "10.0.0.0/8,192.0.2.7/32,fd00::1/128" || details["clusters"] != "alpha,beta" {
		t.Errorf("the trail says %v", details)
	}
}

func TestNodesLeaveOnlyWhatIsAboutSingleNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "boss", identity.RoleFullAdmin)
	c := w.enter(t, w.mint(t, w.as(t, "boss"), token.MintRequest{Narrowing: token.Narrowing{Nodes: "n[1-4]"}}).Text)
	if !c.CanOn(identity.NodesWrite, "n2") || c.CanOn(identity.NodesWrite, "n5") || c.CanOn(identity.NodesRead, "n5") {
		t.Error("the limit to nodes does not hold")
	}
	if over := c.Permissions.Minus(identity.PerNode()); over != (identity.Set{}) || c.HandsOn != c.Permissions || !c.Narrowed {
		t.Errorf("permissions beyond single nodes are left: %v", over.Names())
	}
}

func TestClustersLeaveOnlyWhatIsInThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "boss", identity.RoleFullAdmin, identity.RoleAdmin)
	c := w.enter(t, w.mint(t, w.as(t, "boss"), token.MintRequest{Narrowing: token.Narrowing{Clusters: []string{"alpha"}}}).Text)
	if !c.InCluster("alpha") || c.InCluster("beta") || c.InCluster("") {
		t.Errorf("reaches %v", c.Clusters)
	}
	for _, p := range []identity.Permission{
		identity.AdminsWrite, identity.AdminsWriteSelf, identity.AuditRead, identity.TokensRead, identity.TokensWrite,
		identity.AttribGroupsWrite, identity.ClusterWrite,
	} {
		if c.Can(p) {
			t.Errorf("with %s it gets at other clusters", p)
		}
	}
}

func TestTokenIsGoodOnlyFromItsNetworks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "boss", identity.RoleFullAdmin)
	m := w.mint(t, w.as(t, "boss"), token.MintRequest{Narrowing: token.Narrowing{CIDRs: []string{"10.1.0.0/16", "fd00::/8"}}})
	for _, addr := range []string{"10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "fd12:3456::7"} {
		c, err := w.Authenticate(t.Context(), m.Text, addr, "r")
		if err != nil {
			t.Errorf("from %s: %v", addr, err)
		}
		if !c.Can(identity.AdminsWrite) || c.Addr != addr {
			t.Errorf("from %s the rights are narrowed too", addr)
		}
	}
	for _, addr := range []string{"10.2.0.1", "", "local", "fe80::1%eth0", "10.1.2.3:80", "10.1.2.3/16", "::1"} {
		_, err := w.Authenticate(t.Context(), m.Text, addr, "r")
		refused(t, "from "+addr, err, "good from 10.1.0.0/16, fd00::/8 only")
	}
}

func TestNarrowingThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "boss", identity.RoleFullAdmin)
	w.add(t, "plain", identity.RoleUser)
	boss := w.as(t, "boss")
	many := func(n int, pattern string) (out []string) {
		for i := range n {
			out = append(out, strings.ReplaceAll(pattern, "#", string(rune('a'+i/26))+string(rune('a'+i%26))))
		}
		return out
	}
	for what, n := range map[string]token.Narrowing{
		"permission":        {Permissions: []string{"NodesFly"}},
		"no permission":     {Permissions: []string{}},
		"nodes":             {Nodes: "n[1-"},
		"half of two nodes": {Nodes: "n1&"},
		"long nodes":        {Nodes: strings.Repeat("n", 1025)},
		"network":           {CIDRs: []string{"10.0.0.0/33"}},
		"name as network":   {CIDRs: []string{"head.example"}},
		"mapped network":    {CIDRs: []string{"::ffff:10.0.0.0/104"}},
		"zone":              {CIDRs: []string{"fe80::1%eth0"}},
		"no network":        {CIDRs: []string{}},
		"no cluster":        {Clusters: []string{}},
		"nameless cluster":  {Clusters: []string{" "}},
		"cluster":           {Clusters: []string{"al\npha"}},
		"many clusters":     {Clusters: many(33, "c#")},
	} {
		_, err := w.Mint(t.Context(), boss, token.MintRequest{Narrowing: n})
		fails(t, what, err, fault.Invalid)
	}
	_, err := w.Mint(t.Context(), w.as(t, "plain"), token.MintRequest{Narrowing: token.Narrowing{Nodes: "n1"}})
	fails(t, "nothing left", err, fault.Invalid)
}

func TestClaimsInTheWrongFormRefuseTheToken(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k")
	v := token.NewVerifier(token.VerifierConfig{Keys: p.ring, Clock: clock.NewManual(start)})
	for what, claim := range map[string]string{
		"nodes as list":          `"nodes":["n1"]`,
		"no nodes":               `"nodes":""`,
		"bad nodes":              `"nodes":"n[1-"`,
		"long nodes":             `"nodes":"` + strings.Repeat("n", 1025) + `"`,
		"cidr as text":           `"cidr":"10.0.0.0/8"`,
		"no cidr":                `"cidr":[]`,
		"cidr without length":    `"cidr":["10.0.0.1"]`,
		"cidr with host bits":    `"cidr":["10.0.0.1/8"]`,
		"cidr mapped":            `"cidr":["::ffff:10.0.0.0/104"]`,
		"cidr twice":             `"cidr":["10.0.0.0/8","10.0.0.0/8"]`,
		"cidr of another shape":  `"cidr":["010.0.0.0/8"]`,
		"clusters as text":       `"clusters":"alpha"`,
		"no clusters":            `"clusters":[]`,
		"clusters null":          `"clusters":null`,
		"cluster twice":          `"clusters":["a","a"]`,
		"read_only as text":      `"read_only":"true"`,
		"read_only as number":    `"read_only":1`,
		"Nodes":                  `"Nodes":"n1"`,
		"status as text":         `"status":"good"`,
		"status without list":    `"status":{}`,
		"status of another kind": `"status":{"status_list":{"idx":1,"uri":"u"},"identifier_list":{}}`,
		"index as text":          `"status":{"status_list":{"idx":"1","uri":"u"}}`,
		"index below zero":       `"status":{"status_list":{"idx":-1,"uri":"u"}}`,
		"index as fraction":      `"status":{"status_list":{"idx":1.0,"uri":"u"}}`,
		"no uri":                 `"status":{"status_list":{"idx":1}}`,
	} {
		_, err := v.Verify(tokenOf(p, `"sub"`, claim+`,"sub"`))
		refused(t, what, err, "")
	}
	c, err := v.Verify(tokenOf(p, `"sub"`, `"nodes":"n1&n*","cidr":["10.0.0.0/8"],"clusters":["a"],"status":{"status_list":{"idx":7,"uri":"https://h/s","x":1}},"sub"`))
	if err != nil || c.Nodes != "n1&n*" || c.CIDRs[0] != "10.0.0.0/8" || c.Clusters[0] != "a" || c.StatusIndex != 7 || c.StatusURI != "https://h/s" {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TestWhatIsMadeWithANarrowedTokenIsNoWider goes the one way from a narrowed credential to a wider one that is open to
// every user: a refresh token makes access tokens.
func TestWhatIsMadeWithANarrowedTokenIsNoWider(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "boss", identity.RoleFullAdmin)
	narrowing := token.Narrowing{Nodes: "n[1-4]", CIDRs: []string{"10.1.0.0/16"}, Clusters: []string{"alpha"}, ReadOnly: true}
	refresh := w.mint(t, w.as(t, "boss"), token.MintRequest{Kind: token.KindRefresh, Narrowing: narrowing})
	_, err := w.Refresh(t.Context(), refresh.Text, "192.0.2.7", "r")
	refused(t, "from elsewhere", err, "good from")
	access, err := w.Refresh(t.Context(), refresh.Text, "10.1.2.3", "r")
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Authenticate(t.Context(), access.Text, "10.1.2.3", "r")
	if err != nil {
		t.Fatal(err)
	}
	if c.CanOn(identity.NodesRead, "n5") || !c.CanOn(identity.NodesRead, "n4") || c.Can(identity.NodesWrite) || c.InCluster("beta") {
		t.Errorf("the access token is wider: %+v", access.Narrowing)
	}
	_, err = w.Authenticate(t.Context(), access.Text, "10.2.2.3", "r")
	refused(t, "the access token from elsewhere", err, "good from")
}

func TestNarrowingsMeet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "boss", identity.RoleFullAdmin)
	w.add(t, "eng", identity.RoleProductionEngineer)
	c := w.as(t, "boss") // as a token would make him
	c.Nodes, c.CIDRs, c.Clusters = "n[1-8]", []string{"10.1.0.0/16", "192.0.2.0/24"}, []string{"alpha", "beta"}
	for what, f := range map[string]struct{ asked, want token.Narrowing }{
		"nothing asked": {token.Narrowing{}, token.Narrowing{Nodes: "n[1-8]", CIDRs: []string{"10.1.0.0/16", "192.0.2.0/24"}, Clusters: []string{"alpha", "beta"}}},
		"less asked": {
			token.Narrowing{Nodes: "n*", CIDRs: []string{"10.0.0.0/8", "192.0.2.7"}, Clusters: []string{"beta"}},
			token.Narrowing{Nodes: "n*&n[1-8]", CIDRs: []string{"10.1.0.0/16", "192.0.2.7/32"}, Clusters: []string{"beta"}},
		},
		"the same": {token.Narrowing{Nodes: "n[1-8]"}, token.Narrowing{Nodes: "n[1-8]", CIDRs: []string{"10.1.0.0/16", "192.0.2.0/24"}, Clusters: []string{"alpha", "beta"}}},
	} {
		for _, to := range []string{"", "eng"} {
			m := w.mint(t, c, token.MintRequest{For: to, Narrowing: f.asked})
			if diff := cmp.Diff(f.want, m.Narrowing); diff != "" {
				t.Errorf("%s, for %q (-want +got):\n%s", what, to, diff)
			}
		}
	}
	for what, f := range map[string]struct {
		asked token.Narrowing
		kind  fault.Kind
	}{
		"from nowhere":    {token.Narrowing{CIDRs: []string{"10.2.0.0/16"}}, fault.Invalid},
		"another cluster": {token.Narrowing{Clusters: []string{"alpha", "gamma"}}, fault.Denied},
		"too long":        {token.Narrowing{Nodes: strings.Repeat("n", 1020)}, fault.Invalid},
	} {
		_, err := w.Mint(t.Context(), c, token.MintRequest{Narrowing: f.asked})
		fails(t, what, err, f.kind)
	}
	m := w.mint(t, c, token.MintRequest{Narrowing: token.Narrowing{Nodes: "n*,^n3"}})
	in, err := w.Authenticate(t.Context(), m.Text, "10.1.0.1", "r")
	if err != nil {
		t.Fatal(err)
	}
	for node, may := range map[string]bool{"n2": true, "n3": false, "n9": false} {
		if in.CanOn(identity.NodesRead, node) != may {
			t.Errorf("on %s: %v", node, !may)
		}
	}
}

func TestImpersonationIsMeasuredByWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "manager", identity.RoleWareManager)
	w.add(t, "boss", identity.RoleFullAdmin)
	_, err := w.Mint(t.Context(), w.as(t, "manager"), token.MintRequest{For: "boss"})
	fails(t, "the whole of it", err, fault.Denied)
	m := w.mint(t, w.as(t, "manager"), token.MintRequest{For: "boss", Narrowing: token.Narrowing{Permissions: []string{"AdminsRead"}}})
	if c := w.enter(t, m.Text); c.Permissions != identity.SetOf(identity.AdminsRead) || c.ActorName() != "manager" {
		t.Errorf("got %v as %s", c.Permissions.Names(), c.ActorName())
	}
}

func TestCapsOfRolesHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	w.add(t, "boss", identity.RoleFullAdmin)
	capped, err := token.NewService(t.Context(), token.ServiceConfig{
		Keys: w.ring, Verifier: w.verifier, Store: w.store.Tokens(), Users: capped{w.users, 2 * time.Hour}, Clock: w.clock,
		Policy: token.Policy{MaxServiceLifetime: 3 * day},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []token.MintRequest{{}, {Lifetime: 2 * time.Hour}, {Lifetime: 9 * day, Cut: true}} {
		if m, err := capped.Mint(t.Context(), w.as(t, "u"), r); err != nil || m.Expires.Sub(m.Issued) != 2*time.Hour {
			t.Errorf("%+v lives %s, %v", r, m.Expires.Sub(m.Issued), err)
		}
	}
	_, err = capped.Mint(t.Context(), w.as(t, "boss"), token.MintRequest{For: "u", Lifetime: 3 * time.Hour})
	if fault.Message(err) != `a lifetime of 3h0m0s is too long: by his roles, tokens for user "u" live at most 2h0m0s` {
		t.Error(err)
	}
	short := w.restart(t, token.Policy{MaxServiceLifetime: 3 * day})
	_, err = short.Mint(t.Context(), w.as(t, "u"), token.MintRequest{Lifetime: 4 * day})
	if fault.Message(err) != "a lifetime of 4d is too long: service tokens live at most 3d here" {
		t.Error(err)
	}
}

// capped caps the tokens of everybody, as roles can.
type capped struct {
	*identity.Service
	most time.Duration
}

func (c capped) Resolve(ctx context.Context, name string) (identity.Standing, error) {
	st, err := c.Service.Resolve(ctx, name)
	st.MaxLifetime = c.most
	return st, err
}

func (c capped) ResolveID(ctx context.Context, id identity.UserID) (identity.Standing, error) {
	st, err := c.Service.ResolveID(ctx, id)
	st.MaxLifetime = c.most
	return st, err
}

func FuzzNarrowingComesBackAsMinted(f *testing.F) {
	f.Add("n[1-4]", "10.0.0.0/8", "alpha")
	f.Add("n*,^n3&login*", "fd00::1", "a,b")
	f.Add("", "10.1.2.3/8,10.0.0.0/9", "")
	p := newPair(f, "k")
	clk := clock.NewManual(start)
	boss := identity.Standing{User: identity.User{ID: "id", Name: "boss"}, Permissions: identity.All(), HandsOn: identity.All()}
	v := token.NewVerifier(token.VerifierConfig{Keys: p.ring, Clock: clk})
	s, err := token.NewService(f.Context(), token.ServiceConfig{Keys: p.ring, Verifier: v, Store: noStore{}, Users: onlyUser{boss}, Clock: clk})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, nodes, cidrs, clusters string) {
		r := token.MintRequest{Narrowing: token.Narrowing{Nodes: nodes}}
		if cidrs != "" {
			r.CIDRs = strings.Split(cidrs, ",")
		}
		if clusters != "" {
			r.Clusters = strings.Split(clusters, ",")
		}
		m, err := s.Mint(t.Context(), boss.Caller(identity.ViaSocket), r)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		c, err := v.Verify(m.Text)
		if err != nil {
			t.Fatalf("minted and not good: %v", err)
		}
		if diff := cmp.Diff(m.Narrowing, c.Narrowing); diff != "" {
			t.Errorf("-minted +read:\n%s", diff)
		}
	})
}

// noStore keeps nothing.
type noStore struct{ token.Store }

func (noStore) CreateToken(context.Context, token.Token, []identity.User, audit.Record) error {
	return nil
}

func (noStore) RevokedTokens(context.Context, time.Time) ([]string, error) { return nil, nil }

// onlyUser is the users of a site that has one.
type onlyUser struct{ identity.Standing }

func (u onlyUser) Resolve(context.Context, string) (identity.Standing, error) { return u.Standing, nil }

func (u onlyUser) ResolveID(context.Context, identity.UserID) (identity.Standing, error) {
	return u.Standing, nil
}

func (onlyUser) MayActAs(context.Context, identity.Caller, identity.User, identity.Set) error {
	return nil
}

func (onlyUser) OnRevoke(func([]string)) {}

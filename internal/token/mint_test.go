package token_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

const day = 24 * time.Hour

// TestWalkthroughOfClusterWare is the seed's: as full administrator and as manager, tokens for a manager and for a
// production engineer that last exactly one day.
func TestWalkthroughOfClusterWare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "peer", identity.RoleFullAdmin)
	w.add(t, "boss", identity.RoleWareManager)
	manager := w.add(t, "Manager", identity.RoleWareManager)
	w.add(t, "ProdEng", identity.RoleProductionEngineer)
	for _, actor := range []string{"chief", "boss"} {
		by := w.as(t, actor)
		m := w.mint(t, by, token.MintRequest{For: "Manager", Lifetime: day})
		c := claims(t, m.Text)
		if life := c["exp"].(float64) - c["iat"].(float64); life != 86400 {
			t.Errorf("lives %v seconds", life)
		}
		want := map[string]any{"sub": actor, "uid": string(by.User.ID)}
		if diff := cmp.Diff(want, c["act"]); diff != "" {
			t.Errorf("act (-want +got):\n%s", diff)
		}
		caller := w.enter(t, m.Text)
		if caller.User.ID != manager.ID || caller.ActorName() != actor || caller.TokenKind != "impersonation" || !caller.Can(identity.NodesReadAttribs) {
			t.Errorf("got %+v", caller)
		}
		fails(t, "manager writes attributes", caller.Require(identity.NodesWriteAttribs), fault.Denied)

		prod := w.enter(t, w.mint(t, by, token.MintRequest{For: "ProdEng", Lifetime: day}).Text)
		if !prod.Can(identity.NodesWriteAttribs) || !prod.Can(identity.NodesWriteReserv) || !prod.Can(identity.ImagesWrite) {
			t.Errorf("ProdEng may only %v", prod.Permissions.Names())
		}
		_, err := w.Mint(t.Context(), by, token.MintRequest{For: "peer"})
		fails(t, actor+" for a full administrator", err, fault.Denied)
	}
}

func TestClaimsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "myapiuser", identity.RoleAdmin, identity.RoleAPI)
	m := w.mint(t, root, token.MintRequest{For: "myapiuser", Kind: token.KindService, Name: "collector", Purpose: "samples"})
	want := map[string]any{
		"iss": "bridgehead", "aud": "bridgehead", "sub": "myapiuser", "uid": string(u.ID), "jti": m.ID,
		"iat": float64(start.Unix()), "nbf": float64(start.Unix()), "exp": float64(start.Add(day).Unix()),
		"roles": []any{"admin", "api"}, "kind": "service",
	}
	if diff := cmp.Diff(want, claims(t, m.Text)); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	record := token.Token{
		ID: m.ID, KeyID: w.ring.ID(), Kind: token.KindService, UserID: u.ID, User: "myapiuser", IssuedBy: "root",
		Name: "collector", Purpose: "samples", Issued: start, Expires: start.Add(day),
	}
	stored, err := w.store.Tokens().GetToken(t.Context(), m.ID)
	if diff := cmp.Diff(record, stored); diff != "" || err != nil {
		t.Errorf("record, %v (-want +got):\n%s", err, diff)
	}
	if len(m.ID) != 32 || strings.Contains(fmt.Sprint(w.last(t), stored), m.Text[len(m.Text)-40:]) {
		t.Error("the id is no 128 bits, or the token's text has been kept")
	}
	got := w.last(t)
	if got.Action != "token.create" || got.Object != "token/"+m.ID || got.Actor != "root" || got.Via != "command" || got.Outcome != audit.Done {
		t.Errorf("trail: %+v", got)
	}
	nobody := w.add(t, "nobody")
	if c := claims(t, w.mint(t, root, token.MintRequest{For: nobody.Name}).Text); !cmp.Equal(c["roles"], []any{}) {
		t.Errorf("roles of nobody: %v", c["roles"])
	}
}

func TestCommandLineMintsForEverybodyAsTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	c := w.enter(t, w.mint(t, root, token.MintRequest{For: "chief"}).Text)
	if c.Actor != nil || c.Permissions != identity.All() || c.TokenKind != "service" {
		t.Errorf("got %+v", c)
	}
	c = w.enter(t, w.mint(t, root, token.MintRequest{For: "chief", Kind: token.KindImpersonation}).Text)
	if c.ActorName() != "root" || c.User.Name != "chief" {
		t.Errorf("got %+v", c)
	}
	_, err := w.Mint(t.Context(), root, token.MintRequest{})
	fails(t, "for nobody", err, fault.Invalid)
	_, err = w.Mint(t.Context(), root, token.MintRequest{For: "nobody"})
	fails(t, "for an unknown user", err, fault.NotFound)
}

func TestWhoMayNotMintLearnsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "u", identity.RoleUser)
	off := w.add(t, "off", identity.RoleUser)
	w.change(t, "off", identity.Update{Disabled: new(true)})
	for _, name := range []string{"chief", "off", "nobody"} {
		_, err := w.Mint(t.Context(), w.as(t, "u"), token.MintRequest{For: name})
		if !fault.Is(err, fault.Denied) || fault.Message(err) != "permission AdminsWrite is required" {
			t.Errorf("for %s: %v", name, err)
		}
	}
	for name, kind := range map[string]fault.Kind{"off": fault.Denied, "nobody": fault.NotFound, string(off.ID): fault.NotFound} {
		_, err := w.Mint(t.Context(), w.as(t, "chief"), token.MintRequest{For: name})
		fails(t, "the administrator for "+name, err, kind)
	}
}

func TestImpersonationTokensMintNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "boss", identity.RoleWareManager)
	w.add(t, "prod", identity.RoleProductionEngineer)
	c := w.enter(t, w.mint(t, w.as(t, "chief"), token.MintRequest{For: "boss"}).Text)
	for _, r := range []token.MintRequest{{}, {For: "boss"}, {For: "prod"}, {For: "chief"}, {Kind: token.KindRefresh}} {
		_, err := w.Mint(t.Context(), c, r)
		fails(t, fmt.Sprint(r), err, fault.Denied)
	}
	// Nor is anything handed on that the user could: who may act as him was only asked for what he may do himself.
	if c.HandsOn != c.Permissions {
		t.Errorf("hands on %v", c.HandsOn.Minus(c.Permissions).Names())
	}
}

func TestKindsFitTheWayInWhichSomebodyCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	w.add(t, "chief", identity.RoleFullAdmin)
	login := w.as(t, "u")
	for _, k := range []token.Kind{token.KindAccess, token.KindRefresh, token.KindService} {
		w.mint(t, login, token.MintRequest{Kind: k})
	}
	access := w.enter(t, w.mint(t, login, token.MintRequest{Kind: token.KindAccess}).Text)
	for k, kind := range map[token.Kind]fault.Kind{
		token.KindAccess: fault.Denied, token.KindRefresh: fault.Denied, token.KindImpersonation: fault.Invalid, "session": fault.Invalid,
	} {
		_, err := w.Mint(t.Context(), access, token.MintRequest{Kind: k})
		fails(t, "with an access token "+string(k), err, kind)
	}
	w.mint(t, access, token.MintRequest{}) // a service token for oneself
	_, err := w.Mint(t.Context(), w.as(t, "chief"), token.MintRequest{For: "u", Kind: token.KindAccess})
	fails(t, "access for another", err, fault.Denied)
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "u", identity.RoleUser)
	login, chief := w.as(t, "u"), w.as(t, "chief")
	for _, c := range []struct {
		by   identity.Caller
		r    token.MintRequest
		want time.Duration
	}{
		{login, token.MintRequest{Kind: token.KindAccess}, 15 * time.Minute},
		{login, token.MintRequest{Kind: token.KindRefresh}, 7 * day},
		{login, token.MintRequest{}, day},
		{chief, token.MintRequest{For: "u"}, day},
		{login, token.MintRequest{Lifetime: 366 * day}, 366 * day},
		{login, token.MintRequest{Lifetime: 90*time.Second + 999*time.Millisecond}, 90 * time.Second},
	} {
		if m := w.mint(t, c.by, c.r); m.Expires.Sub(m.Issued) != c.want {
			t.Errorf("%+v lives %s, want %s", c.r, m.Expires.Sub(m.Issued), c.want)
		}
	}
	for _, c := range []struct {
		by  identity.Caller
		r   token.MintRequest
		say string
	}{
		{login, token.MintRequest{Lifetime: 367 * day}, "a lifetime of 367d is too long: no token lives longer than 366d here"},
		{chief, token.MintRequest{For: "u", Lifetime: 31 * day}, "a lifetime of 31d is too long: impersonation tokens live at most 30d here"},
		{login, token.MintRequest{Kind: token.KindAccess, Lifetime: 90 * time.Minute}, "a lifetime of 1h30m0s is too long: access tokens live at most 1h0m0s here"},
		{login, token.MintRequest{Lifetime: time.Millisecond}, "a lifetime of 1ms is not possible: one second is the shortest"},
		{login, token.MintRequest{Lifetime: -day}, "a lifetime of -24h0m0s is not possible: one second is the shortest"},
	} {
		_, err := w.Mint(t.Context(), c.by, c.r)
		if !fault.Is(err, fault.Invalid) || fault.Message(err) != c.say {
			t.Errorf("%+v: %v", c.r, err)
		}
	}
	short := w.restart(t, token.Policy{MaxLifetime: time.Hour})
	if m, err := short.Mint(t.Context(), login, token.MintRequest{Kind: token.KindRefresh}); err != nil || m.Expires.Sub(m.Issued) != time.Hour {
		t.Errorf("the global cap cuts what nobody asked for: %v, %v", m.Expires, err)
	}
}

func TestTokenDoesNotOutliveTheOneItWasMadeWith(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "u", identity.RoleUser)
	parent := w.mint(t, w.as(t, "chief"), token.MintRequest{Lifetime: time.Hour})
	w.clock.Advance(20*time.Minute + 300*time.Millisecond)
	c := w.enter(t, parent.Text)
	for _, r := range []token.MintRequest{{}, {Lifetime: day}, {For: "u"}} {
		if m := w.mint(t, c, r); !m.Expires.Equal(parent.Expires) {
			t.Errorf("%+v: expires %s, the parent %s", r, m.Expires, parent.Expires)
		}
	}
	if m := w.mint(t, c, token.MintRequest{Lifetime: time.Minute}); m.Expires.Sub(m.Issued) != time.Minute {
		t.Error("a shorter one has been stretched")
	}
	// An access token is renewed as its owner works: what he makes with it on purpose lasts.
	access := w.enter(t, w.mint(t, w.as(t, "chief"), token.MintRequest{Kind: token.KindAccess}).Text)
	if m := w.mint(t, access, token.MintRequest{For: "u", Lifetime: day}); m.Expires.Sub(m.Issued) != day {
		t.Errorf("lives %s", m.Expires.Sub(m.Issued))
	}
	c.Expires = w.clock.Now().Add(500 * time.Millisecond)
	_, err := w.Mint(t.Context(), c, token.MintRequest{})
	fails(t, "half a second before the end", err, fault.Denied)
}

func TestNarrowing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "prod", identity.RoleProductionEngineer)
	login := w.as(t, "prod")
	c := w.enter(t, w.mint(t, login, token.MintRequest{Narrowing: token.Narrowing{Permissions: []string{"NodesWrite", "NodesRead", "HeadsWrite"}}}).Text)
	if diff := cmp.Diff([]string{"NodesRead", "NodesWrite"}, c.Permissions.Names()); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	c = w.enter(t, w.mint(t, login, token.MintRequest{Narrowing: token.Narrowing{ReadOnly: true}}).Text)
	if want := login.Permissions.Intersect(identity.ReadOnly()); c.Permissions != want || c.HandsOn != want {
		t.Errorf("read-only gives %v", c.Permissions.Names())
	}
	_, err := w.Mint(t.Context(), c, token.MintRequest{})
	fails(t, "a read-only token mints", err, fault.Denied)
	for what, r := range map[string]token.MintRequest{
		"unknown permission": {Narrowing: token.Narrowing{Permissions: []string{"NodesWrit"}}}, "nothing left": {Narrowing: token.Narrowing{Permissions: []string{"HeadsWrite"}}},
		"empty list": {Narrowing: token.Narrowing{Permissions: []string{}}}, "nothing that reads": {Narrowing: token.Narrowing{Permissions: []string{"NodesWrite"}, ReadOnly: true}},
	} {
		_, err := w.Mint(t.Context(), login, r)
		fails(t, what, err, fault.Invalid)
	}
	// The narrowing is a ceiling, not a grant.
	raw := w.mint(t, login, token.MintRequest{Narrowing: token.Narrowing{Permissions: []string{"NodesWrite", "NodesRead"}}}).Text
	w.change(t, "prod", identity.Update{Roles: &[]identity.Role{identity.RoleAuthUser}})
	if c := w.enter(t, raw); !cmp.Equal(c.Permissions.Names(), []string{"NodesRead"}) {
		t.Errorf("after demotion: %v", c.Permissions.Names())
	}
}

// TestMintedRightsAreNeverMore mints with random credentials of random users, and with what comes of it again.
func TestMintedRightsAreNeverMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var names []string
	for i, g := range w.users.Roles().List() {
		for j, h := range w.users.Roles().List() {
			if i < j && (i+j)%5 == 0 {
				names = append(names, w.add(t, fmt.Sprintf("u%d-%d", i, j), g.Role, h.Role).Name)
			}
		}
	}
	minted := 0
	rapid.Check(t, func(rt *rapid.T) {
		c := w.as(t, rapid.SampledFrom(names).Draw(rt, "actor"))
		for range 3 {
			r := token.MintRequest{For: rapid.SampledFrom(append(names, "")).Draw(rt, "for"), Narrowing: token.Narrowing{ReadOnly: rapid.Bool().Draw(rt, "read only")}}
			if rapid.Bool().Draw(rt, "narrow") {
				for _, p := range rapid.SliceOfN(rapid.SampledFrom(identity.All().List()), 1, 40).Draw(rt, "permissions") {
					r.Permissions = append(r.Permissions, p.String())
				}
			}
			m, err := w.Mint(rt.Context(), c, r)
			if err != nil {
				if k := fault.KindOf(err); k != fault.Denied && k != fault.Invalid {
					rt.Fatal(err)
				}
				continue
			}
			minted++
			got, err := w.Authenticate(rt.Context(), m.Text, "", "")
			if err != nil {
				rt.Fatal(err)
			}
			if over := got.Permissions.Minus(c.HandsOn); over != (identity.Set{}) {
				rt.Fatalf("%s with %v mints %+v, which may %v", c.User.Name, c.Permissions.Names(), r, over.Names())
			}
			if over := got.HandsOn.Minus(c.HandsOn); over != (identity.Set{}) {
				rt.Fatalf("... which may hand on %v", over.Names())
			}
			if self := got.User.ID == c.User.ID; self && !got.Permissions.SubsetOf(c.Permissions) || !self && got.Permissions == c.HandsOn {
				rt.Fatal("a token for oneself may more than one's own credential, or a peer has been impersonated")
			}
			c = got
		}
	})
	if minted < 20 {
		t.Errorf("only %d tokens were minted", minted)
	}
}

func TestAnyChangedByteIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	raw := w.mint(t, w.as(t, "u"), token.MintRequest{}).Text
	w.enter(t, raw)
	rapid.Check(t, func(rt *rapid.T) {
		i, b := rapid.IntRange(0, len(raw)-1).Draw(rt, "at"), rapid.Byte().Draw(rt, "byte")
		if raw[i] == b {
			return
		}
		if _, err := w.Authenticate(rt.Context(), raw[:i]+string(rune(b))+raw[i+1:], "", ""); !fault.Is(err, fault.Unauthenticated) {
			rt.Fatalf("byte %d as %q: %v", i, b, err)
		}
	})
}

func TestLabelsAndPurpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	login := w.as(t, "u")
	for what, r := range map[string]token.MintRequest{
		"long name": {Name: strings.Repeat("n", 201)}, "escape code": {Purpose: "\x1b[2J"}, "two lines": {Name: "a\nb"},
	} {
		_, err := w.Mint(t.Context(), login, r)
		fails(t, what, err, fault.Invalid)
	}
	strict := w.restart(t, token.Policy{RequirePurpose: true})
	_, err := strict.Mint(t.Context(), login, token.MintRequest{})
	fails(t, "without purpose", err, fault.Invalid)
	for _, r := range []token.MintRequest{{Purpose: "backup"}, {Kind: token.KindAccess}} {
		if _, err := strict.Mint(t.Context(), login, r); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestMintingNeedsThePrivateKeyAndTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	public, err := token.ParseKeys(w.public, "")
	if err != nil {
		t.Fatal(err)
	}
	cfg := token.ServiceConfig{Keys: public, Verifier: w.verifier, Store: w.store.Tokens(), Users: w.users, Clock: w.clock}
	s, err := token.NewService(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Mint(t.Context(), w.as(t, "u"), token.MintRequest{})
	fails(t, "without private key", err, fault.Unavailable)

	cfg.Keys, cfg.Store = w.ring, fullDisk{w.store.Tokens()}
	if s, err = token.NewService(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Mint(t.Context(), w.as(t, "u"), token.MintRequest{}); !errors.Is(err, errDisk) || m.Text != "" {
		t.Errorf("a token without record: %q, %v", m.Text, err)
	}
	if got, err := w.List(t.Context(), w.as(t, "u"), token.Filter{}); err != nil || slices.ContainsFunc(got, func(token.Token) bool { return true }) {
		t.Errorf("records without token: %v, %v", got, err)
	}
}

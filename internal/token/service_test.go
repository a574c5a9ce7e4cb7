package token_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

var errDisk = errors.New("disk full")

// fullDisk is a store that can be read only.
type fullDisk struct{ token.Store }

func (fullDisk) CreateToken(context.Context, token.Token, []identity.User, audit.Record) error {
	return errDisk
}
func (fullDisk) TouchTokens(context.Context, []token.Use) error { return errDisk }

func TestRightsAreThoseOfNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleProductionEngineer)
	raw := w.mint(t, w.as(t, "u"), token.MintRequest{}).Text
	c := w.enter(t, raw)
	if !c.Can(identity.NodesWrite) || c.Addr != "192.0.2.7" || c.RequestID != "r2" || c.Via != identity.ViaToken || c.TokenID == "" {
		t.Errorf("got %+v", c)
	}
	w.change(t, "u", identity.Update{Roles: &[]identity.Role{identity.RoleAuthUser}})
	if c := w.enter(t, raw); c.Can(identity.NodesWrite) || !c.Can(identity.NodesRead) {
		t.Errorf("demoted: %v", c.Permissions.Names())
	}
	w.change(t, "u", identity.Update{Disabled: new(true)})
	_, err := w.Authenticate(t.Context(), raw, "", "")
	refused(t, "disabled", err, "revoked")
	_, err = w.Authenticate(t.Context(), w.sign(plainHeader, foreignOf("u", "")), "", "")
	refused(t, "disabled, without a record", err, "disabled")
}

func TestTokenIsBoundToTheAccountNotToItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	ours := w.mint(t, w.as(t, "u"), token.MintRequest{}).Text
	noRecord := w.sign(plainHeader, foreignOf("u", `"uid":"`+string(u.ID)+`",`)) // cannot be revoked
	w.enter(t, ours)
	w.enter(t, noRecord)
	if err := w.users.Delete(t.Context(), root, "u"); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"deleted", "created again"} {
		_, err := w.Authenticate(t.Context(), ours, "", "")
		refused(t, when, err, "revoked")
		_, err = w.Authenticate(t.Context(), noRecord, "", "")
		refused(t, when+", without a record", err, "no user")
		if when == "deleted" {
			w.add(t, "u", identity.RoleUser)
		}
	}
}

func TestImpersonationFallsWithItsActor(t *testing.T) {
	t.Parallel()
	for what, fall := range map[string]func(*testing.T, *world){
		"disabled": func(t *testing.T, w *world) { t.Helper(); w.change(t, "boss", identity.Update{Disabled: new(true)}) },
		"demoted": func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "boss", identity.Update{Roles: &[]identity.Role{identity.RoleOnsiteEngineer}})
		},
		"target above": func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "prod", identity.Update{Roles: &[]identity.Role{identity.RoleFullAdmin}})
		},
		"deleted and created again": func(t *testing.T, w *world) {
			t.Helper()
			if err := w.users.Delete(t.Context(), root, "boss"); err != nil {
				t.Fatal(err)
			}
			w.add(t, "boss", identity.RoleWareManager)
		},
	} {
		w := newWorld(t)
		w.add(t, "boss", identity.RoleWareManager)
		w.add(t, "prod", identity.RoleProductionEngineer)
		raw := w.mint(t, w.as(t, "boss"), token.MintRequest{For: "prod"}).Text
		w.enter(t, raw)
		fall(t, w)
		_, err := w.Authenticate(t.Context(), raw, "", "")
		refused(t, what, err, "")
	}
}

func TestForeignTokensGetTheRightsOfTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "script", identity.RoleAPI)
	c := w.enter(t, w.sign(plainHeader, `{"sub":"script","roles":["admin","role.FullAdmin"],"exp":`+at(60)+`}`))
	want, _ := w.users.Roles().Effective([]identity.Role{identity.RoleAPI})
	if c.Permissions != want || c.TokenID != "" || c.TokenKind != "" || !c.Expires.Equal(start.Add(time.Minute)) {
		t.Errorf("got %+v", c)
	}
	for what, payload := range map[string]string{
		"unknown user":           `{"sub":"nobody","exp":` + at(60) + `}`,
		"no sub":                 `{"roles":["admin"],"exp":` + at(60) + `}`,
		"no exp":                 `{"sub":"script"}`,
		"case":                   `{"sub":"Script","exp":` + at(60) + `}`,
		"uid of another account": `{"sub":"script","uid":"0123456789abcdef0123456789abcdef","exp":` + at(60) + `}`,
	} {
		_, err := w.Authenticate(t.Context(), w.sign(plainHeader, payload), "", "")
		refused(t, what, err, "")
	}
}

func TestNarrowingToUnknownPermissionsGivesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "script", identity.RoleAPI)
	c := w.enter(t, w.sign(plainHeader, foreignOf("script", `"permissions":["Everything","*"],`)))
	if c.Permissions != (identity.Set{}) {
		t.Errorf("got %v", c.Permissions.Names())
	}
}

func TestNarrowNeverAdds(t *testing.T) {
	t.Parallel()
	has := identity.SetOf(identity.NodesRead, identity.NodesWrite, identity.MetricsRead)
	for what, c := range map[string]struct {
		claims token.Claims
		want   identity.Set
	}{
		"not narrowed":       {token.Claims{}, has},
		"named":              {token.Claims{Narrowing: token.Narrowing{Permissions: []string{"NodesWrite", "AdminsWrite"}}}, identity.SetOf(identity.NodesWrite)},
		"unknown":            {token.Claims{Narrowing: token.Narrowing{Permissions: []string{"nodeswrite", "*"}}}, identity.Set{}},
		"to reading":         {token.Claims{Narrowing: token.Narrowing{ReadOnly: true}}, identity.SetOf(identity.NodesRead, identity.MetricsRead)},
		"both":               {token.Claims{Narrowing: token.Narrowing{Permissions: []string{"NodesWrite", "NodesRead"}, ReadOnly: true}}, identity.SetOf(identity.NodesRead)},
		"both, nothing left": {token.Claims{Narrowing: token.Narrowing{Permissions: []string{"NodesWrite"}, ReadOnly: true}}, identity.Set{}},
	} {
		if got := c.claims.Narrow(has); got != c.want {
			t.Errorf("%s: %v, want %v", what, got.Names(), c.want.Names())
		}
		if got := c.claims.Narrow(identity.Set{}); got != (identity.Set{}) {
			t.Errorf("%s of nothing: %v", what, got.Names())
		}
	}
}

func foreignOf(name, more string) string {
	return `{` + more + `"sub":"` + name + `","exp":` + at(60) + `}`
}

func TestRefreshTokenOnlyRefreshes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	refresh := w.mint(t, w.as(t, "u"), token.MintRequest{Kind: token.KindRefresh})
	_, err := w.Authenticate(t.Context(), refresh.Text, "", "")
	refused(t, "used as an access token", err, "refresh")

	w.clock.Advance(6 * day)
	m, err := w.Refresh(t.Context(), refresh.Text, "192.0.2.7", "r3")
	if err != nil || m.Kind != token.KindAccess || m.Expires.Sub(m.Issued) != 15*time.Minute {
		t.Fatalf("%+v, %v", m, err)
	}
	if c := w.enter(t, m.Text); c.User.Name != "u" || c.TokenKind != "access" {
		t.Errorf("got %+v", c)
	}
	if rec := w.last(t); rec.Action != "token.create" || rec.TokenID != refresh.ID || rec.Addr != "192.0.2.7" {
		t.Errorf("trail: %+v", rec)
	}
	_, err = w.Refresh(t.Context(), m.Text, "", "")
	refused(t, "refresh with an access token", err, "not a refresh")

	w.clock.Advance(day - 5*time.Minute)
	if m, err = w.Refresh(t.Context(), refresh.Text, "", ""); err != nil || !m.Expires.Equal(refresh.Expires) {
		t.Errorf("near its end: %v, %v", m.Expires, err)
	}
	if _, err := w.Revoke(t.Context(), w.as(t, "u"), token.Filter{ID: refresh.ID}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Refresh(t.Context(), refresh.Text, "", "")
	refused(t, "revoked", err, "revoked")
}

func TestLockedOutUserKeepsHisLoginButNoRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser, identity.RoleNoAccess)
	c := w.enter(t, w.mint(t, w.as(t, "u"), token.MintRequest{Kind: token.KindAccess}).Text)
	if c.Permissions != (identity.Set{}) {
		t.Errorf("may %v", c.Permissions.Names())
	}
	_, err := w.Mint(t.Context(), c, token.MintRequest{})
	fails(t, "mints", err, fault.Denied)
}

func TestFailuresOfTheStoreAreNoRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	raw := w.mint(t, w.as(t, "u"), token.MintRequest{}).Text
	w.enter(t, raw)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), raw, "", ""); err == nil || fault.Is(err, fault.Unauthenticated) {
		t.Errorf("got %v", err)
	}
}

func TestUsesAreWrittenInBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	m := w.mint(t, w.as(t, "u"), token.MintRequest{})
	if err := w.FlushUses(t.Context()); err != nil {
		t.Error(err)
	}
	w.clock.Advance(90 * time.Second)
	w.enter(t, m.Text)
	w.enter(t, m.Text)

	broken, err := token.NewService(t.Context(), token.ServiceConfig{
		Keys: w.ring, Verifier: w.verifier, Store: fullDisk{w.store.Tokens()}, Users: w.users, Clock: w.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Authenticate(t.Context(), m.Text, "", ""); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what was not written is tried again
		if err := broken.FlushUses(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("got %v", err)
		}
	}

	if err := w.FlushUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := w.store.Tokens().GetToken(t.Context(), m.ID)
	want := m.Token
	want.LastUsed, want.LastAddr = start.Add(time.Minute), "192.0.2.7"
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

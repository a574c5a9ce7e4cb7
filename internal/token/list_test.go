package token_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func TestRecordsAreForOwnersAndIssuers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, role := range map[string]identity.Role{"u": identity.RoleUser, "v": identity.RoleUser, "admin": identity.RoleAdmin} {
		w.add(t, name, role)
	}
	u, v, admin := w.as(t, "u"), w.as(t, "v"), w.as(t, "admin")
	issued := w.mint(t, admin, token.MintRequest{For: "u", Name: "a", Purpose: "b"})
	for who, c := range map[string]identity.Caller{"the user": u, "the issuer": admin} {
		if got, err := w.Get(t.Context(), c, issued.ID); err != nil || got.ID != issued.ID {
			t.Errorf("%s: %v", who, err)
		}
		if n, err := w.Count(t.Context(), c, token.Filter{}); err != nil || n[token.KindImpersonation] != 1 {
			t.Errorf("%s counts %v, %v", who, n, err)
		}
	}
	_, err := w.Get(t.Context(), v, issued.ID)
	fails(t, "another", err, fault.NotFound)
	_, err = w.Count(t.Context(), v, token.Filter{UserID: u.User.ID})
	fails(t, "another counts", err, fault.Denied)
	_, err = w.Get(t.Context(), admin, "nothing")
	fails(t, "unknown", err, fault.NotFound)
}

func TestTokensAreRenamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, role := range map[string]identity.Role{"u": identity.RoleUser, "v": identity.RoleUser, "admin": identity.RoleAdmin} {
		w.add(t, name, role)
	}
	u, admin := w.as(t, "u"), w.as(t, "admin")
	m := w.mint(t, admin, token.MintRequest{For: "u", Name: "a", Purpose: "b"})
	name, long, odd := "c", strings.Repeat("x", 201), "x\ny"
	got, err := w.Rename(t.Context(), u, m.ID, token.Labels{Name: &name})
	want := m.Token
	want.Name = "c"
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if rec := w.last(t); rec.Action != "token.update" || rec.Object != "token/"+m.ID || rec.Details["name"] != "c" || rec.Details["user"] != "u" {
		t.Errorf("the trail says %+v", rec)
	}
	_, err = w.Rename(t.Context(), w.as(t, "v"), m.ID, token.Labels{Name: &name})
	fails(t, "another's", err, fault.NotFound)
	_, err = w.Rename(t.Context(), w.enter(t, m.Text), m.ID, token.Labels{Name: &name})
	fails(t, "with an impersonation token", err, fault.Denied)
	for what, l := range map[string]token.Labels{"long": {Name: &long}, "odd": {Purpose: &odd}} {
		_, err = w.Rename(t.Context(), u, m.ID, l)
		fails(t, what, err, fault.Invalid)
	}
	empty := ""
	_, err = w.restart(t, token.Policy{RequirePurpose: true}).Rename(t.Context(), u, m.ID, token.Labels{Purpose: &empty})
	fails(t, "without purpose", err, fault.Invalid)
}

func TestStates(t *testing.T) {
	t.Parallel()
	for want, tok := range map[token.State]token.Token{
		token.Live:    {Expires: start.Add(time.Second)},
		token.Expired: {Expires: start},
		token.Revoked: {Expires: start, Revoked: start},
	} {
		if got := tok.StateAt(start); got != want {
			t.Errorf("%+v is %s, want %s", tok, got, want)
		}
	}
	if got := (token.Token{}).StateAt(start); got != token.Live {
		t.Errorf("a token that does not expire is %s", got)
	}
}

// TestNothingIsMintedOnStaleGround disables, demotes or deletes an account at the last moment: after it was asked what it
// may do, before the record is stored.
func TestNothingIsMintedOnStaleGround(t *testing.T) {
	t.Parallel()
	disabled := true
	for what, c := range map[string]struct {
		name string
		do   func(t *testing.T, w *world)
		kind fault.Kind
	}{
		"user disabled": {"u", func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "u", identity.Update{Disabled: &disabled})
		}, fault.Denied},
		"issuer disabled": {"chief", func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "chief", identity.Update{Disabled: &disabled})
		}, fault.Denied},
		"issuer demoted": {"chief", func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "chief", identity.Update{Roles: &[]identity.Role{identity.RoleUser}})
		}, fault.Conflict},
		"user deleted": {"u", func(t *testing.T, w *world) {
			t.Helper()
			if err := w.users.Delete(t.Context(), root, "u"); err != nil {
				t.Fatal(err)
			}
		}, fault.NotFound},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.add(t, "chief", identity.RoleFullAdmin)
			w.add(t, "other", identity.RoleFullAdmin)
			w.add(t, "u", identity.RoleUser)
			chief := w.as(t, "chief")
			w.clock.Advance(time.Second)
			s, err := token.NewService(t.Context(), token.ServiceConfig{
				Keys: w.ring, Verifier: w.verifier, Users: w.users, Clock: w.clock,
				Store: meanwhile{w.store.Tokens(), func() { c.do(t, w) }},
			})
			if err != nil {
				t.Fatal(err)
			}
			m, err := s.Mint(t.Context(), chief, token.MintRequest{For: "u"})
			fails(t, what, err, c.kind)
			if all, err := w.List(t.Context(), identity.Local("root"), token.Filter{}); len(all) != 0 || m.Text != "" || err != nil {
				t.Errorf("minted %v, %v", all, err)
			}
		})
	}
}

// meanwhile does something before a token is stored.
type meanwhile struct {
	token.Store
	do func()
}

func (s meanwhile) CreateToken(ctx context.Context, tok token.Token, basis []identity.User, rec audit.Record) error {
	s.do()
	return s.Store.CreateToken(ctx, tok, basis, rec)
}

package token_test

import (
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// enter returns the secret with which the browser goes on.
func enter(t *testing.T, s *token.Sessions, secret string) (next string) {
	t.Helper()
	_, renewed, err := s.Enter(t.Context(), secret, "192.0.2.9", "r9")
	if err != nil {
		t.Fatal(err)
	}
	if renewed == "" {
		return secret
	}
	return renewed
}

// edit changes what the role of the site gives.
func (w *world) edit(t *testing.T, gives identity.Set) {
	t.Helper()
	if _, err := w.users.UpdateRole(t.Context(), root, "role.Site", identity.RoleUpdate{Permissions: &gives}); err != nil {
		t.Fatal(err)
	}
}

func TestSessionGetsAnotherSecretWhenItsRightsChange(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		change  func(t *testing.T, w *world)
		renewed bool
	}{
		"a role is given": {func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "u", identity.Update{AddRoles: []identity.Role{"support"}})
		}, true},
		"a role is taken": {func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "u", identity.Update{RemoveRoles: []identity.Role{"role.Site"}})
		}, true},
		"a project is his": {func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "u", identity.Update{AddProjects: []string{"p2"}})
		}, true},
		"a role is edited": {func(t *testing.T, w *world) {
			t.Helper()
			w.edit(t, identity.SetOf(identity.JobsReadAll, identity.AuditRead))
		}, true},
		"the name is other": {func(t *testing.T, w *world) { t.Helper(); w.change(t, "u", identity.Update{FullName: new("U")}) }, false},
		"another's role": {func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "v", identity.Update{AddRoles: []identity.Role{"support"}})
		}, false},
		"nothing": {func(*testing.T, *world) {}, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if _, err := w.users.CreateRole(t.Context(), root, identity.NewRole{Role: "role.Site", Permissions: identity.SetOf(identity.JobsReadAll)}); err != nil {
				t.Fatal(err)
			}
			u := w.add(t, "u", identity.RoleManager, "role.Site")
			w.add(t, "v", identity.RoleUser)
			s := w.sessions("key")
			first := begin(t, s, u)
			if enter(t, s, first) != first {
				t.Fatal("renewed without a reason")
			}
			id := inside(t, s, first).SessionID
			c.change(t, w)
			second := enter(t, s, first)
			if (second != first) != c.renewed {
				t.Fatalf("renewed: %t", second != first)
			}
			if !c.renewed {
				return
			}
			if rec := w.last(t); rec.Action != "session.renew" || rec.Object != "user/u" || rec.Details["former"] != id || rec.Details["session"] != inside(t, s, second).SessionID {
				t.Errorf("trail: %+v", rec)
			}
			w.clock.Advance(31 * time.Second)
			noSession(t, "the old secret", s, first)
			if enter(t, s, second) != second {
				t.Error("renewed twice")
			}
		})
	}
}

// TestOldSecretIsGoodForRequestsOnTheirWay: beside the new one, for half a minute, and no longer than the session itself.
func TestOldSecretIsGoodForRequestsOnTheirWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	first := begin(t, s, u)
	w.clock.Advance(10 * time.Minute)
	w.change(t, "u", identity.Update{AddRoles: []identity.Role{"support"}})
	second := enter(t, s, first)
	if again := enter(t, s, first); again != second {
		t.Errorf("the browser that lost the reply is told %q", again)
	}
	if c, renewed, err := s.Enter(t.Context(), second, "", ""); err != nil || renewed != "" || !c.Can(identity.JobsReadAll) {
		t.Fatalf("the new one: %q, %v", renewed, err)
	}
	c, renewed, err := s.Enter(t.Context(), first, "", "")
	if err != nil || renewed != "" || c.SessionID != inside(t, s, second).SessionID {
		t.Errorf("once the new one is in use, the old one gives %q, %v", renewed, err)
	}
	if list, err := s.List(t.Context(), c, ""); err != nil || len(list) != 1 || !list[0].Current {
		t.Errorf("sessions: %+v, %v", list, err)
	}
	// Another change meanwhile waits: there is room for one secret of before.
	w.change(t, "u", identity.Update{RemoveRoles: []identity.Role{"support"}})
	if c, renewed, err = s.Enter(t.Context(), second, "", ""); err != nil || renewed != "" || c.Can(identity.JobsReadAll) {
		t.Errorf("a second change: %q, %v", renewed, err)
	}
	w.clock.Advance(30 * time.Second)
	noSession(t, "the old one, later", s, first)
	third := enter(t, s, second)
	if third == second {
		t.Error("the second change gives no other secret")
	}
	if err := s.End(t.Context(), second, "", ""); err != nil {
		t.Fatal(err)
	}
	noSession(t, "the new one after a logout with the old one", s, third)
	noSession(t, "the old one after the logout", s, second)
}

func TestRevokingASessionEndsItsOldSecretToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	first := begin(t, s, u)
	stale := inside(t, s, first)
	w.change(t, "u", identity.Update{AddRoles: []identity.Role{"support"}})
	second := enter(t, s, first)
	other := begin(t, s, u)
	if n, err := s.RevokeAll(t.Context(), stale, ""); err != nil || n != 1 {
		t.Errorf("all but that of a request on its way: %d, %v", n, err)
	}
	noSession(t, "the other", s, other)
	if err := s.Revoke(t.Context(), inside(t, s, second), stale.SessionID); err != nil {
		t.Errorf("by the id of before: %v", err)
	}
	noSession(t, "the new one", s, second)
	noSession(t, "the old one", s, first)
}

// TestActorsRightsCountToo: he acts as somebody else, and it is he whose rights change.
func TestActorsRightsCountToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	boss := w.add(t, "boss", identity.RoleAdmin)
	w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	acting := actAs(t, s, begin(t, s, boss), "u")
	if enter(t, s, acting) != acting {
		t.Error("renewed without a reason")
	}
	w.change(t, "boss", identity.Update{AddRoles: []identity.Role{"api"}})
	next := enter(t, s, acting)
	if c := inside(t, s, next); next == acting || c.Actor == nil || c.Actor.Name != "boss" {
		t.Errorf("renewed: %t, caller %+v", next != acting, c)
	}
	if _, _, err := s.StopActing(t.Context(), inside(t, s, acting), token.Origin{}); err != nil {
		t.Errorf("stop, from a request on its way: %v", err)
	}
	noSession(t, "the acting one", s, next)
}

// TestManyRequestsAtOnceAgreeOnTheSecret sends a page's requests while the rights change: each gets in, all are told the
// same, and the trail has one record.
func TestManyRequestsAtOnceAgreeOnTheSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	secret := begin(t, s, u)
	for round := range 5 {
		if round%2 == 0 {
			w.change(t, "u", identity.Update{AddRoles: []identity.Role{"support"}})
		} else {
			w.change(t, "u", identity.Update{RemoveRoles: []identity.Role{"support"}})
		}
		var mu sync.Mutex // guards told
		told := map[string]int{}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, renewed, err := s.Enter(t.Context(), secret, "", "")
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				told[renewed]++
			})
		}
		all.Wait()
		if len(told) != 1 || told[""] != 0 {
			t.Fatalf("round %d: the requests are told %v", round, told)
		}
		for next := range told {
			secret = next
		}
		w.clock.Advance(time.Minute)
	}
	recs, err := w.store.Audit().List(t.Context(), audit.Filter{Action: "session.renew"})
	if err != nil || len(recs) != 5 {
		t.Errorf("%d records, %v", len(recs), err)
	}
}

// TestOnlyTheKeyLeadsFromOneSecretToTheNext: who has a secret of before learns nothing of the one after.
func TestOnlyTheKeyLeadsFromOneSecretToTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s, other := w.sessions("key"), w.sessions("other")
	first, foreign := begin(t, s, u), begin(t, other, u)
	w.change(t, "u", identity.Update{AddRoles: []identity.Role{"support"}})
	second := enter(t, s, first)
	if enter(t, other, foreign) == second || second[:12] == first[:12] {
		t.Error("the secrets are alike")
	}
	noSession(t, "with another key", other, second)
}

package oidc_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/oidc/oidctest"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// arrives has somebody log in at the provider and here.
func (w *world) arrives(t *testing.T, sub, name string) (identity.User, error) {
	t.Helper()
	w.provider.Set(func(p *oidctest.Provider) {
		p.User = map[string]any{"sub": sub, "preferred_username": name, "name": "Who is " + sub}
	})
	cookie, query := w.begin(t)
	u, _, err := w.finish(t, cookie, query)
	return u, err
}

func TestAnAccountBelongsToAPersonNotToAName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, err := w.arrives(t, "u-1", "alice")
	if err != nil {
		t.Fatal(err)
	}
	if recs, err := w.store.Audit().List(t.Context(), audit.Filter{Action: "user.bind"}); err != nil || len(recs) != 1 || recs[0].Details["subject"] != "u-1" || recs[0].Details["issuer"] != w.provider.URL {
		t.Errorf("trail: %+v, %v", recs, err)
	}
	// Somebody else gets the name at the provider.
	for _, sub := range []string{"u-2", "U-1", "u-1 "} {
		if _, err := w.arrives(t, sub, "alice"); !fault.Is(err, fault.Unauthenticated) || !strings.Contains(w.reason(t), "belongs to somebody else") {
			t.Errorf("%q: %v, reason %q", sub, err, w.reason(t))
		}
	}
	if u, err := w.users.Account(t.Context(), "alice"); err != nil || u.FullName != "Who is u-1" {
		t.Errorf("the account says %q, %v", u.FullName, err)
	}
	// She gets another name there, and keeps her account here. Another one may then have the old name there, not here.
	if u, err := w.arrives(t, "u-1", "alice2"); err != nil || u.ID != alice.ID || u.Name != "alice" {
		t.Errorf("with another name: %+v, %v", u, err)
	}
	if _, err := w.users.Account(t.Context(), "alice2"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the other name has an account: %v", err)
	}
	if u, err := w.arrives(t, "u-2", "bob"); err != nil || u.ID == alice.ID {
		t.Errorf("the other one by a name of his own: %+v, %v", u, err)
	}
}

func TestTheFirstLoginBinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, n := range map[string]identity.NewUser{
		"made-here": {Roles: []identity.Role{"user"}, Source: identity.AuthOIDC}, "local": {Roles: []identity.Role{"user"}, Password: "x"},
	} {
		n.Name = name
		if _, err := w.users.Create(t.Context(), root, n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.arrives(t, "u-1", "local"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a local account: %v", err)
	}
	if _, err := w.arrives(t, "u-1", "made-here"); err != nil {
		t.Errorf("the refusal has bound the person: %v", err)
	}
	if _, err := w.arrives(t, "u-2", "made-here"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the second one: %v", err)
	}
	if err := w.users.Unbind(t.Context(), root, "made-here"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.arrives(t, "u-2", "made-here"); err != nil {
		t.Errorf("after it was unbound: %v", err)
	}
	if err := w.users.Delete(t.Context(), root, "made-here"); err != nil {
		t.Fatal(err)
	}
	if u, err := w.arrives(t, "u-1", "made-here"); err != nil || u.FullName != "Who is u-1" {
		t.Errorf("after the account was deleted: %+v, %v", u, err)
	}
}

// TestOnePersonTwiceAtOnce has a new person log in several times at the same time, and two people by one name.
func TestOnePersonTwiceAtOnce(t *testing.T) {
	t.Parallel()
	for _, subs := range [][]string{{"u-1", "u-1", "u-1"}, {"u-1", "u-2", "u-3"}} {
		w := newWorld(t)
		var all sync.WaitGroup
		var mu sync.Mutex // guards in
		in := map[string]int{}
		for i, sub := range subs {
			w.provider.Set(func(p *oidctest.Provider) { p.User = map[string]any{"sub": sub, "preferred_username": "alice"} })
			cookie, query := w.begin(t)
			all.Go(func() {
				_, _, err := w.Finish(t.Context(), cookie, query, identity.Attempt{Addr: "192.0.2." + string(rune('1'+i))})
				if err != nil && !fault.Is(err, fault.Unauthenticated) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					in[sub]++
				}
			})
		}
		all.Wait()
		want := 1
		if subs[0] == subs[1] {
			want = 3
		}
		if len(in) != 1 || in["u-1"]+in["u-2"]+in["u-3"] != want {
			t.Errorf("%v: %v are in", subs, in)
		}
		w.clock.Advance(time.Minute)
	}
}

// TestWhoIsNobodyIsRefused: a subject is needed, and has an end.
func TestWhoIsNobodyIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, sub := range []string{"", strings.Repeat("x", 256)} {
		if _, err := w.arrives(t, sub, "alice"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a subject of %d bytes: %v", len(sub), err)
		}
	}
	if _, err := w.arrives(t, strings.Repeat("x", 255), "alice"); err != nil {
		t.Error(err)
	}
}

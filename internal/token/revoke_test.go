package token_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func TestRevokedIsRefusedInTheNextRequestAndAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	u := w.as(t, "u")
	m, other := w.mint(t, u, token.MintRequest{}), w.mint(t, u, token.MintRequest{})
	w.enter(t, m.Text)
	if n, err := w.Revoke(t.Context(), u, token.Filter{ID: m.ID}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if rec := w.last(t); rec.Action != "token.revoke" || rec.Object != "token/"+m.ID || rec.Actor != "u" {
		t.Errorf("trail: %+v", rec)
	}
	for what, s := range map[string]*token.Service{"at once": w.Service, "restarted": w.restart(t, token.Policy{})} {
		for form, raw := range map[string]string{"itself": m.Text, "with newline": m.Text + "\n", "padded": m.Text + "="} {
			if _, err := s.Authenticate(t.Context(), raw, "", ""); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s, %s: %v", what, form, err)
			}
		}
		if _, err := s.Authenticate(t.Context(), other.Text, "", ""); err != nil {
			t.Errorf("%s, another one: %v", what, err)
		}
	}
	if n, err := w.Revoke(t.Context(), u, token.Filter{ID: m.ID}); n != 0 || err != nil {
		t.Errorf("a second time: %d, %v", n, err)
	}
}

func TestRevokingBelongsToOwnersAndIssuers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, role := range map[string]identity.Role{"u": identity.RoleUser, "v": identity.RoleUser, "admin": identity.RoleAdmin} {
		w.add(t, name, role)
	}
	u, v, admin := w.as(t, "u"), w.as(t, "v"), w.as(t, "admin")
	mine := w.mint(t, u, token.MintRequest{})
	issued := w.mint(t, admin, token.MintRequest{For: "u"})

	for what, f := range map[string]token.Filter{"by id": {ID: mine.ID}, "unknown": {ID: "nothing"}} {
		_, err := w.Revoke(t.Context(), v, f)
		fails(t, "v "+what, err, fault.NotFound)
	}
	for what, f := range map[string]token.Filter{"of u": {UserID: u.User.ID}, "all": {}, "of a key": {KeyID: w.ring.ID()}, "of a kind": {Kind: token.KindService}} {
		_, err := w.Revoke(t.Context(), v, f)
		fails(t, "v "+what, err, fault.Denied)
	}
	acting := w.enter(t, issued.Text)
	for what, f := range map[string]token.Filter{"by id": {ID: mine.ID}, "of u": {UserID: u.User.ID}} {
		_, err := w.Revoke(t.Context(), acting, f)
		fails(t, "with an impersonation token "+what, err, fault.Denied)
	}
	w.enter(t, mine.Text)
	if n, err := w.Revoke(t.Context(), acting, token.Filter{ID: issued.ID}); n != 1 || err != nil {
		t.Errorf("an impersonation token revokes itself: %d, %v", n, err)
	}
	w.mint(t, admin, token.MintRequest{For: "v"})
	if n, err := w.Revoke(t.Context(), admin, token.Filter{IssuerID: admin.User.ID}); n != 1 || err != nil {
		t.Errorf("all that admin has issued: %d, %v", n, err)
	}
	if n, err := w.Revoke(t.Context(), u, token.Filter{UserID: u.User.ID}); n != 1 || err != nil {
		t.Errorf("all of one's own: %d, %v", n, err)
	}
	w.mint(t, v, token.MintRequest{})
	w.mint(t, u, token.MintRequest{})
	live, err := w.List(t.Context(), admin, token.Filter{Live: start})
	if err != nil || len(live) != 2 {
		t.Fatalf("%d live, %v", len(live), err)
	}
	if n, err := w.Revoke(t.Context(), admin, token.Filter{}); n != len(live) || err != nil {
		t.Errorf("all: %d, %v", n, err)
	}
}

func TestListsShowOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, role := range map[string]identity.Role{"u": identity.RoleUser, "v": identity.RoleUser, "boss": identity.RoleWareManager} {
		w.add(t, name, role)
	}
	u, boss := w.as(t, "u"), w.as(t, "boss")
	w.mint(t, u, token.MintRequest{Name: "a"})
	w.mint(t, w.as(t, "v"), token.MintRequest{Name: "b"})
	for what, c := range map[string]struct {
		by   identity.Caller
		f    token.Filter
		want []string
	}{
		"own":             {u, token.Filter{}, []string{"a"}},
		"own, named":      {u, token.Filter{UserID: u.User.ID}, []string{"a"}},
		"issued by me":    {u, token.Filter{IssuerID: u.User.ID}, []string{"a"}},
		"all":             {boss, token.Filter{}, []string{"a", "b"}},
		"own of the boss": {boss, token.Filter{UserID: boss.User.ID}, nil},
	} {
		list, err := w.List(t.Context(), c.by, c.f)
		var names []string
		for _, tok := range list {
			names = append(names, tok.Name)
		}
		slices.Sort(names)
		if err != nil || !slices.Equal(names, c.want) {
			t.Errorf("%s: %v, %v, want %v", what, names, err, c.want)
		}
	}
	for what, f := range map[string]token.Filter{"of another": {UserID: boss.User.ID}, "of another issuer": {IssuerID: boss.User.ID}} {
		_, err := w.List(t.Context(), u, f)
		fails(t, what, err, fault.Denied)
	}
	_, err := w.List(t.Context(), identity.Caller{}, token.Filter{})
	fails(t, "nobody", err, fault.Denied)
}

func TestRevokingWhileOthersEnter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	u := w.as(t, "u")
	var wg sync.WaitGroup
	for range 4 {
		m := w.mint(t, u, token.MintRequest{})
		wg.Go(func() {
			for range 20 {
				_, _ = w.Authenticate(t.Context(), m.Text, "", "")
			}
		})
		wg.Go(func() {
			if _, err := w.Revoke(t.Context(), u, token.Filter{ID: m.ID}); err != nil {
				t.Error(err)
			}
			if _, err := w.Authenticate(t.Context(), m.Text, "", ""); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("after the reply: %v", err)
			}
		})
	}
	wg.Wait()
}

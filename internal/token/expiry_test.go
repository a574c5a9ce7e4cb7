package token_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// warner returns a service that warns.
func (w *world) warner(t *testing.T) *token.Service {
	t.Helper()
	s, err := token.NewService(t.Context(), token.ServiceConfig{
		Keys: w.ring, Verifier: w.verifier, Store: w.store.Tokens(), Users: w.users, Clock: w.clock, Warnings: w.store.TokenWarnings(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func warned(t *testing.T, s *token.Service) []string {
	t.Helper()
	var got []string
	err := s.Warn(t.Context(), []int{30, 7, 1}, func(w token.Warning) { got = append(got, fmt.Sprintf("%s %dd", w.Name, w.Days)) })
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got
}

func TestServiceTokensAreWarnedOfOnceAtEachStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	w.add(t, "boss", identity.RoleFullAdmin)
	s := w.warner(t)
	u := w.as(t, "u")
	for name, days := range map[string]int{"long": 60, "short": 5} {
		w.mint(t, u, token.MintRequest{Name: name, Lifetime: time.Duration(days) * day})
	}
	gone := w.mint(t, u, token.MintRequest{Name: "gone", Lifetime: 60 * day})
	w.mint(t, w.as(t, "boss"), token.MintRequest{For: "u", Name: "acting", Lifetime: 2 * day})
	if _, err := w.Revoke(t.Context(), u, token.Filter{ID: gone.ID}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		pass time.Duration
		want []string
	}{
		{0, nil},
		{3 * day, nil},
		{day + time.Hour, []string{"short 1d"}},
		{time.Hour, nil},
		{26 * day, []string{"long 30d"}},
		{day, nil},
		{22 * day, []string{"long 7d"}},
		{6 * day, []string{"long 1d"}},
		{day, nil},
	} {
		w.clock.Advance(step.pass)
		if diff := cmp.Diff(step.want, warned(t, s)); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", w.clock.Now(), diff)
		}
		if again := warned(t, w.warner(t)); again != nil { // as after a restart
			t.Errorf("at %s again: %v", w.clock.Now(), again)
		}
	}
}

func TestAfterALongPauseEachIsWarnedOfOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	s := w.warner(t)
	w.mint(t, w.as(t, "u"), token.MintRequest{Name: "long", Lifetime: 60 * day})
	warned(t, s)
	w.clock.Advance(59*day + time.Hour)
	if diff := cmp.Diff([]string{"long 1d"}, warned(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFiguresAndWhatExpiresSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	w.add(t, "boss", identity.RoleFullAdmin)
	s := w.warner(t)
	u, boss := w.as(t, "u"), w.as(t, "boss")
	for _, r := range []token.MintRequest{{Lifetime: 40 * day}, {Lifetime: 20 * day, Name: "soon"}, {Kind: token.KindAccess}, {Kind: token.KindRefresh}} {
		w.mint(t, u, r)
	}
	w.mint(t, boss, token.MintRequest{Lifetime: 10 * day, Name: "boss's"})
	got, err := s.Figures(t.Context())
	want := token.Figures{Live: map[token.Kind]int{token.KindService: 3, token.KindAccess: 1, token.KindRefresh: 1}, Expiring: 2}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for who, c := range map[string]struct {
		by    identity.Caller
		own   int
		named []string
	}{"u": {u, 1, []string{"soon"}}, "boss": {boss, 1, []string{"boss's", "soon"}}} {
		if n, err := s.ExpiringSoon(t.Context(), c.by); n != c.own || err != nil {
			t.Errorf("%s has %d that expire soon, %v", who, n, err)
		}
		soon, err := s.Expiring(t.Context(), c.by, 30*day)
		var names []string
		for _, tok := range soon {
			names = append(names, tok.Name)
		}
		slices.Sort(names)
		if diff := cmp.Diff(c.named, names); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", who, err, diff)
		}
	}
	if n, err := w.ExpiringSoon(t.Context(), u); n != 0 || err != nil {
		t.Errorf("a service that does not warn: %d, %v", n, err)
	}
}

func TestRecordsOfDeadTokensGoInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	u := w.as(t, "u")
	access := w.mint(t, u, token.MintRequest{Kind: token.KindAccess})
	service := w.mint(t, u, token.MintRequest{Lifetime: day})
	long := w.mint(t, u, token.MintRequest{Lifetime: 366 * day})
	if _, err := w.Revoke(t.Context(), u, token.Filter{ID: long.ID}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		pass time.Duration
		gone []string
	}{
		{30 * day, nil},
		{day, []string{access.ID}},
		{335 * day, nil},
		{day, []string{service.ID}},
		{400 * day, []string{long.ID}},
	} {
		w.clock.Advance(step.pass)
		n, err := w.Purge(t.Context(), token.DefaultKeep())
		if err != nil || n != len(step.gone) {
			t.Errorf("after %s: %d are gone, %v", w.clock.Now().Sub(start), n, err)
		}
		for _, id := range step.gone {
			if _, err := w.store.Tokens().GetToken(t.Context(), id); err == nil {
				t.Errorf("token %s is still known", id)
			}
		}
		if step.pass < 400*day {
			_, err := w.restart(t, token.Policy{}).Authenticate(t.Context(), long.Text, "", "")
			refused(t, "the revoked one", err, "")
		}
	}
}

package token_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func TestSessionsAreListedWithoutWhatOpensThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	first, second := begin(t, s, u), begin(t, s, u)
	begin(t, s, w.add(t, "v", identity.RoleUser))
	w.clock.Advance(2 * time.Minute)
	c := inside(t, s, first)
	list, err := s.List(t.Context(), c, "")
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	if !list[0].Current || list[1].Current || list[0].ID() != c.SessionID || list[0].User != "u" || list[0].Actor != "" || list[0].Addr != "192.0.2.7" || list[0].Agent != "agent" {
		t.Errorf("%+v", list)
	}
	for _, v := range list {
		if len(v.ID()) != token.SessionIDLength || strings.Contains(first+second, v.ID()) {
			t.Errorf("id %q", v.ID())
		}
		noSession(t, "an id", s, v.ID())
	}
	w.clock.Advance(59 * time.Minute)
	if list, err = s.List(t.Context(), c, ""); err != nil || len(list) != 1 {
		t.Errorf("after one has idled away: %+v, %v", list, err)
	}
}

func TestSessionsOfOthersAreForThoseWithTheRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.sessions("key")
	u := w.add(t, "u", identity.RoleUser)
	open := begin(t, s, u)
	theirs := inside(t, s, open).SessionID
	user := inside(t, s, begin(t, s, w.add(t, "v", identity.RoleUser)))
	boss := inside(t, s, begin(t, s, w.add(t, "boss", identity.RoleFullAdmin)))

	_, err := s.List(t.Context(), user, u.ID)
	fails(t, "list", err, fault.Denied)
	_, err = s.RevokeAll(t.Context(), user, u.ID)
	fails(t, "revoke all", err, fault.Denied)
	for _, id := range []string{theirs, "0000000000000000", theirs[:8], "", "%", strings.ToUpper(theirs), theirs + "0"} {
		fails(t, "revoke "+id, s.Revoke(t.Context(), user, id), fault.NotFound)
	}
	inside(t, s, open)

	list, err := s.List(t.Context(), boss, u.ID)
	if err != nil || len(list) != 1 || list[0].User != "u" || list[0].Current {
		t.Errorf("%+v, %v", list, err)
	}
	if err := s.Revoke(t.Context(), boss, theirs); err != nil {
		t.Fatal(err)
	}
	noSession(t, "revoked", s, open)
	if rec := w.last(t); rec.Action != "session.revoke" || rec.Actor != "boss" || rec.Object != "session/"+theirs || rec.Details["user"] != "u" || rec.Details["ended"] != theirs {
		t.Errorf("trail: %+v", rec)
	}
	fails(t, "revoke twice", s.Revoke(t.Context(), boss, theirs), fault.NotFound)
	open = begin(t, s, u)
	if n, err := s.RevokeAll(t.Context(), root, u.ID); n != 1 || err != nil {
		t.Errorf("the command line ended %d, %v", n, err)
	}
	noSession(t, "revoked with all", s, open)
	_, err = s.RevokeAll(t.Context(), root, "")
	fails(t, "those of everybody", err, fault.Invalid)
}

func TestRevokingAllOthersKeepsTheOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	own, other := begin(t, s, u), begin(t, s, u)
	foreign := begin(t, s, w.add(t, "v", identity.RoleUser))
	if n, err := s.RevokeAll(t.Context(), inside(t, s, own), ""); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	noSession(t, "the other one", s, other)
	inside(t, s, own)
	inside(t, s, foreign)
	service := w.enter(t, w.mint(t, w.as(t, "u"), token.MintRequest{}).Text)
	if n, err := s.RevokeAll(t.Context(), service, ""); n != 1 || err != nil {
		t.Errorf("with a token: %d, %v", n, err)
	}
	noSession(t, "all of them", s, own)
}

func TestWhoActsIsSeenAndEndedByBoth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.sessions("key")
	u := w.add(t, "u", identity.RoleUser)
	user := inside(t, s, begin(t, s, u))
	boss := w.add(t, "boss", identity.RoleAdmin)
	acting := actAs(t, s, begin(t, s, boss), "u")
	for _, c := range []identity.Caller{user, w.as(t, "boss")} {
		list, err := s.List(t.Context(), c, "")
		if err != nil || len(list) == 0 || list[0].Actor != "boss" && list[len(list)-1].Actor != "boss" {
			t.Errorf("%s sees %+v, %v", c.User.Name, list, err)
		}
	}
	if err := s.Revoke(t.Context(), user, inside(t, s, acting).SessionID); err != nil {
		t.Fatal(err)
	}
	noSession(t, "ended by the user", s, acting)
}

func TestOneLoginTooManyEndsTheIdlest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := w.sessions("key") // which allows three
	var open []string
	for range 3 {
		open = append(open, begin(t, s, u))
		w.clock.Advance(2 * time.Minute)
	}
	inside(t, s, open[0])
	w.clock.Advance(time.Second)
	open = append(open, begin(t, s, u))
	noSession(t, "the one not used for longest", s, open[1])
	for _, secret := range []string{open[0], open[2], open[3]} {
		inside(t, s, secret)
	}
	if rec := w.last(t); rec.Action != "session.start" || rec.Details["ended"] == "" || rec.Details["session"] == "" {
		t.Errorf("trail: %+v", rec)
	}
}

func TestNoSessionForWhoWasDisabledBetweenPasswordAndSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	w.change(t, "u", identity.Update{Disabled: new(true)})
	_, _, err := s.Start(t.Context(), u, token.Origin{})
	fails(t, "start", err, fault.Unauthenticated)
	w.change(t, "u", identity.Update{Disabled: new(false)})
	if list, err := s.List(t.Context(), root, u.ID); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestNoSessionSlipsPastTheDisabling lets logins and the disabling of their account run into each other.
func TestNoSessionSlipsPastTheDisabling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := token.NewSessions(token.SessionsConfig{Store: w.store.Sessions(), Users: w.users, Clock: w.clock, Key: []byte("key")})
	secrets := make(chan string, 40)
	var logins sync.WaitGroup
	for range 4 {
		logins.Go(func() {
			for range cap(secrets) / 4 {
				if secret, _, err := s.Start(t.Context(), u, token.Origin{}); err == nil {
					secrets <- secret
				}
			}
		})
	}
	w.change(t, "u", identity.Update{Disabled: new(true)})
	logins.Wait()
	close(secrets)
	w.change(t, "u", identity.Update{Disabled: new(false)})
	for secret := range secrets {
		noSession(t, "begun before or while the account was disabled", s, secret)
	}
}

package token_test

import (
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// inside returns the caller behind a session's secret.
func inside(t *testing.T, s *token.Sessions, secret string) identity.Caller {
	t.Helper()
	c, _, err := s.Enter(t.Context(), secret, "192.0.2.9", "r9")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// actAs lets the user with that secret act as another one.
func actAs(t *testing.T, s *token.Sessions, secret, target string) string {
	t.Helper()
	acting, _, err := s.StartActing(t.Context(), inside(t, s, secret), target, token.Origin{Addr: "192.0.2.9", Agent: "agent"})
	if err != nil {
		t.Fatal(err)
	}
	return acting
}

func TestActingIsTheUserWithTheActorBehindHim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	boss, u := w.add(t, "boss", identity.RoleAdmin), w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	own, end, err := s.Start(t.Context(), boss, token.Origin{Method: "oidc"})
	if err != nil {
		t.Fatal(err)
	}
	acting := actAs(t, s, own, "u")
	noSession(t, "the session in which he began", s, own)
	if rec := w.last(t); rec.Action != "session.act" || rec.Actor != "boss" || rec.Subject != "u" || rec.Object != "user/u" || rec.Details["ended"] == "" {
		t.Errorf("trail: %+v", rec)
	}
	c := inside(t, s, acting)
	if c.User.ID != u.ID || c.Actor == nil || c.Actor.ID != boss.ID || c.Actor.Name != "boss" || c.Via != identity.ViaSession || c.Can(identity.AdminsWrite) {
		t.Errorf("caller: %+v", c)
	}
	if rec := c.Record(start, "job.start", "job/1"); rec.Actor != "boss" || rec.Subject != "u" {
		t.Errorf("what he does is recorded as %+v", rec)
	}
	back, expires, err := s.StopActing(t.Context(), c, token.Origin{})
	if err != nil || !expires.Equal(end) {
		t.Fatal(expires, err)
	}
	noSession(t, "the session in which he acted", s, acting)
	if rec := w.last(t); rec.Action != "session.return" || rec.Actor != "boss" || rec.Subject != "u" {
		t.Errorf("trail: %+v", rec)
	}
	c = inside(t, s, back)
	if c.User.ID != boss.ID || c.Actor != nil || !c.Can(identity.AdminsWrite) || !c.Expires.Equal(end) {
		t.Errorf("afterwards: %+v", c)
	}
	list, err := s.List(t.Context(), c, "")
	if err != nil || len(list) != 1 || list[0].Method != "oidc" {
		t.Errorf("sessions: %+v, %v", list, err)
	}
	fails(t, "stop twice", second(s.StopActing(t.Context(), c, token.Origin{})), fault.Invalid)
}

// second returns the error of a session that should not be.
func second(_ string, _ time.Time, err error) error { return err }

func TestActingHasTheRulesOfImpersonation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	w.add(t, "peer", identity.RoleFullAdmin)
	w.add(t, "off", identity.RoleUser)
	w.change(t, "off", identity.Update{Disabled: new(true)})
	s := w.sessions("key")
	boss := inside(t, s, begin(t, s, w.add(t, "boss", identity.RoleFullAdmin)))
	manager := inside(t, s, begin(t, s, w.add(t, "manager", identity.RoleWareManager)))
	user := inside(t, s, begin(t, s, w.add(t, "v", identity.RoleUser)))
	socket := w.as(t, "boss")
	for name, c := range map[string]struct {
		c      identity.Caller
		target string
		kind   fault.Kind
	}{
		"as oneself":             {boss, "boss", fault.Denied},
		"as a peer":              {boss, "peer", fault.Denied},
		"as somebody with more":  {manager, "peer", fault.Denied},
		"as a disabled user":     {boss, "off", fault.Denied},
		"as nobody":              {boss, "nobody", fault.NotFound},
		"without the permission": {user, "u", fault.Denied},
		"... nor learn who is":   {user, "nobody", fault.Denied},
		"without a session":      {socket, "u", fault.Invalid},
		"on the command line":    {root, "u", fault.Invalid},
	} {
		fails(t, name, second(s.StartActing(t.Context(), c.c, c.target, token.Origin{})), c.kind)
	}
	if _, err := s.List(t.Context(), boss, ""); err != nil {
		t.Errorf("a refusal has ended the session: %v", err)
	}
}

func TestActingAllowsNothingThatOutlivesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "deputy", identity.RoleWareManager)
	w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	c := inside(t, s, actAs(t, s, begin(t, s, w.add(t, "boss", identity.RoleFullAdmin)), "deputy"))
	if !c.Can(identity.AdminsWrite) || !c.Can(identity.AdminsWriteSelf) || !c.Can(identity.TokensWrite) {
		t.Fatalf("the test needs more than %v", c.Permissions.Names())
	}
	_, err := w.Mint(t.Context(), c, token.MintRequest{})
	fails(t, "mint", err, fault.Denied)
	_, err = w.Mint(t.Context(), c, token.MintRequest{For: "u"})
	fails(t, "mint for another", err, fault.Denied)
	fails(t, "act further", second(s.StartActing(t.Context(), c, "u", token.Origin{})), fault.Denied)
	for what, up := range map[string]identity.Update{
		"keys": {Keys: &[]string{"ssh-ed25519 AAAA x"}}, "password": {Password: new("another")}, "name": {FullName: new("X")},
	} {
		_, err = w.users.Update(t.Context(), c, "deputy", up)
		fails(t, what, err, fault.Denied)
	}
	_, err = w.users.Create(t.Context(), c, identity.NewUser{Name: "x", Roles: []identity.Role{identity.RoleAPI}})
	fails(t, "create", err, fault.Denied)
	fails(t, "delete", w.users.Delete(t.Context(), c, "u"), fault.Denied)
	_, err = w.Revoke(t.Context(), c, token.Filter{UserID: c.User.ID})
	fails(t, "revoke tokens", err, fault.Denied)
	other := begin(t, s, w.user(t, "deputy"))
	fails(t, "end the user's session", s.Revoke(t.Context(), c, inside(t, s, other).SessionID), fault.Denied)
	_, err = s.RevokeAll(t.Context(), c, "")
	fails(t, "end the user's sessions", err, fault.Denied)
	if err := s.Revoke(t.Context(), c, c.SessionID); err != nil {
		t.Errorf("end its own: %v", err)
	}
}

func (w *world) user(t *testing.T, name string) identity.User {
	t.Helper()
	st, err := w.users.Resolve(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return st.User
}

func TestActingFallsWithTheActor(t *testing.T) {
	t.Parallel()
	for what, fall := range map[string]func(*testing.T, *world){
		"actor disabled": func(t *testing.T, w *world) { t.Helper(); w.change(t, "boss", identity.Update{Disabled: new(true)}) },
		"actor demoted": func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "boss", identity.Update{Roles: &[]identity.Role{"support"}})
		},
		"new password": func(t *testing.T, w *world) { t.Helper(); w.change(t, "boss", identity.Update{Password: new("new")}) },
		"user promoted": func(t *testing.T, w *world) {
			t.Helper()
			w.change(t, "u", identity.Update{Roles: &[]identity.Role{"role.FullAdmin"}})
		},
		"user disabled":     func(t *testing.T, w *world) { t.Helper(); w.change(t, "u", identity.Update{Disabled: new(true)}) },
		"an hour of acting": func(t *testing.T, w *world) { t.Helper(); w.clock.Advance(2 * time.Hour) },
		"actor deleted": func(t *testing.T, w *world) {
			t.Helper()
			if err := w.users.Delete(t.Context(), root, "boss"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.add(t, "u", identity.RoleUser)
			w.add(t, "root", identity.RoleFullAdmin)
			s := w.sessions("key")
			acting := actAs(t, s, begin(t, s, w.add(t, "boss", identity.RoleAdmin)), "u")
			c := inside(t, s, acting)
			fall(t, w)
			noSession(t, what, s, acting)
			if err := second(s.StopActing(t.Context(), c, token.Origin{})); err == nil && what != "user promoted" {
				t.Error("there is a way back")
			}
		})
	}
}

func TestActingEndsWithTheLoginAtTheLatest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ after, ends time.Duration }{
		"at once an hour, without a setting": {0, time.Hour},
		"near the end, the login's own end":  {9*time.Hour + 30*time.Minute, 10 * time.Hour},
	} {
		w := newWorld(t)
		w.add(t, "u", identity.RoleUser)
		s := token.NewSessions(token.SessionsConfig{Store: w.store.Sessions(), Users: w.users, Clock: w.clock, Key: []byte("key"), Absolute: 10 * time.Hour})
		own := begin(t, s, w.add(t, "boss", identity.RoleAdmin))
		w.clock.Advance(c.after)
		_, expires, err := s.StartActing(t.Context(), inside(t, s, own), "u", token.Origin{})
		if err != nil || !expires.Equal(start.Add(c.ends)) {
			t.Errorf("%s: until %v, %v", name, expires, err)
		}
	}
}

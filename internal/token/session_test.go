package token_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func (w *world) sessions(key string) *token.Sessions {
	return token.NewSessions(token.SessionsConfig{
		Store: w.store.Sessions(), Users: w.users, Clock: w.clock, Key: []byte(key), Idle: time.Hour, Absolute: 10 * time.Hour,
		Acting: 2 * time.Hour, Limit: 3,
	})
}

func begin(t *testing.T, s *token.Sessions, u identity.User) string {
	t.Helper()
	secret, _, err := s.Start(t.Context(), u, token.Origin{Addr: "192.0.2.7", Agent: "agent", RequestID: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func noSession(t *testing.T, what string, s *token.Sessions, secret string) {
	t.Helper()
	_, _, err := s.Enter(t.Context(), secret, "", "")
	if !fault.Is(err, fault.Unauthenticated) || fault.Message(err) != "invalid session" {
		t.Errorf("%s: %v", what, err)
	}
}

func TestSessionGivesTheRightsOfNowAndEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleSupport)
	s := w.sessions("key")
	secret, expires, err := s.Start(t.Context(), u, token.Origin{Addr: "192.0.2.7", Agent: "agent", RequestID: "r1"})
	if err != nil || !expires.Equal(start.Add(10*time.Hour)) || !regexp.MustCompile(`^bhs_[A-Za-z0-9_-]{43}[0-9a-f]{8}$`).MatchString(secret) {
		t.Fatal(secret, expires, err)
	}
	if rec := w.last(t); rec.Action != "session.start" || rec.Actor != "u" || rec.Addr != "192.0.2.7" || rec.Via != "session" {
		t.Errorf("trail: %+v", rec)
	}
	c, _, err := s.Enter(t.Context(), secret, "192.0.2.8", "r2")
	if err != nil || c.User.ID != u.ID || !c.Can(identity.JobsReadAll) || c.Via != identity.ViaSession || c.Addr != "192.0.2.8" || !c.Expires.Equal(expires) {
		t.Errorf("%+v, %v", c, err)
	}
	w.change(t, "u", identity.Update{Roles: &[]identity.Role{identity.RoleUser}})
	if c, _, err = s.Enter(t.Context(), secret, "", ""); err != nil || c.Can(identity.JobsReadAll) {
		t.Errorf("demoted: %v, %v", c.Permissions.Names(), err)
	}
	copied := secret
	if err := s.End(t.Context(), secret, "192.0.2.7", "r3"); err != nil {
		t.Fatal(err)
	}
	if rec := w.last(t); rec.Action != "session.end" || rec.Object != "user/u" {
		t.Errorf("trail: %+v", rec)
	}
	noSession(t, "a copy after logout", s, copied)
	if err := s.End(t.Context(), secret, "", ""); err != nil {
		t.Errorf("a second logout: %v", err)
	}
}

func TestSessionEndsByTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	idle := begin(t, s, u)
	busy := begin(t, s, u)
	for range 10 {
		w.clock.Advance(59 * time.Minute)
		if _, _, err := s.Enter(t.Context(), busy, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	noSession(t, "idle", s, idle)
	w.clock.Advance(10 * time.Minute)
	noSession(t, "busy, after the absolute limit", s, busy)
	fresh := begin(t, s, u)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Enter(t.Context(), fresh, "", ""); err != nil {
		t.Errorf("swept away a living one: %v", err)
	}
}

func TestSessionIsTouchedAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := token.NewSessions(token.SessionsConfig{
		Store: touchless{w.store.Sessions(), t}, Users: w.users, Clock: w.clock, Key: []byte("key"), Idle: time.Hour,
	})
	secret := begin(t, s, u)
	w.clock.Advance(59 * time.Second)
	if _, _, err := s.Enter(t.Context(), secret, "", ""); err != nil {
		t.Error(err)
	}
}

// touchless is a store in which nobody may touch a session.
type touchless struct {
	token.SessionStore
	t *testing.T
}

func (n touchless) TouchSession(context.Context, string, time.Time) error {
	n.t.Error("touched")
	return nil
}

func TestSessionOfWhoIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.sessions("key")
	off := begin(t, s, w.add(t, "off", identity.RoleUser))
	gone := begin(t, s, w.add(t, "gone", identity.RoleUser))
	w.change(t, "off", identity.Update{Disabled: new(true)})
	if err := w.users.Delete(t.Context(), root, "gone"); err != nil {
		t.Fatal(err)
	}
	w.add(t, "gone", identity.RoleUser)
	noSession(t, "disabled", s, off)
	noSession(t, "deleted and created again", s, gone)
	if err := s.End(t.Context(), off, "", ""); err != nil {
		t.Errorf("end: %v", err)
	}
}

func TestSessionsEndForGoodWithThePasswordAndTheAccount(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		change, undo identity.Update
		ends         bool
	}{
		"new password":   {identity.Update{Password: new("new")}, identity.Update{}, true},
		"no password":    {identity.Update{Password: new(""), Roles: &[]identity.Role{"api"}}, identity.Update{}, true},
		"disabled":       {identity.Update{Disabled: new(true)}, identity.Update{Disabled: new(false)}, true},
		"another role":   {identity.Update{AddRoles: []identity.Role{"support"}}, identity.Update{}, false},
		"something else": {identity.Update{FullName: new("U")}, identity.Update{}, false},
	} {
		w := newWorld(t)
		s := w.sessions("key")
		u, v := w.add(t, "u", identity.RoleUser), w.add(t, "v", identity.RoleUser)
		first, second, other := begin(t, s, u), begin(t, s, u), begin(t, s, v)
		w.change(t, "u", c.change)
		w.change(t, "u", c.undo)
		for _, secret := range []string{first, second} {
			if c.ends {
				noSession(t, what, s, secret)
			} else if _, _, err := s.Enter(t.Context(), secret, "", ""); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, _, err := s.Enter(t.Context(), other, "", ""); err != nil {
			t.Errorf("%s of another: %v", what, err)
		}
		if _, _, err := s.Enter(t.Context(), begin(t, s, u), "", ""); err != nil {
			t.Errorf("a new one after %s: %v", what, err)
		}
	}
}

func TestNewHashOfTheSamePasswordEndsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.sessions("key")
	u := w.add(t, "u", identity.RoleUser)
	secret, access := begin(t, s, u), w.mint(t, w.as(t, "u"), token.MintRequest{Kind: token.KindAccess})
	if err := w.users.Rehash(t.Context(), u.ID, "hash of secret", "better hash of secret", root.Record(start, "user.rehash", "user/u")); err != nil {
		t.Fatal(err)
	}
	if acc, err := w.users.Account(t.Context(), "u"); err != nil || acc.Password != "better hash of secret" {
		t.Fatal(acc.Password, err)
	}
	if _, _, err := s.Enter(t.Context(), secret, "", ""); err != nil {
		t.Errorf("session: %v", err)
	}
	w.enter(t, access.Text)
}

func TestSecretsThatAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	s := w.sessions("key")
	secret := begin(t, s, u)
	for _, bad := range []string{
		"", "bhs_", secret[:len(secret)-1], secret + "0", strings.ToUpper(secret), "BHS_" + secret[4:], secret[:10] + "x" + secret[11:], secret + "\n",
		strings.Repeat("a", 1<<20),
	} {
		if bad != secret {
			noSession(t, bad[:min(len(bad), 60)], s, bad)
		}
	}
	noSession(t, "another key", w.sessions("other"), secret)
}

// TestSecretsAreNotStored looks for secrets in everything that is on the disk.
func TestSecretsAreNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	secret := begin(t, w.sessions("key"), u)
	tok := w.mint(t, w.as(t, "u"), token.MintRequest{}).Text
	w.enter(t, tok)
	if err := w.FlushUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	recs, err := w.store.Audit().List(t.Context(), audit.Filter{})
	if err != nil || len(recs) < 3 {
		t.Fatal(recs, err)
	}
	files, err := filepath.Glob(w.path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{secret, secret[4:47], tok, tok[len(tok)-86:], w.private[:60]} {
			if strings.Contains(string(b), s) {
				t.Errorf("%s holds a secret", filepath.Base(name))
			}
		}
	}
}

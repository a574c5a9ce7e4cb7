package authn_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// backend decides about one name and takes its time.
type backend struct {
	name, password string
	takes          time.Duration
	err            error
	asked          *[]string
}

// Check implements authn.Backend.
func (b backend) Check(ctx context.Context, acc *identity.User, name, password string) (authn.Verdict, error) {
	*b.asked = append(*b.asked, b.name)
	if name != b.name || acc == nil {
		return authn.Verdict{}, nil
	}
	if err := clock.Sleep(ctx, clock.System{}, b.takes); err != nil {
		return authn.Verdict{}, err
	}
	v := authn.Verdict{Applies: true, User: *acc, Reason: authn.WrongPassword}
	if password == b.password {
		v.Reason = ""
	}
	return v, b.err
}

// accounts has every user of a list, and nothing to write.
type accounts struct {
	authn.Users
	names []string
}

// Account implements authn.Users.
func (a accounts) Account(_ context.Context, name string) (identity.User, error) {
	for _, n := range a.names {
		if n == name {
			return identity.User{ID: "1", Name: n, Source: identity.AuthLDAP}, nil
		}
	}
	return identity.User{}, fault.New(fault.NotFound, "no user")
}

// SetLastLogin implements authn.Users.
func (accounts) SetLastLogin(context.Context, identity.UserID, time.Time, audit.Record) error {
	return nil
}

type noTrail struct{ audit.Log }

func (noTrail) Append(context.Context, audit.Record) error { return nil }

// TestRefusalsTakeFullHalfSeconds has one backend that is quick, one that is slow, and hashing in between: the time of a
// refusal says none of that.
func TestRefusalsTakeFullHalfSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		s := authn.NewService(authn.Config{
			Users: accounts{names: []string{"quick", "slow", "other"}}, Passwords: authn.NewPasswords(), Limiter: authn.NewLimiter(clock.System{}),
			Audit: noTrail{}, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler),
			Backends: []authn.Backend{
				backend{name: "quick", password: "good", takes: 3 * time.Millisecond, asked: &asked},
				backend{name: "slow", password: "good", takes: 470 * time.Millisecond, asked: &asked},
			},
		})
		for _, name := range []string{"quick", "slow", "other", "nobody", ""} {
			begin := time.Now()
			_, err := s.Login(t.Context(), identity.Attempt{Name: name, Password: "guess", Addr: "192.0.2.1"})
			if took := time.Since(begin); !fault.Is(err, fault.Unauthenticated) || took != 500*time.Millisecond {
				t.Errorf("%q takes %v: %v", name, took, err)
			}
		}
		begin := time.Now()
		if _, err := s.Login(t.Context(), identity.Attempt{Name: "quick", Password: "good", Addr: "192.0.2.1"}); err != nil || time.Since(begin) != 3*time.Millisecond {
			t.Errorf("a success takes %v: %v", time.Since(begin), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		begin = time.Now()
		_, _ = s.Login(ctx, identity.Attempt{Name: "nobody", Password: "guess", Addr: "192.0.2.2"})
		if took := time.Since(begin); took > time.Millisecond {
			t.Errorf("who has gone waits for %v", took)
		}
	})
}

func TestTheFirstBackendThatAppliesDecides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "local"})
	w.add(t, identity.NewUser{Name: "bob", Roles: []identity.Role{"user"}, Password: "local"})
	var asked []string
	w.Backends = []authn.Backend{
		backend{name: "x", asked: &asked},
		backend{name: "alice", password: "far", asked: &asked},
		backend{name: "alice", password: "farther", asked: &asked},
	}
	for _, c := range []struct {
		name, password string
		ok             bool
		asks           int
	}{{"alice", "far", true, 2}, {"bob", "local", true, 3}} {
		asked = nil
		if _, err := w.login(t, c.name, c.password); (err == nil) != c.ok || len(asked) != c.asks {
			t.Errorf("%s: %v, asked %v", c.name, err, asked)
		}
	}
	// The local password of an account that a backend decides about opens nothing.
	for _, password := range []string{"local", "farther"} {
		v, err := w.Backends[1].Check(t.Context(), w.account(t, "alice"), "alice", password)
		if err != nil || v.Reason == "" || !v.Applies {
			t.Errorf("%s: %+v, %v", password, v, err)
		}
	}
}

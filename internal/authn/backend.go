package authn

import (
	"context"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Backend checks passwords that are kept elsewhere.
type Backend interface {
	// Check decides about a name and its password. acc is the account of that name, nil when there is none. An account
	// whose password is kept by somebody else is answered with a Verdict that does not apply. It fails with
	// fault.Unavailable when it cannot find out.
	Check(ctx context.Context, acc *identity.User, name, password string) (Verdict, error)
}

// Verdict is what came out of the check of a password.
type Verdict struct {
	Applies bool          // the backend decides about this account, and nobody else is asked
	User    identity.User // the account as it is now; the zero value when there is none
	Reason  string        // why it is refused, for the trail; "" is that the password is right
}

// The reasons that every backend has.
const (
	NoSuchUser    = "no such user"
	WrongPassword = "wrong password"
)

// check asks the backends, and then the local passwords.
func (s *Service) check(ctx context.Context, a identity.Attempt) (Verdict, error) {
	var acc *identity.User
	u, err := s.Users.Account(ctx, a.Name)
	switch {
	case err == nil:
		acc = &u
	case !fault.Is(err, fault.NotFound):
		return Verdict{}, fmt.Errorf("log in: %w", err)
	}
	for _, b := range s.Backends {
		v, err := b.Check(ctx, acc, a.Name, a.Password)
		switch {
		case fault.Is(err, fault.Unavailable) && ctx.Err() == nil:
			s.Log.ErrorContext(ctx, "a password could not be checked", "error", err)
			s.silent.Store(true)
			return Verdict{Applies: true, User: u, Reason: "its password could not be checked"}, nil
		case err != nil:
			return Verdict{}, fmt.Errorf("log in: %w", err)
		case v.Applies:
			s.silent.Store(false)
			return v, nil
		}
	}
	return s.checkLocal(ctx, acc, a.Password)
}

// checkLocal hashes the password in any case.
func (s *Service) checkLocal(ctx context.Context, acc *identity.User, password string) (Verdict, error) {
	v := Verdict{Applies: true, Reason: NoSuchUser}
	encoded := ""
	if acc != nil {
		v.User, v.Reason = *acc, WrongPassword
		if acc.Source == identity.AuthLocal { // others are checked elsewhere, or not at all
			encoded = acc.Password
		}
	}
	right, err := s.Passwords.VerifyPassword(ctx, encoded, password)
	if right {
		v.Reason = ""
	}
	return v, err
}

// message is what whoever is refused now is told. That a backend does not answer is said to all, or it would tell whose
// passwords it knows.
func (s *Service) message() string {
	if s.silent.Load() {
		return whenSilent
	}
	return wrongPassword
}

// evenly is the time in whole parts of which refusals are answered where there are backends. One answers sooner than a
// hash is made and another one later; without this, the time would tell where an account is kept.
const evenly = 500 * time.Millisecond

// even waits until a whole part of time has passed since begin.
func (s *Service) even(ctx context.Context, begin time.Time) {
	if len(s.Backends) == 0 {
		return
	}
	_ = clock.Sleep(ctx, s.Clock, evenly-s.Clock.Now().Sub(begin)%evenly) // who has gone does not wait
}

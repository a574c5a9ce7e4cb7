package authn

import (
	"context"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Users finds accounts with their passwords' hashes. *identity.Service is one.
type Users interface {
	// Account returns the whole record, also of a disabled user; fault.NotFound.
	Account(ctx context.Context, name string) (identity.User, error)
	// SetLastLogin notes a login that succeeded.
	SetLastLogin(ctx context.Context, id identity.UserID, at time.Time, rec audit.Record) error
	// Rehash replaces the hash of a password by another one of the same password, unless it has changed meanwhile.
	Rehash(ctx context.Context, id identity.UserID, old, hash string, rec audit.Record) error
}

// Config is what a Service needs.
type Config struct {
	Users     Users
	Passwords *Passwords
	Limiter   *Limiter
	Audit     audit.Log // gets the refusals
	Clock     clock.Clock
}

// Service logs people in with name and password. It is safe for concurrent use.
type Service struct{ Config }

// NewService returns a service over c.
func NewService(c Config) *Service { return &Service{c} }

// Login returns the user with that name when the password is his. Otherwise it fails with fault.Unauthenticated, with
// the same message and after the same time whether the account does not exist, has no password, is disabled, or has
// another password, or with fault.TooMany. Success and refusal are in the trail before it returns.
func (s *Service) Login(ctx context.Context, a identity.Attempt) (_ identity.User, err error) {
	try := attempt{addr: a.Addr, requestID: a.RequestID}
	ok, first := s.Limiter.Take(a.Name, a.Addr)
	if !ok {
		if first { // one record says it: a flood of attempts must not become a flood of records
			err = s.record(ctx, try, "too many attempts")
		}
		return identity.User{}, tooMany(err)
	}
	u, err := s.check(ctx, a.Name, a.Password)
	if err != nil {
		s.Limiter.Return(a.Name, a.Addr) // the fault of neither
		return identity.User{}, err
	}
	if reason := refusal(u); reason != "" {
		if err := s.record(ctx, try.of(u.User), reason); err != nil {
			return identity.User{}, err
		}
		return identity.User{}, fault.New(fault.Unauthenticated, "wrong user name or password")
	}
	s.Limiter.Return(a.Name, a.Addr)
	now := s.Clock.Now().UTC()
	if err := s.Users.SetLastLogin(ctx, u.ID, now, try.of(u.User).record(now, "user.login")); err != nil {
		return identity.User{}, fmt.Errorf("log in: %w", err)
	}
	if err := s.rehash(ctx, u.User, a.Password, try.of(u.User)); err != nil {
		return identity.User{}, err
	}
	u.LastLogin, u.Password = now, ""
	return u.User, nil
}

// checked is an account, and what came out of the check of its password.
type checked struct {
	identity.User
	found, right bool
}

// check hashes the password in any case.
func (s *Service) check(ctx context.Context, name, password string) (checked, error) {
	u, err := s.Users.Account(ctx, name)
	found := !fault.Is(err, fault.NotFound)
	if err != nil && found {
		return checked{}, fmt.Errorf("log in: %w", err)
	}
	encoded := u.Password
	if u.Source != identity.AuthLocal {
		encoded = "" // checked elsewhere
	}
	right, err := s.Passwords.VerifyPassword(ctx, encoded, password)
	return checked{u, found, right}, err
}

// refusal returns why the account may not come in, for the trail only.
func refusal(c checked) string {
	switch {
	case !c.found:
		return "no such user"
	case !c.right:
		return "wrong password"
	case c.Disabled:
		return "user is disabled"
	default:
		return ""
	}
}

// rehash brings the hash up to date while the password is known. That the machine is busy just now is no reason to
// refuse a login.
func (s *Service) rehash(ctx context.Context, u identity.User, password string, try attempt) error {
	if !outdated(u.Password) {
		return nil
	}
	hash, err := s.Passwords.HashPassword(ctx, password)
	if fault.Is(err, fault.TooMany) {
		return nil
	}
	if err == nil {
		err = s.Users.Rehash(ctx, u.ID, u.Password, hash, try.record(s.Clock.Now(), "user.rehash"))
	}
	if err != nil {
		return fmt.Errorf("renew password hash: %w", err)
	}
	return nil
}

// attempt is who tried, for the trail. An account that does not exist is not named: people type their password into the
// wrong field.
type attempt struct {
	addr, requestID string
	user            identity.User
}

func (a attempt) of(u identity.User) attempt {
	a.user = u
	return a
}

func (a attempt) record(at time.Time, action string) audit.Record {
	c := identity.Caller{User: a.user, Via: identity.ViaPassword, Addr: a.addr, RequestID: a.requestID}
	object := "user"
	if a.user.Name != "" {
		object += "/" + a.user.Name
	}
	return c.Record(at, action, object)
}

// record writes a refusal.
func (s *Service) record(ctx context.Context, a attempt, reason string) error {
	rec := a.record(s.Clock.Now(), "user.login")
	rec.Outcome, rec.Reason = audit.Refused, reason
	if err := s.Audit.Append(ctx, rec); err != nil {
		return fmt.Errorf("record refused login: %w", err)
	}
	return nil
}

// tooMany is the refusal, unless it could not be recorded.
func tooMany(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.TooMany, "too many login attempts")
}

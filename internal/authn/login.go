package authn

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Users finds accounts with their passwords' hashes, and makes those that other systems vouch for. *identity.Service is
// one.
type Users interface {
	// Account returns the whole record, also of a disabled user; fault.NotFound.
	Account(ctx context.Context, name string) (identity.User, error)
	// Bound returns the whole record of who is bound so, also of a disabled user; fault.NotFound.
	Bound(ctx context.Context, b identity.Binding) (identity.User, error)
	// Bind binds a user; fault.NotFound, fault.Conflict when he belongs to somebody else.
	Bind(ctx context.Context, c identity.Caller, u identity.User, b identity.Binding) error
	// Create adds a user; fault.Invalid, fault.Conflict.
	Create(ctx context.Context, c identity.Caller, n identity.NewUser) (identity.User, error)
	// Update changes a user; fault.NotFound, fault.Invalid, fault.Conflict.
	Update(ctx context.Context, c identity.Caller, name string, up identity.Update) (identity.User, error)
	// SetLastLogin notes a login that succeeded; fault.NotFound.
	SetLastLogin(ctx context.Context, id identity.UserID, at time.Time, rec audit.Record) error
	// Rehash replaces the hash of a password by another one of the same password, unless it has changed meanwhile.
	Rehash(ctx context.Context, id identity.UserID, old, hash string, rec audit.Record) error
}

// Config is what a Service needs.
type Config struct {
	Users     Users
	Passwords *Passwords
	Backends  []Backend // are asked in this order before the local passwords
	Factors   *Factors  // nil asks nobody for a second factor
	Limiter   *Limiter
	Audit     audit.Log // gets the refusals
	Clock     clock.Clock
	Log       *slog.Logger // is told when a backend does not answer
}

// Service logs people in. It is safe for concurrent use.
type Service struct {
	Config
	silent atomic.Bool // a backend did not answer when it was asked last
}

// NewService returns a service over c.
func NewService(c Config) *Service { return &Service{Config: c} }

// The messages of refusals. The first one is the same whether the account does not exist, has no password, is disabled,
// or has another password.
const (
	wrongPassword = "wrong user name or password"
	whenSilent    = wrongPassword + "; one of the services that check passwords does not answer just now"
	needsCode     = "a one-time code is required"
	wrongCode     = "the one-time code is wrong or has been used"
)

// Login returns the user with that name when the password is his, and the one-time code where he needs one. Otherwise it
// fails with fault.Unauthenticated, with the same message and after about the same time whether the account does not
// exist, has no password, is disabled, or has another password, or with fault.TooMany. Only after the right password does
// it say that a code is missing or wrong. Success and refusal are in the trail before it returns.
func (s *Service) Login(ctx context.Context, a identity.Attempt) (identity.User, error) {
	begin := s.Clock.Now()
	u, err := s.login(ctx, a)
	if fault.Is(err, fault.Unauthenticated) {
		s.even(ctx, begin)
	}
	return u, err
}

func (s *Service) login(ctx context.Context, a identity.Attempt) (identity.User, error) {
	try := attempt{Attempt: a, via: identity.ViaPassword}
	if err := s.take(ctx, a.Name, try); err != nil {
		return identity.User{}, err
	}
	v, err := s.check(ctx, a)
	if err != nil {
		s.Limiter.Return(a.Name, a.Addr) // the fault of neither
		return identity.User{}, err
	}
	if v.Reason == "" && v.User.Disabled {
		v.Reason = disabledUser
	}
	if v.Reason != "" {
		return identity.User{}, s.refuse(ctx, try.of(v.User), v.Reason, s.message())
	}
	if err := s.secondFactor(ctx, try.of(v.User)); err != nil {
		return identity.User{}, err
	}
	s.Limiter.Return(a.Name, a.Addr)
	u, err := s.enter(ctx, try.of(v.User))
	if err != nil {
		return identity.User{}, err
	}
	return u, s.rehash(ctx, v.User, try.of(v.User))
}

const disabledUser = "user is disabled"

// take takes an attempt from the budgets. A flood of attempts must not become a flood of records: one says it.
func (s *Service) take(ctx context.Context, account string, try attempt) error {
	ok, first := s.Limiter.Take(account, try.Addr)
	if ok {
		return nil
	}
	refusal := fault.New(fault.TooMany, "too many login attempts")
	if !first {
		return refusal
	}
	return s.recorded(ctx, try, "too many attempts", refusal)
}

// secondFactor asks local accounts for the code that they may need. Who has the right password and no code has not
// guessed at anything.
func (s *Service) secondFactor(ctx context.Context, try attempt) error {
	if s.Factors == nil || try.user.Source != identity.AuthLocal {
		return nil
	}
	switch reason, err := s.Factors.check(ctx, try); {
	case err != nil:
		s.Limiter.Return(try.Name, try.Addr)
		return err
	case reason == noCode:
		s.Limiter.Return(try.Name, try.Addr)
		return fault.New(fault.Unauthenticated, needsCode)
	case reason != "":
		return s.refuse(ctx, try, reason, wrongCode)
	}
	return nil
}

// enter notes the login.
func (s *Service) enter(ctx context.Context, try attempt) (identity.User, error) {
	now, u := s.Clock.Now().UTC(), try.user
	if err := s.Users.SetLastLogin(ctx, u.ID, now, try.record(now, "user.login")); err != nil {
		return identity.User{}, fmt.Errorf("log in: %w", err)
	}
	u.LastLogin, u.Password = now, ""
	return u, nil
}

// rehash brings the hash up to date while the password is known. That the machine is busy just now is no reason to
// refuse a login.
func (s *Service) rehash(ctx context.Context, u identity.User, try attempt) error {
	if u.Password == "" || !s.Passwords.outdated(u.Password) {
		return nil
	}
	hash, err := s.Passwords.HashPassword(ctx, try.Password)
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

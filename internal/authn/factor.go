package authn

import (
	"context"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// Accounts says who may change whose account. *identity.Service is one.
type Accounts interface {
	// Manages returns the account that name means and whether it is the caller's own; fault.Denied, fault.NotFound.
	Manages(ctx context.Context, c identity.Caller, name string) (u identity.User, own bool, err error)
}

// FactorsConfig is what Factors needs.
type FactorsConfig struct {
	Store     identity.FactorStore
	Users     Accounts
	Passwords *Passwords
	Limiter   *Limiter
	Box       *seal.Box // seals the secrets
	Clock     clock.Clock
	Issuer    string // is shown in the user's generator beside his name
}

// Factors are the second factors of local accounts: generators of one-time codes (TOTP, RFC 6238: SHA-1, six digits,
// thirty seconds), with recovery codes for who has lost his. It is safe for concurrent use.
type Factors struct{ FactorsConfig }

// NewFactors returns the factors in c.Store.
func NewFactors(c FactorsConfig) *Factors { return &Factors{c} }

// FactorStatus is what may be seen of a second factor.
type FactorStatus struct {
	Enabled      bool      // logins with a password need a code
	Pending      bool      // begun, and waits for its first code
	Since        time.Time // when it was switched on; zero when that is not known
	RecoveryLeft int
}

// Get returns the state of a user's second factor: one's own, or that of whom one may change; fault.Denied, fault.NotFound.
func (f *Factors) Get(ctx context.Context, c identity.Caller, name string) (FactorStatus, error) {
	u, _, err := f.Users.Manages(ctx, c, name)
	if err != nil {
		return FactorStatus{}, err
	}
	have, err := f.Store.GetFactor(ctx, u.ID)
	if fault.Is(err, fault.NotFound) {
		return FactorStatus{}, nil
	}
	return FactorStatus{Enabled: have.Confirmed, Pending: !have.Confirmed && err == nil, Since: have.Since, RecoveryLeft: len(have.Recovery)}, err
}

// Holder is an account whose logins with a password need a code.
type Holder struct {
	UserID identity.UserID
	Since  time.Time // zero when that is not known
}

// List returns who has a second factor; fault.Denied for who may not change accounts, since it also tells who has none.
func (f *Factors) List(ctx context.Context, c identity.Caller) ([]Holder, error) {
	if err := c.Require(identity.AdminsWrite); err != nil {
		return nil, err
	}
	all, err := f.Store.ListFactors(ctx)
	holders := make([]Holder, len(all))
	for i, one := range all {
		holders[i] = Holder{one.UserID, one.Since}
	}
	return holders, err
}

// Begin makes a secret for the caller's own account, which is shown once. It asks nobody for anything before Confirm. It
// fails with fault.Denied, fault.Invalid for an account whose password is checked elsewhere, and fault.Conflict when
// there is a factor already.
func (f *Factors) Begin(ctx context.Context, c identity.Caller, name string) (Enrolment, error) {
	u, err := f.own(ctx, c, name)
	if err != nil {
		return Enrolment{}, err
	}
	if u.Source != identity.AuthLocal {
		return Enrolment{}, fault.New(fault.Invalid, "the password of %q is checked elsewhere, and so is a second factor", u.Name)
	}
	e, secret, err := newEnrolment(f.Issuer, u.Name)
	if err != nil {
		return Enrolment{}, err
	}
	sealed := f.Box.Seal(string(u.ID), secret)
	rec := c.Record(f.Clock.Now(), "factor.begin", "user/"+u.Name)
	return e, f.Store.BeginFactor(ctx, identity.SecondFactor{UserID: u.ID, Secret: sealed}, rec)
}

// Confirm switches the factor on when code comes from it, and returns the recovery codes, which are shown once. It fails
// with fault.Denied, fault.Invalid for a wrong code, and fault.Conflict when nothing was begun.
func (f *Factors) Confirm(ctx context.Context, c identity.Caller, name, code string) (recovery []string, err error) {
	u, err := f.own(ctx, c, name)
	if err != nil {
		return nil, err
	}
	have, err := f.Store.GetFactor(ctx, u.ID)
	if fault.Is(err, fault.NotFound) || err == nil && have.Confirmed {
		return nil, fault.New(fault.Conflict, "there is no second factor that waits to be confirmed; begin again")
	}
	if err != nil {
		return nil, err
	}
	step, err := f.step(have, code)
	if err != nil {
		return nil, err
	}
	if step == 0 {
		return nil, fault.New(fault.Invalid, "the code is not what the generator shows now; is the clock of the device right?")
	}
	recovery, have.Recovery = newRecovery(u.ID)
	now := f.Clock.Now()
	have.LastStep, have.Since = step, now
	return recovery, f.Store.ConfirmFactor(ctx, have, c.Record(now, "factor.confirm", "user/"+u.Name))
}

// Delete removes the factor of a user. Who removes his own proves once more that it is he, with a code or with his
// password; others need the right to change such users. It fails with fault.Denied, fault.NotFound, fault.Invalid for a
// wrong proof, and fault.TooMany.
func (f *Factors) Delete(ctx context.Context, c identity.Caller, name string, proof Proof) error {
	u, own, err := f.Users.Manages(ctx, c, name)
	if err != nil {
		return err
	}
	have, err := f.Store.GetFactor(ctx, u.ID)
	if err != nil {
		return err
	}
	if own && have.Confirmed {
		if err := f.prove(ctx, c, u, have, proof); err != nil {
			return err
		}
	}
	return f.Store.DeleteFactor(ctx, u.ID, c.Record(f.Clock.Now(), "factor.delete", "user/"+u.Name))
}

// Proof is one of the two with which somebody shows that an account is his.
type Proof struct{ Code, Password string }

// prove checks a proof. Guesses count as failed logins do.
func (f *Factors) prove(ctx context.Context, c identity.Caller, u identity.User, have identity.SecondFactor, p Proof) error {
	if p == (Proof{}) {
		return fault.New(fault.Invalid, "a one-time code or the password is required to remove the second factor")
	}
	if ok, _ := f.Limiter.Take(u.Name, c.Addr); !ok {
		return fault.New(fault.TooMany, "too many attempts")
	}
	var good bool
	var err error
	if p.Code != "" {
		try := attempt{Attempt: identity.Attempt{Name: u.Name, Code: p.Code, Addr: c.Addr, RequestID: c.RequestID}, via: c.Via, user: u}
		good, err = f.use(ctx, have, try)
	} else {
		good, err = f.Passwords.VerifyPassword(ctx, u.Password, p.Password)
	}
	switch {
	case err != nil:
		return err
	case !good:
		return fault.New(fault.Invalid, "the one-time code or the password is wrong")
	}
	f.Limiter.Return(u.Name, c.Addr)
	return nil
}

// own returns the caller's own account.
func (f *Factors) own(ctx context.Context, c identity.Caller, name string) (identity.User, error) {
	u, own, err := f.Users.Manages(ctx, c, name)
	if err == nil && !own {
		err = fault.New(fault.Denied, "a second factor is set up by its user himself; others can only remove it")
	}
	return u, err
}

// noCode is the reason of a refusal in which nothing was guessed.
const noCode = "one-time code missing"

// check returns why the code of an attempt, whose password was right, is not good; "" when it is, or none is needed.
func (f *Factors) check(ctx context.Context, try attempt) (reason string, err error) {
	have, err := f.Store.GetFactor(ctx, try.user.ID)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && !have.Confirmed:
		return "", nil
	case err != nil:
		return "", fmt.Errorf("log in: %w", err)
	case try.Code == "":
		return noCode, nil
	}
	good, err := f.use(ctx, have, try)
	if !good {
		reason = "wrong one-time code"
	}
	return reason, err
}

package identity

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// SecondFactor is what a user needs besides his password: a generator of one-time codes.
type SecondFactor struct {
	UserID UserID
	// Secret is what the codes are made from, sealed.
	Secret string
	// Confirmed is set once the user has shown a code. Before that, nothing is asked for.
	Confirmed bool
	// Since is when that was; zero before, and where it was not noted.
	Since time.Time
	// LastStep is the time step of the last code that was good. It and all before it are not good again.
	LastStep int64
	// Recovery are the hashes of codes that are good once, in place of one from the generator.
	Recovery []string
}

// FactorStore keeps second factors. What changes them is one transaction with its audit record.
type FactorStore interface {
	// GetFactor returns the factor of a user; fault.NotFound.
	GetFactor(ctx context.Context, id UserID) (SecondFactor, error)
	// ListFactors returns the confirmed factors in the order of their users' ids, without their secrets and recovery codes.
	ListFactors(ctx context.Context) ([]SecondFactor, error)
	// BeginFactor puts an unconfirmed factor in the place of another unconfirmed one; fault.Conflict when there is a
	// confirmed one, fault.NotFound when the user is gone.
	BeginFactor(ctx context.Context, f SecondFactor, rec audit.Record) error
	// ConfirmFactor confirms a factor with the same secret, with its last step and recovery codes; fault.Conflict when
	// there is no such factor that waits for it.
	ConfirmFactor(ctx context.Context, f SecondFactor, rec audit.Record) error
	// TakeStep notes that a code of that step was used; fault.Conflict when it, or a later one, was used already. It is part
	// of a login, which has its own record.
	TakeStep(ctx context.Context, id UserID, step int64) error
	// TakeRecovery removes the hash of a recovery code; fault.Conflict when it is not there any more.
	TakeRecovery(ctx context.Context, id UserID, hash string, rec audit.Record) error
	// DeleteFactor removes a factor; fault.NotFound.
	DeleteFactor(ctx context.Context, id UserID, rec audit.Record) error
}

// Manages returns the whole record of the user that name means, as in Get, when the caller may change it because it is his
// own, or because he may change such users. It fails with fault.Denied and fault.NotFound.
func (s *Service) Manages(ctx context.Context, c Caller, name string) (u User, own bool, err error) {
	defer fault.Wrap(&err, "get account")
	if err := mayChangeUsers(c, AdminsWriteSelf); err != nil && !c.Can(AdminsWrite) && !c.Enrols || c.Actor != nil {
		return User{}, false, err
	}
	if u, err = s.find(ctx, name); err == nil && c.is(u) {
		return u, true, c.keepsNarrow(u)
	}
	if denied := c.Require(AdminsWrite); denied != nil { // asked before whether there is such a user at all
		return User{}, false, denied
	}
	if err != nil {
		return User{}, false, err
	}
	return u, false, s.mayTouch(c, u)
}

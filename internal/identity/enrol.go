package identity

import (
	"context"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// factorRule says who needs a second factor.
type factorRule struct {
	roles []Role
	store FactorStore
}

// RequireFactor asks local accounts that have a password and one of those roles for a second factor. Until one is set up,
// their holders may do nothing but that, whatever their credential. It fails with fault.Invalid for an unknown role.
func (s *Service) RequireFactor(store FactorStore, roles ...string) error {
	known, err := s.Roles().Parse(roles...)
	if err != nil || len(known) == 0 {
		return err
	}
	s.factors.Store(&factorRule{known, store})
	return nil
}

// enrols reports whether the user has to set up a second factor before anything else.
func (s *Service) enrols(ctx context.Context, u User) (bool, error) {
	rule := s.factors.Load()
	if rule == nil || u.Source != AuthLocal || u.Password == "" || !slices.ContainsFunc(rule.roles, u.has) {
		return false, nil
	}
	f, err := rule.store.GetFactor(ctx, u.ID)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return !f.Confirmed, err
}

func (u User) has(r Role) bool { return slices.Contains(u.Roles, r) }

// enrolFirst is the refusal of whatever else somebody wants who has to set up a second factor.
func enrolFirst(p Permission) error {
	return fault.Because(fault.Denied, MissingError(p), "your roles ask for a second factor; set one up first, on the account page or with: cw-adminctl totp enrol")
}

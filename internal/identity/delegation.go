package identity

import (
	"context"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// MayActAs decides whether actor may get a token with which he, or whom he gives it to, acts as target. narrowed is what
// target could do with that token. It returns nil, or fault.Denied with the reason.
//
// The rule compares sets: narrowed must be a strict subset of what the actor may hand on, so that nobody climbs, and who may
// hand on no more than he has does not act as his peers. A manager hands on more than he has, and so may make the token of
// another manager, as ClusterWare's walkthrough has him do. What target has on some nodes only counts as if he had it
// everywhere. The command line of the head is above all accounts, hence equal rights suffice there.
func (s *Service) MayActAs(_ context.Context, actor Caller, target User, narrowed Set) error {
	if err := actor.Require(AdminsWrite); err != nil {
		return err
	}
	has, _ := s.Roles().Effective(target.Roles)
	switch {
	case actor.Actor != nil:
		return fault.New(fault.Denied, "an impersonation token cannot be used to act as somebody else")
	case actor.is(target):
		return fault.New(fault.Denied, "nobody impersonates himself; a token for oneself needs no target")
	case target.Disabled:
		return fault.New(fault.Denied, "user %q is disabled", target.Name)
	case !narrowed.SubsetOf(has):
		return fault.New(fault.Denied, "user %q does not have %s himself", target.Name, some(narrowed.Minus(has)))
	case !narrowed.SubsetOf(actor.mayHandOn()):
		return fault.New(fault.Denied, "user %q has more rights than you may hand on: %s", target.Name, some(narrowed.Minus(actor.mayHandOn())))
	case narrowed == actor.HandsOn && actor.Via != ViaCommand:
		return fault.New(fault.Denied, "user %q has all the rights that you have; peers do not act as each other", target.Name)
	}
	return nil
}

// mayChangeUsers refuses callers without the permission, and impersonation tokens whatever they may: with a key or a
// password set through one, an actor would outlive it.
func mayChangeUsers(c Caller, need Permission) error {
	if c.Actor != nil {
		return fault.New(fault.Denied, "an impersonation token cannot change users")
	}
	return c.Require(need)
}

// mayHandOn is HandsOn without what roles or credential leave on some nodes only.
func (c Caller) mayHandOn() Set {
	s := c.HandsOn
	for _, l := range c.Limits {
		s = s.Minus(l.Permissions)
	}
	return s
}

// mayGrant refuses roles with which somebody could do, or hand on, more than c may hand on.
func (s *Service) mayGrant(c Caller, roles []Role) error {
	if over := s.Roles().reach(roles).Minus(c.mayHandOn()); over != (Set{}) {
		return fault.New(fault.Denied, "roles %s give rights that you may not hand on: %s", joined(roles), some(over))
	}
	return nil
}

// mayTouch refuses to change or delete a user who could do, or hand on, more than c may hand on.
func (s *Service) mayTouch(c Caller, u User) error {
	if over := s.Roles().reach(u.Roles).Minus(c.mayHandOn()); over != (Set{}) {
		return fault.New(fault.Denied, "user %q has more rights than you may hand on: %s", u.Name, some(over))
	}
	return nil
}

// raisesNobody refuses a change that widens one's own rights: over is what would be gained. To hand a right on is not to
// hold it.
func raisesNobody(over string) error {
	if over != "" {
		return fault.New(fault.Denied, "nobody gives himself rights that he does not have: %s", over)
	}
	return nil
}

// keepsAdministrator refuses a change with which nobody could administer users any more, as fault.Conflict.
func (s *Service) keepsAdministrator(ctx context.Context, before, after User) error {
	table := s.Roles()
	if !table.isAdministrator(before) || table.isAdministrator(after) {
		return nil
	}
	users, err := s.store.ListUsers(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(users, func(u User) bool { return u.ID != before.ID && table.isAdministrator(u) }) {
		return nil
	}
	return fault.New(fault.Conflict, "%q is the last administrator: make another one first", before.Name)
}

// isAdministrator reports whether u can administer users: enabled, and admin or role.FullAdmin in effect. A manager is
// none, since nobody could make him more again.
func (t *Roles) isAdministrator(u User) bool {
	has, _ := t.Effective(u.Roles)
	full := slices.Contains(u.Roles, RoleAdmin) || slices.Contains(u.Roles, RoleFullAdmin)
	return !u.Disabled && full && has.Has(AdminsWrite)
}

// some names at most three permissions of s: enough to see why, short enough for a line.
func some(s Set) string {
	names := s.Names()
	if len(names) > 3 {
		names = append(names[:3:3], "...")
	}
	return strings.Join(names, ", ")
}

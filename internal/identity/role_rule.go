package identity

import (
	"context"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// stillMay returns c with what he may do at this moment, and asks again whether he may: between the beginning of his
// request and now, his roles may have been changed or his account disabled. It needs writing, so that nothing changes
// afterwards.
func (s *Service) stillMay(ctx context.Context, c Caller, need Permission) (Caller, error) {
	if c.User.ID == "" { // the command line, which is no account
		return c, nil
	}
	u, err := s.store.GetUserByID(ctx, c.User.ID)
	st, err := s.standing(ctx, u, err)
	if fault.Is(err, fault.NotFound) {
		err = fault.Because(fault.Unauthenticated, err, "your account has been deleted")
	}
	if err != nil {
		return c, err
	}
	c.User = st.User
	c.Permissions, c.HandsOn = c.Permissions.Intersect(st.Permissions), c.HandsOn.Intersect(st.HandsOn)
	return c, mayChangeUsers(c, need)
}

// mayDefine refuses a role that gives, or gave before, more than c may hand on.
func (s *Service) mayDefine(c Caller, before, after Grant) error {
	table := s.Roles()
	all := before.Permissions.Union(before.Delegates).Union(after.Permissions).Union(after.Delegates)
	for _, g := range []Grant{before, after} {
		if g.Role.isWare() {
			all = all.Union(table.grants[RoleAuthUser].Permissions)
		}
	}
	if over := all.Minus(c.mayHandOn()); over != (Set{}) {
		return fault.New(fault.Denied, "role %s gives rights that you may not hand on: %s", nameOf(before, after), some(over))
	}
	return nil
}

func nameOf(before, after Grant) Role {
	if after.Role == "" {
		return before.Role
	}
	return after.Role
}

// reshape says who loses AdminsWrite when the table becomes after. It refuses tables with which c would have more than
// he has now, as fault.Denied, and those with which nobody would administer users, as fault.Conflict.
func (s *Service) reshape(ctx context.Context, c Caller, after *Roles) (demoted []UserID, err error) {
	before := s.Roles()
	if err := raisesNobody(before.widens(c.User.Roles, after, c.User.Roles)); err != nil {
		return nil, err
	}
	users, err := s.store.ListUsers(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		if before.administers(u.Roles) && !after.administers(u.Roles) {
			demoted = append(demoted, u.ID)
		}
	}
	if slices.ContainsFunc(users, before.isAdministrator) && !slices.ContainsFunc(users, after.isAdministrator) {
		return nil, fault.New(fault.Conflict, "with this change no administrator would be left: make somebody role.FullAdmin first")
	}
	return demoted, nil
}

// changeable returns the role, when it can be changed at all; fault.NotFound, fault.Conflict.
func (s *Service) changeable(r Role) (Grant, error) {
	g, ok := s.Roles().Get(r)
	switch {
	case !ok:
		return Grant{}, fault.New(fault.NotFound, "there is no role %q", r)
	case r.isFixed():
		return Grant{}, fault.New(fault.Conflict, "role %s is the same everywhere and cannot be changed; make a role of your own instead", r)
	}
	return g, nil
}

// maxNamed is how many holders of a role a refusal names.
const maxNamed = 5

// nobodyHolds refuses, as fault.Conflict, while users have the role, and says who.
func (s *Service) nobodyHolds(ctx context.Context, r Role) error {
	users, err := s.store.ListUsers(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, u := range users {
		if slices.Contains(u.Roles, r) {
			names = append(names, u.Name)
		}
	}
	count := len(names)
	if count == 0 {
		return nil
	}
	if count > maxNamed {
		names = append(names[:maxNamed:maxNamed], "...")
	}
	have := "users have"
	if count == 1 {
		have = "user has"
	}
	return fault.New(fault.Conflict, "%d %s the role %s: %s; take it from them first", count, have, r, strings.Join(names, ", "))
}

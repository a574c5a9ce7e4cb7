package identity

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// NewRole is the wish for a role.
type NewRole struct {
	Role        Role
	Display     string // "" makes it from the role's name
	Description string
	Permissions Set
	Delegates   Set
	Nodes       string // as ParseNodeSet reads it; "" sets no limit
	MaxLifetime time.Duration
}

// RoleUpdate is a change to a role. A nil field stays as it is. The name of a role cannot be changed: users hold it by
// its name.
type RoleUpdate struct {
	Display     *string // "" makes it from the role's name
	Description *string
	Permissions *Set
	Delegates   *Set
	Nodes       *string // "" takes the limit away
	MaxLifetime *time.Duration
}

// CreateRole adds a role to this site's. It needs AdminsWrite, and nobody makes a role that gives more than he may hand
// on. It fails with fault.Denied, fault.Invalid, fault.Conflict when the name is taken, and fault.Unavailable without a
// store.
func (s *Service) CreateRole(ctx context.Context, c Caller, n NewRole) (_ Grant, err error) {
	defer fault.Wrap(&err, "create role")
	c, err = s.beginRole(ctx, c)
	if err != nil {
		return Grant{}, err
	}
	defer s.writing.Unlock()
	if err := s.Roles().checkName(n.Role); err != nil {
		return Grant{}, err
	}
	g := Grant{
		Role: n.Role, Display: n.Display, Description: n.Description, Permissions: n.Permissions, Delegates: n.Delegates,
		MaxLifetime: n.MaxLifetime,
	}
	if g.Nodes, err = nodesOrNil(n.Nodes); err != nil {
		return Grant{}, err
	}
	return s.saveRole(ctx, c, Grant{}, g, "role.create")
}

// UpdateRole changes a role, one of the program's as well, at once for everybody who holds it. It needs AdminsWrite. The
// role may neither before nor afterwards give more than the caller may hand on, nobody widens his own rights by it, and an
// administrator has to be left. role.FullAdmin and role.NoAccess cannot be changed. It fails with fault.Denied,
// fault.NotFound, fault.Invalid, fault.Conflict, and fault.Unavailable without a store.
func (s *Service) UpdateRole(ctx context.Context, c Caller, r Role, up RoleUpdate) (_ Grant, err error) {
	defer fault.Wrap(&err, "update role")
	c, err = s.beginRole(ctx, c)
	if err != nil {
		return Grant{}, err
	}
	defer s.writing.Unlock()
	before, err := s.changeable(r)
	if err != nil {
		return Grant{}, err
	}
	after := before
	set(&after.Display, up.Display)
	set(&after.Description, up.Description)
	set(&after.Permissions, up.Permissions)
	set(&after.Delegates, up.Delegates)
	set(&after.MaxLifetime, up.MaxLifetime)
	if up.Nodes != nil {
		if after.Nodes, err = nodesOrNil(*up.Nodes); err != nil {
			return Grant{}, err
		}
	}
	return s.saveRole(ctx, c, before, after, "role.update")
}

// DeleteRole removes a role that nobody holds. One that comes with the program goes back to what it was. It needs what
// UpdateRole needs. It fails with fault.Denied, fault.NotFound, fault.Unavailable without a store, and fault.Conflict
// while somebody holds the role, and when a role of the program has not been changed.
func (s *Service) DeleteRole(ctx context.Context, c Caller, r Role) (err error) {
	defer fault.Wrap(&err, "delete role")
	c, err = s.beginRole(ctx, c)
	if err != nil {
		return err
	}
	defer s.writing.Unlock()
	before, err := s.changeable(r)
	if err != nil {
		return err
	}
	table, action := s.Roles().without(r), "role.delete"
	after, system := s.defaults.Get(r)
	if system {
		table, action = s.Roles().with(after), "role.reset"
	}
	if err := s.mayDefine(c, before, after); err != nil {
		return err
	}
	if system && !before.Changed {
		return fault.New(fault.Conflict, "role %s comes with the program and has not been changed; there is nothing to take back", r)
	}
	if !system {
		if err := s.nobodyHolds(ctx, r); err != nil {
			return err
		}
	}
	demoted, err := s.reshape(ctx, c, table)
	if err != nil {
		return err
	}
	rec := c.Record(s.clock.Now(), action, roleObject(r))
	revoked, err := s.kept.DeleteRole(ctx, r, demoted, rec)
	if err != nil {
		return err
	}
	s.roles.Store(table)
	s.tellRevoked(revoked)
	return nil
}

// beginRole asks whether c may change roles at all, and takes writing, which the caller has to give back when there is no
// error.
func (s *Service) beginRole(ctx context.Context, c Caller) (Caller, error) {
	if err := mayChangeUsers(c, AdminsWrite); err != nil {
		return c, err
	}
	if s.kept == nil {
		return c, fault.New(fault.Unavailable, "roles cannot be changed here: there is nowhere to keep them")
	}
	s.writing.Lock()
	c, err := s.stillMay(ctx, c, AdminsWrite)
	if err != nil {
		s.writing.Unlock()
	}
	return c, err
}

// saveRole checks a change of before into after, and makes it. It needs writing.
func (s *Service) saveRole(ctx context.Context, c Caller, before, after Grant, action string) (Grant, error) {
	if after.Display == "" {
		after.Display = words(after.Role)
	}
	if err := after.check(); err != nil {
		return Grant{}, err
	}
	if err := s.mayDefine(c, before, after); err != nil {
		return Grant{}, err
	}
	details := roleChanges(before, after)
	if len(details) == 0 {
		return before, nil
	}
	after.Modified, after.ModifiedBy, after.Changed = s.clock.Now().UTC(), c.ActorName(), after.System
	table := s.Roles().with(after)
	demoted, err := s.reshape(ctx, c, table)
	if err != nil {
		return Grant{}, err
	}
	rec := c.Record(after.Modified, action, roleObject(after.Role))
	rec.Details = details
	revoked, err := s.kept.SaveRole(ctx, after, demoted, rec)
	if err != nil {
		return Grant{}, err
	}
	s.roles.Store(table)
	s.tellRevoked(revoked)
	return after, nil
}

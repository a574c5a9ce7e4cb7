package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Arrival is somebody who has logged in at another system, and what that system says of him.
type Arrival struct {
	// Binding is who he is at that system, whatever his name; the zero value where only the name says so.
	Binding  identity.Binding
	Name     string
	FullName string // "" when it does not say
	Email    string // "" when it does not say
	Roles    []identity.Role
	Projects []string
	// Managed are the roles that the system decides about. Others that the account has are left alone.
	Managed []identity.Role
	// Into are the sources of the accounts that the system may let people into. The first one is that of new accounts.
	Into []identity.AuthSource
	// Create makes an account for somebody who has none; Update brings an account up to date.
	Create, Update bool
}

// otherAccount is what somebody is told whose account here is not one that the other system may open.
const otherAccount = "the account of that name here cannot be used with this way to log in; ask an administrator"

// Outside lets in whom another system vouches for. find checks what it says, and fails with fault.Unauthenticated when it
// is not good. Outside fails with fault.Unauthenticated as well when there is no account that may be used, or with
// fault.TooMany. Success and refusal are in the trail before it returns.
func (s *Service) Outside(ctx context.Context, via identity.Via, a identity.Attempt, find func(context.Context) (Arrival, error)) (identity.User, error) {
	try := attempt{Attempt: a, via: via}
	who := string(via) + " from " + network(a.Addr) // a budget of its own: nobody can empty that of others
	if err := s.take(ctx, who, try); err != nil {
		return identity.User{}, err
	}
	arrival, err := find(ctx)
	if fault.Is(err, fault.Unauthenticated) {
		return identity.User{}, s.recorded(ctx, try, causeOf(err), err)
	}
	s.Limiter.Return(who, a.Addr)
	if err != nil {
		return identity.User{}, err
	}
	u, reason, err := s.admit(ctx, via, arrival)
	switch {
	case err != nil:
		return identity.User{}, fmt.Errorf("log in by %s: %w", via, err)
	case reason != "":
		return identity.User{}, s.refuse(ctx, try.of(u), reason, otherAccount)
	}
	return s.enter(ctx, try.of(u))
}

// causeOf is the reason for the trail: the cause that the client is not told, if there is one.
func causeOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f.Cause != nil {
		return f.Cause.Error()
	}
	return fault.Message(err)
}

// admit finds or makes the account, and says why it may not be used.
func (s *Service) admit(ctx context.Context, via identity.Via, a Arrival) (u identity.User, reason string, err error) {
	u, bound, err := s.find(ctx, via, a)
	switch {
	case fault.Is(err, fault.NotFound):
		return identity.User{}, NoSuchUser, nil
	case fault.Is(err, fault.Invalid):
		return identity.User{}, fault.Message(err), nil
	case err != nil:
		return u, "", err
	case !slices.Contains(a.Into, u.Source):
		return u, "the account is not one that may log in this way", nil
	case u.Disabled:
		return u, disabledUser, nil
	}
	if !bound {
		if reason, err := s.bind(ctx, via, u, a.Binding); reason != "" || err != nil {
			return u, reason, err
		}
	}
	if a.Update {
		u, err = s.update(ctx, via, u, a)
	}
	return u, "", err
}

// find returns the account of who has come, and whether it is bound to him; otherwise the one of his name, which it makes
// where that is wanted.
func (s *Service) find(ctx context.Context, via identity.Via, a Arrival) (u identity.User, bound bool, err error) {
	if a.Binding == (identity.Binding{}) {
		bound = true // there is nothing to bind
	} else if u, err = s.Users.Bound(ctx, a.Binding); !fault.Is(err, fault.NotFound) {
		return u, true, err
	}
	u, err = s.Users.Account(ctx, a.Name)
	if !a.Create || !fault.Is(err, fault.NotFound) {
		return u, bound, err
	}
	u, err = s.Users.Create(ctx, identity.System(string(via)), a.newUser())
	if fault.Is(err, fault.Conflict) {
		u, err = s.Users.Account(ctx, a.Name) // somebody was faster
	}
	return u, bound, err
}

// bind binds the account of his name to who has come, and says why that cannot be.
func (s *Service) bind(ctx context.Context, via identity.Via, u identity.User, b identity.Binding) (reason string, err error) {
	err = s.Users.Bind(ctx, identity.System(string(via)), u, b)
	if !fault.Is(err, fault.Conflict) {
		return "", err
	}
	now, err := s.Users.Bound(ctx, b)
	switch {
	case err == nil && now.ID == u.ID: // another login of his was faster
		return "", nil
	case err == nil || fault.Is(err, fault.NotFound):
		return "the account belongs to somebody else who has come by that name before", nil
	}
	return "", err
}

// update brings an account up to date.
func (s *Service) update(ctx context.Context, via identity.Via, u identity.User, a Arrival) (identity.User, error) {
	up, differs := a.update(u)
	if !differs {
		return u, nil
	}
	changed, err := s.Users.Update(ctx, identity.System(string(via)), u.Name, up)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) { // the last administrator stays one
		s.Log.WarnContext(ctx, "an account could not be brought up to date at login", "user", u.Name, "error", err)
		return u, nil
	}
	return changed, err
}

func (a Arrival) newUser() identity.NewUser {
	roles, projects := fitting(a.Roles, a.Projects)
	return identity.NewUser{Name: a.Name, FullName: a.FullName, Email: a.Email, Roles: roles, Projects: projects, Source: a.Into[0]}
}

// update returns how the account should change.
func (a Arrival) update(u identity.User) (up identity.Update, differs bool) {
	roles := slices.DeleteFunc(slices.Clone(u.Roles), func(r identity.Role) bool { return slices.Contains(a.Managed, r) })
	for _, r := range a.Roles {
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	projects := u.Projects
	if slices.Contains(a.Managed, identity.RoleManager) {
		projects = a.Projects
	}
	roles, projects = fitting(roles, projects)
	if !sameSet(roles, u.Roles) {
		up.Roles, differs = &roles, true
	}
	if !sameSet(projects, u.Projects) {
		up.Projects, differs = &projects, true
	}
	if a.FullName != "" && a.FullName != u.FullName {
		up.FullName, differs = &a.FullName, true
	}
	if a.Email != "" && a.Email != u.Email {
		up.Email, differs = &a.Email, true
	}
	return up, differs
}

// fitting makes roles and projects fit together: a manager without a project is a user, only a manager has projects, and
// nobody is left without a role.
func fitting(roles []identity.Role, projects []string) ([]identity.Role, []string) {
	fit := slices.DeleteFunc(slices.Clone(roles), func(r identity.Role) bool { return r == identity.RoleManager && len(projects) == 0 })
	if len(fit) == 0 {
		fit = []identity.Role{identity.RoleUser}
	}
	if !slices.Contains(fit, identity.RoleManager) {
		projects = []string{}
	}
	return fit, projects
}

func sameSet[T ~string](a, b []T) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

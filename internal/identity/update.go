package identity

import (
	"reflect"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// isPersonal reports whether up only changes what is one's own business.
func (up Update) isPersonal() bool {
	up.FullName, up.Email, up.Keys = nil, nil, nil
	return reflect.ValueOf(up).IsZero() // of fields that are yet to come as well
}

// with returns u with the changes of up; hash stands for up.Password. It fails with fault.Invalid.
func (s *Service) with(u User, up Update, hash string) (User, error) {
	set(&u.FullName, up.FullName)
	set(&u.Email, up.Email)
	set(&u.Description, up.Description)
	set(&u.Roles, up.Roles)
	set(&u.Projects, up.Projects)
	set(&u.Keys, up.Keys)
	set(&u.Disabled, up.Disabled)
	if up.Password != nil {
		u.Password = hash
	}
	return s.withLists(u, up)
}

func (s *Service) withLists(u User, up Update) (_ User, err error) {
	if u.Roles, err = s.known(slices.Concat(u.Roles, up.AddRoles)); err != nil {
		return User{}, err
	}
	remove, err := s.known(up.RemoveRoles)
	if err != nil {
		return User{}, err
	}
	for _, r := range remove {
		if u.Roles, err = without(u.Roles, r, "user %s does not have the role %s", u.Name); err != nil {
			return User{}, err
		}
	}
	for _, p := range up.AddProjects {
		if !slices.Contains(u.Projects, p) {
			u.Projects = append(slices.Clone(u.Projects), p)
		}
	}
	for _, p := range up.RemoveProjects {
		if u.Projects, err = without(u.Projects, p, "user %s does not manage the project %s", u.Name); err != nil {
			return User{}, err
		}
	}
	return u, nil
}

// without returns the list without v; fault.Invalid with the message, about that user, when v is not in it.
func without[T comparable](list []T, v T, message, user string) ([]T, error) {
	i := slices.Index(list, v)
	if i < 0 {
		return nil, fault.New(fault.Invalid, message, user, v)
	}
	return slices.Delete(slices.Clone(list), i, i+1), nil
}

func set[T any](field, to *T) {
	if to != nil {
		*field = *to
	}
}

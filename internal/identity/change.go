package identity

import (
	"context"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// Create adds a user. Nobody creates a user who could do, or hand on, more than he himself may hand on. Roles that are
// not given are the creator's own of the ClusterWare family. It fails with fault.Denied, fault.Invalid, and
// fault.Conflict when the name is taken.
func (s *Service) Create(ctx context.Context, c Caller, n NewUser) (_ User, err error) {
	defer fault.Wrap(&err, "create user")
	if err := mayChangeUsers(c, AdminsWrite); err != nil {
		return User{}, err
	}
	hash, err := s.newHash(ctx, &n.Password)
	if err != nil {
		return User{}, err
	}

	s.writing.Lock()
	defer s.writing.Unlock()
	if c, err = s.stillMay(ctx, c, AdminsWrite); err != nil {
		return User{}, err
	}
	if n.Roles == nil {
		n.Roles = slices.DeleteFunc(slices.Clone(c.User.Roles), func(r Role) bool { return !r.isWare() })
	}
	now := s.clock.Now().UTC()
	u := User{
		ID: newUserID(), Name: n.Name, FullName: n.FullName, Email: n.Email, Description: n.Description, Password: hash,
		Projects: n.Projects, Keys: n.Keys, Source: n.Source, Created: now, Modified: now, ModifiedBy: c.ActorName(),
	}
	if u.Roles, err = s.known(n.Roles); err != nil {
		return User{}, err
	}
	if err := s.mayGrant(c, u.Roles); err != nil {
		return User{}, err
	}
	if err := u.check(); err != nil {
		return User{}, err
	}
	rec := c.Record(now, "user.create", "user/"+u.Name)
	rec.Details = changes(User{}, u)
	if err := s.store.CreateUser(ctx, u, rec); err != nil {
		return User{}, err
	}
	return u.public(), nil
}

// Update changes a user, named as in Get. Everybody with AdminsWriteSelf may change his own full name, address and keys;
// all else needs AdminsWrite, and that the user could neither before nor afterwards do more than the caller may hand on.
// Nobody widens his own rights. Credentials that the change leaves without ground end with it, see ending. It fails with
// fault.Denied, fault.NotFound, fault.Invalid, and fault.Conflict when no administrator would be left.
func (s *Service) Update(ctx context.Context, c Caller, name string, up Update) (_ User, err error) {
	defer fault.Wrap(&err, "update user")
	need := AdminsWrite
	if !c.Can(AdminsWrite) && up.isPersonal() {
		need = AdminsWriteSelf
	}
	if err := mayChangeUsers(c, need); err != nil {
		return User{}, err
	}
	hash, err := s.newHash(ctx, up.Password)
	if err != nil {
		return User{}, err
	}

	s.writing.Lock()
	defer s.writing.Unlock()
	if c, err = s.stillMay(ctx, c, need); err != nil {
		return User{}, err
	}
	before, err := s.find(ctx, name)
	if need == AdminsWriteSelf && !c.is(before) {
		return User{}, DeniedError(AdminsWrite)
	}
	if err != nil {
		return User{}, err
	}
	after, err := s.with(before, up, hash)
	if err != nil {
		return User{}, err
	}
	if err := s.mayUpdate(ctx, c, before, after, up); err != nil {
		return User{}, err
	}
	after.Modified, after.ModifiedBy = s.clock.Now().UTC(), c.ActorName()
	rec := c.Record(after.Modified, "user.update", "user/"+after.Name)
	rec.Details = changes(before, after)
	revoked, err := s.store.UpdateUser(ctx, after, s.ending(before, after), rec)
	if err != nil {
		return User{}, err
	}
	s.tellRevoked(revoked)
	return after.public(), nil
}

// Delete removes a user, named as in Get, and with him every token and session that he has or has issued. It fails with
// fault.Denied, fault.NotFound, and fault.Conflict for the last administrator.
func (s *Service) Delete(ctx context.Context, c Caller, name string) (err error) {
	defer fault.Wrap(&err, "delete user")
	if err := mayChangeUsers(c, AdminsWrite); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	c, u, err := s.toChange(ctx, c, name)
	if err != nil {
		return err
	}
	gone := u
	gone.Disabled = true
	if err := s.keepsAdministrator(ctx, u, gone); err != nil {
		return err
	}
	revoked, err := s.store.DeleteUser(ctx, u.ID, c.Record(s.clock.Now(), "user.delete", "user/"+u.Name))
	if err != nil {
		return err
	}
	s.tellRevoked(revoked)
	return nil
}

// mayUpdate refuses up, which makes after of before, when it breaks a rule or makes a record that is wrong.
func (s *Service) mayUpdate(ctx context.Context, c Caller, before, after User, up Update) error {
	if up.Keys != nil || up.Password != nil {
		if err := c.keepsNarrow(before); err != nil {
			return err
		}
	}
	if own := c.is(before) && up.isPersonal() && c.Can(AdminsWriteSelf); !own { // else nothing that gives rights has changed
		if err := s.mayReplace(ctx, c, before, after); err != nil {
			return err
		}
	}
	return after.check()
}

// mayReplace holds the rules of delegation for a change of before into after.
func (s *Service) mayReplace(ctx context.Context, c Caller, before, after User) error {
	if err := s.mayTouch(c, before); err != nil {
		return err
	}
	if !slices.Equal(before.Roles, after.Roles) {
		if err := s.mayGrant(c, after.Roles); err != nil {
			return err
		}
		if c.is(before) {
			table := s.Roles()
			if err := raisesNobody(table.widens(before.Roles, table, after.Roles)); err != nil {
				return err
			}
		}
	}
	return s.keepsAdministrator(ctx, before, after)
}

func (s *Service) known(roles []Role) ([]Role, error) {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return s.Roles().Parse(names...)
}

func (s *Service) newHash(ctx context.Context, password *string) (string, error) {
	if password == nil || *password == "" {
		return "", nil
	}
	return s.hasher.HashPassword(ctx, *password)
}

// toChange returns the user named as in Get and the caller as he is now, when he may change that user. Whoever asks holds
// writing.
func (s *Service) toChange(ctx context.Context, c Caller, name string) (Caller, User, error) {
	c, err := s.stillMay(ctx, c, AdminsWrite)
	if err != nil {
		return c, User{}, err
	}
	u, err := s.find(ctx, name)
	if err != nil {
		return c, User{}, err
	}
	return c, u, s.mayTouch(c, u)
}

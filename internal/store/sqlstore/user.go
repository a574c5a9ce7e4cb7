package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// users implements identity.Store.
type users struct{ db *database }

const userColumns = `id, name, full_name, email, description, roles, projects, keys, source, password, disabled,
	created, modified, modified_by, last_login`

func scanUser(r row) (identity.User, error) {
	var u identity.User
	err := r.Scan(&u.ID, &u.Name, &u.FullName, &u.Email, &u.Description,
		jsonColumn{&u.Roles}, jsonColumn{&u.Projects}, jsonColumn{&u.Keys}, &u.Source, &u.Password, &u.Disabled,
		fromMicros(&u.Created), fromMicros(&u.Modified), &u.ModifiedBy, fromMicros(&u.LastLogin))
	return u, err
}

// GetUser implements identity.Store.
func (s *users) GetUser(ctx context.Context, name string) (_ identity.User, err error) {
	defer fault.Wrap(&err, "get user %q", name)
	u, err := get(ctx, s.db.read(), scanUser, `
		SELECT `+userColumns+`
		FROM users
		WHERE name = ?`, name)
	return u, noUser(err, name)
}

// GetUserByID implements identity.Store.
func (s *users) GetUserByID(ctx context.Context, id identity.UserID) (_ identity.User, err error) {
	defer fault.Wrap(&err, "get user by id %q", id)
	u, err := get(ctx, s.db.read(), scanUser, `
		SELECT `+userColumns+`
		FROM users
		WHERE id = ?`, id)
	return u, noUser(err, string(id))
}

// ListUsers implements identity.Store.
func (s *users) ListUsers(ctx context.Context) (_ []identity.User, err error) {
	defer fault.Wrap(&err, "list users")
	return list(ctx, s.db.read(), scanUser, `
		SELECT `+userColumns+`
		FROM users
		ORDER BY name`)
}

// CreateUser implements identity.Store.
func (s *users) CreateUser(ctx context.Context, u identity.User, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "create user %q", u.Name)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		_, err := c.exec(ctx, `
			INSERT INTO users (`+userColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			u.ID, u.Name, u.FullName, u.Email, u.Description,
			jsonColumn{u.Roles}, jsonColumn{u.Projects}, jsonColumn{u.Keys}, u.Source, u.Password, u.Disabled,
			micros(u.Created), micros(u.Modified), u.ModifiedBy, micros(u.LastLogin))
		return userTaken(err, u.Name)
	})
}

// UpdateUser implements identity.Store. The time of creation and the last login stay as they are: both are facts, and
// a login may have happened since the caller read the record. The record says how many tokens and sessions have ended
// when some were to.
func (s *users) UpdateUser(ctx context.Context, u identity.User, end identity.End, rec audit.Record) (revoked []string, err error) {
	defer fault.Wrap(&err, "update user %q", u.Name)
	err = s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		n, err := c.exec(ctx, `
			UPDATE users
			SET name = ?, full_name = ?, email = ?, description = ?, roles = ?, projects = ?, keys = ?,
			    source = ?, password = ?, disabled = ?, modified = ?, modified_by = ?
			WHERE id = ?`,
			u.Name, u.FullName, u.Email, u.Description, jsonColumn{u.Roles}, jsonColumn{u.Projects}, jsonColumn{u.Keys},
			u.Source, u.Password, u.Disabled, micros(u.Modified), u.ModifiedBy, u.ID)
		if err != nil {
			return userTaken(err, u.Name)
		}
		if err := someUser(n, u.Name); err != nil {
			return err
		}
		revoked, err = endCredentials(ctx, c, u.ID, end, rec)
		return err
	})
	return unlessFailed(revoked, err)
}

// DeleteUser implements identity.Store. The record says how many tokens and sessions went with the user.
func (s *users) DeleteUser(ctx context.Context, id identity.UserID, rec audit.Record) (revoked []string, err error) {
	defer fault.Wrap(&err, "delete user with id %q", id)
	err = s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		revoked, err = endCredentials(ctx, c, id, identity.End{Logins: true, Own: true, Issued: true}, rec)
		if err != nil {
			return err
		}
		n, err := c.exec(ctx, `DELETE FROM users WHERE id = ?`, id)
		if err != nil {
			return err
		}
		return someUser(n, string(id))
	})
	return unlessFailed(revoked, err)
}

// SetLastLogin implements identity.Store.
func (s *users) SetLastLogin(ctx context.Context, id identity.UserID, at time.Time, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "set last login of user with id %q", id)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		n, err := c.exec(ctx, `UPDATE users SET last_login = ? WHERE id = ?`, micros(at), id)
		if err != nil {
			return err
		}
		return someUser(n, string(id))
	})
}

func noUser(err error, name string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "there is no user %q", name)
	}
	return err
}

// someUser is noUser for a statement that should have changed a row.
func someUser(rows int64, name string) error {
	if rows == 0 {
		return noUser(sql.ErrNoRows, name)
	}
	return nil
}

func userTaken(err error, name string) error {
	if fault.Is(err, fault.Conflict) {
		return fault.Because(fault.Conflict, err, "there is a user %q already", name)
	}
	return err
}

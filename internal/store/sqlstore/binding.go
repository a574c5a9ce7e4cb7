package sqlstore

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// GetBoundUser implements identity.BindingStore.
func (s *users) GetBoundUser(ctx context.Context, b identity.Binding) (_ identity.User, err error) {
	defer fault.Wrap(&err, "get bound user")
	u, err := get(ctx, s.db.read(), scanUser, `
		SELECT `+userColumns+`
		FROM users
		WHERE id = (SELECT user_id FROM user_bindings WHERE issuer = ? AND subject = ?)`, b.Issuer, b.Subject)
	return u, noUser(err, b.Subject)
}

// BindUser implements identity.BindingStore.
func (s *users) BindUser(ctx context.Context, id identity.UserID, b identity.Binding, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "bind user with id %q", id)
	return s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		n, err := c.exec(ctx, `
			INSERT INTO user_bindings (user_id, issuer, subject, bound)
			SELECT id, ?, ?, ?
			FROM users
			WHERE id = ?`, b.Issuer, b.Subject, micros(rec.Time), id)
		if err != nil {
			return err
		}
		return someUser(n, string(id))
	})
}

// UnbindUser implements identity.BindingStore.
func (s *users) UnbindUser(ctx context.Context, id identity.UserID, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "unbind user with id %q", id)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		n, err := c.exec(ctx, `DELETE FROM user_bindings WHERE user_id = ?`, id)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "the user does not belong to anybody at another system")
		}
		return err
	})
}

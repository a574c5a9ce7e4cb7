package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// factors implements identity.FactorStore.
type factors struct{ db *database }

const factorColumns = `user_id, secret, confirmed, last_step, recovery`

func scanFactor(r row) (identity.SecondFactor, error) {
	var f identity.SecondFactor
	err := r.Scan(&f.UserID, &f.Secret, confirmedColumn{&f}, &f.LastStep, jsonColumn{&f.Recovery})
	return f, err
}

func getFactor(ctx context.Context, c conn, id identity.UserID) (identity.SecondFactor, error) {
	f, err := get(ctx, c, scanFactor, `
		SELECT `+factorColumns+`
		FROM second_factors
		WHERE user_id = ?`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return f, errNoFactor()
	}
	return f, err
}

func errNoFactor() error { return fault.New(fault.NotFound, "the user has no second factor") }

// confirmedColumn scans whether a factor is confirmed, and since when.
type confirmedColumn struct{ f *identity.SecondFactor }

// Scan implements sql.Scanner.
func (c confirmedColumn) Scan(src any) error {
	err := fromMicros(&c.f.Since).Scan(src)
	c.f.Confirmed = !c.f.Since.IsZero()
	if src == int64(noted) {
		c.f.Since = time.Time{}
	}
	return err
}

// noted is what stands for a confirmation whose time is not known.
const noted = 1

// GetFactor implements identity.FactorStore.
func (s *factors) GetFactor(ctx context.Context, id identity.UserID) (_ identity.SecondFactor, err error) {
	defer fault.Wrap(&err, "get second factor of user with id %q", id)
	return getFactor(ctx, s.db.read(), id)
}

// ListFactors implements identity.FactorStore.
func (s *factors) ListFactors(ctx context.Context) (_ []identity.SecondFactor, err error) {
	defer fault.Wrap(&err, "list second factors")
	return list(ctx, s.db.read(), scanFactor, `
		SELECT user_id, '', confirmed, last_step, '[]'
		FROM second_factors
		WHERE confirmed <> 0
		ORDER BY user_id`)
}

// BeginFactor implements identity.FactorStore.
func (s *factors) BeginFactor(ctx context.Context, f identity.SecondFactor, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "begin second factor of user with id %q", f.UserID)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		if users, err := list(ctx, c, scalar[string], `SELECT id FROM users WHERE id = ?`, f.UserID); err != nil || len(users) == 0 {
			return errors.Join(err, someUser(int64(len(users)), string(f.UserID)))
		}
		n, err := c.exec(ctx, `
			INSERT INTO second_factors (`+factorColumns+`)
			VALUES (?, ?, 0, 0, ?)
			ON CONFLICT (user_id) DO UPDATE
			SET secret = excluded.secret, last_step = 0, recovery = excluded.recovery
			WHERE second_factors.confirmed = 0`, f.UserID, f.Secret, jsonColumn{[]string{}})
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "there is a second factor already; remove it first")
		}
		return err
	})
}

// ConfirmFactor implements identity.FactorStore.
func (s *factors) ConfirmFactor(ctx context.Context, f identity.SecondFactor, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "confirm second factor of user with id %q", f.UserID)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		n, err := c.exec(ctx, `
			UPDATE second_factors
			SET confirmed = ?, last_step = ?, recovery = ?
			WHERE user_id = ? AND secret = ? AND confirmed = 0`,
			max(noted, micros(f.Since)), f.LastStep, jsonColumn{f.Recovery}, f.UserID, f.Secret)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "there is no second factor that waits to be confirmed; begin again")
		}
		return err
	})
}

// TakeStep implements identity.FactorStore.
func (s *factors) TakeStep(ctx context.Context, id identity.UserID, step int64) (err error) {
	defer fault.Wrap(&err, "take one-time code of user with id %q", id)
	return s.db.update(ctx, func(c conn) error {
		n, err := c.exec(ctx, `
			UPDATE second_factors
			SET last_step = ?
			WHERE user_id = ? AND confirmed <> 0 AND last_step < ?`, step, id, step)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "the one-time code has been used")
		}
		return err
	})
}

// TakeRecovery implements identity.FactorStore.
func (s *factors) TakeRecovery(ctx context.Context, id identity.UserID, hash string, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "take recovery code of user with id %q", id)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		f, err := getFactor(ctx, c, id)
		if err != nil {
			return err
		}
		at := slices.Index(f.Recovery, hash)
		if at < 0 {
			return fault.New(fault.Conflict, "the recovery code has been used")
		}
		_, err = c.exec(ctx, `UPDATE second_factors SET recovery = ? WHERE user_id = ?`, jsonColumn{slices.Delete(f.Recovery, at, at+1)}, id)
		return err
	})
}

// DeleteFactor implements identity.FactorStore.
func (s *factors) DeleteFactor(ctx context.Context, id identity.UserID, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "delete second factor of user with id %q", id)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		n, err := c.exec(ctx, `DELETE FROM second_factors WHERE user_id = ?`, id)
		if err == nil && n == 0 {
			err = errNoFactor()
		}
		return err
	})
}

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// TokenWarnings returns what keeps which tokens have been warned of.
func (s *Store) TokenWarnings() token.WarningStore { return &tokens{s.db} }

// CountExpiring implements token.WarningStore. It is asked at every whoami, hence the index of its own.
func (s *tokens) CountExpiring(ctx context.Context, id identity.UserID, now, before time.Time) (n int, err error) {
	defer fault.Wrap(&err, "count tokens that expire")
	return get(ctx, s.db.read(), scalar[int], `
		SELECT COUNT(*)
		FROM tokens
		WHERE user_id = ? AND kind = 'service' AND expires > ? AND expires < ? AND NOT `+isRevoked, id, micros(now), micros(before))
}

// warnedUntil is the name of the counter that holds a time.
const warnedUntil = "tokens_warned_until"

// WarnedUntil implements token.WarningStore.
func (s *tokens) WarnedUntil(ctx context.Context) (at time.Time, err error) {
	defer fault.Wrap(&err, "read until when has been warned of tokens")
	at, err = get(ctx, s.db.read(), func(r row) (t time.Time, err error) {
		err = r.Scan(fromMicros(&t))
		return t, err
	}, `SELECT value FROM counters WHERE name = ?`, warnedUntil)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return at, err
}

// SetWarnedUntil implements token.WarningStore.
func (s *tokens) SetWarnedUntil(ctx context.Context, at time.Time) (err error) {
	defer fault.Wrap(&err, "note until when has been warned of tokens")
	return s.db.update(ctx, func(c conn) error {
		_, err := c.exec(ctx, `
			INSERT INTO counters (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, warnedUntil, micros(at))
		return err
	})
}

// DeleteTokens implements token.Store. It is not audited: what was done with the tokens stays in the trail.
func (s *tokens) DeleteTokens(ctx context.Context, kinds []token.Kind, before time.Time, most int) (n int, err error) {
	defer fault.Wrap(&err, "delete old tokens")
	w := &where{}
	w.and(`expires > 0 AND expires < ?`, micros(before))
	in(w, `kind`, kinds)
	err = s.db.update(ctx, func(c conn) error {
		gone, err := c.exec(ctx, `
			DELETE FROM tokens
			WHERE id IN (SELECT id FROM tokens`+w.String()+` LIMIT ?)`, append(w.args, most)...)
		n = int(gone)
		return err
	})
	return n, err
}

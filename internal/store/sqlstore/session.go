package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// sessions implements token.SessionStore.
type sessions struct{ db *database }

const sessionColumns = `hash, user_id, created, seen, expires, addr, agent`

func scanSession(r row) (token.Session, error) {
	var s token.Session
	err := r.Scan(&s.Hash, &s.UserID, fromMicros(&s.Created), fromMicros(&s.Seen), fromMicros(&s.Expires), &s.Addr, &s.Agent)
	return s, err
}

// CreateSession implements token.SessionStore. It is fault.NotFound when the user has been deleted meanwhile.
func (s *sessions) CreateSession(ctx context.Context, v token.Session, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "create session")
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		_, err := get(ctx, c, scalar[string], `SELECT id FROM users WHERE id = ?`, v.UserID)
		if err != nil {
			return noUser(err, string(v.UserID))
		}
		_, err = c.exec(ctx, `
			INSERT INTO sessions (`+sessionColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?)`,
			v.Hash, v.UserID, micros(v.Created), micros(v.Seen), micros(v.Expires), v.Addr, v.Agent)
		return err
	})
}

// GetSession implements token.SessionStore.
func (s *sessions) GetSession(ctx context.Context, hash string) (_ token.Session, err error) {
	defer fault.Wrap(&err, "get session")
	v, err := get(ctx, s.db.read(), scanSession, `
		SELECT `+sessionColumns+`
		FROM sessions
		WHERE hash = ?`, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return token.Session{}, fault.New(fault.NotFound, "there is no such session")
	}
	return v, err
}

// TouchSession implements token.SessionStore. A session that has ended meanwhile stays ended.
func (s *sessions) TouchSession(ctx context.Context, hash string, seen time.Time) (err error) {
	defer fault.Wrap(&err, "touch session")
	return s.db.update(ctx, func(c conn) error {
		_, err := c.exec(ctx, `UPDATE sessions SET seen = ? WHERE hash = ? AND seen < ?`, micros(seen), hash, micros(seen))
		return err
	})
}

// DeleteSession implements token.SessionStore. Where nothing ends, nothing is recorded.
func (s *sessions) DeleteSession(ctx context.Context, hash string, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "delete session")
	return s.db.update(ctx, func(c conn) error {
		n, err := c.exec(ctx, `DELETE FROM sessions WHERE hash = ?`, hash)
		if err != nil || n == 0 {
			return err
		}
		return appendRecord(ctx, c, rec)
	})
}

// DeleteSessionsBefore implements token.SessionStore.
func (s *sessions) DeleteSessionsBefore(ctx context.Context, idle, now time.Time) (err error) {
	defer fault.Wrap(&err, "delete old sessions")
	return s.db.update(ctx, func(c conn) error {
		_, err := c.exec(ctx, `DELETE FROM sessions WHERE seen < ? OR expires < ?`, micros(idle), micros(now))
		return err
	})
}

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// sessions implements token.SessionStore.
type sessions struct{ db *database }

const sessionColumns = `hash, user_id, actor_id, method, created, seen, expires, resumes, addr, agent, rights, former, renewed`

func scanSession(r row) (token.Session, error) {
	var s token.Session
	err := r.Scan(&s.Hash, &s.UserID, &s.ActorID, &s.Method, fromMicros(&s.Created), fromMicros(&s.Seen),
		fromMicros(&s.Expires), fromMicros(&s.Resumes), &s.Addr, &s.Agent, &s.Rights, &s.Former, fromMicros(&s.Renewed))
	return s, err
}

// CreateSession implements token.SessionStore.
func (s *sessions) CreateSession(ctx context.Context, v token.Session, most int, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "create session")
	return s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		if err := insertSession(ctx, c, v); err != nil || most <= 0 {
			return err
		}
		return endSurplus(ctx, c, v, most, rec)
	})
}

// ReplaceSession implements token.SessionStore.
func (s *sessions) ReplaceSession(ctx context.Context, id string, v token.Session, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "replace session")
	return s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		n, err := endSessions(ctx, c, sessionWhere(token.SessionFilter{ID: id}), rec)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "the session has ended meanwhile")
		}
		return insertSession(ctx, c, v)
	})
}

// insertSession adds a session of accounts that are there and enabled at this moment. Whoever disables or deletes one
// ends its sessions in a transaction of his own, before or after this one, so that none slips through.
func insertSession(ctx context.Context, c conn, v token.Session) error {
	for _, id := range []identity.UserID{v.UserID, v.HolderID()} {
		if err := enabledUser(ctx, c, id); err != nil {
			return err
		}
	}
	_, err := c.exec(ctx, `
		INSERT INTO sessions (`+sessionColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v.Hash, v.UserID, v.ActorID, v.Method, micros(v.Created), micros(v.Seen), micros(v.Expires), micros(v.Resumes), v.Addr, v.Agent,
		v.Rights, v.Former, micros(v.Renewed))
	return err
}

// RenewSession implements token.SessionStore.
func (s *sessions) RenewSession(ctx context.Context, v token.Session, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "renew session")
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		n, err := c.exec(ctx, `
			UPDATE sessions
			SET hash = ?, former = ?, rights = ?, renewed = ?, seen = ?
			WHERE hash = ?`,
			v.Hash, v.Former, v.Rights, micros(v.Renewed), micros(v.Seen), v.Former)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "the session has ended or been renewed meanwhile")
		}
		return err
	})
}

// enabledUser is fault.NotFound when there is no user with that id, and fault.Unauthenticated when he is disabled.
func enabledUser(ctx context.Context, c conn, id identity.UserID) error {
	disabled, err := get(ctx, c, scalar[bool], `SELECT disabled FROM users WHERE id = ?`, id)
	if err != nil {
		return noUser(err, string(id))
	}
	if disabled {
		return fault.New(fault.Unauthenticated, "the user with id %q is disabled", id)
	}
	return nil
}

// endSurplus ends what v's holder has beyond most sessions, v not among them.
func endSurplus(ctx context.Context, c conn, v token.Session, most int, rec *audit.Record) error {
	w := &where{}
	w.and(`hash IN (
		SELECT hash
		FROM sessions
		WHERE (user_id = ? AND actor_id = '' OR actor_id = ?) AND hash <> ?
		ORDER BY seen DESC, created DESC, hash
		LIMIT ? OFFSET ?)`, v.HolderID(), v.HolderID(), v.Hash, limitOf(0), most-1)
	_, err := endSessions(ctx, c, w, rec)
	return err
}

// endSessions ends the matching sessions and adds their ids to the record when there are any.
func endSessions(ctx context.Context, c conn, w *where, rec *audit.Record) (int, error) {
	hashes, err := list(ctx, c, scalar[string], `
		DELETE FROM sessions`+w.String()+`
		RETURNING hash`, w.args...)
	if err != nil || len(hashes) == 0 {
		return 0, err
	}
	ids := make([]string, len(hashes))
	for i, h := range hashes {
		ids[i] = token.Session{Hash: h}.ID()
	}
	addDetail(rec, "ended", strings.Join(ids, ","))
	return len(ids), nil
}

// sessionIs is the condition of the session whose id lies between two texts.
const sessionIs = `hash >= ? AND hash < ? OR former >= ? AND former < ?`

// sessionWhere selects what f says. An id is the beginning of a hash, which has no digit behind f.
func sessionWhere(f token.SessionFilter) *where {
	w := &where{}
	if f.ID != "" {
		w.and(`(`+sessionIs+`)`, f.ID, f.ID+"g", f.ID, f.ID+"g")
	}
	if f.UserID != "" {
		w.and(`(user_id = ? OR actor_id = ?)`, f.UserID, f.UserID)
	}
	if f.Except != "" {
		w.and(`NOT (`+sessionIs+`)`, f.Except, f.Except+"g", f.Except, f.Except+"g")
	}
	return w
}

// GetSession implements token.SessionStore.
func (s *sessions) GetSession(ctx context.Context, hash string) (_ token.Session, err error) {
	defer fault.Wrap(&err, "get session")
	v, err := get(ctx, s.db.read(), scanSession, `
		SELECT `+sessionColumns+`
		FROM sessions
		WHERE hash = ? OR former = ?`, hash, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return token.Session{}, fault.New(fault.NotFound, "there is no such session")
	}
	return v, err
}

// ListSessions implements token.SessionStore.
func (s *sessions) ListSessions(ctx context.Context, f token.SessionFilter) (_ []token.Session, err error) {
	defer fault.Wrap(&err, "list sessions")
	w := sessionWhere(f)
	return list(ctx, s.db.read(), scanSession, `
		SELECT `+sessionColumns+`
		FROM sessions`+w.String()+`
		ORDER BY seen DESC, created DESC, hash`, w.args...)
}

// TouchSession implements token.SessionStore. A session that has ended meanwhile stays ended.
func (s *sessions) TouchSession(ctx context.Context, hash string, seen time.Time) (err error) {
	defer fault.Wrap(&err, "touch session")
	return s.db.update(ctx, func(c conn) error {
		_, err := c.exec(ctx, `UPDATE sessions SET seen = ? WHERE hash = ? AND seen < ?`, micros(seen), hash, micros(seen))
		return err
	})
}

// EndSessions implements token.SessionStore.
func (s *sessions) EndSessions(ctx context.Context, f token.SessionFilter, rec audit.Record) (n int, err error) {
	defer fault.Wrap(&err, "end sessions")
	err = s.db.update(ctx, func(c conn) error {
		n, err = endSessions(ctx, c, sessionWhere(f), &rec)
		if err != nil || n == 0 {
			return err
		}
		return appendRecord(ctx, c, rec)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// DeleteSessionsBefore implements token.SessionStore.
func (s *sessions) DeleteSessionsBefore(ctx context.Context, idle, now time.Time) (err error) {
	defer fault.Wrap(&err, "delete old sessions")
	return s.db.update(ctx, func(c conn) error {
		_, err := c.exec(ctx, `DELETE FROM sessions WHERE seen < ? OR expires < ?`, micros(idle), micros(now))
		return err
	})
}

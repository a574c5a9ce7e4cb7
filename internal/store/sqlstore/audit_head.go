package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// Head implements trail.Log.
func (s *auditTrail) Head(ctx context.Context) (_ audit.Head, err error) {
	defer fault.Wrap(&err, "read the end of the audit trail")
	scan := func(r row) (h audit.Head, err error) {
		err = r.Scan(&h.Seq, &h.Hash, fromMicros(&h.Time))
		return h, err
	}
	h, err := get(ctx, s.db.read(), scan, `
		SELECT seq, hash, time
		FROM audit_records
		ORDER BY seq DESC
		LIMIT 1`)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Head{}, nil
	}
	return h, err
}

// Appended implements trail.Log.
func (s *auditTrail) Appended() <-chan struct{} { return s.db.appended.wait() }

// GetCursor implements trail.Cursors.
func (s *auditTrail) GetCursor(ctx context.Context, receiver string) (_ int64, err error) {
	defer fault.Wrap(&err, "read how far %s is", receiver)
	seq, err := get(ctx, s.db.read(), scalar[int64], `SELECT seq FROM audit_cursors WHERE receiver = ?`, receiver)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}

// SetCursor implements trail.Cursors. It leaves no record: the record would have to be passed on as well.
func (s *auditTrail) SetCursor(ctx context.Context, receiver string, seq int64) (err error) {
	defer fault.Wrap(&err, "note how far %s is", receiver)
	return s.db.update(ctx, func(c conn) error {
		_, err := c.exec(ctx, `
			INSERT INTO audit_cursors (receiver, seq)
			VALUES (?, ?)
			ON CONFLICT (receiver) DO UPDATE SET seq = excluded.seq`, receiver, seq)
		return err
	})
}

// bell wakes everybody who waits for it.
type bell struct {
	mu sync.Mutex // guards c
	c  chan struct{}
}

// wait returns a channel that is closed at the next ring.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// auditTrail implements audit.Log and trail.Store.
type auditTrail struct{ db *database }

const recordColumns = `seq, time, actor, subject, token_id, via, addr, request_id, action, object, outcome, reason, details, hash`

func scanRecord(r row) (audit.Record, error) {
	var rec audit.Record
	err := r.Scan(&rec.Seq, fromMicros(&rec.Time), &rec.Actor, &rec.Subject, &rec.TokenID, &rec.Via, &rec.Addr, &rec.RequestID,
		&rec.Action, &rec.Object, &rec.Outcome, &rec.Reason, jsonColumn{&rec.Details}, &rec.Hash)
	return rec, err
}

// scanLink scans what the next record needs of the one before it.
func scanLink(r row) (rec audit.Record, err error) {
	err = r.Scan(&rec.Seq, &rec.Hash)
	return rec, err
}

// Append implements audit.Log.
func (s *auditTrail) Append(ctx context.Context, r audit.Record) (err error) {
	defer fault.Wrap(&err, "append audit record %s", r.Action)
	return s.db.update(ctx, func(c conn) error { return appendRecord(ctx, c, r) })
}

// appendRecord adds r to the chain, in the transaction of the change that it records. Transactions that write exclude
// each other, so nobody else can follow the same predecessor.
func appendRecord(ctx context.Context, c conn, r audit.Record) error {
	last, err := get(ctx, c, scanLink, `
		SELECT seq, hash
		FROM audit_records
		ORDER BY seq DESC
		LIMIT 1`)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the last audit record: %w", err)
	}
	r = r.Bounded()
	r.Seq = last.Seq + 1
	if r.Hash, err = audit.Chain(last.Hash, r); err != nil {
		return err
	}
	_, err = c.exec(ctx, `
		INSERT INTO audit_records (`+recordColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Seq, micros(r.Time), r.Actor, r.Subject, r.TokenID, r.Via, r.Addr, r.RequestID,
		r.Action, r.Object, r.Outcome, r.Reason, jsonColumn{r.Details}, r.Hash)
	if err != nil {
		return fmt.Errorf("write audit record: %w", err)
	}
	*c.recorded = true
	return nil
}

// addDetail sets one detail and leaves the caller's map alone.
func addDetail(r *audit.Record, key, value string) {
	details := maps.Clone(r.Details)
	if details == nil {
		details = map[string]string{}
	}
	details[key] = value
	r.Details = details
}

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// trail implements audit.Log.
type trail struct{ db *database }

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
func (s *trail) Append(ctx context.Context, r audit.Record) (err error) {
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
	r = storable(r)
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
	return nil
}

// storable returns r as it will come back from the database, so that its hash holds then as well: text is valid UTF-8
// without NUL, and a map without entries is nil.
func storable(r audit.Record) audit.Record {
	for _, s := range []*string{&r.Actor, &r.Subject, &r.TokenID, &r.Via, &r.Addr, &r.RequestID, &r.Action, &r.Object, (*string)(&r.Outcome), &r.Reason} {
		*s = cleanText(*s)
	}
	details := r.Details
	r.Details = nil
	for k, v := range details {
		addDetail(&r, cleanText(k), cleanText(v))
	}
	return r
}

func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
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

// List implements audit.Log.
func (s *trail) List(ctx context.Context, f audit.Filter) (_ []audit.Record, err error) {
	defer fault.Wrap(&err, "list audit records")
	w := recordWhere(f)
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	direction := `DESC`
	if f.Ascending {
		direction = `ASC`
	}
	return list(ctx, s.db.read(), scanRecord, `
		SELECT `+recordColumns+`
		FROM audit_records`+w.String()+`
		ORDER BY seq `+direction+`
		LIMIT ?`, append(w.args, limit)...)
}

func recordWhere(f audit.Filter) *where {
	w := &where{}
	if !f.Since.IsZero() {
		w.and(`time >= ?`, micros(f.Since))
	}
	if !f.Until.IsZero() {
		w.and(`time <= ?`, micros(f.Until))
	}
	if f.Who != "" {
		w.and(`(actor = ? OR subject = ?)`, f.Who, f.Who)
	}
	if strings.HasSuffix(f.Action, ".") {
		w.and(`substr(action, 1, ?) = ?`, utf8.RuneCountInString(f.Action), f.Action)
	} else {
		equal(w, `action`, f.Action)
	}
	equal(w, `object`, f.Object)
	equal(w, `outcome`, f.Outcome)
	if f.After > 0 {
		w.and(`seq > ?`, f.After)
	}
	return w
}

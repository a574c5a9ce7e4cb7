package sqlstore

import (
	"context"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// List implements audit.Log. It first picks the records, for which indexes are enough in most cases, and then reads only
// the page.
func (s *auditTrail) List(ctx context.Context, f audit.Filter) (_ []audit.Record, err error) {
	defer fault.Wrap(&err, "list audit records")
	if f.Limit <= 0 {
		f.Limit = 100
	}
	order := ` ORDER BY seq DESC`
	if f.Ascending {
		order = ` ORDER BY seq`
	}
	picked, args := pickRecords(f, order)
	return list(ctx, s.db.read(), scanRecord, `
		SELECT `+recordColumns+`
		FROM audit_records
		WHERE seq IN (`+picked+`)`+order, args...)
}

// pickRecords returns the query for the page's places in the trail. Somebody's records are those of which he is the
// actor and those of which he is the subject: two queries, each of which runs along its index and ends after a page.
func pickRecords(f audit.Filter, order string) (query string, args []any) {
	who, rest := f.Who, f.Mine
	if who == "" {
		who, rest = f.Mine, ""
	}
	w := recordWhere(f, rest)
	if who == "" {
		return `SELECT seq FROM audit_records` + w.String() + order + ` LIMIT ?`, append(w.args, f.Limit)
	}
	var arms []string
	for _, column := range []string{`actor`, `subject`} {
		arm := where{conds: slices.Clone(w.conds), args: slices.Clone(w.args)}
		arm.and(column+` = ?`, who)
		arms = append(arms, `SELECT seq FROM (SELECT seq FROM audit_records`+arm.String()+order+` LIMIT ?) AS `+column)
		args = append(append(args, arm.args...), f.Limit)
	}
	return `SELECT seq FROM (` + strings.Join(arms, ` UNION `) + `) AS either` + order + ` LIMIT ?`, append(args, f.Limit)
}

// recordWhere collects all conditions but those on actor and subject at once; rest is one of these nevertheless.
func recordWhere(f audit.Filter, rest string) *where {
	w := &where{}
	sinceUntil(w, f)
	equal(w, `actor`, f.Actor)
	equal(w, `subject`, f.Subject)
	for column, value := range map[string]string{`token_id`: f.TokenID, `request_id`: f.RequestID} {
		if value != "" {
			w.and(column+` = ? AND `+column+` <> ''`, value) // the second is what the index says of itself
		}
	}
	within(w, `action`, f.Action, ".")
	within(w, `object`, f.Object, "/")
	if equal(w, `outcome`, f.Outcome); f.Outcome != "" && f.Outcome != audit.Done {
		w.and(`outcome <> 'done'`) // what the index says of itself
	}
	if rest != "" {
		w.and(`(actor = ? OR subject = ?)`, rest, rest)
	}
	if f.Text != "" {
		p := contains(strings.ToLower(f.Text))
		w.and(`LOWER(action || ' ' || object || ' ' || reason || ' ' || details) LIKE ? ESCAPE '\'`, p)
	}
	if f.After > 0 {
		w.and(`seq > ?`, f.After)
	}
	if f.Before > 0 {
		w.and(`seq < ?`, f.Before)
	}
	return w
}

// sinceUntil turns times into places in the trail, which has the order of the pages. The plus keeps the index of times
// out of the choice of records: sorting all that it finds would cost more.
func sinceUntil(w *where, f audit.Filter) {
	if !f.Since.IsZero() {
		at := micros(f.Since)
		w.and(`seq >= (SELECT COALESCE(MIN(seq), 0) FROM audit_records WHERE time >= ?) AND +time >= ?`, at, at)
	}
	if !f.Until.IsZero() {
		at := micros(f.Until)
		w.and(`seq <= (SELECT COALESCE(MAX(seq), 0) FROM audit_records WHERE time <= ?) AND +time <= ?`, at, at)
	}
}

// within adds the condition that a column is value, or begins with it when value ends in the separator. Both are ranges
// of an index.
func within(w *where, column, value, separator string) {
	prefix, ok := strings.CutSuffix(value, separator)
	if !ok {
		equal(w, column, value)
		return
	}
	w.and(column+` >= ? AND `+column+` < ?`, value, prefix+string(separator[0]+1))
}

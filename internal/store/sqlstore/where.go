package sqlstore

import (
	"math"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// maxArgs is how many values one statement may carry. SQLite takes 32766, PostgreSQL 65535.
const maxArgs = 30000

// where collects the conditions of a query. Conditions are text of this package; what users say goes into args.
type where struct {
	conds []string
	args  []any
}

// and adds a condition with its arguments.
func (w *where) and(cond string, args ...any) {
	w.conds = append(w.conds, cond)
	w.args = append(w.args, args...)
}

// in adds the condition that column has one of the values. No values are no condition.
func in[T any](w *where, column string, values []T) {
	if len(values) == 0 {
		return
	}
	w.and(column+" IN ("+placeholders(len(values))+")", anys(values)...)
}

// equal adds the condition that column is value. The zero value is no condition.
func equal[T comparable](w *where, column string, value T) {
	var zero T
	if value != zero {
		w.and(column+" = ?", value)
	}
}

// check refuses more values than a statement can carry.
func (w *where) check() error {
	if len(w.args) > maxArgs {
		return fault.New(fault.TooLarge, "the filter has %d values; at most %d are possible", len(w.args), maxArgs)
	}
	return nil
}

// String returns the clause with a leading space, "" when there are no conditions.
func (w *where) String() string {
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}

// limitOf returns the LIMIT for a number of rows where 0 means all of them. SQLite has no OFFSET without LIMIT.
func limitOf(n int) int64 {
	if n <= 0 {
		return math.MaxInt64
	}
	return int64(n)
}

func placeholders(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func anys[T any](values []T) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}

// contains returns the LIKE pattern, for ESCAPE '\', of texts that contain s.
func contains(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}

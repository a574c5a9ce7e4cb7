package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

// printer writes one listing.
type printer struct {
	w      io.Writer
	now    time.Time
	fields []string // asked for by name
}

// line writes one line. The tool's writer remembers failures.
func (p printer) line(format string, args ...any) {
	_, _ = fmt.Fprintf(p.w, format+"\n", args...)
}

// columns returns the fields that a table has a column for.
func (p printer) columns(l listing, d detail) []string {
	if len(p.fields) > 0 {
		return p.fields
	}
	if d == short {
		return l.columns
	}
	all := map[string]bool{}
	for _, r := range l.records {
		for f := range r.fields {
			all[f] = true
		}
	}
	maps.DeleteFunc(all, func(f string, _ bool) bool {
		return f == cmp.Or(l.key, "name") || d == long && slices.Contains(l.bulky, f)
	})
	return sortedKeys(all)
}

// names writes the names of the records, node names folded into ranges.
func (p printer) names(l listing) {
	p.line("%s", l.title)
	var names []string
	for _, r := range l.records {
		if l.folded && hostlist.Fold([]string{r.name}) != "" {
			names = append(names, r.name)
		} else {
			p.line("  %s", printable(r.name))
		}
	}
	for _, item := range splitTop(hostlist.Fold(names)) {
		p.line("  %s", item)
	}
}

// tree writes each record with its fields below it.
func (p printer) tree(l listing, d detail) {
	p.line("%s", l.title)
	for _, r := range l.records {
		p.line("  %s", printable(r.name))
		for _, f := range sortedKeys(r.fields) {
			if d == long && len(p.fields) == 0 && slices.Contains(l.bulky, f) {
				continue
			}
			p.branch(4, f, r.fields[f])
		}
	}
}

func (p printer) branch(indent int, field string, v any) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		p.line("%*s%s: %s", indent, "", printable(field), inline(field, v, p.now))
		return
	}
	p.line("%*s%s", indent, "", printable(field))
	for _, k := range sortedKeys(m) {
		p.branch(indent+2, k, m[k])
	}
}

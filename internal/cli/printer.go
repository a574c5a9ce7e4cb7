package cli

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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

// cell returns a field of a record on one line, "" when it has none.
func (p printer) cell(r record, field string) string {
	v, ok := lookUp(r.fields, field)
	if !ok || v == nil {
		return ""
	}
	return inline(field[strings.LastIndex(field, ".")+1:], v, p.now)
}

// table writes right-aligned cells below a head and a rule.
func (p printer) table(l listing, columns []string) {
	rows := [][]string{append([]string{l.title}, columns...)}
	for _, r := range l.records {
		row := []string{printable(r.name)}
		for _, c := range columns {
			row = append(row, p.cell(r, c))
		}
		rows = append(rows, row)
	}
	width := make([]int, len(columns)+1)
	for _, row := range rows {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	rule := make([]string, len(width))
	for i, w := range width {
		rule[i] = strings.Repeat("-", w)
	}
	for i, row := range rows {
		for j, c := range row {
			row[j] = strings.Repeat(" ", width[j]-utf8.RuneCountInString(c)) + c
		}
		p.line("%s", strings.Join(row, " | "))
		if i == 0 {
			p.line("%s", strings.Join(rule, "-+-"))
		}
	}
}

// csv writes comma-separated values. Lists and maps are JSON in their cell; times are seconds, as in JSON.
func (p printer) csv(l listing, columns []string) error {
	w := csv.NewWriter(p.w)
	rows := [][]string{append([]string{cmp.Or(l.key, "name")}, columns...)}
	for _, r := range l.records {
		row := []string{r.name}
		for _, c := range columns {
			text, err := csvCell(r.fields, c)
			if err != nil {
				return err
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func csvCell(fields map[string]any, name string) (string, error) {
	v, ok := lookUp(fields, name)
	if !ok || v == nil {
		return "", nil
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	}
	text, err := encode(v)
	return string(text), err
}

// json writes an object of the records by name, in the order of the listing.
func (p printer) json(l listing, indent bool) error {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, r := range l.records {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := encode(r.name)
		if err != nil {
			return err
		}
		fields, err := encode(r.fields)
		if err != nil {
			return err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(fields)
	}
	b.WriteByte('}')
	return p.writeJSON(b.Bytes(), indent)
}

func (p printer) writeJSON(text []byte, indent bool) error {
	var b bytes.Buffer
	if indent {
		if err := json.Indent(&b, text, "", "  "); err != nil {
			return fmt.Errorf("indent JSON: %w", err)
		}
	} else {
		b.Write(text)
	}
	b.WriteByte('\n')
	_, err := p.w.Write(b.Bytes())
	return err
}

// encode is json.Marshal without the escapes that only HTML needs.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode JSON: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

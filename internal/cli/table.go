package cli

import (
	"strings"
	"unicode/utf8"
)

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

package cli

import (
	"strings"
)

// detail is how much of a record a listing shows.
type detail int

const (
	short    detail = iota // names only
	long                   // -l: without what is bulky
	longLong               // -L: everything
)

// record is one thing to show.
type record struct {
	name, uid string
	fields    map[string]any
}

// listing is what an action shows.
type listing struct {
	title   string   // "Nodes"
	key     string   // the field that the records are called by; "" means name
	records []record // in the order to show them
	columns []string // of a table, and of the human form when it shows a table
	bulky   []string // fields that only -L shows
	tabular bool     // the short human form is a table rather than names
	folded  bool     // names can be folded into ranges
}

// label decides what the records are called: their name, unless two share it or UIDs are asked for.
func (l *listing) label(uids bool) {
	count := map[string]int{}
	for _, r := range l.records {
		count[r.name]++
	}
	for i, r := range l.records {
		if r.uid != "" && (uids || r.name == "" || count[r.name] > 1) {
			l.records[i].name = r.uid
		}
	}
}

// sel drops all but the wanted fields. a.b is field b inside field a.
func (l *listing) sel(fields []string) {
	if len(fields) == 0 {
		return
	}
	for i, r := range l.records {
		kept := map[string]any{}
		for _, f := range fields {
			if v, ok := lookUp(r.fields, f); ok {
				kept[f] = v
			}
		}
		l.records[i].fields = kept
	}
}

func lookUp(fields map[string]any, name string) (any, bool) {
	if v, ok := fields[name]; ok {
		return v, true
	}
	outer, inner, ok := strings.Cut(name, ".")
	if !ok {
		return nil, false
	}
	m, ok := fields[outer].(map[string]any)
	if !ok {
		return nil, false
	}
	return lookUp(m, inner)
}

package cli

import "strings"

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

// show prints a listing in the form that the user asked for.
func (t *tool) show(l listing, d detail) error {
	form := t.settings.get(keyFormat)
	if form == "" {
		form = "human"
	}
	l.label(t.opts.showUIDs)
	l.sel(t.opts.fields)
	p := printer{w: t.env.Stdout, now: t.env.Clock.Now(), fields: t.opts.fields}
	switch form {
	case "human":
		switch {
		case d == short && len(t.opts.fields) == 0 && !l.tabular:
			p.names(l)
		case d == short && l.tabular:
			p.table(l, p.columns(l, d))
		default:
			p.tree(l, d)
		}
		return nil
	case "table":
		p.table(l, p.columns(l, d))
		return nil
	case "csv":
		return p.csv(l, p.columns(l, d))
	case "json":
		indent, err := t.indent()
		if err != nil {
			return err
		}
		return p.json(l, indent)
	default:
		return usagef("setting %s is human, json, table or csv, not %q", keyFormat, form)
	}
}

// indent tells whether JSON is spread over lines.
func (t *tool) indent() (bool, error) {
	if t.opts.pretty || t.opts.noPretty {
		return t.opts.pretty, nil
	}
	return t.settings.boolean(keyPretty, true)
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

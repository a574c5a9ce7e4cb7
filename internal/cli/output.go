package cli

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

// showFound shows what was found, if anything, and passes the error on.
func (t *tool) showFound(l listing, d detail, err error) error {
	if len(l.records) == 0 && err != nil {
		return err
	}
	if failed := t.show(l, d); failed != nil {
		return failed
	}
	return err
}

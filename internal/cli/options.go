package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// options are the options that all tools have. They may stand before the action or behind it.
type options struct {
	ids      []string
	all      bool
	user     string
	sshKey   string
	baseURL  string
	config   string
	json     bool
	table    bool
	human    bool
	csv      bool
	fields   []string
	showUIDs bool
	pretty   bool
	noPretty bool
	verbose  int
	quiet    bool
	content  string
}

func (o *options) register(root *cobra.Command) {
	f := root.PersistentFlags()
	f.SortFlags = false
	f.StringArrayVarP(&o.ids, "ids", "i", nil, "what to act on: names, n[0-5] ranges, UIDs, @file, - (stdin), ^ to exclude; may be repeated")
	f.BoolVarP(&o.all, "all", "a", false, "act on all")
	f.StringVarP(&o.user, "user", "u", "", "log in as `USER[:PASSWD]`; the password is asked for when it is not given")
	f.StringVar(&o.sshKey, "ssh-key", "", "log in with this SSH key instead of a password: a `FILE`, or agent")
	f.StringVar(&o.baseURL, "base-url", "", "address of the head's interface, e.g. http://head1/api/v1")
	f.StringVarP(&o.config, "config", "c", "", "`FILE` with settings")
	f.BoolVar(&o.human, "human", false, "print for people (the default)")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.table, "table", false, "print a table")
	f.BoolVar(&o.csv, "csv", false, "print comma-separated values")
	f.StringSliceVar(&o.fields, "fields", nil, "show only these fields, divided by commas")
	f.BoolVar(&o.showUIDs, "show-uids", false, "show UIDs instead of names")
	f.BoolVar(&o.pretty, "pretty", false, "indent JSON (the default)")
	f.BoolVar(&o.noPretty, "no-pretty", false, "print JSON on one line")
	f.StringVar(&o.content, "content", "", "fields as `JSON`: the text itself, or @FILE")
	f.CountVarP(&o.verbose, "verbose", "v", "show the requests to the head")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print errors only")
}

// check refuses options that contradict each other.
func (o *options) check() error {
	forms := 0
	for _, on := range []bool{o.human, o.json, o.table, o.csv} {
		if on {
			forms++
		}
	}
	switch {
	case forms > 1:
		return usagef("only one of --human, --json, --table and --csv can be given")
	case o.pretty && o.noPretty:
		return usagef("--pretty and --no-pretty contradict each other")
	case o.all && len(o.ids) > 0:
		return usagef("-a means everything; -i has nothing to add")
	}
	for i, f := range o.fields {
		o.fields[i] = strings.TrimSpace(f)
	}
	return nil
}

// form returns the output form that the options ask for, "" when they do not.
func (o *options) form() string {
	switch {
	case o.human:
		return "human"
	case o.json:
		return "json"
	case o.table:
		return "table"
	case o.csv:
		return "csv"
	default:
		return ""
	}
}

// detailFlags adds -l and -L, and returns what they were given as.
func detailFlags(cmd *cobra.Command) func() detail {
	l := cmd.Flags().BoolP("long", "l", false, "show the fields")
	ll := cmd.Flags().BoolP("long-long", "L", false, "show all fields")
	return func() detail {
		switch {
		case *ll:
			return longLong
		case *l:
			return long
		default:
			return short
		}
	}
}

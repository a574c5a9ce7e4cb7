package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

// idList is what -i options say: items to act on in their order, and names to leave out.
type idList struct {
	items   []string
	exclude []string
}

// parseIDs reads the values of -i: lists of names, ranges, UIDs, MAC and IP addresses, @file, and - for stdin.
func (t *tool) parseIDs(values []string) (idList, error) {
	var l idList
	for _, v := range values {
		if err := t.addIDs(&l, v, true); err != nil {
			return idList{}, err
		}
	}
	seen := map[string]bool{"": true}
	for _, id := range l.exclude {
		seen[id] = true
	}
	l.items = slices.DeleteFunc(l.items, func(id string) bool {
		drop := seen[id]
		seen[id] = true
		return drop
	})
	return l, nil
}

func (t *tool) addIDs(l *idList, text string, files bool) error {
	for _, item := range splitTop(text) {
		name, isFile := strings.CutPrefix(item, "@")
		rest, excluded := strings.CutPrefix(item, "^")
		var err error
		switch {
		case item == "-" && files:
			err = t.addFrom(l, "stdin", t.env.Stdin)
		case isFile && files:
			err = t.addFile(l, name)
		case excluded:
			err = expandRange(&l.exclude, rest)
		default:
			err = expandRange(&l.items, item)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// expandRange adds one item. Only brackets need expanding: everything else, such as a MAC address, is taken as it is.
func expandRange(to *[]string, item string) error {
	if !strings.ContainsAny(item, "[]") {
		*to = append(*to, item)
		return nil
	}
	list, err := hostlist.Parse(item)
	if err != nil {
		return usagef("the list %q: %w", item, err)
	}
	*to = append(*to, list.Hosts()...)
	return nil
}

func (t *tool) addFile(l *idList, name string) error {
	f, err := os.Open(expandHome(t.env, name))
	if err != nil {
		return usagef("read the list: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	return t.addFrom(l, name, f)
}

// addFrom reads names that are divided by blanks, commas or line breaks; # begins a comment.
func (t *tool) addFrom(l *idList, name string, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read the list from %s: %w", name, err)
	}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		for _, word := range strings.Fields(line) {
			if err := t.addIDs(l, word, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// splitTop splits at the commas that are not inside brackets, and drops the blanks around them.
func splitTop(s string) []string {
	var parts []string
	depth, start := 0, 0
	for i, c := range s {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth = max(0, depth-1)
		case c == ',' && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	parts = append(parts, s[start:])
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return slices.DeleteFunc(parts, func(p string) bool { return p == "" })
}

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

// target is one thing to act on: how the head finds it, and how people call it.
type target struct{ id, label string }

func named(ids []string) []target {
	list := make([]target, len(ids))
	for i, id := range ids {
		list[i] = target{id, id}
	}
	return list
}

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

// splitTop splits at the commas that are not inside brackets.
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
	return slices.DeleteFunc(parts, func(p string) bool { return strings.TrimSpace(p) == "" })
}

// nodes returns the nodes that -i and -a select. Without either it is what orElse says: all, or a usage error.
func (t *tool) nodes(ctx context.Context, c *client.Client, orElse string) ([]target, error) {
	if t.opts.all || len(t.opts.ids) == 0 && orElse == "all" {
		list, err := c.ListNodes(ctx)
		return nodeTargets(list, func(client.Node) bool { return true }), err
	}
	if len(t.opts.ids) == 0 {
		return nil, usagef("no node is selected: name some with -i, or take all with -a")
	}
	ids, err := t.parseIDs(t.opts.ids)
	if err != nil {
		return nil, err
	}
	if len(ids.items) == 0 {
		return nil, usagef("the list of nodes is empty")
	}
	return resolveNodes(ctx, c, ids)
}

// resolveNodes finds the nodes behind groups and indices, which the head does not take as names.
func resolveNodes(ctx context.Context, c *client.Client, ids idList) ([]target, error) {
	var all []client.Node
	var targets []target
	for _, item := range ids.items {
		group, isGroup := strings.CutPrefix(item, "%")
		index, err := strconv.Atoi(item)
		isIndex := err == nil
		if !isGroup && !isIndex {
			targets = append(targets, target{item, item})
			continue
		}
		if all == nil {
			if all, err = c.ListNodes(ctx); err != nil {
				return nil, err
			}
		}
		match := func(n client.Node) bool { return n.Index != nil && *n.Index == index }
		if isGroup {
			g, err := c.GetGroup(ctx, group)
			if err != nil {
				return nil, err
			}
			match = func(n client.Node) bool { return slices.Contains(n.Groups, g.UID) || slices.Contains(n.Groups, g.Name) }
		}
		found := nodeTargets(all, match)
		if len(found) == 0 && isIndex { // it may begin a UID
			found = []target{{item, item}}
		}
		targets = append(targets, found...)
	}
	targets = slices.DeleteFunc(targets, func(t target) bool { return slices.Contains(ids.exclude, t.label) })
	return targets, nil
}

func nodeTargets(nodes []client.Node, match func(client.Node) bool) []target {
	var list []target
	for _, n := range nodes {
		if match(n) {
			list = append(list, target{n.UID, n.Name})
		}
	}
	return list
}

// completeIDs offers names for -i to the shell. It never asks for a password.
func (t *tool) completeIDs(cmd *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	t.env.Ask = func(context.Context, string) (string, error) { return "", errInterrupted }
	const nothing = cobra.ShellCompDirectiveNoFileComp
	var err error
	if t.settings, err = loadSettings(t.env, t.opts); err != nil {
		return nil, nothing
	}
	c, err := t.connect()
	if err != nil {
		return nil, nothing
	}
	var names []string
	if t.name == "cw-adminctl" {
		list, _ := c.ListAdmins(cmd.Context()) // nothing can be offered after an error
		for _, a := range list {
			names = append(names, a.Name)
		}
	} else {
		list, _ := c.ListNodes(cmd.Context()) // likewise
		for _, n := range list {
			names = append(names, n.Name)
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, toComplete) }), nothing
}

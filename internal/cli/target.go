package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
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

// nodes connects and returns the nodes that -i and -a select; a usage error without either.
func (t *tool) nodes(ctx context.Context) (*client.Client, []target, error) {
	c, err := t.connect()
	if err != nil {
		return nil, nil, err
	}
	targets, err := t.selectNodes(ctx, c)
	return c, targets, err
}

func (t *tool) selectNodes(ctx context.Context, c *client.Client) ([]target, error) {
	if t.opts.all {
		return allNodes(ctx, c)
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

func allNodes(ctx context.Context, c *client.Client) ([]target, error) {
	list, err := c.ListNodes(ctx)
	return nodeTargets(list, func(client.Node) bool { return true }), err
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
	// A node may be in the list by name and in a group as well; it is acted on once.
	seen := map[string]bool{}
	targets = slices.DeleteFunc(targets, func(t target) bool {
		drop := seen[t.label] || slices.Contains(ids.exclude, t.label)
		seen[t.label] = true
		return drop
	})
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
	const nothing = cobra.ShellCompDirectiveNoFileComp
	c := t.quietly()
	if c == nil {
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

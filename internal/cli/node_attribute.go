package cli

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func nodeGet(t *tool) *cobra.Command {
	var local bool
	cmd := &cobra.Command{
		Use:   "get [KEY ...]",
		Short: "Show the values of attributes; of all without KEY",
		Long: `Show the values of attributes, inherited ones included. One attribute of one node is printed as it is, for
scripts.`,
		Example: `  cw-nodectl -i n0 get _boot_style
  cw-nodectl -i n[0-3] get --local`,
	}
	cmd.Flags().BoolVar(&local, "local", false, "only what the node has itself, nothing inherited")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		get := c.Attributes
		if local {
			get = c.LocalAttributes
		}
		l, err := t.attributeListing(cmd.Context(), c, func(ctx context.Context, id string) (map[string]any, error) {
			values, err := get(ctx, id)
			return pick(values, args), missing(id, values, args, err)
		})
		if err == nil && len(l.records) == 1 && len(args) == 1 && t.settings.get(keyFormat) == "" {
			t.print("%v", l.records[0].fields[args[0]])
			return nil
		}
		return t.showFound(l, long, err)
	}
	return cmd
}

// pick keeps the named attributes, all when none is named.
func pick(values map[string]string, names []string) map[string]any {
	kept := map[string]any{}
	for k, v := range values {
		if len(names) == 0 || slices.Contains(names, k) {
			kept[k] = v
		}
	}
	return kept
}

// missing is the error for a named attribute that a node does not have.
func missing(id string, values map[string]string, names []string, err error) error {
	if err != nil {
		return err
	}
	for _, n := range names {
		if _, ok := values[n]; !ok {
			return &client.Error{Status: http.StatusNotFound, Reason: fmt.Sprintf("%s has no attribute %s", id, n)}
		}
	}
	return nil
}

// attributeListing shows a map for each selected node; all nodes without a selection.
func (t *tool) attributeListing(ctx context.Context, c *client.Client,
	get func(ctx context.Context, id string) (map[string]any, error),
) (listing, error) {
	l := listing{title: "Attributes"}
	choose := t.selectNodes
	if len(t.opts.ids) == 0 {
		choose = allNodes
	}
	targets, err := choose(ctx, c)
	if err != nil {
		return l, err
	}
	values := make([]map[string]any, len(targets))
	err = each(ctx, targets, requestsAtOnce, func(ctx context.Context, i int, t target) error {
		m, err := get(ctx, t.id)
		if err == nil {
			values[i] = m
		}
		return err
	})
	for i, target := range targets {
		if values[i] != nil {
			l.records = append(l.records, record{target.label, "", values[i]})
		}
	}
	return l, err
}

func nodeAttribs(t *tool) *cobra.Command {
	var explain bool
	cmd := &cobra.Command{
		Use: "attribs", Aliases: []string{"attributes", "explain"}, Args: cobra.NoArgs,
		Short: "Show the attributes that count for nodes, and with 'explain' where each comes from",
		Example: `  cw-nodectl -i n0 attribs
  cw-nodectl -i n0 explain`,
	}
	cmd.Flags().BoolVar(&explain, "explain", false, "show where each attribute comes from")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		get := func(ctx context.Context, id string) (map[string]any, error) {
			values, err := c.Attributes(ctx, id)
			return pick(values, nil), err
		}
		if explain || cmd.CalledAs() == "explain" {
			get = func(ctx context.Context, id string) (map[string]any, error) {
				return t.explained(ctx, c, id)
			}
		}
		l, err := t.attributeListing(cmd.Context(), c, get)
		return t.showFound(l, long, err)
	}
	return cmd
}

// explained returns the attributes with their origin: in words for people, as the head sends them for programs.
func (t *tool) explained(ctx context.Context, c *client.Client, id string) (map[string]any, error) {
	attributes, err := c.ExplainAttributes(ctx, id)
	if err != nil {
		return nil, err
	}
	shown := map[string]any{}
	for k, a := range attributes {
		if t.settings.get(keyFormat) == "json" {
			shown[k] = a
		} else {
			shown[k] = fmt.Sprintf("%s (from %s)", a.Value, a.From)
		}
	}
	return shown, nil
}

package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func nodeCreate(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "create mac=MAC [field=value ...]", Aliases: []string{"mk"},
		Short: "Add nodes",
		Long: `Add a node, or several with --content. Nothing is made when the MAC or index is taken.

Fields: mac, index (the next free one without it), name, cluster, ip, type, description, power_uri, groups (divided by
commas), attributes.KEY. A value @FILE is read from that file.`,
		Example: `  cw-nodectl create mac=11:22:33:44:55:66
  cw-nodectl create mac=11:22:33:44:55:67 index=10 attributes._boot_style=rwram
  cw-nodectl create --content @nodes.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			records, err := t.newRecords(args, "mac")
			if err != nil {
				return err
			}
			if err := refuseTwins(records); err != nil {
				return err
			}
			c, err := t.connect()
			if err != nil {
				return err
			}
			return t.createAll(cmd.Context(), records, "mac", c.CreateNode)
		},
	}
}

// refuseTwins finds what collides within a list before anything of it is created.
func refuseTwins(records []map[string]any) error {
	for _, field := range []string{"mac", "index", "name"} {
		seen := map[string]int{}
		for i, r := range records {
			if r[field] == nil {
				continue
			}
			key := strings.ToLower(strings.ReplaceAll(fmt.Sprint(r[field]), "-", ":"))
			if first, twice := seen[key]; twice {
				return usagef("elements %d and %d have the same %s %v; nothing was created", first+1, i+1, field, r[field])
			}
			seen[key] = i
		}
	}
	return nil
}

func nodeUpdate(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "update field=value ...", Aliases: []string{"up"},
		Short:   "Change fields of nodes (attributes: see set)",
		Example: "  cw-nodectl -i n10 update index=100\n  cw-nodectl -i n[0-3] update description='rack 1'",
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := t.change(args)
			if err != nil {
				return err
			}
			return t.onNodes(cmd.Context(), "updated", func(ctx context.Context, c *client.Client, id string) error {
				return c.UpdateNode(ctx, id, change)
			})
		},
	}
}

func nodeDelete(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "delete", Aliases: []string{"rm"}, Args: cobra.NoArgs,
		Short:   "Remove nodes",
		Example: "  cw-nodectl -i n10 delete",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.onNodes(cmd.Context(), "deleted", func(ctx context.Context, c *client.Client, id string) error {
				return c.DeleteNode(ctx, id)
			})
		},
	}
}

// onNodes acts on each selected node. Nothing happens unless some are selected.
func (t *tool) onNodes(ctx context.Context, done string, act func(ctx context.Context, c *client.Client, id string) error) error {
	c, targets, err := t.nodes(ctx)
	if err != nil {
		return err
	}
	return t.eachSaying(ctx, targets, done, func(ctx context.Context, id string) error { return act(ctx, c, id) })
}

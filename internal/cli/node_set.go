package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func nodeSet(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "set KEY=VALUE ...", Args: cobra.MinimumNArgs(1),
		Short: "Set attributes of nodes, leaving their others alone",
		Example: `  cw-nodectl -i n0 set _boot_style=rwram
  cw-nodectl -i n[0-7] set rack=r1 note=@note.txt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			attributes := map[string]string{}
			for _, arg := range args {
				key, value, err := t.assignment(arg)
				if err != nil {
					return err
				}
				attributes[key] = value
			}
			return t.onNodes(cmd.Context(), "set", func(ctx context.Context, c *client.Client, id string) error {
				return c.MergeAttributes(ctx, id, attributes)
			})
		},
	}
}

func nodeClear(t *tool) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "clear KEY ...",
		Short: "Remove attributes from nodes; what they inherit shows again",
		Example: `  cw-nodectl -i n0 clear _boot_style
  cw-nodectl -i n0 clear --all-attribs`,
	}
	cmd.Flags().BoolVar(&all, "all-attribs", false, "remove all attributes that the nodes have themselves")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if all == (len(args) > 0) {
			return usagef("name the attributes to remove, or give --all-attribs")
		}
		return t.onNodes(cmd.Context(), "cleared", func(ctx context.Context, c *client.Client, id string) error {
			if all {
				return c.SetAttributes(ctx, id, map[string]string{})
			}
			return c.ClearAttributes(ctx, id, args)
		})
	}
	return cmd
}

func nodeJoin(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "join GROUP ...", Args: cobra.MinimumNArgs(1),
		Short:   "Put nodes into attribute groups",
		Example: "  cw-nodectl -i n[0-7] join gpu",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.onNodes(cmd.Context(), "joined", func(ctx context.Context, c *client.Client, id string) error {
				return c.JoinGroups(ctx, id, args)
			})
		},
	}
}

func nodeLeave(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "leave GROUP ...", Args: cobra.MinimumNArgs(1),
		Short:   "Take nodes out of attribute groups",
		Example: "  cw-nodectl -i n[0-7] leave gpu",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.onNodes(cmd.Context(), "left", func(ctx context.Context, c *client.Client, id string) error {
				return c.LeaveGroups(ctx, id, args)
			})
		},
	}
}

package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func adminRoles(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "roles", Short: "Show the roles and what they permit, and make roles of your own",
		Example: `  cw-adminctl roles ls
  cw-adminctl roles show role.Manager
  cw-adminctl roles create name=role.Night permissions=NodesRead,NodesPowerControl nodes=n[1-16] max_lifetime=8h`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("an action is missing: cw-adminctl roles ls, show, create, update or delete")
		},
	}
	cmd.AddCommand(rolesList(t), rolesShow(t), rolesCreate(t), rolesUpdate(t), rolesDelete(t))
	return cmd
}

func roleListing(roles []client.Role) listing {
	l := listing{title: "Roles", columns: []string{"description", "nodes", "max_lifetime"}}
	for _, r := range roles {
		l.records = append(l.records, record{r.Name, r.UID, r.Fields})
	}
	return l
}

func rolesList(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "Show the roles", Args: cobra.NoArgs,
		Example: "  cw-adminctl roles ls\n  cw-adminctl --fields permissions roles ls -l",
	}
	level := detailFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		roles, err := c.ListRoles(cmd.Context())
		if err != nil {
			return err
		}
		return t.show(roleListing(roles), level())
	}
	return cmd
}

func rolesShow(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "show ROLE ...", Short: "Show what roles permit", Args: cobra.MinimumNArgs(1), ValidArgsFunction: t.completeRoles,
		Example: "  cw-adminctl roles show role.Manager\n  cw-adminctl --json roles show role.Manager",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.connect()
			if err != nil {
				return err
			}
			roles, err := gather(cmd.Context(), named(args), c.GetRole)
			return t.showFound(roleListing(roles), long, err)
		},
	}
}

func rolesDelete(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "delete ROLE ...", Aliases: []string{"rm"}, Args: cobra.MinimumNArgs(1), ValidArgsFunction: t.completeRoles,
		Short: "Remove roles that nobody has; one that comes with the program becomes what it was",
		Long: `Remove roles that nobody has.

A role that somebody has is not removed: the head says who has it. A role that comes with the program is not removed
either: what has been changed of it is taken back.`,
		Example: "  cw-adminctl roles delete role.Night",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.connect()
			if err != nil {
				return err
			}
			return t.eachSaying(cmd.Context(), named(args), "deleted", c.DeleteRole)
		},
	}
}

func adminGrant(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "grant ROLE ...", Args: cobra.MinimumNArgs(1), ValidArgsFunction: t.completeRoles,
		Short:   "Give administrators roles beside those that they have",
		Example: "  cw-adminctl -i ann grant role.Night",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.eachAdmin(cmd.Context(), "updated", func(ctx context.Context, c *client.Client, id string) error {
				return c.GrantRoles(ctx, id, args...)
			})
		},
	}
}

func adminRevoke(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ROLE ...", Args: cobra.MinimumNArgs(1), ValidArgsFunction: t.completeRoles,
		Short: "Take roles from administrators; what is left of their rights counts at once",
		Example: `  cw-adminctl -i ann revoke role.Night
  cw-adminctl tokens revoke ID      # a token instead`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.eachAdmin(cmd.Context(), "updated", func(ctx context.Context, c *client.Client, id string) error {
				return c.RevokeRoles(ctx, id, args...)
			})
		},
	}
}

// eachAdmin acts on the administrators that are selected, of whom there has to be one.
func (t *tool) eachAdmin(ctx context.Context, done string, act func(ctx context.Context, c *client.Client, id string) error) error {
	c, targets, err := t.admins(ctx, false)
	if err != nil {
		return err
	}
	return t.eachSaying(ctx, targets, done, func(ctx context.Context, id string) error { return act(ctx, c, id) })
}

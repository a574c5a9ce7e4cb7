package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func adminCreate(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "create name=NAME [field=value ...]", Aliases: []string{"mk"},
		Short: "Add an administrator",
		Long: `Add an administrator.

The name is the user's name in the operating system. Fields: name, roles (divided by commas; without it the new
administrator gets yours), keys (SSH public keys), description. A value @FILE is read from that file.`,
		Example: `  cw-adminctl create name=Manager roles=role.Manager
  cw-adminctl create name=ann roles=role.ImageEngineer,role.OnsiteEngineer keys=@~/ann.pub description='Ann, racks'
  cw-adminctl create --content '{"name": "bob", "roles": ["role.AuthUser"]}'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			records, err := t.newRecords(args, "name")
			if err != nil {
				return err
			}
			c, err := t.connect()
			if err != nil {
				return err
			}
			return t.createAll(cmd.Context(), records, "name", func(ctx context.Context, fields map[string]any) (string, error) {
				uid, err := c.CreateAdmin(ctx, fields)
				if _, named := fields["roles"]; err != nil || named {
					return uid, err
				}
				return uid, t.sayInherited(ctx, c, uid)
			})
		},
	}
}

// sayInherited names the roles that a new administrator has got without being asked for: his creator's.
func (t *tool) sayInherited(ctx context.Context, c *client.Client, uid string) error {
	a, err := c.GetAdmin(ctx, uid)
	if err != nil {
		return err
	}
	t.say("%s has your roles, since none were named: %s", a.Name, strings.Join(a.Roles, ","))
	return nil
}

func adminUpdate(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "update field=value ...", Aliases: []string{"up"},
		Short: "Change administrators; without -i, your own keys or description",
		Example: `  cw-adminctl -i ann update roles=role.ProductionEngineer
  cw-adminctl up keys=@~/.ssh/id_ed25519.pub`,
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := t.change(args)
			if err != nil {
				return err
			}
			c, targets, err := t.admins(cmd.Context(), true)
			if err != nil {
				return err
			}
			return t.eachSaying(cmd.Context(), targets, "updated", func(ctx context.Context, id string) error {
				return c.UpdateAdmin(ctx, id, change)
			})
		},
	}
}

func adminDelete(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "delete [NAME ...]", Aliases: []string{"rm"},
		Short:   "Remove administrators and revoke their tokens",
		Example: "  cw-adminctl -i ann,bob delete\n  cw-adminctl rm ann",
		RunE: func(cmd *cobra.Command, args []string) error {
			t.opts.ids = slices.Concat(t.opts.ids, args)
			if t.opts.all {
				return usagef("-a would remove yourself as well; name the administrators")
			}
			c, targets, err := t.admins(cmd.Context(), false)
			if err != nil {
				return err
			}
			return t.eachSaying(cmd.Context(), targets, "deleted", c.DeleteAdmin)
		},
	}
}

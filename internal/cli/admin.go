package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func newAdminCtl(t *tool) *cobra.Command {
	root := &cobra.Command{
		Use:                   "cw-adminctl [options] ACTION [arguments]",
		DisableFlagsInUseLine: true,
		Short:                 "Manage administrators, their roles and their tokens",
		Example: `  cw-adminctl create name=ProdEng roles=role.ProductionEngineer
  cw-adminctl -i ProdEng token --lifetime 1d --outfile prodeng.token
  cw-adminctl ls -l
  cw-adminctl whoami`,
	}
	root.AddCommand(adminList(t), adminCreate(t), adminUpdate(t), adminDelete(t), adminToken(t), adminTokens(t), adminAudit(t), adminSessions(t), adminKeys(t), adminRoles(t), adminGrant(t), adminRevoke(t), adminWhoami(t), adminLogout(t), adminTOTP(t))
	return root
}

// admins connects and returns the accounts that -i and -a select. Without either it is the caller's own where self says
// so, else a usage error.
func (t *tool) admins(ctx context.Context, self bool) (*client.Client, []target, error) {
	c, err := t.connect()
	if err != nil {
		return nil, nil, err
	}
	targets, err := t.selectAdmins(ctx, c, self)
	return c, targets, err
}

func (t *tool) selectAdmins(ctx context.Context, c *client.Client, self bool) ([]target, error) {
	switch {
	case t.opts.all:
		list, err := c.ListAdmins(ctx)
		if err != nil {
			return nil, err
		}
		targets := make([]target, len(list))
		for i, a := range list {
			targets[i] = target{a.UID, a.Name}
		}
		return targets, nil
	case len(t.opts.ids) == 0 && self:
		me, err := c.Whoami(ctx)
		return named([]string{me.Name}), err
	case len(t.opts.ids) == 0:
		return nil, usagef("nobody is selected: name an administrator with -i")
	}
	ids, err := t.parseIDs(t.opts.ids)
	if err == nil && len(ids.items) == 0 {
		err = usagef("the list of administrators is empty")
	}
	return named(ids.items), err
}

func adminListing(list []client.Admin) listing {
	l := listing{title: "Admins", columns: []string{"roles", "description"}}
	for _, a := range list {
		l.records = append(l.records, record{a.Name, a.UID, a.Fields})
	}
	return l
}

func adminList(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Args: cobra.NoArgs,
		Short: "Show the administrators",
		Example: `  cw-adminctl ls
  cw-adminctl -i ProdEng ls -l
  cw-adminctl --fields roles --table ls`,
	}
	level := detailFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		if len(t.opts.ids) == 0 {
			list, err := c.ListAdmins(cmd.Context())
			if err != nil {
				return err
			}
			return t.show(adminListing(list), level())
		}
		targets, err := t.selectAdmins(cmd.Context(), c, false)
		if err != nil {
			return err
		}
		list, err := gather(cmd.Context(), targets, c.GetAdmin)
		return t.showFound(adminListing(list), level(), err)
	}
	return cmd
}

func adminWhoami(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "whoami", Args: cobra.NoArgs,
		Short:   "Show as whom the head knows you, and what you may do",
		Example: "  cw-adminctl whoami\n  CW_TOKEN_FILE=prodeng.token cw-adminctl whoami",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := t.connect()
			if err != nil {
				return err
			}
			me, err := c.Whoami(cmd.Context())
			if err != nil {
				return err
			}
			return t.show(listing{title: "Whoami", records: []record{{me.Name, me.UID, me.Fields}}}, long)
		},
	}
}

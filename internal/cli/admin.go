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
	root.AddCommand(adminList(t), adminCreate(t), adminUpdate(t), adminDelete(t), adminToken(t), adminTokens(t), adminRoles(t), adminWhoami(t), adminLogout(t))
	return root
}

// admins returns the accounts that -i and -a select. Without either it is what orElse says: "all", "self", or a usage
// error.
func (t *tool) admins(ctx context.Context, c *client.Client, orElse string) ([]target, error) {
	switch {
	case t.opts.all || len(t.opts.ids) == 0 && orElse == "all":
		list, err := c.ListAdmins(ctx)
		if err != nil {
			return nil, err
		}
		targets := make([]target, len(list))
		for i, a := range list {
			targets[i] = target{a.UID, a.Name}
		}
		return targets, nil
	case len(t.opts.ids) == 0 && orElse == "self":
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
		targets, err := t.admins(cmd.Context(), c, "")
		if err != nil {
			return err
		}
		list, err := gather(cmd.Context(), targets, c.GetAdmin)
		return t.showFound(adminListing(list), level(), err)
	}
	return cmd
}

// gather gets each target's record. Those that were found are returned even when others failed.
func gather[T any](ctx context.Context, targets []target, get func(context.Context, string) (T, error)) ([]T, error) {
	all := make([]T, len(targets))
	found := make([]bool, len(targets))
	err := each(ctx, targets, requestsAtOnce, func(ctx context.Context, i int, t target) (err error) {
		all[i], err = get(ctx, t.id)
		found[i] = err == nil
		return err
	})
	var list []T
	for i, ok := range found {
		if ok {
			list = append(list, all[i])
		}
	}
	return list, err
}

// showFound shows what was found, if anything, and passes the error on.
func (t *tool) showFound(l listing, d detail, err error) error {
	if len(l.records) == 0 && err != nil {
		return err
	}
	if failed := t.show(l, d); failed != nil {
		return failed
	}
	return err
}

func adminRoles(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "roles", Short: "Show the roles and what they permit",
		Example: "  cw-adminctl roles ls\n  cw-adminctl roles ls -l",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return usagef("an action is missing: cw-adminctl roles ls") },
	}
	list := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "Show the roles", Args: cobra.NoArgs,
		Example: "  cw-adminctl roles ls\n  cw-adminctl --fields permissions roles ls -l",
	}
	level := detailFlags(list)
	list.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		roles, err := c.ListRoles(cmd.Context())
		if err != nil {
			return err
		}
		l := listing{title: "Roles", columns: []string{"description"}}
		for _, r := range roles {
			l.records = append(l.records, record{r.Name, r.UID, r.Fields})
		}
		return t.show(l, level())
	}
	cmd.AddCommand(list)
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

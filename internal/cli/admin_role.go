package cli

import (
	"github.com/spf13/cobra"
)

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

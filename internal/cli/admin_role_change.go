package cli

import (
	"github.com/spf13/cobra"
)

const roleFields = `Fields:
  permissions   what holders may do, divided by commas
  delegates     what they may hand on to others beyond that
  nodes         on which nodes the permissions about nodes hold: n[1-16],login*,^n3; nodes= takes the limit away
  max_lifetime  how long their tokens live at most: 8h, 1d; 0 takes the limit away
  display       name for people
  description   what the role is for`

func rolesCreate(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "create name=role.NAME [field=value ...]", Aliases: []string{"mk"}, ValidArgsFunction: completeRoleFields("name="),
		Short: "Make a role of your own",
		Long: `Make a role of your own. Its name is role. and letters and digits that begin with a capital; it cannot be changed.
Nobody makes a role that gives more than he may hand on himself.

` + roleFields,
		Example: `  cw-adminctl roles create name=role.Night permissions=NodesRead,NodesPowerControl nodes=n[1-16] max_lifetime=8h
  cw-adminctl roles create --content @night.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			records, err := t.newRecords(args, "name")
			if err != nil {
				return err
			}
			c, err := t.connect()
			if err != nil {
				return err
			}
			return t.createAll(cmd.Context(), records, "name", c.CreateRole)
		},
	}
}

func rolesUpdate(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "update ROLE field=value ...", Aliases: []string{"up"}, Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return t.completeRoles(cmd, args, toComplete)
			}
			return completeRoleFields()(cmd, args, toComplete)
		},
		Short: "Change a role, at once for everybody who has it",
		Long: `Change a role, at once for everybody who has it: open sessions and tokens that were made before as well. A field replaces
what was there. Roles that come with the program can be changed, too, except role.FullAdmin and role.NoAccess.

` + roleFields,
		Example: `  cw-adminctl roles update role.Night permissions=NodesRead
  cw-adminctl roles update role.Night nodes=n[1-32] max_lifetime=12h`,
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := t.change(args[1:])
			if err != nil {
				return err
			}
			c, err := t.connect()
			if err != nil {
				return err
			}
			if err := c.UpdateRole(cmd.Context(), args[0], change); err != nil {
				return err
			}
			t.say("%s updated", args[0])
			return nil
		},
	}
}

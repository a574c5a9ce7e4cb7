package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// quietly connects for a completion, which never asks for a password; nil when that is not possible.
func (t *tool) quietly() *client.Client {
	t.env.Ask = func(context.Context, string) (string, error) { return "", errInterrupted }
	var err error
	if t.settings, err = loadSettings(t.env, t.opts); err != nil {
		return nil
	}
	c, err := t.connect()
	if err != nil {
		return nil
	}
	return c
}

// completeRoles offers the names of roles to the shell.
func (t *tool) completeRoles(cmd *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	c := t.quietly()
	if c == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	roles, _ := c.ListRoles(cmd.Context()) // nothing can be offered after an error
	var names []string
	for _, r := range roles {
		if strings.HasPrefix(r.Name, toComplete) {
			names = append(names, r.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeRoleFields offers the fields of a role, and behind permissions= and delegates= the names in the catalogue.
func completeRoleFields(more ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		const open = cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
		field, value, begun := strings.Cut(toComplete, "=")
		if begun && (field == "permissions" || field == "delegates") {
			var offers []string
			for _, list := range completePermissions(value) {
				offers = append(offers, field+"="+list)
			}
			return offers, open
		}
		fields := append(slices.Clone(more), "permissions=", "delegates=", "nodes=", "max_lifetime=", "display=", "description=")
		return slices.DeleteFunc(fields, func(f string) bool {
			given := slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, f) })
			return given || !strings.HasPrefix(f, toComplete)
		}), open
	}
}

// completePermissions returns a list of permissions with each name that its last word may become.
func completePermissions(list string) (lists []string) {
	at := strings.LastIndex(list, ",") + 1
	before := strings.Split(list[:at], ",")
	for _, name := range identity.All().Names() {
		if strings.HasPrefix(name, list[at:]) && !slices.Contains(before, name) {
			lists = append(lists, list[:at]+name)
		}
	}
	return lists
}

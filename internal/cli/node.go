package cli

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func newNodeCtl(t *tool) *cobra.Command {
	root := &cobra.Command{
		Use:                   "cw-nodectl [options] ACTION [arguments]",
		DisableFlagsInUseLine: true,
		Short:                 "Manage nodes and their attributes, copy files to and from them",
		Example: `  cw-nodectl ls
  cw-nodectl -i n[0-3,7-9] ls -l
  cw-nodectl -in10 set _boot_style=rwram
  cw-nodectl -i n0 scp prodeng.token manager.token r:/root/mytokens/`,
	}
	root.AddCommand(nodeList(t), nodeStatus(t), nodeCreate(t), nodeUpdate(t), nodeDelete(t), nodeSet(t), nodeClear(t), nodeGet(t),
		nodeAttribs(t), nodeJoin(t), nodeLeave(t), nodeScp(t), nodeSSH(t))
	return root
}

// bulkyNodeFields are what -l leaves out.
var bulkyNodeFields = []string{"hardware", "status"}

func nodeListing(list []client.Node) listing {
	l := listing{title: "Nodes", columns: []string{"cluster", "index", "ip", "mac", "type"}, bulky: bulkyNodeFields, folded: true}
	for _, n := range list {
		l.records = append(l.records, record{n.Name, n.UID, n.Fields})
	}
	return l
}

// selected returns the records of the nodes that -i and -a select, all without either. Those that were found are
// returned even when others failed.
func (t *tool) selected(ctx context.Context, c *client.Client) ([]client.Node, error) {
	if t.opts.all || len(t.opts.ids) == 0 {
		return c.ListNodes(ctx)
	}
	targets, err := t.selectNodes(ctx, c)
	if err != nil {
		return nil, err
	}
	return gather(ctx, targets, c.GetNode)
}

func nodeList(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Args: cobra.NoArgs,
		Short: "Show nodes; all of them without -i",
		Example: `  cw-nodectl ls
  cw-nodectl -i n0 ls -l
  cw-nodectl --fields groups --table ls -l
  cw-nodectl -i %gpu --json ls`,
	}
	level := detailFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		list, err := t.selected(cmd.Context(), c)
		l := nodeListing(list)
		if !t.opts.showUIDs {
			nameGroups(cmd.Context(), c, list)
		}
		return t.showFound(l, level(), err)
	}
	return cmd
}

// nameGroups puts the names of groups in place of their UIDs. Where the caller may not see the groups they stay UIDs.
func nameGroups(ctx context.Context, c *client.Client, list []client.Node) {
	if !slices.ContainsFunc(list, func(n client.Node) bool { return len(n.Groups) > 0 }) {
		return
	}
	groups, err := c.ListGroups(ctx)
	if err != nil {
		return
	}
	names := map[string]string{}
	for _, g := range groups {
		names[g.UID] = g.Name
	}
	for _, n := range list {
		shown := make([]any, len(n.Groups))
		for i, uid := range n.Groups {
			shown[i] = cmp.Or(names[uid], uid)
		}
		n.Fields["groups"] = shown
	}
}

package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
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
	targets, err := t.nodes(ctx, c, "")
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

func nodeStatus(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Args: cobra.NoArgs,
		Short: "Show the states of nodes; of all without -i",
		Example: `  cw-nodectl status
  cw-nodectl -i n[0-3] status -l`,
	}
	level := detailFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		list, err := t.selected(cmd.Context(), c)
		if level() == short && cmp.Or(t.settings.get(keyFormat), "human") == "human" {
			t.printStates(list)
			return err
		}
		return t.showFound(statusListing(list), level(), err)
	}
	return cmd
}

func stateOf(n client.Node) string {
	state, _ := n.Status["state"].(string)
	return cmp.Or(state, "unknown")
}

func statusListing(list []client.Node) listing {
	l := listing{title: "Nodes", columns: []string{"state"}}
	for _, n := range list {
		fields := map[string]any{"state": stateOf(n)}
		if status, ok := n.Fields["status"].(map[string]any); ok {
			for k, v := range status {
				fields[k] = v
			}
		}
		l.records = append(l.records, record{n.Name, n.UID, fields})
	}
	return l
}

// printStates writes a line for each state with the nodes that are in it, the most common state first.
func (t *tool) printStates(list []client.Node) {
	byState := map[string][]string{}
	for _, n := range list {
		byState[stateOf(n)] = append(byState[stateOf(n)], n.Name)
	}
	states := sortedKeys(byState)
	slices.SortStableFunc(states, func(a, b string) int { return len(byState[b]) - len(byState[a]) })
	width := 0
	for _, s := range states {
		width = max(width, len(hostlist.Fold(byState[s])))
	}
	for _, s := range states {
		t.print("%-*s  %s", min(width, 60), hostlist.Fold(byState[s]), printable(s))
	}
}

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
	c, err := t.connect()
	if err != nil {
		return err
	}
	targets, err := t.nodes(ctx, c, "")
	if err != nil {
		return err
	}
	return t.eachSaying(ctx, targets, done, func(ctx context.Context, id string) error { return act(ctx, c, id) })
}

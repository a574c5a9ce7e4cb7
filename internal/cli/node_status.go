package cli

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

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

package cli

import (
	"context"

	"github.com/spf13/cobra"
)

// ClusterCtl runs cw-clusterctl and returns its exit code.
func ClusterCtl(ctx context.Context, env Env) int {
	t := &tool{name: "cw-clusterctl", env: env}
	return t.run(ctx, newClusterCtl(t))
}

func newClusterCtl(t *tool) *cobra.Command {
	root := &cobra.Command{
		Use:                   "cw-clusterctl [options] ACTION [arguments]",
		DisableFlagsInUseLine: true,
		Short:                 "Look at the cluster as a whole",
		Example:               "  cw-clusterctl metrics top\n  cw-clusterctl --json metrics top --by host",
	}
	root.AddCommand(clusterMetrics(t))
	return root
}

package sim

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
)

func configCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "config ARCHIVE",
		Short:   "Write the cluster.json of the simulated clusters into a job archive",
		Example: "  clustersim config ./var/job-archive --nodes 16 --host",
		Args:    exactly("ARCHIVE, the root of the job archive"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, h, err := o.machines()
			if err != nil {
				return err
			}
			clusters := []cluster.Cluster{m.Cluster()}
			if o.host {
				c, err := h.Cluster()
				if err != nil {
					return err
				}
				clusters = append(clusters, c)
			}
			for _, c := range clusters {
				if err := cluster.WriteDir(args[0], &c); err != nil {
					return err
				}
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s/%s/cluster.json\n", args[0], c.Name)
			}
			return nil
		},
	}
}

func exactly(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("one argument is needed: %s", what)}
		}
		return nil
	}
}

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func clusterMetrics(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "metrics", Short: "Look into the metric store", Args: cobra.NoArgs,
		Example: "  cw-clusterctl metrics top\n  cw-clusterctl metrics rejected",
		RunE: func(*cobra.Command, []string) error {
			return usagef("an action is missing: cw-clusterctl metrics top, or cw-clusterctl metrics rejected")
		},
	}
	cmd.AddCommand(metricsTop(t), metricsRejected(t))
	return cmd
}

func metricsTop(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "top", Args: cobra.NoArgs,
		Short: "Show what the series take up, by metric or by host, those with the most series first",
		Example: `  cw-clusterctl metrics top
  cw-clusterctl metrics top --by host --cluster alpha --limit 50
  cw-clusterctl --json metrics top`,
	}
	by := cmd.Flags().String("by", "metric", "metric or host")
	of := cmd.Flags().String("cluster", "", "only this cluster")
	limit := cmd.Flags().Int("limit", 20, "so many rows; -1 shows all")
	level := detailFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions([]string{"metric", "host"}, cobra.ShellCompDirectiveNoFileComp)) // it fails for unknown flags only
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		title := map[string]string{"metric": "Metrics", "host": "Hosts"}[*by]
		if title == "" {
			return usagef("--by is metric or host, not %q", *by)
		}
		if *limit == 0 || *limit < -1 {
			return usagef("--limit is a number of rows, or -1 for all")
		}
		c, err := t.connect()
		if err != nil {
			return err
		}
		top, err := c.MetricsTop(cmd.Context(), *of, *limit)
		if err != nil {
			return err
		}
		if *of != "" && top.Total.Series == 0 {
			return nothingOf(cmd.Context(), c, *of)
		}
		rows := top.Metrics
		if *by == "host" {
			rows = top.Hosts
		}
		return t.show(usageListing(title, rows, top.Total), level())
	}
	return cmd
}

// nothingOf says that nothing is stored of a cluster, and of which there is something: its name may be mistyped.
func nothingOf(ctx context.Context, c *client.Client, cluster string) error {
	top, err := c.MetricsTop(ctx, "", -1)
	if err != nil {
		return err
	}
	var names []string
	for _, h := range top.Hosts {
		names = append(names, h.Cluster)
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return fmt.Errorf("nothing is stored of the cluster %q, nor of any other that you may see", cluster)
	}
	return fmt.Errorf("nothing is stored of the cluster %q; there are samples of %s", cluster, strings.Join(names, ", "))
}

// usageListing shows the rows, and below them what all series take up together.
func usageListing(title string, rows []client.MetricUsage, total client.MetricUsage) listing {
	l := listing{title: title, columns: []string{"cluster", "series", "slots", "memory_bytes", "disk_bytes", "bytes_per_sample"}, tabular: true}
	for _, u := range append(rows, total) {
		r := record{name: u.Name, uid: u.Cluster + ":" + u.Name, fields: u.Fields}
		if u.Name == "" {
			r.name, r.uid = "(all)", ""
		}
		if _, ok := r.fields["bytes_per_sample"]; ok {
			r.fields["bytes_per_sample"] = json.Number(strconv.FormatFloat(u.BytesPerSample, 'f', 2, 64))
		}
		l.records = append(l.records, r)
	}
	return l
}

func metricsRejected(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rejected", Args: cobra.NoArgs,
		Short:   "Show the lines that were rejected last, the newest first",
		Example: "  cw-clusterctl metrics rejected\n  cw-clusterctl --csv metrics rejected",
	}
	level := detailFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		top, err := c.MetricsTop(cmd.Context(), "", 1)
		if err != nil {
			return err
		}
		l := listing{title: "Rejected", key: "number", columns: []string{"time", "source", "line", "error"}, tabular: true}
		for i, line := range top.Rejected {
			l.records = append(l.records, record{strconv.Itoa(i + 1), "", line.Fields})
		}
		return t.show(l, level())
	}
	return cmd
}

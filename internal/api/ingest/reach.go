package ingest

import (
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// reach returns into which clusters the caller's credential reaches, nil for all.
func reach(c identity.Caller) func(cluster string) bool {
	if c.Clusters == nil {
		return nil
	}
	return c.InCluster
}

// limitedTo reports whether the caller has the permission on some nodes only.
func limitedTo(c identity.Caller, p identity.Permission) bool {
	return slices.ContainsFunc(c.Limits, func(l identity.NodeLimit) bool { return l.Permissions.Has(p) })
}

// sight returns the samples of which hosts the caller may read, nil for all.
func sight(c identity.Caller) func(host string) bool {
	if !limitedTo(c, identity.MetricsRead) {
		return nil
	}
	return func(host string) bool { return c.CanOn(identity.MetricsRead, host) }
}

// mayAsk refuses questions about clusters that the caller's credential does not reach. That no cluster is named is not
// its business.
func mayAsk(c identity.Caller, cluster string) error {
	if cluster == "" {
		return nil
	}
	return c.RequireCluster(cluster)
}

// mayFree refuses paths into clusters that the caller's credential does not reach, and hosts that he may not steer. A
// path without a name is not its business.
func mayFree(c identity.Caller, path []string) error {
	if len(path) == 0 || path[0] == "" {
		return nil
	}
	if err := c.RequireCluster(path[0]); err != nil {
		return err
	}
	if !limitedTo(c, identity.MetricsAdmin) {
		return nil
	}
	if len(path) == 1 {
		return fault.New(fault.Denied, "you may free the samples of some nodes only: name them")
	}
	return c.RequireOn(identity.MetricsAdmin, path[1])
}

// seen leaves out what is held of clusters that the caller's credential does not reach.
func seen(c identity.Caller, held []metric.Held) []metric.Held {
	return slices.DeleteFunc(held, func(h metric.Held) bool {
		return !c.InCluster(h.Path[0]) || len(h.Path) > 1 && !c.CanOn(identity.MetricsAdmin, h.Path[1])
	})
}

package cluster

import (
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// anyNode is the node list of a sub-cluster that takes every node that no other one has.
const anyNode = "*"

// ResolveSubCluster returns the sub-cluster that host belongs to: the first whose node list contains it, else the one
// with the node list "*". It is the only place where that is decided.
func (c *Cluster) ResolveSubCluster(host string) (*SubCluster, bool) {
	var fallback *SubCluster
	for i := range c.SubClusters {
		s := &c.SubClusters[i]
		if s.NodesExpr == anyNode {
			if fallback == nil {
				fallback = s
			}
			continue
		}
		if s.Nodes.Contains(host) {
			return s, true
		}
	}
	return fallback, fallback != nil
}

// SubCluster returns the sub-cluster with that name.
func (c *Cluster) SubCluster(name string) (*SubCluster, bool) {
	for i := range c.SubClusters {
		if c.SubClusters[i].Name == name {
			return &c.SubClusters[i], true
		}
	}
	return nil, false
}

// MetricsOf returns the metrics of a sub-cluster in the order of the configuration, its overrides applied, removed ones
// left out. For a sub-cluster that does not exist it returns what the cluster has.
func (c *Cluster) MetricsOf(sub string) []MetricConfig {
	list := make([]MetricConfig, 0, len(c.Metrics))
	for _, m := range c.Metrics {
		i := slices.IndexFunc(m.SubClusters, func(o SubClusterMetric) bool { return o.Name == sub })
		if i >= 0 {
			if m.SubClusters[i].Remove {
				continue
			}
			m.Limits = m.SubClusters[i].Limits
		}
		m.SubClusters = nil
		list = append(list, m)
	}
	return list
}

// Measured returns the names of the measured metrics that a host of a cluster has, sorted: those of its sub-cluster, and of
// the whole cluster when it belongs to none.
func (r *Registry) Measured(cluster, host string) []string {
	c, ok := r.Get(cluster)
	if !ok {
		return nil
	}
	metrics := c.Metrics
	if sub, ok := c.ResolveSubCluster(host); ok {
		metrics = c.MetricsOf(sub.Name)
	}
	var names []string
	for _, m := range metrics {
		if m.Derived == nil {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Catalogue returns how each metric of the cluster is stored or computed.
func (c *Cluster) Catalogue() metric.Catalogue {
	cat := make(metric.Catalogue, len(c.Metrics))
	for _, m := range c.Metrics {
		cat[m.Name] = metric.Config{Frequency: m.Timestep, Aggregation: m.Aggregation, Derived: m.Derived}
	}
	return cat
}

// Domains returns the hardware threads of each domain of the scope: its sockets, memory domains, cores, or single
// threads. Node is one domain. Accelerators have no threads: nil.
func (t Topology) Domains(s metric.Scope) [][]int {
	switch s {
	case metric.ScopeNode:
		return [][]int{t.Node}
	case metric.ScopeSocket:
		return t.Socket
	case metric.ScopeMemoryDomain:
		return t.MemoryDomain
	case metric.ScopeCore:
		return t.Core
	case metric.ScopeHWThread:
		single := make([][]int, len(t.Node))
		for i, thread := range t.Node {
			single[i] = []int{thread}
		}
		return single
	case metric.ScopeAccelerator:
	}
	return nil
}

// DomainOf returns which domain of the scope a hardware thread belongs to: the index of the socket, memory domain or
// core, or the thread itself.
func (t Topology) DomainOf(s metric.Scope, thread int) (int, bool) {
	if s == metric.ScopeHWThread {
		return thread, slices.Contains(t.Node, thread)
	}
	i := slices.IndexFunc(t.Domains(s), func(threads []int) bool { return slices.Contains(threads, thread) })
	return i, i >= 0
}

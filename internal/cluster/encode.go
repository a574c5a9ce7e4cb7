package cluster

import (
	"encoding/json"
	"fmt"
	"time"
)

// Format writes c as a cluster.json, which Parse reads back. It fails when c is not valid.
func Format(c *Cluster) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	w := wireCluster{Name: c.Name, Metrics: []wireMetric{}, SubClusters: []wireSubCluster{}}
	for _, m := range c.Metrics {
		w.Metrics = append(w.Metrics, toWireMetric(m))
	}
	for _, s := range c.SubClusters {
		w.SubClusters = append(w.SubClusters, toWireSubCluster(s))
	}
	text, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode cluster %q: %w", c.Name, err)
	}
	return append(text, '\n'), nil
}

func toWireMetric(m MetricConfig) wireMetric {
	w := wireMetric{
		Name: m.Name, Unit: wireUnit(m.Unit), Scope: string(m.Scope), Timestep: int64(m.Timestep / time.Second),
		Aggregation: string(m.Aggregation), Derived: m.Derived.String(), wireLimits: wireLimits(m.Limits),
	}
	for _, o := range m.SubClusters {
		w.SubClusters = append(w.SubClusters, wireOverride{Name: o.Name, Remove: o.Remove, wireLimits: wireLimits(o.Limits)})
	}
	return w
}

func toWireSubCluster(s SubCluster) wireSubCluster {
	quantity := func(q Quantity) wireQuantity { return wireQuantity{Unit: wireUnit(q.Unit), Value: q.Value} }
	t := wireTopology{
		Node: s.Topology.Node, Socket: s.Topology.Socket, MemoryDomain: s.Topology.MemoryDomain,
		Die: s.Topology.Die, Core: s.Topology.Core,
	}
	for _, a := range s.Topology.Accelerators {
		t.Accelerators = append(t.Accelerators, wireAccelerator(a))
	}
	return wireSubCluster{
		Name: s.Name, Nodes: s.NodesExpr, ProcessorType: s.ProcessorType,
		SocketsPerNode: s.SocketsPerNode, CoresPerSocket: s.CoresPerSocket, ThreadsPerCore: s.ThreadsPerCore,
		FlopRateScalar: quantity(s.FlopRateScalar), FlopRateSIMD: quantity(s.FlopRateSIMD),
		MemoryBandwidth: quantity(s.MemoryBandwidth), Topology: t,
	}
}

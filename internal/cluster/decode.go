package cluster

import (
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
	"github.com/bridgehead-hpc/bridgehead/internal/jsonfile"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Parse reads a cluster.json. It fails with everything that is wrong with the file, each line naming the member, as in
// metricConfig[3].timestep.
func Parse(data []byte) (*Cluster, error) {
	var w wireCluster
	if err := jsonfile.Decode(data, &w); err != nil {
		return nil, err
	}
	c := &Cluster{Name: w.Name}
	var p problems
	for i, m := range w.Metrics {
		c.Metrics = append(c.Metrics, m.config(&p, fmt.Sprintf("metricConfig[%d]", i)))
	}
	for i, s := range w.SubClusters {
		c.SubClusters = append(c.SubClusters, s.subCluster(&p, fmt.Sprintf("subClusters[%d]", i)))
	}
	c.check(&p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return c, nil
}

func (u wireUnit) unit() metric.Unit { return metric.Unit(u) }

func (q wireQuantity) quantity() Quantity { return Quantity{Unit: q.Unit.unit(), Value: q.Value} }

func (l wireLimits) limits() Limits { return Limits(l) }

func (m wireMetric) config(p *problems, at string) MetricConfig {
	scope, err := metric.ParseScope(m.Scope)
	if err != nil {
		p.add(at+".scope", "%v", err)
		scope = metric.ScopeNode // a stand-in, so that the check of the parsed form does not report it again
	}
	const most = int64(24 * time.Hour / time.Second)
	if m.Timestep <= 0 || m.Timestep > most {
		p.add(at+".timestep", "must be 1 to %d seconds, is %d", most, m.Timestep)
		m.Timestep = 1 // the same
	}
	mc := MetricConfig{
		Name: m.Name, Unit: m.Unit.unit(), Scope: scope, Timestep: time.Duration(m.Timestep) * time.Second,
		Aggregation: metric.Aggregation(m.Aggregation), Limits: m.limits(),
	}
	if m.Derived != "" {
		if mc.Derived, err = metric.ParseExpression(m.Derived); err != nil {
			p.add(at+".derived", "%v", err)
		}
	}
	for _, o := range m.SubClusters {
		mc.SubClusters = append(mc.SubClusters, SubClusterMetric{Name: o.Name, Remove: o.Remove, Limits: o.limits()})
	}
	return mc
}

func (s wireSubCluster) subCluster(p *problems, at string) SubCluster {
	sub := SubCluster{
		Name: s.Name, NodesExpr: s.Nodes, ProcessorType: s.ProcessorType,
		SocketsPerNode: s.SocketsPerNode, CoresPerSocket: s.CoresPerSocket, ThreadsPerCore: s.ThreadsPerCore,
		FlopRateScalar: s.FlopRateScalar.quantity(), FlopRateSIMD: s.FlopRateSIMD.quantity(),
		MemoryBandwidth: s.MemoryBandwidth.quantity(), Topology: s.Topology.topology(),
	}
	if s.Nodes != anyNode {
		var err error
		if sub.Nodes, err = hostlist.Parse(s.Nodes); err != nil {
			p.add(at+".nodes", "%v", err)
		}
	}
	return sub
}

func (t wireTopology) topology() Topology {
	top := Topology{Node: t.Node, Socket: t.Socket, MemoryDomain: t.MemoryDomain, Die: t.Die, Core: t.Core}
	for _, a := range t.Accelerators {
		top.Accelerators = append(top.Accelerators, Accelerator(a))
	}
	return top
}

package cockpit

import (
	"context"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// The structs below are cluster.json (contract clustercockpit 5.5) as a reply.

type clusterList struct {
	Clusters []clusterReply `json:"clusters"`
}

type clusterReply struct {
	Name         string         `json:"name"`
	MetricConfig []metricConfig `json:"metricConfig"`
	SubClusters  []subCluster   `json:"subClusters"`
}

type metricConfig struct {
	Name        string `json:"name"`
	Unit        unit   `json:"unit"`
	Scope       string `json:"scope" doc:"Finest scope that is collected."`
	Timestep    int64  `json:"timestep" doc:"Distance between two samples, in seconds."`
	Aggregation string `json:"aggregation" doc:"How finer scopes make coarser ones: sum, avg, min, max, median, a percentile such as p95, or empty for not at all."`
	Derived     string `json:"derived,omitempty" doc:"How the metric is computed of others." example:"flops_any / mem_bw"`
	Limits
	SubClusters []metricOverride `json:"subClusters,omitempty" doc:"Sub-clusters that differ."`
}

// Limits are the thresholds of a metric at node scope. It is exported because the document takes no members from
// embedded structs that are not.
type Limits struct {
	Footprint     string `json:"footprint,omitempty" doc:"Statistic that is part of the footprint."`
	Energy        string `json:"energy,omitempty" doc:"power or energy, when the metric counts for energy."`
	LowerIsBetter bool   `json:"lowerIsBetter,omitempty"`
	Restrict      bool   `json:"restrict,omitempty" doc:"Hidden from users and managers."`
	Peak          number `json:"peak"`
	Normal        number `json:"normal"`
	Caution       number `json:"caution"`
	Alert         number `json:"alert"`
}

type metricOverride struct {
	Name   string `json:"name" doc:"The sub-cluster."`
	Remove bool   `json:"remove,omitempty" doc:"The sub-cluster does not have the metric."`
	Limits
}

type subCluster struct {
	Name            string   `json:"name"`
	Nodes           string   `json:"nodes" doc:"List expression, or * for all others." example:"n[001-128]"`
	ProcessorType   string   `json:"processorType"`
	SocketsPerNode  int      `json:"socketsPerNode"`
	CoresPerSocket  int      `json:"coresPerSocket"`
	ThreadsPerCore  int      `json:"threadsPerCore"`
	FlopRateScalar  quantity `json:"flopRateScalar"`
	FlopRateSIMD    quantity `json:"flopRateSimd"`
	MemoryBandwidth quantity `json:"memoryBandwidth"`
	Topology        topology `json:"topology"`
}

type quantity struct {
	Unit  unit   `json:"unit"`
	Value number `json:"value"`
}

type topology struct {
	Node         []int         `json:"node"`
	Socket       [][]int       `json:"socket"`
	MemoryDomain [][]int       `json:"memoryDomain"`
	Die          [][]int       `json:"die,omitempty"`
	Core         [][]int       `json:"core"`
	Accelerators []accelerator `json:"accelerators,omitempty"`
}

type accelerator struct {
	ID    string `json:"id" doc:"PCI address."`
	Type  string `json:"type"`
	Model string `json:"model"`
}

type listClustersParams struct {
	Cluster string `query:"cluster" doc:"Only this one."`
}

func (d *dialect) listClusters(_ context.Context, r api.Request[listClustersParams, api.None]) (clusterList, error) {
	list := slices.DeleteFunc(slices.Clone(d.Clusters.List()), func(c *cluster.Cluster) bool { return !r.InCluster(c.Name) })
	if name := r.Params.Cluster; name != "" {
		c, ok := d.Clusters.Get(name)
		if !ok || !r.InCluster(name) {
			return clusterList{}, fault.New(fault.Invalid, "unknown cluster %q", name)
		}
		list = []*cluster.Cluster{c}
	}

	reply := clusterList{Clusters: make([]clusterReply, len(list))}
	for i, c := range list {
		reply.Clusters[i] = toCluster(c)
	}
	return reply, nil
}

func toCluster(c *cluster.Cluster) clusterReply {
	out := clusterReply{Name: c.Name, MetricConfig: make([]metricConfig, len(c.Metrics)), SubClusters: make([]subCluster, len(c.SubClusters))}
	for i, m := range c.Metrics {
		out.MetricConfig[i] = toMetricConfig(m)
	}
	for i, s := range c.SubClusters {
		out.SubClusters[i] = toSubCluster(s)
	}
	return out
}

func toMetricConfig(m cluster.MetricConfig) metricConfig {
	out := metricConfig{
		Name: m.Name, Unit: toUnit(m.Unit), Scope: string(m.Scope), Timestep: int64(m.Timestep / time.Second),
		Aggregation: string(m.Aggregation), Derived: m.Derived.String(), Limits: toLimits(m.Limits),
	}
	for _, s := range m.SubClusters {
		out.SubClusters = append(out.SubClusters, metricOverride{Name: s.Name, Remove: s.Remove, Limits: toLimits(s.Limits)})
	}
	return out
}

func toLimits(l cluster.Limits) Limits {
	return Limits{
		Footprint: l.Footprint, Energy: l.Energy, LowerIsBetter: l.LowerIsBetter, Restrict: l.Restrict,
		Peak: number(l.Peak), Normal: number(l.Normal), Caution: number(l.Caution), Alert: number(l.Alert),
	}
}

func toSubCluster(s cluster.SubCluster) subCluster {
	out := subCluster{
		Name: s.Name, Nodes: s.NodesExpr, ProcessorType: s.ProcessorType,
		SocketsPerNode: s.SocketsPerNode, CoresPerSocket: s.CoresPerSocket, ThreadsPerCore: s.ThreadsPerCore,
		FlopRateScalar: toQuantity(s.FlopRateScalar), FlopRateSIMD: toQuantity(s.FlopRateSIMD), MemoryBandwidth: toQuantity(s.MemoryBandwidth),
		Topology: topology{
			Node: s.Topology.Node, Socket: s.Topology.Socket, MemoryDomain: s.Topology.MemoryDomain,
			Die: s.Topology.Die, Core: s.Topology.Core,
		},
	}
	for _, a := range s.Topology.Accelerators {
		out.Topology.Accelerators = append(out.Topology.Accelerators, accelerator(a))
	}
	return out
}

func toQuantity(q cluster.Quantity) quantity {
	return quantity{Unit: toUnit(q.Unit), Value: number(q.Value)}
}

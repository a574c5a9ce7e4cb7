// Package cluster knows the clusters: their sub-clusters, hardware topology, and which metrics are measured how.
//
// The source is one cluster.json a cluster (contract clustercockpit 5.5). Read-only after loading.
package cluster

import (
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Cluster is one cluster.
type Cluster struct {
	Name        string
	Metrics     []MetricConfig
	SubClusters []SubCluster
}

// SubCluster is a set of like nodes.
type SubCluster struct {
	Name            string
	NodesExpr       string        // as written: a list expression or "*"
	Nodes           hostlist.List // empty when NodesExpr is "*"
	ProcessorType   string
	SocketsPerNode  int
	CoresPerSocket  int
	ThreadsPerCore  int
	FlopRateScalar  Quantity
	FlopRateSIMD    Quantity
	MemoryBandwidth Quantity
	Topology        Topology
}

// Quantity is a number with its unit.
type Quantity struct {
	Unit  metric.Unit
	Value float64
}

// Topology lists which hardware threads make up each domain of a node.
type Topology struct {
	Node         []int
	Socket       [][]int
	MemoryDomain [][]int
	Die          [][]int
	Core         [][]int
	Accelerators []Accelerator
}

// Accelerator is one device of a node.
type Accelerator struct {
	ID    string // PCI address: what collectors send as type-id and jobs list as accelerators
	Type  string // "Nvidia GPU", "AMD GPU", "Intel GPU"
	Model string
}

// MetricConfig says how one metric is measured and judged on one cluster.
type MetricConfig struct {
	Name        string
	Unit        metric.Unit
	Scope       metric.Scope // finest scope that is collected
	Timestep    time.Duration
	Aggregation metric.Aggregation
	// Derived (ours) is how the metric is computed of others; nil for one that is collected.
	Derived *metric.Expression
	Limits
	SubClusters []SubClusterMetric
}

// Limits are the thresholds and marks of a metric at node scope. A sub-cluster's override replaces all of them.
type Limits struct {
	Footprint     string // "avg", "max", "min", or "" when the metric is no part of the footprint
	Energy        string // "power", "energy" or ""
	LowerIsBetter bool
	Restrict      bool // hidden from users and managers
	Peak          float64
	Normal        float64
	Caution       float64
	Alert         float64
}

// SubClusterMetric is a sub-cluster's override of a metric.
type SubClusterMetric struct {
	Name   string // of the sub-cluster
	Remove bool   // the sub-cluster does not have the metric
	Limits
}

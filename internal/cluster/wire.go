package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// The structs below spell cluster.json (contract clustercockpit 5.5). Unknown members are ignored: files of real
// installations carry some that older versions had.

type wireCluster struct {
	Name        string           `json:"name"`
	Metrics     []wireMetric     `json:"metricConfig"`
	SubClusters []wireSubCluster `json:"subClusters"`
}

type wireUnit struct {
	Base   string `json:"base"`
	Prefix string `json:"prefix,omitempty"`
}

type wireLimits struct {
	Footprint     string  `json:"footprint,omitempty"`
	Energy        string  `json:"energy,omitempty"`
	LowerIsBetter bool    `json:"lowerIsBetter,omitempty"`
	Restrict      bool    `json:"restrict,omitempty"`
	Peak          float64 `json:"peak"`
	Normal        float64 `json:"normal"`
	Caution       float64 `json:"caution"`
	Alert         float64 `json:"alert"`
}

type wireMetric struct {
	Name        string   `json:"name"`
	Unit        wireUnit `json:"unit"`
	Scope       string   `json:"scope"`
	Timestep    int64    `json:"timestep"`
	Aggregation string   `json:"aggregation,omitempty"`
	wireLimits
	SubClusters []wireOverride `json:"subClusters,omitempty"`
}

type wireOverride struct {
	Name   string `json:"name"`
	Remove bool   `json:"remove,omitempty"`
	wireLimits
}

type wireQuantity struct {
	Unit  wireUnit `json:"unit"`
	Value float64  `json:"value"`
}

type wireSubCluster struct {
	Name            string       `json:"name"`
	Nodes           string       `json:"nodes"`
	ProcessorType   string       `json:"processorType"`
	SocketsPerNode  int          `json:"socketsPerNode"`
	CoresPerSocket  int          `json:"coresPerSocket"`
	ThreadsPerCore  int          `json:"threadsPerCore"`
	FlopRateScalar  wireQuantity `json:"flopRateScalar"`
	FlopRateSIMD    wireQuantity `json:"flopRateSimd"`
	MemoryBandwidth wireQuantity `json:"memoryBandwidth"`
	Topology        wireTopology `json:"topology"`
}

type wireTopology struct {
	Node         []int             `json:"node"`
	Socket       [][]int           `json:"socket"`
	MemoryDomain [][]int           `json:"memoryDomain"`
	Die          [][]int           `json:"die,omitempty"`
	Core         [][]int           `json:"core"`
	Accelerators []wireAccelerator `json:"accelerators,omitempty"`
}

type wireAccelerator struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Model string `json:"model"`
}

// Parse reads a cluster.json. It fails with everything that is wrong with the file, each line naming the member, as in
// metricConfig[3].timestep.
func Parse(data []byte) (*Cluster, error) {
	var w wireCluster
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, jsonError(data, err)
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

// jsonError adds the line to an error of the JSON decoder, which counts bytes.
func jsonError(data []byte, err error) error {
	offset := int64(-1)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
		err = fmt.Errorf("%s: expected %s, found %s", kind.Field, kind.Type, kind.Value)
	}
	if offset < 0 || offset > int64(len(data)) {
		return err
	}
	line := 1
	for _, b := range data[:offset] {
		if b == '\n' {
			line++
		}
	}
	return fmt.Errorf("line %d: %w", line, err)
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
		Aggregation: string(m.Aggregation), wireLimits: wireLimits(m.Limits),
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

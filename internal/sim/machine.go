// Package sim is a simulated cluster: nodes that measure themselves, a scheduler, users with good and bad habits.
//
// It speaks to a head node through the public interfaces only, with a token, as real collectors and adapters do. It is
// demo data, load and test fixture in one.
package sim

import (
	"fmt"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Hardware is what a node of one kind has.
type Hardware struct {
	SubCluster   string
	Processor    string
	Sockets      int
	CoresPerSock int
	Accelerators int
	Flops        float64 // GFlop/s, whole node
	MemBW        float64 // GB/s, whole node
	MemGB        float64
	AccMemGB     float64
	IdleWatt     float64 // a socket
	PeakWatt     float64 // a socket
}

// Threads returns the number of hardware threads of a node.
func (h Hardware) Threads() int { return h.Sockets * h.CoresPerSock }

// Machine is the simulated cluster's hardware.
type Machine struct {
	Name  string
	Step  time.Duration
	Nodes []Node
}

// Node is one simulated node.
type Node struct {
	Name string
	Hardware
}

// accelerator returns the PCI address of accelerator i.
func accelerator(i int) string { return fmt.Sprintf("00000000:%02X:00.0", 0x1b+0x20*i) }

func cpuHardware() Hardware {
	return Hardware{SubCluster: "milan", Processor: "AMD EPYC 7543", Sockets: 2, CoresPerSock: 16, Flops: 2600, MemBW: 380, MemGB: 256, IdleWatt: 62, PeakWatt: 225}
}

func gpuHardware() Hardware {
	return Hardware{SubCluster: "a100", Processor: "AMD EPYC 7713", Sockets: 1, CoresPerSock: 32, Accelerators: 4, Flops: 2200, MemBW: 190, MemGB: 512, AccMemGB: 40, IdleWatt: 80, PeakWatt: 240}
}

// NewMachine returns a cluster with that many nodes, a quarter of them (at least one) with accelerators.
func NewMachine(name string, nodes int, step time.Duration) Machine {
	m := Machine{Name: name, Step: step}
	gpus := max(1, nodes/4)
	for i := range nodes {
		hw := cpuHardware()
		if i >= nodes-gpus {
			hw = gpuHardware()
		}
		m.Nodes = append(m.Nodes, Node{Name: "n" + strconv.Itoa(i), Hardware: hw})
	}
	return m
}

// Cluster returns the configuration with which a head node understands the samples.
func (m Machine) Cluster() cluster.Cluster {
	c := cluster.Cluster{Name: m.Name, Metrics: m.metrics()}
	seen := map[string]bool{}
	for _, n := range m.Nodes {
		if !seen[n.SubCluster] {
			seen[n.SubCluster] = true
			c.SubClusters = append(c.SubClusters, m.subCluster(n.Hardware))
		}
	}
	return c
}

func (m Machine) subCluster(h Hardware) cluster.SubCluster {
	from, to := -1, -1
	for i, n := range m.Nodes {
		if n.SubCluster == h.SubCluster {
			if from < 0 {
				from = i
			}
			to = i
		}
	}
	return cluster.SubCluster{
		Name: h.SubCluster, NodesExpr: fmt.Sprintf("n[%d-%d]", from, to), ProcessorType: h.Processor,
		SocketsPerNode: h.Sockets, CoresPerSocket: h.CoresPerSock, ThreadsPerCore: 1,
		FlopRateScalar:  cluster.Quantity{Unit: metric.Unit{Base: "F/s", Prefix: "G"}, Value: h.Flops / 8},
		FlopRateSIMD:    cluster.Quantity{Unit: metric.Unit{Base: "F/s", Prefix: "G"}, Value: h.Flops},
		MemoryBandwidth: cluster.Quantity{Unit: metric.Unit{Base: "B/s", Prefix: "G"}, Value: h.MemBW},
		Topology:        h.topology(),
	}
}

func (h Hardware) topology() cluster.Topology {
	var t cluster.Topology
	for s := range h.Sockets {
		var socket []int
		for c := range h.CoresPerSock {
			id := s*h.CoresPerSock + c
			socket = append(socket, id)
			t.Node = append(t.Node, id)
			t.Core = append(t.Core, []int{id})
		}
		t.Socket = append(t.Socket, socket)
		t.MemoryDomain = append(t.MemoryDomain, socket)
	}
	for a := range h.Accelerators {
		t.Accelerators = append(t.Accelerators, cluster.Accelerator{ID: accelerator(a), Type: "Nvidia GPU", Model: "A100"})
	}
	return t
}

// limits are the thresholds of a metric: peak, normal, caution and alert.
func limits(peak, normal, caution, alert float64, footprint string) cluster.Limits {
	return cluster.Limits{Peak: peak, Normal: normal, Caution: caution, Alert: alert, Footprint: footprint}
}

func (m Machine) metrics() []cluster.MetricConfig {
	cpu := cpuHardware()
	threads := float64(cpu.Threads())
	g := func(base string) metric.Unit { return metric.Unit{Base: base, Prefix: "G"} }
	mb := metric.Unit{Base: "B/s", Prefix: "M"}
	power := limits(2*cpu.PeakWatt, 400, 150, 100, "avg")
	power.Energy = "power"
	memory := limits(cpu.MemGB, cpu.MemGB/2, cpu.MemGB*0.9, cpu.MemGB*0.96, "max")
	memory.LowerIsBetter = true
	list := []cluster.MetricConfig{
		{Name: "cpu_load", Scope: metric.ScopeNode, Limits: limits(threads, threads, threads*0.6, threads*0.3, "avg")},
		{Name: "cpu_user", Scope: metric.ScopeHWThread, Aggregation: metric.AggregateAvg, Unit: metric.Unit{Base: "%"}, Limits: limits(100, 90, 50, 25, "")},
		{Name: "flops_any", Scope: metric.ScopeHWThread, Aggregation: metric.AggregateSum, Unit: g("F/s"), Limits: limits(cpu.Flops, 800, 100, 30, "avg")},
		{Name: "mem_bw", Scope: metric.ScopeSocket, Aggregation: metric.AggregateSum, Unit: g("B/s"), Limits: limits(cpu.MemBW, 200, 60, 20, "avg")},
		{Name: "mem_used", Scope: metric.ScopeNode, Unit: g("B"), Limits: memory},
		{Name: "ipc", Scope: metric.ScopeHWThread, Aggregation: metric.AggregateAvg, Unit: metric.Unit{Base: "IPC"}, Limits: limits(4, 1.5, 0.8, 0.4, "")},
		{Name: "net_bw", Scope: metric.ScopeNode, Unit: mb, Limits: limits(12500, 2000, 1, 0, "")},
		{Name: "file_bw", Scope: metric.ScopeNode, Unit: mb, Limits: limits(4000, 500, 1, 0, "")},
		{Name: "cpu_power", Scope: metric.ScopeSocket, Aggregation: metric.AggregateSum, Unit: metric.Unit{Base: "W"}, Limits: power},
	}
	gpu := []cluster.MetricConfig{
		{Name: "acc_utilization", Scope: metric.ScopeAccelerator, Aggregation: metric.AggregateAvg, Unit: metric.Unit{Base: "%"}, Limits: limits(100, 80, 50, 20, "avg")},
		{Name: "acc_mem_used", Scope: metric.ScopeAccelerator, Aggregation: metric.AggregateSum, Unit: g("B"), Limits: limits(160, 120, 20, 5, "max")},
	}
	for i := range gpu {
		gpu[i].SubClusters = []cluster.SubClusterMetric{{Name: cpu.SubCluster, Remove: true}}
	}
	list = append(list, gpu...)
	for i := range list {
		list[i].Timestep = m.Step
	}
	return list
}

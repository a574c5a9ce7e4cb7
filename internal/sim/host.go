package sim

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/agent"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// HostCluster is the name of the cluster that has the user's own machine as its only node.
const HostCluster = "local"

// Host is the machine that the program runs on, as a node with one job.
type Host struct {
	Name string
	User string
	Proc fs.FS // /proc
	Step time.Duration
}

// Cluster returns the configuration of the cluster that is this one machine.
func (h Host) Cluster() (cluster.Cluster, error) {
	hw, err := agent.ReadHardware(h.Proc)
	if err != nil {
		return cluster.Cluster{}, err
	}
	top := topology(hw)
	threads := float64(len(hw.Threads))
	memory := limits(hw.MemGB, hw.MemGB/2, hw.MemGB*0.9, hw.MemGB*0.96, "max")
	memory.LowerIsBetter = true
	mb := metric.Unit{Base: "B/s", Prefix: "M"}
	c := cluster.Cluster{
		Name: HostCluster,
		Metrics: []cluster.MetricConfig{
			{Name: "cpu_load", Scope: metric.ScopeNode, Limits: limits(threads*1.5, threads, 0, 0, "avg")},
			{Name: "cpu_user", Scope: metric.ScopeHWThread, Aggregation: metric.AggregateAvg, Unit: metric.Unit{Base: "%"}, Limits: limits(100, 90, 0, 0, "avg")},
			{Name: "mem_used", Scope: metric.ScopeNode, Unit: metric.Unit{Base: "B", Prefix: "G"}, Limits: memory},
			{Name: "net_bw", Scope: metric.ScopeNode, Unit: mb, Limits: limits(1250, 100, 0, 0, "")},
			{Name: "file_bw", Scope: metric.ScopeNode, Unit: mb, Limits: limits(2000, 200, 0, 0, "")},
		},
		SubClusters: []cluster.SubCluster{{
			Name: "host", NodesExpr: h.Name, ProcessorType: hw.Processor, SocketsPerNode: len(top.Socket),
			CoresPerSocket: max(1, len(top.Core)/len(top.Socket)), ThreadsPerCore: max(1, len(hw.Threads)/len(top.Core)), Topology: top,
			// Nobody has measured what this machine can do; the roofline of a few cores is good enough to draw one.
			FlopRateScalar:  cluster.Quantity{Unit: metric.Unit{Base: "F/s", Prefix: "G"}, Value: 4 * threads},
			FlopRateSIMD:    cluster.Quantity{Unit: metric.Unit{Base: "F/s", Prefix: "G"}, Value: 32 * threads},
			MemoryBandwidth: cluster.Quantity{Unit: metric.Unit{Base: "B/s", Prefix: "G"}, Value: 20},
		}},
	}
	for i := range c.Metrics {
		c.Metrics[i].Timestep = h.Step
	}
	return c, nil
}

func topology(hw agent.Hardware) cluster.Topology {
	var t cluster.Topology
	sockets := map[int]int{}
	cores := map[[2]int]int{}
	for _, th := range hw.Threads {
		t.Node = append(t.Node, th.ID)
		s, ok := sockets[th.Socket]
		if !ok {
			s = len(t.Socket)
			sockets[th.Socket] = s
			t.Socket = append(t.Socket, nil)
		}
		t.Socket[s] = append(t.Socket[s], th.ID)
		at := [2]int{th.Socket, th.Core}
		c, ok := cores[at]
		if !ok {
			c = len(t.Core)
			cores[at] = c
			t.Core = append(t.Core, nil)
		}
		t.Core[c] = append(t.Core[c], th.ID)
	}
	t.MemoryDomain = slices.Clone(t.Socket)
	return t
}

// Run measures this machine until ctx ends, as the only node of its cluster with one job on it. A head that does not
// answer is tried again at the next step.
func (h Host) Run(ctx context.Context, c *client.Client, clk clock.Clock, log *slog.Logger) error {
	sampler := agent.NewSampler(h.Proc)
	begin := clk.Now().Truncate(time.Second)
	if err := h.startJob(ctx, c, begin); err != nil {
		return err
	}
	for tick := begin; ; tick = tick.Add(h.Step) {
		if err := clock.Sleep(ctx, clk, tick.Sub(clk.Now())); err != nil {
			return nil //nolint:nilerr // the end of the context is the normal end
		}
		if err := h.step(ctx, c, sampler, tick); err != nil && ctx.Err() == nil {
			log.Warn("this machine's samples were not taken; trying again", "error", err)
		}
	}
}

func (h Host) step(ctx context.Context, c *client.Client, sampler *agent.Sampler, at time.Time) error {
	measured, err := sampler.Read(at)
	if err != nil {
		return err
	}
	samples := make([]client.Sample, len(measured))
	for i, m := range measured {
		samples[i] = client.Sample{Metric: m.Metric, Host: h.Name, Type: m.Type, TypeID: m.ID, Time: at, Value: m.Value}
	}
	if err := c.WriteSamples(ctx, HostCluster, samples); err != nil {
		return err
	}
	return c.ReportNodes(ctx, HostCluster, []client.NodeReport{{Hostname: h.Name, States: []string{"ALLOCATED"}, JobsRunning: 1}})
}

// startJob ends what an earlier run has left and starts the job that this machine's samples belong to.
func (h Host) startJob(ctx context.Context, c *client.Client, now time.Time) error {
	head := remote{c}
	running, last, err := head.RunningJobs(ctx, HostCluster)
	if err != nil {
		return fmt.Errorf("list running jobs: %w", err)
	}
	for id, start := range running {
		if err := head.StopJob(ctx, HostCluster, id, start, now, "cancelled"); err != nil {
			return fmt.Errorf("end job %d of an earlier run: %w", id, err)
		}
	}
	_, err = c.StartJob(ctx, client.Job{
		JobID: last + 1, Cluster: HostCluster, User: h.User, Project: "local", NumNodes: 1, StartTime: now.Unix(),
		Resources: []client.JobResource{{Hostname: h.Name}},
		MetaData:  map[string]string{"jobName": "this-machine", "jobScript": "# what the machine that runs this demo does, read from /proc\n"},
	})
	return err
}

package node_test

import (
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

func TestReportedHostsBecomeNodes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	err := b.Report(ctx, script, "alpha", []node.Report{
		{Host: "n1", States: []string{"ALLOCATED"}, CPUsAllocated: 4, MemoryAllocated: 16000, GPUsAllocated: 1, JobsRunning: 2},
		{Host: "n2", States: []string{"IDLE", "DOWN"}},
		{Host: "elsewhere", States: []string{"IDLE"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := b.List(ctx, admin, node.Filter{Cluster: "alpha", SubCluster: "main"})
	if err != nil || len(nodes) != 2 {
		t.Fatalf("nodes are %+v, %v", nodes, err)
	}
	want := node.SchedulerReport{
		Time: b.clock.Now(), State: node.StateAllocated, CPUsAllocated: 4, MemoryAllocated: 16000, GPUsAllocated: 1, JobsRunning: 2,
	}
	if n := nodes[0]; n.Scheduler != want || n.Index != -1 || n.Status["state"] != "up" || n.Status["sched_state"] != "allocated" {
		t.Errorf("n1 is %+v", n)
	}
	if n := nodes[1]; n.Status["state"] != "down" {
		t.Errorf("n2 is %+v", n)
	}

	b.clock.Advance(time.Minute)
	if err := b.Report(ctx, script, "alpha", []node.Report{{Host: "n1", States: []string{"idle"}}}); err != nil {
		t.Fatal(err)
	}
	again, err := b.Get(ctx, admin, "n1")
	if err != nil || again.UID != nodes[0].UID || again.Scheduler.State != node.StateIdle {
		t.Errorf("n1 is %+v, %v", again, err)
	}
	b.clock.Advance(time.Hour)
	if again, err = b.Get(ctx, admin, "n1"); err != nil || again.Status["state"] != "unknown" {
		t.Errorf("after an hour n1 is %v, %v", again.Status, err)
	}
}

func TestManagedNodeJoinsTheClusterThatReportsIt(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"created first", "reported first"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			report := func() {
				t.Helper()
				if err := b.Report(t.Context(), script, "alpha", []node.Report{{Host: "n0", States: []string{"IDLE"}}}); err != nil {
					t.Fatal(err)
				}
			}
			if order == "reported first" {
				report()
			}
			made := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", Attributes: map[string]string{"a": "1"}})
			if n, err := b.Get(t.Context(), admin, "n0"); err != nil || n.UID != made.UID {
				t.Errorf("n0 is %+v, %v", n, err)
			}
			report()
			n, err := b.Get(t.Context(), admin, "n0")
			if err != nil || n.UID != made.UID || n.Cluster != "alpha" || n.SubCluster != "main" || n.Scheduler.State != node.StateIdle {
				t.Errorf("n0 is %+v, %v", n, err)
			}
			if all, err := b.List(t.Context(), admin, node.Filter{}); err != nil || len(all) != 1 {
				t.Errorf("there are %d nodes, %v", len(all), err)
			}
		})
	}
}

func TestManagedNodeTakesThePlaceOfAReportedOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.Report(t.Context(), script, "alpha", []node.Report{{Host: "n0", States: []string{"MIXED"}}}); err != nil {
		t.Fatal(err)
	}
	made := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", Name: "n0", Cluster: "alpha"})
	all, err := b.List(t.Context(), admin, node.Filter{})
	if err != nil || len(all) != 1 || all[0].UID != made.UID || all[0].Scheduler.State != node.StateMixed {
		t.Errorf("nodes are %+v, %v", all, err)
	}
}

func TestAdoptionRespectsTheClustersOwnNodes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	own := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", Cluster: "alpha"})
	stray := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:02"})
	if err := b.Report(t.Context(), script, "alpha", []node.Report{{Host: "n0", States: []string{"IDLE"}}}); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Get(t.Context(), admin, string(own.UID)); err != nil || n.Scheduler.State != node.StateIdle {
		t.Errorf("the cluster's own node is %+v, %v", n, err)
	}
	if n, err := b.Get(t.Context(), admin, string(stray.UID)); err != nil || n.Cluster != "" {
		t.Errorf("the other node is %+v, %v", n, err)
	}
}

func TestBadReportKeepsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	wantFault(t, b.Report(t.Context(), script, "", nil), fault.Invalid, "cluster is required")
	err := b.Report(t.Context(), script, "alpha", []node.Report{{Host: "n1"}, {Host: "../n2"}})
	wantFault(t, err, fault.Invalid, `"../n2"`)
	if all, err := b.List(t.Context(), admin, node.Filter{}); err != nil || len(all) != 0 {
		t.Errorf("nodes are %+v, %v", all, err)
	}
}

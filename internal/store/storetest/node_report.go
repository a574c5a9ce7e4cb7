package storetest

import (
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

func reported(n int, name string, state node.SchedulerState) node.Node {
	return node.Node{
		UID: uid(n), Cluster: "alpha", SubCluster: "main", Name: name, Index: -1, Type: node.TypeUnknown,
		Scheduler: node.SchedulerReport{Time: noon(), State: state, CPUsAllocated: 4, MemoryAllocated: 16000, GPUsAllocated: 1, JobsRunning: 2},
	}
}

func testNodeReport(db Database) {
	t := db.t
	known := createNode(t, db.Store, sampleNode(1))
	nodes := db.Store.Nodes()
	must(t, nodes.ReportNodes(t.Context(), []node.Node{reported(50, "n0", node.StateIdle), reported(51, "x1", node.StateDown)}))

	known.Scheduler = reported(0, "", node.StateIdle).Scheduler
	got, err := nodes.GetNode(t.Context(), known.UID)
	must(t, err)
	same(t, "known nodes", got, known)
	got, err = nodes.GetNode(t.Context(), uid(51))
	must(t, err)
	same(t, "unknown nodes", got, reported(51, "x1", node.StateDown))

	// The next report comes with new UIDs, of which nothing must be seen, and with a new sub-cluster.
	next := reported(61, "x1", node.StateAllocated)
	next.SubCluster, next.Scheduler.Time = "other", noon().Add(time.Minute)
	must(t, nodes.ReportNodes(t.Context(), []node.Node{next}))
	next.UID = uid(51)
	got, err = nodes.GetNode(t.Context(), uid(51))
	must(t, err)
	same(t, "nodes reported again", got, next)
	all, err := nodes.ListNodes(t.Context(), node.Filter{})
	must(t, err)
	same(t, "names", nodeNames(all), []string{"x1", "n0"})
}

func testNodeAdopt(db Database) {
	t := db.t
	must(t, db.Store.Nodes().ReportNodes(t.Context(), []node.Node{reported(50, "n0", node.StateIdle)}))
	want := createNode(t, db.Store, sampleNode(1))
	if want.Index != 0 || want.Name != "n0" {
		t.Fatalf("index %d and name %q, want 0 and n0", want.Index, want.Name)
	}
	want.Scheduler = reported(0, "", node.StateIdle).Scheduler
	all, err := db.Store.Nodes().ListNodes(t.Context(), node.Filter{})
	must(t, err)
	same(t, "nodes", all, []node.Node{want})
}

func testNodeUnknownGroup(db Database) {
	t := db.t
	n := sampleNode(1)
	n.Groups = []node.UID{"nothing"}
	_, err := db.Store.Nodes().CreateNode(t.Context(), n, pattern, record("node.create", "x"))
	wantKind(t, err, fault.Conflict)
	all, err := db.Store.Nodes().ListNodes(t.Context(), node.Filter{})
	must(t, err)
	if len(all) != 0 {
		t.Fatal("half of the node was created")
	}
}

func testNodeDelete(db Database) {
	t := db.t
	saveGroup(t, db.Store, sampleGroup("g1"))
	n := sampleNode(1)
	n.Groups = []node.UID{"uid-of-g1"}
	createNode(t, db.Store, n)
	must(t, db.Store.Nodes().ReportNodes(t.Context(), []node.Node{reported(50, "n0", node.StateIdle)}))
	must(t, db.Store.Nodes().DeleteNode(t.Context(), uid(1), record("node.delete", "node/n0")))
	wantLast(t, db.Store, "node.delete")
	must(t, db.Store.Nodes().DeleteGroup(t.Context(), "uid-of-g1", record("group.delete", "x")))
	again := createNode(t, db.Store, sampleNode(1))
	got, err := db.Store.Nodes().GetNode(t.Context(), uid(1))
	must(t, err)
	same(t, "nodes", got, again)
}

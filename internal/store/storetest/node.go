package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func nodeTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComesBackAsWritten":                 testNodeRoundTrip,
		"UnknownIsNotFound":                  testNodeNotFound,
		"NextFreeIndexFillsGaps":             testNodeIndex,
		"IndexWithForeignNameIsPassedOver":   testNodeIndexName,
		"TakenMACIndexOrNameIsConflict":      testNodeConflict,
		"UpdateReplacesAllButTheReport":      testNodeUpdate,
		"FoundByNameMACAddressAndPrefix":     testNodeFind,
		"ListSelectsInOrder":                 testNodeList,
		"ReportAddsUnknownAndUpdatesKnown":   testNodeReport,
		"ReportedNodeIsAdopted":              testNodeAdopt,
		"UnknownGroupIsConflict":             testNodeUnknownGroup,
		"DeleteTakesReportAndMembershipsToo": testNodeDelete,
	}
}

func uid(n int) node.UID { return node.UID(fmt.Sprintf("%08x%024x", n, n)) }

func mac(n int) string { return fmt.Sprintf("11:22:33:44:55:%02x", n) }

func pattern(index int) string { return fmt.Sprintf("n%d", index) }

// sampleNode returns a managed node with something in every field but index and name, which are left to the store.
func sampleNode(n int) node.Node {
	return node.Node{
		UID: uid(n), Cluster: "alpha", SubCluster: "main", Index: -1, Description: "about", Type: node.TypeCompute,
		MAC: mac(n), IP: fmt.Sprintf("10.0.0.%d", n), Attributes: map[string]string{"_boot_style": "rwram"}, PowerURI: "ipmi://x",
		Hardware: map[string]string{"cpus": "4"}, Status: map[string]string{"state": "up"}, Modified: noon(), ModifiedBy: "root",
	}
}

func createNode(t *testing.T, s *sqlstore.Store, n node.Node) node.Node {
	t.Helper()
	made, err := s.Nodes().CreateNode(t.Context(), n, pattern, record("node.create", "node"))
	must(t, err)
	return made
}

func nodeNames(all []node.Node) []string {
	names := make([]string, len(all))
	for i, n := range all {
		names[i] = n.Name
	}
	return names
}

func testNodeRoundTrip(db Database) {
	t := db.t
	saveGroup(t, db.Store, sampleGroup("g1"))
	saveGroup(t, db.Store, sampleGroup("g2"))
	n := sampleNode(1)
	n.Groups = []node.UID{"uid-of-g2", "uid-of-g1", "uid-of-g2"}
	want := createNode(t, db.Store, n)
	if want.Index != 0 || want.Name != "n0" {
		t.Fatalf("index %d and name %q, want 0 and n0", want.Index, want.Name)
	}
	got, err := db.Store.Nodes().GetNode(t.Context(), uid(1))
	must(t, err)
	same(t, "nodes", got, want)
	wantLast(t, db.Store, "node.create")
}

func testNodeNotFound(db Database) {
	t := db.t
	_, err := db.Store.Nodes().GetNode(t.Context(), uid(1))
	wantKind(t, err, fault.NotFound)
	wantKind(t, db.Store.Nodes().UpdateNode(t.Context(), sampleNode(1), record("node.update", "x")), fault.NotFound)
	wantKind(t, db.Store.Nodes().DeleteNode(t.Context(), uid(1), record("node.delete", "x")), fault.NotFound)
	for _, id := range []string{"", "n1", string(uid(1))} {
		found, err := db.Store.Nodes().FindNodes(t.Context(), id)
		must(t, err)
		if len(found) != 0 {
			t.Errorf("%q found %d nodes", id, len(found))
		}
	}
}

func testNodeIndex(db Database) {
	t := db.t
	explicit := sampleNode(1)
	explicit.Index = 1
	if got := createNode(t, db.Store, explicit); got.Name != "n1" {
		t.Fatalf("node with index 1 is called %q", got.Name)
	}
	var got []string
	for i := 2; i <= 4; i++ {
		got = append(got, createNode(t, db.Store, sampleNode(i)).Name)
	}
	same(t, "names", got, []string{"n0", "n2", "n3"})

	must(t, db.Store.Nodes().DeleteNode(t.Context(), uid(3), record("node.delete", "x")))
	if again := createNode(t, db.Store, sampleNode(5)); again.Index != 2 {
		t.Errorf("index %d, want the gap at 2", again.Index)
	}
	other := sampleNode(6)
	other.Cluster = "beta"
	if first := createNode(t, db.Store, other); first.Index != 0 {
		t.Errorf("index %d in another cluster, want 0", first.Index)
	}
}

func testNodeIndexName(db Database) {
	t := db.t
	named := sampleNode(1)
	named.Name, named.Index = "n0", 7
	createNode(t, db.Store, named)
	if got := createNode(t, db.Store, sampleNode(2)); got.Index != 1 || got.Name != "n1" {
		t.Fatalf("index %d and name %q, want 1 and n1", got.Index, got.Name)
	}
	login := sampleNode(3)
	login.Name = "login"
	if got := createNode(t, db.Store, login); got.Index != 0 || got.Name != "login" {
		t.Fatalf("index %d and name %q, want 0 and login", got.Index, got.Name)
	}
}

func testNodeConflict(db Database) {
	t := db.t
	createNode(t, db.Store, sampleNode(1))
	before := len(trailOf(t, db.Store))
	for word, change := range map[string]func(n *node.Node){
		"MAC":      func(n *node.Node) { n.MAC = mac(1) },
		"index 0":  func(n *node.Node) { n.Index, n.Name = 0, "other" },
		"already":  func(n *node.Node) { n.Index, n.Name = 5, "n0" },
		"it exist": func(n *node.Node) { n.UID = uid(1) },
	} {
		n := sampleNode(2)
		change(&n)
		_, err := db.Store.Nodes().CreateNode(t.Context(), n, pattern, record("node.create", "x"))
		wantKind(t, err, fault.Conflict)
		if msg := fault.Message(err); !strings.Contains(msg, word) {
			t.Errorf("message %q does not say %q", msg, word)
		}
	}
	second := createNode(t, db.Store, sampleNode(2))
	second.MAC = mac(1)
	wantKind(t, db.Store.Nodes().UpdateNode(t.Context(), second, record("node.update", "x")), fault.Conflict)
	if after := len(trailOf(t, db.Store)); after != before+1 {
		t.Errorf("%d audit records for one change", after-before)
	}
}

func testNodeUpdate(db Database) {
	t := db.t
	saveGroup(t, db.Store, sampleGroup("g1"))
	n := createNode(t, db.Store, sampleNode(1))
	report := node.SchedulerReport{Time: noon(), State: node.StateIdle, CPUsAllocated: 3}
	must(t, db.Store.Nodes().ReportNodes(t.Context(), []node.Node{{UID: uid(9), Cluster: "alpha", Name: "n0", Scheduler: report}}))

	want := node.Node{
		UID: n.UID, Cluster: "beta", SubCluster: "s", Name: "m3", Index: 3, Description: "d", Type: node.TypeHead, MAC: mac(7), IP: "10.1.1.1",
		Groups: []node.UID{"uid-of-g1"}, Modified: noon().Add(time.Hour), ModifiedBy: "boss",
	}
	must(t, db.Store.Nodes().UpdateNode(t.Context(), want, record("node.update", "node/m3")))
	want.Scheduler = report
	got, err := db.Store.Nodes().GetNode(t.Context(), n.UID)
	must(t, err)
	same(t, "nodes", got, want)
	wantLast(t, db.Store, "node.update")
}

func testNodeFind(db Database) {
	t := db.t
	a, b := sampleNode(0xabcdef1), sampleNode(0xabcdef2)
	a.MAC, a.IP, b.MAC, b.IP = mac(1), "10.0.0.1", mac(2), "10.0.0.2"
	a.MAC = "aa:bb:cc:dd:ee:ff"
	createNode(t, db.Store, a)
	createNode(t, db.Store, b)
	for id, want := range map[string][]string{
		"n0":                {"n0"},
		"aa:bb:cc:dd:ee:ff": {"n0"},
		"AA:BB:CC:DD:EE:FF": {"n0"},
		"10.0.0.2":          {"n1"},
		"0abcdef1":          {"n0"},
		"0ABCDEF1":          {"n0"},
		"0abcdef":           {"n0", "n1"},
		"0abcd":             {"n0", "n1"},
		"0abc":              {},
		"0abcdef3":          {},
		string(b.UID):       {"n1"},
		"n":                 {},
		"%":                 {},
	} {
		found, err := db.Store.Nodes().FindNodes(t.Context(), id)
		must(t, err)
		same(t, "nodes found by "+id, nodeNames(found), want)
	}
}

func testNodeList(db Database) {
	t := db.t
	for i := 12; i > 0; i-- {
		n := sampleNode(i)
		n.Index = i
		createNode(t, db.Store, n)
	}
	other := sampleNode(20)
	other.Cluster, other.SubCluster = "Zeta", "s"
	createNode(t, db.Store, other)
	for name, c := range map[string]struct {
		filter node.Filter
		want   string
	}{
		"everything":  {node.Filter{Cluster: "alpha"}, "n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 n12"},
		"sub-cluster": {node.Filter{SubCluster: "s"}, "n0"},
		"names":       {node.Filter{Cluster: "alpha", Names: []string{"n11", "n2", "n99"}}, "n2 n11"},
		"nothing":     {node.Filter{Cluster: "gamma"}, ""},
	} {
		all, err := db.Store.Nodes().ListNodes(t.Context(), c.filter)
		must(t, err)
		same(t, "nodes by "+name, strings.Join(nodeNames(all), " "), c.want)
	}
	all, err := db.Store.Nodes().ListNodes(t.Context(), node.Filter{})
	must(t, err)
	if len(all) != 13 {
		t.Errorf("%d nodes, want 13", len(all))
	}
	_, err = db.Store.Nodes().ListNodes(t.Context(), node.Filter{Names: make([]string, 50_000)})
	wantKind(t, err, fault.TooLarge)
}

package storetest

import (
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func groupTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComeBackByName":           testGroupRoundTrip,
		"SaveReplaces":             testGroupReplace,
		"TakenNameIsConflict":      testGroupConflict,
		"OneIsTheDefault":          testGroupDefault,
		"DeleteInUseIsConflict":    testGroupInUse,
		"DeleteUnknownIsNotFound":  testGroupNotFound,
		"NodesKeepTheirGroupOrder": testGroupOrder,
	}
}

func sampleGroup(name string) node.Group {
	return node.Group{
		UID: node.UID("uid-of-" + name), Name: name, Description: "about " + name,
		Attributes: map[string]string{"_boot_config": "DefaultBoot"}, Modified: noon(), ModifiedBy: "root",
	}
}

func saveGroup(t *testing.T, s *sqlstore.Store, g node.Group) {
	t.Helper()
	must(t, s.Nodes().SaveGroup(t.Context(), g, record("group.save", "group/"+g.Name)))
}

func wantGroups(t *testing.T, s *sqlstore.Store, want ...node.Group) {
	t.Helper()
	got, err := s.Nodes().ListGroups(t.Context())
	must(t, err)
	same(t, "groups", got, want)
}

func testGroupRoundTrip(db Database) {
	t := db.t
	wantGroups(t, db.Store)
	b, a := sampleGroup("b"), sampleGroup("a")
	b.Attributes = nil
	saveGroup(t, db.Store, b)
	saveGroup(t, db.Store, a)
	wantGroups(t, db.Store, a, b)
	wantLast(t, db.Store, "group.save")
}

func testGroupReplace(db Database) {
	t := db.t
	g := sampleGroup("a")
	saveGroup(t, db.Store, g)
	g.Name, g.Description, g.Attributes = "z", "d", map[string]string{}
	g.Default, g.Modified, g.ModifiedBy = true, noon().Add(time.Hour), "boss"
	saveGroup(t, db.Store, g)
	wantGroups(t, db.Store, g)
}

func testGroupConflict(db Database) {
	t := db.t
	saveGroup(t, db.Store, sampleGroup("a"))
	g := sampleGroup("b")
	g.Name = "a"
	wantKind(t, db.Store.Nodes().SaveGroup(t.Context(), g, record("group.save", "x")), fault.Conflict)
	wantGroups(t, db.Store, sampleGroup("a"))
}

func testGroupDefault(db Database) {
	t := db.t
	a, b := sampleGroup("a"), sampleGroup("b")
	a.Default, b.Default = true, true
	saveGroup(t, db.Store, a)
	saveGroup(t, db.Store, b)
	a.Default = false
	wantGroups(t, db.Store, a, b)
	saveGroup(t, db.Store, b) // a default group that is saved again stays it
	wantGroups(t, db.Store, a, b)
}

func testGroupInUse(db Database) {
	t := db.t
	saveGroup(t, db.Store, sampleGroup("a"))
	n := sampleNode(1)
	n.Groups = []node.UID{"uid-of-a"}
	n = createNode(t, db.Store, n)
	wantKind(t, db.Store.Nodes().DeleteGroup(t.Context(), "uid-of-a", record("group.delete", "x")), fault.Conflict)
	n.Groups = nil
	must(t, db.Store.Nodes().UpdateNode(t.Context(), n, record("node.update", "x")))
	must(t, db.Store.Nodes().DeleteGroup(t.Context(), "uid-of-a", record("group.delete", "group/a")))
	wantGroups(t, db.Store)
	wantLast(t, db.Store, "group.delete")
}

func testGroupNotFound(db Database) {
	t := db.t
	wantKind(t, db.Store.Nodes().DeleteGroup(t.Context(), "nothing", record("group.delete", "x")), fault.NotFound)
}

func testGroupOrder(db Database) {
	t := db.t
	for _, name := range []string{"a", "b", "c"} {
		saveGroup(t, db.Store, sampleGroup(name))
	}
	n := sampleNode(1)
	n.Groups = []node.UID{"uid-of-c", "uid-of-a", "uid-of-b"}
	n = createNode(t, db.Store, n)
	n.Groups = []node.UID{"uid-of-b", "uid-of-c"}
	must(t, db.Store.Nodes().UpdateNode(t.Context(), n, record("node.update", "x")))
	all, err := db.Store.Nodes().ListNodes(t.Context(), node.Filter{})
	must(t, err)
	same(t, "nodes", all, []node.Node{n})
}

package node_test

import (
	"slices"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

func TestGroupAttributesReplaceMergeAndClear(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	created := b.mustCreateGroup(t, "gpu", map[string]string{"a": "1", "_b": "2"})

	g, err := b.MergeGroupAttributes(ctx, production, "gpu", map[string]string{"c": "3"})
	if err != nil || len(g.Attributes) != 3 || g.UID != created.UID {
		t.Errorf("merged: %+v, %v", g, err)
	}
	g, removed, err := b.SetGroupAttributes(ctx, production, string(created.UID), map[string]string{"c": "4"})
	if err != nil || len(g.Attributes) != 1 || !slices.Equal(removed, []string{"_b", "a"}) {
		t.Errorf("replaced: %+v, removed %q, %v", g, removed, err)
	}
	g, removed, err = b.ClearGroupAttributes(ctx, production, string(created.UID[:8]), "c", "x")
	if err != nil || len(g.Attributes) != 0 || !slices.Equal(removed, []string{"c"}) {
		t.Errorf("cleared: %+v, removed %q, %v", g, removed, err)
	}
	g, err = b.UpdateGroup(ctx, production, "gpu", node.GroupUpdate{Name: ptr("accel"), Description: ptr("with GPUs"), Attributes: &map[string]string{"d": "1"}})
	if err != nil || g.Name != "accel" || g.Description != "with GPUs" || g.Attributes["d"] != "1" {
		t.Errorf("updated: %+v, %v", g, err)
	}
}

func TestGroupMistakesAreTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	b.mustCreateGroup(t, "g1", nil)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", Groups: []string{"g1"}})

	_, err := b.CreateGroup(ctx, admin, node.NewGroup{Name: "g1"})
	wantFault(t, err, fault.Conflict, "g1")
	_, err = b.CreateGroup(ctx, admin, node.NewGroup{Name: "1g"})
	wantFault(t, err, fault.Invalid, "group name")
	_, err = b.CreateGroup(ctx, admin, node.NewGroup{Name: "g3", Attributes: map[string]string{"a b": ""}})
	wantFault(t, err, fault.Invalid, `"a b"`)
	_, err = b.GetGroup(ctx, admin, "g9")
	wantFault(t, err, fault.NotFound, "No attribute group found for ID=g9")
	wantFault(t, b.DeleteGroup(ctx, admin, "g1"), fault.Conflict, "nodes are in")
	wantFault(t, b.DeleteGroup(ctx, admin, "DefaultAttribs"), fault.Conflict, "default group")
	_, err = b.JoinGroups(ctx, admin, "n0", "DefaultAttribs")
	wantFault(t, err, fault.Invalid, "every node is in")

	if _, err := b.LeaveGroups(ctx, admin, "n0", "g1"); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteGroup(ctx, admin, "g1"); err != nil {
		t.Error(err)
	}
}

func TestJoinKeepsThePlaceOfAGroup(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	g1, g2 := b.mustCreateGroup(t, "g1", nil), b.mustCreateGroup(t, "g2", nil)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", Groups: []string{"g1"}})
	n, err := b.JoinGroups(t.Context(), admin, "n0", "g2", "g1")
	if err != nil || !slices.Equal(n.Groups, []node.UID{g1.UID, g2.UID}) {
		t.Errorf("groups are %v, %v", n.Groups, err)
	}
}

func TestAnotherGroupCanBecomeTheDefault(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	b.mustCreateGroup(t, "site", map[string]string{"a": "1"})
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01"})

	_, err := b.SetDefaultGroup(ctx, production, "site")
	wantFault(t, err, fault.Denied, "ClusterWrite")
	_, err = b.SetDefaultGroup(ctx, admin, "nope")
	wantFault(t, err, fault.NotFound, "nope")
	if g, err := b.SetDefaultGroup(ctx, admin, "site"); err != nil || !g.Default {
		t.Fatalf("default group is %+v, %v", g, err)
	}
	e, err := b.Attributes(ctx, admin, "n0")
	if err != nil || len(e) != 1 || e["a"].From.String() != "default" {
		t.Errorf("attributes are %v, %v", e, err)
	}
	if err := b.DeleteGroup(ctx, admin, "DefaultAttribs"); err != nil {
		t.Errorf("the old default group cannot be deleted: %v", err)
	}
	wantFault(t, b.DeleteGroup(ctx, admin, "site"), fault.Conflict, "default group")
}

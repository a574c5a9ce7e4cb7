package node_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

func TestInheritanceThroughTheService(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01"})
	b.mustCreateGroup(t, "g1", exampleG1.Attributes)
	b.mustCreateGroup(t, "g2", exampleG2.Attributes)
	steps := []struct {
		name string
		do   func() error
		want map[string]string
	}{
		{"default group", func() error {
			_, _, err := b.SetGroupAttributes(ctx, admin, "DefaultAttribs", exampleDefault.Attributes)
			return err
		}, map[string]string{"a": "1", "b": "1"}},
		{"join", func() error { _, err := b.JoinGroups(ctx, production, "n0", "g1", "g2", "g1"); return err }, map[string]string{"a": "1", "b": "2", "c": "3"}},
		{"own value", func() error {
			_, err := b.MergeAttributes(ctx, production, "n0", map[string]string{"a": "9"})
			return err
		}, map[string]string{"a": "9", "b": "2", "c": "3"}},
		{"other order", func() error { _, err := b.SetGroups(ctx, production, "n0", "g2", "g1"); return err }, map[string]string{"a": "9", "b": "2", "c": "2"}},
		{"leave", func() error { _, err := b.LeaveGroups(ctx, production, "n0", "g1"); return err }, map[string]string{"a": "9", "b": "1", "c": "3"}},
		{"clear", func() error { _, err := b.ClearAttributes(ctx, production, "n0", "a"); return err }, map[string]string{"a": "1", "b": "1", "c": "3"}},
		{"default group changes", func() error {
			_, err := b.MergeGroupAttributes(ctx, admin, "DefaultAttribs", map[string]string{"a": "5"})
			return err
		}, map[string]string{"a": "5", "b": "1", "c": "3"}},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		e, err := b.Attributes(ctx, manager, "n0")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.want, e.Values()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}

func TestSetReplacesAndSaysWhatWent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", Attributes: map[string]string{"a": "1", "_b": "2", "c": "3"}})
	got, err := b.SetAttributes(t.Context(), production, "n0", map[string]string{"_boot_style": "rwram", "c": "4"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"_boot_style": "rwram", "c": "4", "_boot_config": "DefaultBoot"}
	if diff := cmp.Diff(want, got.Attributes.Values()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.Equal(got.Removed, []string{"_b", "a"}) {
		t.Errorf("removed are %q", got.Removed)
	}
	got, err = b.ClearAttributes(t.Context(), production, "n0", "c", "never", "_boot_style")
	if err != nil || !slices.Equal(got.Removed, []string{"_boot_style", "c"}) {
		t.Errorf("removed are %q, %v", got.Removed, err)
	}
}

func TestReservedAttributesAreHiddenFromAuthUser(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", Attributes: map[string]string{"_b": "2", "c": "3"}})
	e, err := b.Attributes(t.Context(), authUser, "n0")
	if err != nil {
		t.Fatal(err)
	}
	n, err := b.Get(t.Context(), authUser, "n0")
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := b.List(t.Context(), authUser, node.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := b.GetGroup(t.Context(), authUser, "DefaultAttribs")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"c": "3"}
	for what, got := range map[string]map[string]string{"effective": e.Values(), "record": n.Attributes, "list": nodes[0].Attributes} {
		if !maps.Equal(got, want) {
			t.Errorf("%s: attributes are %v", what, got)
		}
	}
	if len(g.Attributes) != 0 {
		t.Errorf("group shows %v", g.Attributes)
	}
	if n, err := b.Get(t.Context(), with(identity.NodesRead), "n0"); err != nil || len(n.Attributes) != 0 {
		t.Errorf("without NodesReadAttribs the record shows %v, %v", n.Attributes, err)
	}
}

func TestRemovingAReservedAttributeNeedsThePermissionToo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	made := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", Attributes: map[string]string{"_b": "2", "c": "3"}})
	plain := with(identity.NodesWriteAttribs)
	_, err := b.SetAttributes(t.Context(), plain, "n0", map[string]string{"c": "4"})
	wantFault(t, err, fault.Denied, "NodesWriteReserv")
	got, err := b.MergeAttributes(t.Context(), plain, "n0", map[string]string{"c": "4"})
	if err != nil || len(got.Attributes) != 0 {
		t.Errorf("who may write but not read is shown %v, %v", got.Attributes, err)
	}
	if kept := b.stored(t, made.UID).Attributes; !maps.Equal(kept, map[string]string{"c": "4", "_b": "2"}) {
		t.Errorf("attributes are %v", kept)
	}
}

func TestAttributeLimits(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01"})
	many := map[string]string{}
	for i := range 1001 {
		many["a"+strings.Repeat("x", i%100)+string(rune('a'+i%26))+strings.Repeat("y", i/100)] = ""
	}
	for text, values := range map[string]map[string]string{
		`"9a"`:               {"9a": ""},
		`""`:                 {"": ""},
		`"é"`:                {"é": ""},
		`"a\n"`:              {"a\n": ""},
		"not text":           {"a": "\xff"},
		"a is not text":      {"a": "x\x00"},
		"longer than":        {"a": strings.Repeat("x", 64<<10+1)},
		"are too many":       many,
		"attribute name \"a": {strings.Repeat("a", 129): ""},
	} {
		_, err := b.SetAttributes(t.Context(), admin, "n0", values)
		wantFault(t, err, fault.Invalid, text)
	}
}

// TestSetIsWhatIsReadBack states that what was set is the node's own part afterwards, and that a merge of everything
// that was cleared restores it.
func TestSetIsWhatIsReadBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01"})
	attributes := rapid.MapOfN(rapid.StringMatching("[A-Za-z_][A-Za-z0-9_]{0,3}"), rapid.StringMatching(`[^\x00]{0,5}`), 0, 6)
	rapid.Check(t, func(rt *rapid.T) {
		values := attributes.Draw(rt, "values")
		set, err := b.SetAttributes(t.Context(), admin, "n0", values)
		if err != nil || !maps.Equal(set.Attributes.Own(), values) {
			rt.Fatalf("own is %v, want %v, %v", set.Attributes.Own(), values, err)
		}
		gone := slices.Collect(maps.Keys(attributes.Draw(rt, "gone")))
		cleared, err := b.ClearAttributes(t.Context(), admin, "n0", gone...)
		if err != nil {
			rt.Fatal(err)
		}
		for _, name := range gone {
			if _, ok := cleared.Attributes.Own()[name]; ok {
				rt.Fatalf("%s is still there", name)
			}
		}
		merged, err := b.MergeAttributes(t.Context(), admin, "n0", values)
		if err != nil || !maps.Equal(merged.Attributes.Own(), values) {
			rt.Fatalf("own is %v, want %v, %v", merged.Attributes.Own(), values, err)
		}
	})
}

package node_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// The worked example of contract clusterware 5.2.
var (
	exampleDefault = node.Group{Name: "DefaultAttribs", Attributes: map[string]string{"a": "1", "b": "1"}}
	exampleG1      = node.Group{Name: "g1", Attributes: map[string]string{"b": "2", "c": "2"}}
	exampleG2      = node.Group{Name: "g2", Attributes: map[string]string{"c": "3"}}
)

func TestLaterLayersWin(t *testing.T) {
	t.Parallel()
	own := map[string]string{"a": "9"}
	for _, c := range []struct {
		name   string
		groups []node.Group
		own    map[string]string
		want   map[string]string
	}{
		{"worked example", []node.Group{exampleG1, exampleG2}, own, map[string]string{"a": "9", "b": "2", "c": "3"}},
		{"other order", []node.Group{exampleG2, exampleG1}, own, map[string]string{"a": "9", "b": "2", "c": "2"}},
		{"own value cleared", []node.Group{exampleG1, exampleG2}, nil, map[string]string{"a": "1", "b": "2", "c": "3"}},
		{"no groups", nil, own, map[string]string{"a": "9", "b": "1"}},
	} {
		if diff := cmp.Diff(c.want, node.Explain(exampleDefault, c.groups, c.own).Values()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestExplainNamesOriginAndWhatItHides(t *testing.T) {
	t.Parallel()
	e := node.Explain(exampleDefault, []node.Group{exampleG1, exampleG2}, map[string]string{"c": "4"})
	want := node.Effective{
		Setting: node.Setting{Value: "4", From: node.Origin{Kind: node.OriginNode}},
		Shadowed: []node.Setting{
			{Value: "3", From: node.Origin{Kind: node.OriginGroup, Group: "g2"}},
			{Value: "2", From: node.Origin{Kind: node.OriginGroup, Group: "g1"}},
		},
	}
	if diff := cmp.Diff(want, e["c"]); diff != "" {
		t.Errorf("c (-want +got):\n%s", diff)
	}
	if got := e["a"].From.String() + " " + e["b"].From.String() + " " + e["c"].From.String(); got != "default g1 node" {
		t.Errorf("origins are %s", got)
	}
}

// TestExplainFollowsTheLaws checks against the slow and obvious answer: search the layers from the strongest one.
func TestExplainFollowsTheLaws(t *testing.T) {
	t.Parallel()
	attributes := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "_c", "_d"}), rapid.StringMatching("[0-9]"), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		def := node.Group{Name: "default", Attributes: attributes.Draw(t, "default")}
		own := attributes.Draw(t, "own")
		var groups []node.Group
		for i, a := range rapid.SliceOfN(attributes, 0, 4).Draw(t, "groups") {
			groups = append(groups, node.Group{Name: fmt.Sprint("g", i), Attributes: a})
		}
		layers := []map[string]string{own}
		for _, g := range slices.Backward(groups) {
			layers = append(layers, g.Attributes)
		}
		layers = append(layers, def.Attributes)

		got := node.Explain(def, groups, own)
		for _, name := range []string{"a", "b", "_c", "_d"} {
			var values []string
			for _, l := range layers {
				if v, ok := l[name]; ok {
					values = append(values, v)
				}
			}
			e, ok := got[name]
			if ok != (len(values) > 0) {
				t.Fatalf("%s is there: %t", name, ok)
			}
			if !ok {
				continue
			}
			seen := []string{e.Value}
			for _, s := range e.Shadowed {
				seen = append(seen, s.Value)
			}
			if !slices.Equal(seen, values) {
				t.Fatalf("%s is %v, want %v", name, seen, values)
			}
		}
		if !maps.Equal(got.Own(), own) {
			t.Fatalf("own values are %v, want %v", got.Own(), own)
		}
	})
}

func ExampleExplain() {
	def := node.Group{Name: "DefaultAttribs", Attributes: map[string]string{"_boot_config": "DefaultBoot"}}
	gpu := node.Group{Name: "gpu", Attributes: map[string]string{"_boot_config": "GPUBoot"}}
	e := node.Explain(def, []node.Group{gpu}, map[string]string{"rack": "r7"})
	for _, name := range slices.Sorted(maps.Keys(e)) {
		fmt.Println(name, e[name].Value, "from", e[name].From)
	}
	// Output:
	// _boot_config GPUBoot from gpu
	// rack r7 from node
}

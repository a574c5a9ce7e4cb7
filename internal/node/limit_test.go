package node_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// limited returns a caller with all permissions on nodes, but only on those of the expression.
func limited(tb testing.TB, expr string) identity.Caller {
	tb.Helper()
	set, err := identity.ParseNodeSet(expr)
	if err != nil {
		tb.Fatal(err)
	}
	c := with(identity.All().List()...)
	c.Limits = []identity.NodeLimit{{Permissions: identity.PerNode(), Nodes: set}}
	return c
}

// newHall returns a bench with n1 to n3 and n9, of which n9 has something in every field.
func newHall(t *testing.T) (b *bench, n1, n9 node.Node) {
	t.Helper()
	b = newBench(t)
	b.mustCreateGroup(t, "gpu", map[string]string{"accel": "a100"})
	for i := 1; i <= 3; i++ {
		n := b.mustCreate(t, node.NewNode{MAC: fmt.Sprintf("08:00:27:00:00:%02d", i), Index: &i, Cluster: "alpha"})
		if i == 1 {
			n1 = n
		}
	}
	n9 = b.mustCreate(t, node.NewNode{
		MAC: "08:00:27:00:00:09", Index: ptr(9), Cluster: "alpha", Description: "hidden machine", IP: "10.0.0.9",
		PowerURI: "ipmi://hidden:pass@bmc9", Attributes: map[string]string{"a": "hidden value", "_b": "hidden value"}, Groups: []string{"gpu"},
	})
	return b, n1, n9
}

// addressed is every way to name one node in a call.
var addressed = map[string]func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error){
	"Get": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return s.Get(ctx, c, id)
	},
	"Delete": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return nil, s.Delete(ctx, c, id)
	},
	"Attributes": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return s.Attributes(ctx, c, id)
	},
	"Update": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return s.Update(ctx, c, id, node.Update{Description: ptr("mine"), Name: ptr("n2"), Groups: &[]string{}, Attributes: &map[string]string{"a": "1"}})
	},
	"SetAttributes": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return s.SetAttributes(ctx, c, id, map[string]string{"a": "1"})
	},
	"MergeAttributes": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return s.MergeAttributes(ctx, c, id, map[string]string{"_b": "1"})
	},
	"ClearAttributes": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return s.ClearAttributes(ctx, c, id, "a")
	},
	"JoinGroups": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return s.JoinGroups(ctx, c, id, "gpu")
	},
	"SetGroups": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return s.SetGroups(ctx, c, id)
	},
	"LeaveGroups": func(ctx context.Context, s *node.Service, c identity.Caller, id string) (any, error) {
		return s.LeaveGroups(ctx, c, id, "gpu")
	},
}

// otherwise are the methods that do not name a single node; the tests below call those that are about nodes.
var otherwise = []string{
	"Create", "List", "Report", "Pattern", "EnsureDefaults", "SetDefaultGroup", "ListGroups", "GetGroup", "CreateGroup", "UpdateGroup",
	"SetGroupAttributes", "MergeGroupAttributes", "ClearGroupAttributes", "DeleteGroup",
}

func TestNoMethodIsForgotten(t *testing.T) {
	t.Parallel()
	for m := range reflect.TypeFor[*node.Service]().Methods() {
		if addressed[m.Name] == nil && !slices.Contains(otherwise, m.Name) {
			t.Errorf("%s is new: does it keep the limits to nodes?", m.Name)
		}
	}
}

// TestLimitedCallerNeverMeetsAnotherNode calls everything by every name that n9 has: it must be as if there were no such
// node.
func TestLimitedCallerNeverMeetsAnotherNode(t *testing.T) {
	t.Parallel()
	b, n1, n9 := newHall(t)
	before := b.stored(t, n9.UID)
	ids := []string{
		"n9", string(n9.UID), string(n9.UID[:8]), "08:00:27:00:00:09", "08-00-27-00-00-09", "0800.2700.0009", "080027000009", "10.0.0.9",
	}
	byCluster := with(identity.All().List()...)
	byCluster.Clusters = []string{"beta"}
	for what, c := range map[string]identity.Caller{"nodes": limited(t, "n[1-3]"), "wildcards": limited(t, "n*,^n9"), "clusters": byCluster} {
		for method, call := range addressed {
			for _, id := range ids {
				_, err := call(t.Context(), b.Service, c, id)
				if !fault.Is(err, fault.NotFound) || fault.Message(err) != "No node found for ID="+id {
					t.Errorf("limit to %s: %s(%s): %v", what, method, id, err)
				}
			}
		}
		list, err := b.List(t.Context(), c, node.Filter{})
		if err != nil || slices.ContainsFunc(list, func(n node.Node) bool { return n.UID == n9.UID }) {
			t.Errorf("limit to %s: the list has it, %v", what, err)
		}
		list, err = b.List(t.Context(), c, node.Filter{Cluster: "alpha", Names: []string{"n9"}})
		if err != nil || len(list) != 0 {
			t.Errorf("limit to %s: the list by name is %v, %v", what, list, err)
		}
	}
	if diff := cmp.Diff(before, b.stored(t, n9.UID)); diff != "" {
		t.Errorf("n9 has changed (-want +got):\n%s", diff)
	}
	// And the limit leaves what is inside of it.
	c := limited(t, "n[1-3]")
	if list, err := b.List(t.Context(), c, node.Filter{}); err != nil || len(list) != 3 {
		t.Errorf("%d nodes, %v", len(list), err)
	}
	for method, call := range addressed {
		if method == "Delete" || method == "Update" {
			continue
		}
		if _, err := call(t.Context(), b.Service, c, string(n1.UID)); err != nil {
			t.Errorf("%s(n1): %v", method, err)
		}
	}
}

func TestLimitHoldsForWhatANodeBecomes(t *testing.T) {
	t.Parallel()
	b, _, _ := newHall(t)
	ctx, c := t.Context(), limited(t, "n[1-5]")
	mac := "08:00:27:00:01:00"
	create := func(c identity.Caller, n node.NewNode) error {
		n.MAC, n.Cluster = mac, "alpha"
		_, err := b.Create(ctx, c, n)
		return err
	}
	update := func(id string, up node.Update) error {
		_, err := b.Update(ctx, c, id, up)
		return err
	}
	for what, err := range map[string]error{
		"create by name":            create(c, node.NewNode{Name: "n7"}),
		"create by index":           create(c, node.NewNode{Index: ptr(7)}),
		"create with a taken name":  create(c, node.NewNode{Name: "n9"}),
		"create by chance":          create(c, node.NewNode{}),
		"rename":                    update("n1", node.Update{Name: ptr("n7")}),
		"rename to a taken name":    update("n1", node.Update{Name: ptr("n9")}),
		"rename by index":           update("n1", node.Update{Index: ptr(7)}),
		"rename to another pattern": update("n1", node.Update{Name: ptr("login")}),
		"report":                    b.Report(ctx, c, "alpha", []node.Report{{Host: "n1", States: []string{"idle"}}, {Host: "n9", States: []string{"down"}}}),
	} {
		wantFault(t, err, fault.Denied, "")
		if text := fault.Message(err); strings.Contains(text, "hidden") || strings.Contains(text, "taken") {
			t.Errorf("%s: %s", what, text)
		}
	}
	// Uniqueness cannot be hidden; whose it is can.
	for what, err := range map[string]error{
		"MAC":          update("n1", node.Update{MAC: ptr("08:00:27:00:00:09")}),
		"IP":           update("n1", node.Update{IP: ptr("10.0.0.9")}),
		"index":        update("n1", node.Update{Index: ptr(9), Name: ptr("n1")}),
		"create index": create(c, node.NewNode{Name: "n4", Index: ptr(9)}),
	} {
		wantFault(t, err, fault.Conflict, "taken")
		if text := fault.Message(err); strings.Contains(text, "n9") || strings.Contains(text, "node n") {
			t.Errorf("%s: %s", what, text)
		}
	}
	if err := create(c, node.NewNode{Name: "n4", Groups: []string{"gpu"}, Attributes: map[string]string{"_x": "1"}}); err != nil {
		t.Errorf("inside of the limit: %v", err)
	}
	if err := update("n1", node.Update{Name: ptr("n5")}); err != nil {
		t.Errorf("rename inside of the limit: %v", err)
	}
	if err := b.Report(ctx, c, "alpha", []node.Report{{Host: "n5", States: []string{"idle"}}}); err != nil {
		t.Errorf("report inside of the limit: %v", err)
	}
}

// TestReadingEverythingDoesNotWidenWriting has callers who read all nodes and write some: they are told what they lack.
func TestReadingEverythingDoesNotWidenWriting(t *testing.T) {
	t.Parallel()
	b, _, n9 := newHall(t)
	before := b.stored(t, n9.UID)
	c := limited(t, "n[1-3]")
	c.Limits[0].Permissions = identity.PerNode().Minus(identity.ReadOnly())
	for method, call := range addressed {
		_, err := call(t.Context(), b.Service, c, "n9")
		if reads := method == "Get" || method == "Attributes"; reads != (err == nil) {
			t.Errorf("%s: %v", method, err)
		}
		if err != nil {
			wantFault(t, err, fault.Denied, "on node n9")
		}
	}
	if diff := cmp.Diff(before, b.stored(t, n9.UID)); diff != "" {
		t.Errorf("n9 has changed (-want +got):\n%s", diff)
	}
}

// TestRenamingGainsNoRight has a caller who may rename every node and write the attributes of some.
func TestRenamingGainsNoRight(t *testing.T) {
	t.Parallel()
	b, _, _ := newHall(t)
	c := limited(t, "n[1-5]")
	c.Limits[0].Permissions = identity.SetOf(identity.NodesWriteAttribs, identity.NodesReadReserv)
	_, err := b.Update(t.Context(), c, "n9", node.Update{Name: ptr("n4")})
	wantFault(t, err, fault.Denied, "as n4 the node would come under your permission NodesReadReserv")
	_, err = b.Update(t.Context(), c, "n9", node.Update{Index: ptr(4)})
	wantFault(t, err, fault.Denied, "as n4")
	_, err = b.Update(t.Context(), c, "n9", node.Update{Name: ptr("n4"), Attributes: &map[string]string{"a": "1"}})
	wantFault(t, err, fault.Denied, "NodesWriteAttribs")
	if n, err := b.Update(t.Context(), c, "n9", node.Update{Name: ptr("n8")}); err != nil || n.Name != "n8" || n.Attributes["_b"] != "" {
		t.Errorf("rename where nothing is gained: %+v, %v", n, err)
	}
}

func TestCredentialOfAClusterStaysInIt(t *testing.T) {
	t.Parallel()
	b, n1, _ := newHall(t)
	ctx := t.Context()
	stray := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:02:00", Name: "n7"})
	twin := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:02:01", Name: "n1", Cluster: "beta"})
	c := with(identity.All().List()...)
	c.Clusters = []string{"alpha"}

	if n, err := b.Get(ctx, c, "n1"); err != nil || n.UID != n1.UID {
		t.Errorf("n1, of which there is one in each cluster: %+v, %v", n, err)
	}
	for _, id := range []string{string(stray.UID), "n7", string(twin.UID)} {
		_, err := b.Get(ctx, c, id)
		wantFault(t, err, fault.NotFound, "No node found for ID="+id)
	}
	if list, err := b.List(ctx, c, node.Filter{}); err != nil || len(list) != 4 {
		t.Errorf("%d nodes, %v", len(list), err)
	}
	_, err := b.Create(ctx, c, node.NewNode{MAC: "08:00:27:00:02:02", Cluster: "beta"})
	wantFault(t, err, fault.Denied, `does not reach the cluster "beta"`)
	_, err = b.Create(ctx, c, node.NewNode{MAC: "08:00:27:00:02:02"})
	wantFault(t, err, fault.Denied, "would belong to none")
	for _, cluster := range []string{"beta", ""} {
		_, err = b.Update(ctx, c, "n1", node.Update{Cluster: &cluster})
		wantFault(t, err, fault.Denied, "")
	}
	_, err = b.Update(ctx, c, "n1", node.Update{MAC: ptr("08:00:27:00:02:01")})
	wantFault(t, err, fault.Conflict, "MAC address 08:00:27:00:02:01 is taken")
	if strings.Contains(fault.Message(err), string(twin.UID)) {
		t.Errorf("the conflict tells %v", err)
	}
	wantFault(t, b.Report(ctx, c, "beta", nil), fault.Denied, "beta")

	// A report does not bring a node into the cluster that was out of reach.
	if err := b.Report(ctx, c, "alpha", []node.Report{{Host: "n7", States: []string{"idle"}}}); err != nil {
		t.Fatal(err)
	}
	if kept := b.stored(t, stray.UID); kept.Cluster != "" {
		t.Errorf("the stray node is in %q", kept.Cluster)
	}
}

// TestLimitedCallerLeavesTheRestAsItIs makes calls at random, by somebody with a limit: whatever he does, n9 stays as it
// is, and nothing that he is told is of n9.
func TestLimitedCallerLeavesTheRestAsItIs(t *testing.T) {
	t.Parallel()
	b, n1, n9 := newHall(t)
	before := b.stored(t, n9.UID)
	ctx, c := t.Context(), limited(t, "n[1-3],m*")
	methods := slices.Sorted(func(yield func(string) bool) {
		for name := range addressed {
			if !yield(name) {
				return
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]string{"n1", "n2", "n9", "m1", string(n9.UID[:6]), string(n1.UID[:6]), "10.0.0.9", "08:00:27:00:00:09", "08:00:27:00:00:02"})
		name := rapid.Ptr(rapid.SampledFrom([]string{"n1", "n2", "n3", "n9", "m1", "m2", "login"}), true)
		index := rapid.Ptr(rapid.IntRange(0, 12), true)
		mac := rapid.SampledFrom([]string{"08:00:27:00:00:02", "08:00:27:00:00:09", "08:00:27:00:03:01", "08:00:27:00:03:02"})
		ip := rapid.Ptr(rapid.SampledFrom([]string{"10.0.0.9", "10.0.0.1", ""}), true)
		var got any
		var err error
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			got, err = addressed[rapid.SampledFrom(methods).Draw(t, "method")](ctx, b.Service, c, id.Draw(t, "id"))
		case 1:
			got, err = b.Update(ctx, c, id.Draw(t, "id"), node.Update{Name: name.Draw(t, "name"), Index: index.Draw(t, "index"), IP: ip.Draw(t, "ip"), MAC: ptr(mac.Draw(t, "mac"))})
		case 2:
			n := node.NewNode{MAC: mac.Draw(t, "mac"), Cluster: "alpha", Index: index.Draw(t, "index")}
			if given := name.Draw(t, "name"); given != nil {
				n.Name = *given
			}
			got, err = b.Create(ctx, c, n)
		default:
			got, err = b.List(ctx, c, node.Filter{})
		}
		told := fmt.Sprintf("%+v %s", got, fault.Message(err))
		if strings.Contains(told, "hidden") || strings.Contains(told, string(n9.UID)) || strings.Contains(told, "bmc9") {
			t.Fatalf("was told %s", told)
		}
		if kept, err := b.store.Nodes().GetNode(ctx, n9.UID); err != nil || !cmp.Equal(before, kept) {
			t.Fatalf("n9 is %+v, %v", kept, err)
		}
	})
}

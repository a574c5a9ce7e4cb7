package node_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
)

func TestCreateTakesTheNextIndexAndName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.mustCreate(t, node.NewNode{MAC: "08-00-27-F0-44-35"})
	tenth := b.mustCreate(t, node.NewNode{MAC: "08:00:27:f0:44:36", Index: ptr(10)})
	next := b.mustCreate(t, node.NewNode{MAC: "08:00:27:f0:44:37"})
	login := b.mustCreate(t, node.NewNode{MAC: "08:00:27:f0:44:38", Name: "login1", Type: node.TypeHead})

	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(string(first.UID)) || first.UID == next.UID {
		t.Errorf("UIDs are %s and %s", first.UID, next.UID)
	}
	got := []string{first.Name, tenth.Name, next.Name, login.Name}
	if diff := cmp.Diff([]string{"n0", "n10", "n1", "login1"}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if first.MAC != "08:00:27:f0:44:35" || first.Type != node.TypeCompute || login.Index != 2 {
		t.Errorf("first is %+v, login %+v", first, login)
	}
}

func TestCreateRefusesWhatIsWrongAndMakesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", Index: ptr(3), IP: "10.0.0.3"})
	const mac = "08:00:27:00:00:02"
	for _, c := range []struct {
		name string
		n    node.NewNode
		kind fault.Kind
		text string
	}{
		{"no MAC", node.NewNode{}, fault.Invalid, "mac is required"},
		{"bad MAC", node.NewNode{MAC: "xyz"}, fault.Invalid, "MAC address"},
		{"same MAC in another form", node.NewNode{MAC: "0800.2700.0001"}, fault.Conflict, "taken by node n3"},
		{"same index", node.NewNode{MAC: mac, Index: ptr(3)}, fault.Conflict, "taken"},
		{"same IP", node.NewNode{MAC: mac, IP: "10.0.0.3"}, fault.Conflict, "IP address 10.0.0.3 is taken by node n3"},
		{"same name", node.NewNode{MAC: mac, Name: "n3"}, fault.Conflict, "taken"},
		{"negative index", node.NewNode{MAC: mac, Index: ptr(-1)}, fault.Invalid, "negative"},
		{"name begins with a digit", node.NewNode{MAC: mac, Name: "1st"}, fault.Invalid, "beginning with a letter"},
		{"name looks like a UID", node.NewNode{MAC: mac, Name: "abcdefabcdefabcdefabcdefabcdef00"}, fault.Invalid, "UID"},
		{"type", node.NewNode{MAC: mac, Type: "toaster"}, fault.Invalid, "unknown, compute, head, simulated"},
		{"IPv6", node.NewNode{MAC: mac, IP: "fe80::1"}, fault.Invalid, "IPv4"},
		{"attribute name", node.NewNode{MAC: mac, Attributes: map[string]string{"a-b": "1"}}, fault.Invalid, `"a-b"`},
		{"unknown group", node.NewNode{MAC: mac, Groups: []string{"nope"}}, fault.NotFound, "No attribute group found for ID=nope"},
	} {
		t.Log(c.name)
		_, err := b.Create(t.Context(), admin, c.n)
		wantFault(t, err, c.kind, c.text)
	}
	if nodes, err := b.List(t.Context(), admin, node.Filter{}); err != nil || len(nodes) != 1 {
		t.Errorf("there are %d nodes, %v", len(nodes), err)
	}
}

func TestEveryNameOfANodeFindsIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := b.mustCreate(t, node.NewNode{MAC: "0a:1b:2c:3d:4e:5f", IP: "10.1.2.3"})
	b.mustCreate(t, node.NewNode{MAC: "0a:1b:2c:3d:4e:60", IP: "10.1.2.4"})
	for _, id := range []string{
		string(want.UID), "n0", "0a:1b:2c:3d:4e:5f", "0A-1B-2C-3D-4E-5F", "0a1b.2c3d.4e5f", "0A1B2C3D4E5F", "10.1.2.3", string(want.UID[:12]),
	} {
		got, err := b.Get(t.Context(), authUser, id)
		if err != nil || got.UID != want.UID {
			t.Errorf("Get(%q) is %s, %v", id, got.UID, err)
		}
	}
	for _, id := range []string{"n123", "", string(want.UID[:4]), strings.ToUpper(string(want.UID)), "10.1.2.99", "%"} {
		_, err := b.Get(t.Context(), authUser, id)
		wantFault(t, err, fault.NotFound, "No node found for ID="+id)
	}
}

func TestAmbiguousIDNamesItsCandidates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i, cluster := range []string{"alpha", "beta"} {
		b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:0" + string(rune('1'+i)), Cluster: cluster})
	}
	_, err := b.Get(t.Context(), admin, "n0")
	wantFault(t, err, fault.Conflict, "ID=n0 stands for more than one node")
	var several *node.AmbiguousError
	if !errors.As(err, &several) || len(several.Candidates) != 2 || !strings.Contains(several.Candidates[0], "alpha/n0") {
		t.Errorf("candidates are %+v", several)
	}
}

func TestNewIndexRenamesWhatThePatternNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	n := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01"})
	login := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:02", Name: "login"})

	moved, err := b.Update(t.Context(), onsite, string(n.UID), node.Update{Index: ptr(100)})
	if err != nil || moved.Name != "n100" || moved.Index != 100 || moved.ModifiedBy != onsite.User.Name {
		t.Errorf("got %+v, %v", moved, err)
	}
	kept, err := b.Update(t.Context(), onsite, string(login.UID), node.Update{Index: ptr(101), Cluster: ptr("alpha")})
	if err != nil || kept.Name != "login" {
		t.Errorf("got %+v, %v", kept, err)
	}
	_, err = b.Update(t.Context(), onsite, "n100", node.Update{MAC: ptr("08:00:27:00:00:02")})
	wantFault(t, err, fault.Conflict, "taken by node login")
	_, err = b.Update(t.Context(), onsite, "n100", node.Update{MAC: ptr("")})
	wantFault(t, err, fault.Invalid, "cannot be removed")
}

func TestPowerPasswordIsMaskedAndSurvivesBeingWrittenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01", PowerURI: "ipmi://root:se/cr@et@bmc-<n[name]>/1"})
	n, err := b.Get(t.Context(), admin, "n0")
	if err != nil || n.PowerURI != "ipmi://root:********@bmc-<n[name]>/1" {
		t.Fatalf("power_uri reads %q, %v", n.PowerURI, err)
	}
	if _, err := b.Update(t.Context(), admin, "n0", node.Update{PowerURI: &n.PowerURI}); err != nil {
		t.Fatal(err)
	}
	if kept := b.stored(t, n.UID).PowerURI; kept != "ipmi://root:se/cr@et@bmc-<n[name]>/1" {
		t.Errorf("stored power_uri is %q", kept)
	}
	_, err = b.Update(t.Context(), admin, "n0", node.Update{PowerURI: ptr("ipmi://root:********@other")})
	wantFault(t, err, fault.Invalid, "mask")
	for _, plain := range []string{"", "vbox://10.0.0.1/n0", "ipmi://root@bmc", "redfish"} {
		got, err := b.Update(t.Context(), admin, "n0", node.Update{PowerURI: &plain})
		if err != nil || got.PowerURI != plain {
			t.Errorf("power_uri %q reads %q, %v", plain, got.PowerURI, err)
		}
	}
}

func TestEachCallNeedsItsPermission(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01"})
	b.mustCreateGroup(t, "g", map[string]string{"_x": "1"})
	ctx := t.Context()
	nobody := with()
	errOf := func(_ any, err error) error { return err }
	for _, c := range []struct {
		need identity.Permission
		err  error
	}{
		{identity.NodesRead, errOf(b.Get(ctx, nobody, "n0"))},
		{identity.NodesRead, errOf(b.List(ctx, nobody, node.Filter{}))},
		{identity.NodesWrite, errOf(b.Create(ctx, manager, node.NewNode{MAC: "08:00:27:00:00:02"}))},
		{identity.NodesWriteAttribs, errOf(b.Create(ctx, onsite, node.NewNode{MAC: "08:00:27:00:00:02", Attributes: map[string]string{"a": "1"}}))},
		{identity.NodesWriteGroups, errOf(b.Create(ctx, onsite, node.NewNode{MAC: "08:00:27:00:00:02", Groups: []string{"g"}}))},
		{identity.NodesWrite, errOf(b.Update(ctx, manager, "n0", node.Update{}))},
		{identity.NodesWrite, errOf(b.Update(ctx, with(identity.NodesWriteGroups), "n0", node.Update{IP: ptr("10.0.0.1"), Groups: &[]string{}}))},
		{identity.NodesWriteGroups, errOf(b.Update(ctx, onsite, "n0", node.Update{Groups: &[]string{}}))},
		{identity.NodesWriteAttribs, errOf(b.Update(ctx, onsite, "n0", node.Update{Attributes: &map[string]string{}}))},
		{identity.NodesWrite, b.Delete(ctx, manager, "n0")},
		{identity.NodesReadAttribs, errOf(b.Attributes(ctx, with(identity.NodesRead), "n0"))},
		{identity.NodesWriteAttribs, errOf(b.SetAttributes(ctx, manager, "n0", map[string]string{"_boot_config": "GPUBoot"}))},
		{identity.NodesWriteReserv, errOf(b.MergeAttributes(ctx, with(identity.NodesWriteAttribs), "n0", map[string]string{"_a": "1"}))},
		{identity.NodesWriteReserv, errOf(b.ClearAttributes(ctx, with(identity.NodesWriteAttribs), "n0", "_a"))},
		{identity.NodesWriteGroups, errOf(b.JoinGroups(ctx, manager, "n0", "g"))},
		{identity.NodesWriteGroups, errOf(b.SetGroups(ctx, manager, "n0", "g"))},
		{identity.NodesWriteGroups, errOf(b.LeaveGroups(ctx, manager, "n0", "g"))},
		{identity.AttribGroupsRead, errOf(b.ListGroups(ctx, nobody))},
		{identity.AttribGroupsRead, errOf(b.GetGroup(ctx, nobody, "g"))},
		{identity.AttribGroupsWrite, errOf(b.CreateGroup(ctx, manager, node.NewGroup{Name: "h"}))},
		{identity.AttribGroupsWriteReserv, errOf(b.CreateGroup(ctx, with(identity.AttribGroupsWrite), node.NewGroup{Name: "h", Attributes: map[string]string{"_x": "1"}}))},
		{identity.AttribGroupsWrite, errOf(b.UpdateGroup(ctx, manager, "g", node.GroupUpdate{}))},
		{identity.AttribGroupsWrite, errOf(b.MergeGroupAttributes(ctx, manager, "g", nil))},
		{identity.AttribGroupsWriteReserv, b.DeleteGroup(ctx, with(identity.AttribGroupsWrite), "g")},
		{identity.AttribGroupsWrite, b.DeleteGroup(ctx, manager, "g")},
		{identity.NodeStatesWrite, b.Report(ctx, manager, "alpha", nil)},
	} {
		wantFault(t, c.err, fault.Denied, c.need.String())
		var missing identity.MissingError
		if !errors.As(c.err, &missing) || identity.Permission(missing) != c.need {
			t.Errorf("missing permission is %v, want %s", missing, c.need)
		}
	}
}

func TestDeletedNodeIsGone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01"})
	if err := b.Delete(t.Context(), onsite, "n0"); err != nil {
		t.Fatal(err)
	}
	wantFault(t, b.Delete(t.Context(), onsite, "n0"), fault.NotFound, "No node found for ID=n0")
}

func TestChangesAreOnTheTrailWithoutValues(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	n := b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01"})
	impersonated := production
	impersonated.Actor = &identity.Actor{Name: "boss"}
	if _, err := b.MergeAttributes(t.Context(), impersonated, "n0", map[string]string{"_bmc_pass": "geheim"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Update(t.Context(), impersonated, "n0", node.Update{PowerURI: ptr("ipmi://a:geheim@b"), IP: ptr("10.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	records := b.trail(t)[:2]
	for _, rec := range records {
		if rec.Actor != "boss" || rec.Subject != production.User.Name || rec.Object != "node/"+string(n.UID) {
			t.Errorf("record is %+v", rec)
		}
		for _, v := range rec.Details {
			if strings.Contains(v, "geheim") {
				t.Errorf("a secret is on the trail: %v", rec.Details)
			}
		}
	}
	if records[1].Action != "node.attributes" || records[1].Details["set"] != "_bmc_pass" || records[0].Details["ip"] != " -> 10.0.0.1" {
		t.Errorf("records are %+v", records)
	}
}

func TestConcurrentChangesLoseNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.mustCreate(t, node.NewNode{MAC: "08:00:27:00:00:01"})
	errs := make(chan error)
	keys := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, key := range keys {
		go func() {
			_, err := b.MergeAttributes(t.Context(), admin, "n0", map[string]string{key: key})
			errs <- err
		}()
	}
	for range keys {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	n, err := b.Get(t.Context(), admin, "n0")
	if err != nil || len(n.Attributes) != len(keys) {
		t.Errorf("attributes are %v, %v", n.Attributes, err)
	}
}

func TestBadPatternIsReportedAtTheStart(t *testing.T) {
	t.Parallel()
	s := node.New(node.Config{Store: storetest.Open(t).Nodes(), Clock: clock.System{}, Pattern: "nodes"})
	wantFault(t, s.EnsureDefaults(t.Context()), fault.Invalid, `naming pattern "nodes"`)
	_, err := s.Create(t.Context(), admin, node.NewNode{MAC: "08:00:27:00:00:01"})
	wantFault(t, err, fault.Invalid, `naming pattern "nodes"`)
}

func TestDefaultGroupIsMadeOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.EnsureDefaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	groups, err := b.ListGroups(t.Context(), admin)
	if err != nil || len(groups) != 1 {
		t.Fatalf("groups are %v, %v", groups, err)
	}
	if g := groups[0]; g.Name != "DefaultAttribs" || !g.Default || g.Attributes["_boot_config"] != "DefaultBoot" {
		t.Errorf("default group is %+v", g)
	}
	if trail := b.trail(t); len(trail) != 1 {
		t.Errorf("trail is %+v", trail)
	}
}

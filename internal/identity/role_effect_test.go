package identity_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// holder makes a user with the roles, and returns what he may do.
func (w *world) holder(t *testing.T, name string, roles ...identity.Role) identity.Standing {
	t.Helper()
	w.add(t, name, roles...)
	st, err := w.Resolve(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// role makes a role from the command line.
func (w *world) role(tb testing.TB, n identity.NewRole) identity.Grant {
	tb.Helper()
	g, err := w.CreateRole(tb.Context(), root, n)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func power() identity.Set { return identity.SetOf(identity.NodesPowerControl) }

// newShifts returns a world with roles that are limited to nodes, and one that is not.
func newShifts(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.role(t, identity.NewRole{Role: "role.Night", Permissions: power().Union(identity.SetOf(identity.ImagesWrite)), Nodes: "n[1-3]", MaxLifetime: 8 * time.Hour})
	w.role(t, identity.NewRole{Role: "role.Rack", Permissions: power().Union(identity.SetOf(identity.NodesWrite)), Nodes: "n[7-9]", MaxLifetime: time.Hour})
	w.role(t, identity.NewRole{Role: "role.Power", Permissions: power()})
	return w
}

func TestLimitsOfRolesAddUp(t *testing.T) {
	t.Parallel()
	w := newShifts(t)
	// What each holder may do on which of the nodes n1, n8 and n5.
	type on map[identity.Permission]string
	for _, c := range []struct {
		name  string
		roles roleList
		want  on
	}{
		{"night", roleList{"role.Night"}, on{identity.NodesPowerControl: "n1", identity.NodesRead: "n1", identity.NodesWrite: ""}},
		{"both", roleList{"role.Night", "role.Rack"}, on{identity.NodesPowerControl: "n1 n8", identity.NodesRead: "n1 n8", identity.NodesWrite: "n8"}},
		{"free", roleList{"role.Night", "role.Power"}, on{identity.NodesPowerControl: "n1 n8 n5", identity.NodesRead: "n1 n8 n5", identity.NodesWrite: ""}},
		{"reader", roleList{"role.AuthUser", "role.Night"}, on{identity.NodesPowerControl: "n1", identity.NodesRead: "n1 n8 n5", identity.NodesWrite: ""}},
		{"support", roleList{"support", "role.Rack"}, on{identity.NodesPowerControl: "n8", identity.NodesRead: "n1 n8 n5", identity.NodesWrite: "n8"}},
		{"locked", roleList{"role.Night", "role.NoAccess"}, on{identity.NodesPowerControl: "", identity.NodesRead: "", identity.NodesWrite: ""}},
		{"chief", roleList{"role.Night", "role.FullAdmin"}, on{identity.NodesPowerControl: "n1 n8 n5", identity.NodesRead: "n1 n8 n5", identity.NodesWrite: "n1 n8 n5"}},
	} {
		caller := w.holder(t, c.name, c.roles...).Caller(identity.ViaSession)
		got := on{}
		for p := range c.want {
			got[p] = ""
			for _, node := range []string{"n1", "n8", "n5"} {
				if caller.CanOn(p, node) {
					got[p] += " " + node
				}
				if (caller.RequireOn(p, node) == nil) != caller.CanOn(p, node) {
					t.Errorf("%s: RequireOn and CanOn disagree on %s, %s", c.name, p, node)
				}
			}
			if got[p] != "" {
				got[p] = got[p][1:]
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestLimitsDoNotHoldForWhatIsNotAboutNodes(t *testing.T) {
	t.Parallel()
	w := newShifts(t)
	c := w.holder(t, "night", "role.Night").Caller(identity.ViaSession)
	for _, p := range []identity.Permission{identity.ImagesWrite, identity.ImagesRead, identity.AdminsWriteSelf} {
		if !c.CanOn(p, "n5") {
			t.Errorf("%s is limited", p)
		}
	}
	if err := c.RequireOn(identity.NodesPowerControl, "n5"); err == nil || err.Error() == "" {
		t.Errorf("n5: %v", err)
	}
}

func TestNobodyHandsOnWhatHeHasOnSomeNodesOnly(t *testing.T) {
	t.Parallel()
	w := newShifts(t)
	w.role(t, identity.NewRole{
		Role: "role.Lead", Permissions: power().Union(identity.SetOf(identity.AdminsWrite)), Nodes: "n[1-3]",
		Delegates: identity.SetOf(identity.NodesExecCommand, identity.ImagesWrite),
	})
	lead := w.holder(t, "lead", "role.Lead")
	for p, want := range map[identity.Permission]bool{
		identity.NodesPowerControl: false, identity.NodesRead: false, identity.NodesExecCommand: false,
		identity.AdminsWrite: true, identity.ImagesWrite: true, identity.ImagesRead: true,
	} {
		if lead.HandsOn.Has(p) != want {
			t.Errorf("hands on %s: %v, want %v", p, !want, want)
		}
	}
	// A manager could hand power on, but not once he has it on some nodes only.
	if st := w.holder(t, "boss", identity.RoleWareManager, "role.Night"); st.HandsOn.Has(identity.NodesPowerControl) {
		t.Error("a manager hands on what he has on some nodes only")
	}
	for _, roles := range []roleList{{"role.Night"}, {"role.Power"}, {identity.RoleOnsiteEngineer}} {
		_, err := w.Create(t.Context(), w.as(t, "lead"), identity.NewUser{Name: "x", Roles: roles})
		fails(t, string(roles[0]), err, fault.Denied)
	}
}

// TestLimitedRightsCountAsWholeOnes has callers who would act as a user with power over three nodes: they need power over
// all of them.
func TestLimitedRightsCountAsWholeOnes(t *testing.T) {
	t.Parallel()
	w := newShifts(t)
	night := w.holder(t, "night", "role.Night")
	w.add(t, "boss", identity.RoleWareManager)
	w.add(t, "admin", identity.RoleAdmin)
	if err := w.MayActAs(t.Context(), w.as(t, "boss"), night.User, night.Permissions); err != nil {
		t.Errorf("a manager hands power on everywhere: %v", err)
	}
	fails(t, "an administrator of ClusterCockpit has no power", w.MayActAs(t.Context(), w.as(t, "admin"), night.User, night.Permissions), fault.Denied)
	narrowed := w.as(t, "boss")
	narrowed.Limits = []identity.NodeLimit{{Permissions: identity.PerNode(), Nodes: nodes(t, "n[1-3]")}}
	fails(t, "a credential with a limit", w.MayActAs(t.Context(), narrowed, night.User, night.Permissions), fault.Denied)
	_, err := w.Create(t.Context(), narrowed, identity.NewUser{Name: "x", Roles: roleList{"role.Night"}})
	fails(t, "a credential with a limit makes a user", err, fault.Denied)
}

func TestShortestLifetimeOfTheRolesCounts(t *testing.T) {
	t.Parallel()
	w := newShifts(t)
	for name, c := range map[string]struct {
		roles roleList
		want  time.Duration
	}{
		"none": {roleList{"role.Power"}, 0}, "night": {roleList{"role.Night", "role.Power"}, 8 * time.Hour},
		"both": {roleList{"role.Night", "role.Rack"}, time.Hour}, "chief": {roleList{identity.RoleFullAdmin}, 0},
	} {
		if st := w.holder(t, name, c.roles...); st.MaxLifetime != c.want {
			t.Errorf("%s: %s, want %s", name, st.MaxLifetime, c.want)
		}
	}
}

// TestLimitsAgreeWithTheRolesOneByOne states the rule in its plainest form: a permission holds on a node when one of the
// roles gives it there.
func TestLimitsAgreeWithTheRolesOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := roleList{"role.A", "role.B", "role.C", "role.D", identity.RoleAuthUser, identity.RoleOnsiteEngineer, identity.RoleSupport}
	for i, expr := range []string{"n[1-3]", "n[3-5]", "n*,^n4", ""} {
		ps := identity.SetOf(identity.PerNode().List()[i:]...)
		w.role(t, identity.NewRole{Role: names[i], Permissions: ps, Nodes: expr, Delegates: power()})
	}
	table := w.Roles()
	rapid.Check(t, func(t *rapid.T) {
		roles := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 4, rapid.ID[identity.Role]).Draw(t, "roles")
		has, handsOn := table.Effective(roles)
		c := identity.Caller{Permissions: has, HandsOn: handsOn, Limits: table.Limits(roles)}
		for _, p := range identity.PerNode().List() {
			everywhere := true
			for _, node := range []string{"n1", "n3", "n4", "n5", "m1"} {
				want := false
				for _, r := range roles {
					alone, _ := table.Effective(roleList{r})
					one := identity.Caller{Permissions: alone, Limits: table.Limits(roleList{r})}
					want = want || one.CanOn(p, node)
				}
				if c.CanOn(p, node) != want {
					t.Fatalf("%v has %s on %s: %v, want %v", roles, p, node, !want, want)
				}
				everywhere = everywhere && want
			}
			if has.Has(p) && !everywhere && handsOn.Has(p) {
				t.Fatalf("%v hands on %s, which it has on some nodes only", roles, p)
			}
		}
	})
}

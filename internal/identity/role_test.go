package identity_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

var allRoles = func() (roles []identity.Role) {
	for _, g := range identity.DefaultRoles().List() {
		roles = append(roles, g.Role)
	}
	return roles
}()

// someRoles draws a list of different roles.
func someRoles() *rapid.Generator[[]identity.Role] {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(allRoles), 0, 5, func(r identity.Role) identity.Role { return r })
}

func TestMoreRolesNeverTakeAwayExceptAsDocumented(t *testing.T) {
	t.Parallel()
	table := identity.DefaultRoles()
	rapid.Check(t, func(t *rapid.T) {
		roles := someRoles().Draw(t, "roles")
		more := append(slices.Clone(roles), rapid.SampledFrom(allRoles).Draw(t, "another"))
		has, handsOn := table.Effective(roles)
		hasMore, handsOnMore := table.Effective(more)

		if !has.SubsetOf(handsOn) {
			t.Fatalf("%v may not hand on what it has: %v", roles, has.Minus(handsOn).Names())
		}
		if slices.Contains(more, identity.RoleNoAccess) {
			if hasMore != (identity.Set{}) || handsOnMore != (identity.Set{}) {
				t.Fatalf("%v may do something in spite of NoAccess", more)
			}
			return
		}
		if slices.Contains(more, identity.RoleAPI) { // its full set depends on its company
			has, handsOn = without(table, roles, identity.RoleAPI)
		}
		if !has.SubsetOf(hasMore) || !handsOn.SubsetOf(handsOnMore) {
			t.Fatalf("%v may do less than %v", more, roles)
		}
	})
}

func without(table *identity.Roles, roles []identity.Role, r identity.Role) (has, handsOn identity.Set) {
	return table.Effective(slices.DeleteFunc(slices.Clone(roles), func(x identity.Role) bool { return x == r }))
}

func TestOrderAndRepetitionOfRolesDoNotMatter(t *testing.T) {
	t.Parallel()
	table := identity.DefaultRoles()
	rapid.Check(t, func(t *rapid.T) {
		roles := someRoles().Draw(t, "roles")
		shuffled := rapid.Permutation(append(slices.Clone(roles), roles...)).Draw(t, "shuffled")
		has, handsOn := table.Effective(roles)
		has2, handsOn2 := table.Effective(shuffled)
		if has != has2 || handsOn != handsOn2 {
			t.Fatalf("%v and %v differ", roles, shuffled)
		}
	})
}

// TestMatrixOfClusterWare is the table of contract clusterware 2.9, column by column.
func TestMatrixOfClusterWare(t *testing.T) {
	t.Parallel()
	type row struct {
		permissions                                    []identity.Permission
		authUser, onsite, image, prod, manager, fullAd bool
	}
	const x, o = true, false
	rows := []row{
		{plainReads(), x, x, x, x, x, x},
		{ps(identity.NodesReadReserv, identity.AttribGroupsReadReserv), o, x, x, x, x, x},
		{ps(identity.NodesPowerControl), o, x, o, x, o, x},
		{ps(identity.NodesWrite, identity.NamingPoolsWrite), o, x, o, x, o, x},
		{ps(identity.NodesWriteGroups, identity.NodesWriteAttribs, identity.NodesWriteReserv), o, o, o, x, o, x},
		{ps(identity.NodesExecCommand), o, o, o, x, o, x},
		{ps(identity.AttribGroupsWrite, identity.AttribGroupsWriteReserv, identity.DynGroupsWrite, identity.StateMapsWrite), o, o, o, x, o, x},
		{ps(identity.ImagesWrite, identity.BootConfigsWrite, identity.DistrosWrite, identity.ReposWrite, identity.GitReposWrite), o, o, x, x, o, x},
		{ps(identity.HealthChecksWrite, identity.ActionsWrite), o, o, o, x, o, x},
		{ps(identity.NetworksWrite, identity.HostnamesWrite, identity.IbnetsWrite), o, o, o, x, o, x},
		{ps(identity.AdminsWrite), o, o, o, o, x, x},
		{ps(identity.AdminsWriteSelf), x, x, x, x, x, x},
		{ps(identity.HeadsWrite, identity.ClusterWrite, identity.CertsWrite, identity.MultitenancyWrite), o, o, o, o, o, x},
	}
	table := identity.DefaultRoles()
	for _, r := range rows {
		for role, want := range map[identity.Role]bool{
			identity.RoleAuthUser: r.authUser, identity.RoleOnsiteEngineer: r.onsite, identity.RoleImageEngineer: r.image,
			identity.RoleProductionEngineer: r.prod, identity.RoleWareManager: r.manager, identity.RoleFullAdmin: r.fullAd,
		} {
			has, _ := table.Effective([]identity.Role{role})
			for _, p := range r.permissions {
				if has.Has(p) != want {
					t.Errorf("%s has %s: %v, want %v", role, p, has.Has(p), want)
				}
			}
		}
	}
}

func ps(list ...identity.Permission) []identity.Permission { return list }

// plainReads are ClusterWare's permissions to read, without the reserved ones.
func plainReads() (list []identity.Permission) {
	for _, p := range identity.ReadOnly().List() {
		if p <= identity.UseAiAgent && p != identity.NodesReadReserv && p != identity.AttribGroupsReadReserv {
			list = append(list, p)
		}
	}
	return list
}

// TestMatrixOfClusterCockpit is contract clustercockpit 3.16 as far as permissions express it: rows of what the browser
// or a token may do, by the roles of an account.
func TestMatrixOfClusterCockpit(t *testing.T) {
	t.Parallel()
	accounts := map[string][]identity.Role{
		"user": {"user"}, "manager": {"manager"}, "support": {"support"}, "admin": {"admin"}, "api": {"api"},
		"user+api": {"user", "api"}, "admin+api": {"admin", "api"},
	}
	rows := []struct {
		p   identity.Permission
		who []string
	}{
		{identity.JobsRead, []string{"user", "manager", "support", "admin", "api", "user+api", "admin+api"}},
		{identity.JobsReadProject, []string{"manager"}},
		{identity.JobsReadAll, []string{"support", "admin", "api", "admin+api"}},
		{identity.JobsWrite, []string{"api", "admin+api"}},
		{identity.MetricsWrite, []string{"api", "user+api", "admin+api"}},
		{identity.MetricsAdmin, []string{"api", "admin+api"}},
		{identity.NodeStatesWrite, []string{"api", "admin+api"}},
		{identity.ClustersRead, []string{"user", "manager", "support", "admin", "api", "user+api", "admin+api"}},
		{identity.TagsWrite, []string{"support", "admin", "api", "admin+api"}},
		{identity.MetricsRead, []string{"support", "admin", "api", "admin+api"}},
		{identity.AdminsWrite, []string{"admin", "admin+api"}},
		{identity.AdminsWriteSelf, []string{"user", "manager", "support", "admin", "api", "user+api", "admin+api"}},
	}
	table := identity.DefaultRoles()
	for _, r := range rows {
		for name, roles := range accounts {
			has, _ := table.Effective(roles)
			if want := slices.Contains(r.who, name); has.Has(r.p) != want {
				t.Errorf("%s has %s: %v, want %v", name, r.p, has.Has(r.p), want)
			}
		}
	}
}

func TestManagerHandsOnProductionButNeverFullAdmin(t *testing.T) {
	t.Parallel()
	table := identity.DefaultRoles()
	_, handsOn := table.Effective([]identity.Role{identity.RoleWareManager})
	for _, r := range []identity.Role{identity.RoleWareManager, identity.RoleProductionEngineer, identity.RoleImageEngineer, identity.RoleOnsiteEngineer, identity.RoleAuthUser} {
		if has, _ := table.Effective([]identity.Role{r}); !has.SubsetOf(handsOn) {
			t.Errorf("a manager may not hand on %s: lacks %v", r, has.Minus(handsOn).Names())
		}
	}
	for _, r := range []identity.Role{identity.RoleFullAdmin, identity.RoleAdmin, identity.RoleAPI} {
		if has, _ := table.Effective([]identity.Role{r}); has.SubsetOf(handsOn) {
			t.Errorf("a manager may hand on %s", r)
		}
	}
}

func TestUnknownRolesAreRefusedByName(t *testing.T) {
	t.Parallel()
	_, err := identity.DefaultRoles().Parse("user", "role.Manger")
	if !fault.Is(err, fault.Invalid) || fault.Message(err)[:26] != `unknown role "role.Manger"` {
		t.Errorf("got %v", err)
	}
	got, err := identity.DefaultRoles().Parse("role.ImagingEngineer", " user", "user")
	if diff := cmp.Diff([]identity.Role{"role.ImageEngineer", "user"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func ExampleRoles_Effective() {
	has, handsOn := identity.DefaultRoles().Effective([]identity.Role{identity.RoleWareManager})
	fmt.Println(has.Has(identity.NodesWriteAttribs), handsOn.Has(identity.NodesWriteAttribs))
	// Output: false true
}

package identity_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// TestLastAdministratorStaysWhateverIsDone tries every way in which a site could lose its last administrator, who is one
// by the role that can be changed.
func TestLastAdministratorStaysWhateverIsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "admin", identity.RoleAdmin)
	w.add(t, "boss", identity.RoleWareManager)
	w.add(t, "off", identity.RoleFullAdmin)
	w.add(t, "locked", identity.RoleFullAdmin, identity.RoleNoAccess)
	if _, err := w.Update(t.Context(), root, "off", identity.Update{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	admin, _ := w.Roles().Get(identity.RoleAdmin)
	less := admin.Permissions.Minus(set(identity.AdminsWrite))
	update := func(c identity.Caller, up identity.Update) error {
		_, err := w.Update(t.Context(), c, "admin", up)
		return err
	}
	for _, c := range []identity.Caller{root, w.as(t, "admin")} {
		_, edited := w.UpdateRole(t.Context(), c, identity.RoleAdmin, identity.RoleUpdate{Permissions: &less})
		for what, err := range map[string]error{
			"role edited":  edited,
			"demoted":      update(c, identity.Update{Roles: &roleList{identity.RoleSupport}}),
			"role removed": update(c, identity.Update{RemoveRoles: roleList{identity.RoleAdmin}, AddRoles: roleList{identity.RoleUser}}),
			"locked out":   update(c, identity.Update{AddRoles: roleList{identity.RoleNoAccess}}),
			"disabled":     update(c, identity.Update{Disabled: new(true)}),
			"deleted":      w.Delete(t.Context(), c, "admin"),
		} {
			fails(t, what, err, fault.Conflict)
			if !strings.Contains(fault.Message(err), "administrator") {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	w.add(t, "chief", identity.RoleFullAdmin)
	if _, err := w.UpdateRole(t.Context(), root, identity.RoleAdmin, identity.RoleUpdate{Permissions: &less}); err != nil {
		t.Errorf("with another one: %v", err)
	}
	fails(t, "the other one", w.Delete(t.Context(), root, "chief"), fault.Conflict)
}

// TestWhoMayNoLongerAdministerUsersAnswersForNoTokens narrows a role by which a user has issued tokens for others.
func TestWhoMayNoLongerAdministerUsersAnswersForNoTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.role(t, identity.NewRole{Role: "role.Desk", Permissions: set(identity.AdminsWrite), Delegates: set(identity.NodesWrite)})
	both := w.add(t, "both", "role.Desk", identity.RoleWareManager)
	desk, reader := w.add(t, "desk", "role.Desk"), w.add(t, "reader", identity.RoleAuthUser)
	w.issued(t, "by-desk", desk, reader)
	w.issued(t, "by-both", both, reader)
	var told []string
	w.OnRevoke(func(ids []string) { told = append(told, ids...) })

	if _, err := w.UpdateRole(t.Context(), root, "role.Desk", identity.RoleUpdate{Delegates: gives()}); err != nil || told != nil {
		t.Errorf("a milder demotion revoked %v, %v", told, err)
	}
	if _, err := w.UpdateRole(t.Context(), root, "role.Desk", identity.RoleUpdate{Permissions: gives(identity.NodesRead)}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"by-desk"}, told); diff != "" {
		t.Errorf("revoked (-want +got):\n%s", diff)
	}
	if got := w.last(t); got.Details["tokens_revoked"] != "1" {
		t.Errorf("record %+v", got)
	}
}

func TestResetOfARoleEndsWhatItGave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	engineer, _ := w.Roles().Get(identity.RoleProductionEngineer)
	if _, err := w.UpdateRole(t.Context(), root, engineer.Role, identity.RoleUpdate{Permissions: new(engineer.Permissions.Union(set(identity.AdminsWrite)))}); err != nil {
		t.Fatal(err)
	}
	prod, reader := w.add(t, "prod", identity.RoleProductionEngineer), w.add(t, "reader", identity.RoleAuthUser)
	w.issued(t, "by-prod", prod, reader)
	var told []string
	w.OnRevoke(func(ids []string) { told = append(told, ids...) })
	if err := w.DeleteRole(t.Context(), root, engineer.Role); err != nil || !slices.Equal(told, []string{"by-prod"}) {
		t.Errorf("revoked %v, %v", told, err)
	}
}

func TestManagersOfProjectsHaveProjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "pi", identity.RoleManager)
	for what, up := range map[string]identity.Update{
		"none":             {Projects: &[]string{}},
		"last one taken":   {RemoveProjects: []string{"p1"}},
		"role goes, stays": {RemoveRoles: roleList{identity.RoleManager}, AddRoles: roleList{identity.RoleUser}},
	} {
		_, err := w.Update(t.Context(), root, "pi", up)
		fails(t, what, err, fault.Invalid)
	}
	// Who has a role of the site that reads the jobs of projects is no manager of any, and gets none.
	w.role(t, identity.NewRole{Role: "role.Readers", Permissions: set(identity.JobsReadProject)})
	_, err := w.Create(t.Context(), root, identity.NewUser{Name: "x", Roles: roleList{"role.Readers"}, Projects: []string{"p1"}})
	fails(t, "projects without the role", err, fault.Invalid)
	w.add(t, "reader", "role.Readers")
	if c := w.as(t, "reader"); len(c.User.Projects) != 0 || !c.Can(identity.JobsReadProject) {
		t.Errorf("caller %+v", c)
	}
	if c := w.as(t, "pi"); !slices.Equal(c.User.Projects, []string{"p1"}) || !c.Can(identity.JobsReadProject) || c.Can(identity.JobsReadAll) {
		t.Errorf("caller %+v", c)
	}
}

package identity_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

func set(ps ...identity.Permission) identity.Set    { return identity.SetOf(ps...) }
func gives(ps ...identity.Permission) *identity.Set { return new(identity.SetOf(ps...)) }

func TestRolesOfTheSiteAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.role(t, identity.NewRole{
		Role: "role.NightShift", Description: "after hours", Permissions: power(), Delegates: set(identity.ImagesWrite),
		Nodes: " n[1-3] ", MaxLifetime: 8 * time.Hour,
	})
	if made.Display != "Night Shift" || made.Nodes.String() != "n[1-3]" || made.System || made.Changed || made.ModifiedBy != "root" || !made.Modified.Equal(w.clock.Now()) {
		t.Errorf("made %+v", made)
	}
	if _, err := w.UpdateRole(t.Context(), root, identity.RoleImageEngineer, identity.RoleUpdate{Description: new("ours")}); err != nil {
		t.Fatal(err)
	}
	again := identity.New(identity.Config{Store: w.store.Users(), RoleStore: w.store.Roles(), Clock: w.clock})
	if _, ok := again.Roles().Get("role.NightShift"); ok {
		t.Error("roles are there before they were loaded")
	}
	if err := again.LoadRoles(t.Context()); err != nil {
		t.Fatal(err)
	}
	g, ok := again.Roles().Get("role.NightShift")
	if !ok || g.Display != made.Display || g.Permissions != made.Permissions || g.Delegates != made.Delegates || g.Nodes.String() != "n[1-3]" ||
		g.MaxLifetime != made.MaxLifetime || !g.Modified.Equal(made.Modified) || g.Changed || g.System {
		t.Errorf("loaded %+v", g)
	}
	if g, _ := again.Roles().Get(identity.RoleImageEngineer); g.Description != "ours" || !g.System || !g.Changed || !g.Permissions.Has(identity.ImagesWrite) {
		t.Errorf("loaded %+v", g)
	}
	list := again.Roles().List()
	if last := list[len(list)-1]; last.Role != "role.NightShift" {
		t.Errorf("the list ends with %s", last.Role)
	}
}

func TestNamesOfRolesAreCamelCaseAndNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.role(t, identity.NewRole{Role: "role.NightShift"})
	for _, name := range []identity.Role{
		"", "role.", "night", "NightShift", "admin2", "role.night", "role.1st", "role.Night Shift", "role.Night-Shift", "role.Nächte", "role.A\n",
		"role.role.A", "Role.Night", identity.Role("role.A" + strings.Repeat("b", 64)),
	} {
		_, err := w.CreateRole(t.Context(), root, identity.NewRole{Role: name})
		fails(t, string(name), err, fault.Invalid)
	}
	for _, name := range []identity.Role{"role.NightShift", "role.Nightshift", "role.FullAdmin", "role.Fulladmin", "role.NoAccess", "role.ImagingEngineer", "role.IMAGINGENGINEER"} {
		_, err := w.CreateRole(t.Context(), root, identity.NewRole{Role: name})
		fails(t, string(name), err, fault.Conflict)
	}
	for _, name := range []identity.Role{"role.A", "role.Shift2", identity.Role("role.A" + strings.Repeat("b", 63))} {
		w.role(t, identity.NewRole{Role: name})
	}
}

func TestRolesThatAreWrongAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for what, n := range map[string]identity.NewRole{
		"nodes":              {Role: "role.A", Nodes: "n[1-"},
		"negative lifetime":  {Role: "role.A", MaxLifetime: -time.Second},
		"parts of a second":  {Role: "role.A", MaxLifetime: time.Second + time.Millisecond},
		"long display":       {Role: "role.A", Display: strings.Repeat("x", 101)},
		"long description":   {Role: "role.A", Description: strings.Repeat("x", 1001)},
		"escape in display":  {Role: "role.A", Display: "a\x1b[2J"},
		"two lines":          {Role: "role.A", Description: "a\nb"},
		"what is no text":    {Role: "role.A", Description: "\xff"},
		"direction override": {Role: "role.A", Display: "a\u202eb"},
	} {
		_, err := w.CreateRole(t.Context(), root, n)
		fails(t, what, err, fault.Invalid)
	}
	_, err := w.UpdateRole(t.Context(), root, identity.RoleAuthUser, identity.RoleUpdate{Nodes: new("n1")})
	fails(t, "a limit of what every administrator is", err, fault.Invalid)
	_, err = w.UpdateRole(t.Context(), root, "role.Nobody", identity.RoleUpdate{})
	fails(t, "update what is not there", err, fault.NotFound)
	fails(t, "delete what is not there", w.DeleteRole(t.Context(), root, "role.Nobody"), fault.NotFound)
	if len(w.Roles().List()) != len(allRoles) {
		t.Error("something was made")
	}
}

func TestNobodyMakesARoleThatGivesMoreThanHeMayHandOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, role := range map[string]identity.Role{"chief": identity.RoleFullAdmin, "boss": identity.RoleWareManager, "admin": identity.RoleAdmin, "prod": identity.RoleProductionEngineer} {
		w.add(t, name, role)
	}
	for _, c := range []struct {
		by                     string
		permissions, delegates identity.Set
		ok                     bool
	}{
		{"chief", identity.All(), identity.All(), true},
		{"boss", set(identity.NodesWriteAttribs, identity.AdminsWrite), set(identity.ImagesWrite), true},
		{"boss", set(identity.ClusterWrite), identity.Set{}, false},
		{"boss", identity.Set{}, set(identity.ClusterWrite), false},
		{"boss", set(identity.JobsReadAll), identity.Set{}, false},
		{"admin", set(identity.JobsWrite, identity.MetricsWrite), set(identity.JobsReadAll), true},
		{"admin", set(identity.NodesPowerControl), identity.Set{}, false},
		{"prod", identity.Set{}, identity.Set{}, false},
	} {
		_, err := w.CreateRole(t.Context(), w.as(t, c.by), identity.NewRole{Role: "role.X", Permissions: c.permissions, Delegates: c.delegates})
		if c.ok != (err == nil) {
			t.Errorf("%s makes %v, %v: %v", c.by, c.permissions.Names(), c.delegates.Names(), err)
		}
		if err != nil {
			fails(t, c.by, err, fault.Denied)
		} else if err := w.DeleteRole(t.Context(), w.as(t, c.by), "role.X"); err != nil {
			t.Error(err)
		}
	}
	narrowed := w.as(t, "chief")
	narrowed.Permissions = set(identity.AdminsWrite)
	narrowed.HandsOn = narrowed.Permissions
	_, err := w.CreateRole(t.Context(), narrowed, identity.NewRole{Role: "role.X"})
	fails(t, "a narrowed credential makes even an empty role, which reads", err, fault.Denied)
}

func TestNobodyChangesARoleThatGaveMoreThanHeMayHandOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "boss", identity.RoleWareManager)
	w.role(t, identity.NewRole{Role: "role.Strong", Permissions: set(identity.ClusterWrite)})
	w.role(t, identity.NewRole{Role: "role.Giver", Delegates: set(identity.ClusterWrite)})
	c := w.as(t, "boss")
	for _, r := range []identity.Role{"role.Strong", "role.Giver", identity.RoleAdmin, identity.RoleAPI} {
		for what, up := range map[string]identity.RoleUpdate{
			"description": {Description: new("x")}, "fewer": {Permissions: gives(), Delegates: gives()}, "lifetime": {MaxLifetime: new(time.Second)},
		} {
			_, err := w.UpdateRole(t.Context(), c, r, up)
			fails(t, string(r)+" "+what, err, fault.Denied)
		}
		fails(t, "delete "+string(r), w.DeleteRole(t.Context(), c, r), fault.Denied)
	}
	if _, err := w.UpdateRole(t.Context(), c, identity.RoleOnsiteEngineer, identity.RoleUpdate{Permissions: gives(identity.NodesPowerControl)}); err != nil {
		t.Errorf("what he may hand on: %v", err)
	}
	_, err := w.UpdateRole(t.Context(), c, identity.RoleOnsiteEngineer, identity.RoleUpdate{Permissions: gives(identity.ClusterWrite)})
	fails(t, "more than he may hand on", err, fault.Denied)
}

func TestNobodyRaisesHimselfByARoleThatHeHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.role(t, identity.NewRole{Role: "role.Lead", Permissions: set(identity.NodesPowerControl), Nodes: "n[1-3]", MaxLifetime: time.Hour})
	w.add(t, "boss", identity.RoleWareManager)
	w.add(t, "lead", identity.RoleWareManager, "role.Lead", identity.RoleOnsiteEngineer) // who has power everywhere by another role
	boss, lead := w.as(t, "boss"), w.as(t, "lead")
	for what, c := range map[string]struct {
		by   identity.Caller
		role identity.Role
		up   identity.RoleUpdate
	}{
		"his role":                     {boss, identity.RoleWareManager, identity.RoleUpdate{Permissions: new(boss.Permissions.Union(set(identity.NodesWrite)))}},
		"what every administrator has": {boss, identity.RoleAuthUser, identity.RoleUpdate{Permissions: gives(identity.NodesWrite)}},
		"one of his roles":             {lead, "role.Lead", identity.RoleUpdate{Permissions: gives(identity.NodesPowerControl, identity.ImagesWrite)}},
		"a longer life":                {lead, "role.Lead", identity.RoleUpdate{MaxLifetime: new(2 * time.Hour)}},
		"life without limit":           {lead, "role.Lead", identity.RoleUpdate{MaxLifetime: new(time.Duration(0))}},
	} {
		_, err := w.UpdateRole(t.Context(), c.by, c.role, c.up)
		fails(t, what, err, fault.Denied)
		if !strings.Contains(fault.Message(err), "nobody gives himself rights") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, c := range map[string]struct {
		by   identity.Caller
		role identity.Role
		up   identity.RoleUpdate
	}{
		"shorter":        {lead, "role.Lead", identity.RoleUpdate{MaxLifetime: new(time.Minute)}},
		"what he has":    {lead, "role.Lead", identity.RoleUpdate{Permissions: gives(identity.NodesPowerControl, identity.NodesWrite)}},
		"other nodes":    {lead, "role.Lead", identity.RoleUpdate{Nodes: new("n[1-9]")}}, // he has it everywhere
		"another's role": {boss, "role.Lead", identity.RoleUpdate{Nodes: new(""), MaxLifetime: new(time.Duration(0))}},
		"less of his":    {boss, identity.RoleWareManager, identity.RoleUpdate{Permissions: new(boss.Permissions.Minus(set(identity.AuditRead)))}},
	} {
		if _, err := w.UpdateRole(t.Context(), c.by, c.role, c.up); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestLimitOfOnesOwnRoleStays has a manager with power over three nodes, who may hand on everything that his role gives.
func TestLimitOfOnesOwnRoleStays(t *testing.T) {
	t.Parallel()
	w := newShifts(t)
	w.add(t, "boss", identity.RoleWareManager, "role.Night")
	c := w.as(t, "boss")
	for what, nodes := range map[string]string{"all": "", "more": "n[1-9]", "others": "n[7-9]"} {
		_, err := w.UpdateRole(t.Context(), c, "role.Night", identity.RoleUpdate{Nodes: &nodes})
		fails(t, what, err, fault.Denied)
	}
	_, err := w.Update(t.Context(), c, "boss", identity.Update{AddRoles: roleList{"role.Rack"}})
	fails(t, "a role with other nodes", err, fault.Denied)
	_, err = w.Update(t.Context(), c, "boss", identity.Update{AddRoles: roleList{"role.Power"}})
	fails(t, "a role without a limit", err, fault.Denied)
	if _, err := w.Update(t.Context(), c, "boss", identity.Update{Email: new("boss@example.org")}); err != nil {
		t.Errorf("what is his own all the same: %v", err)
	}
}

func TestFixedRolesStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	for _, c := range []identity.Caller{root, w.as(t, "chief")} {
		for _, r := range []identity.Role{identity.RoleFullAdmin, identity.RoleNoAccess} {
			for what, up := range map[string]identity.RoleUpdate{
				"permissions": {Permissions: gives(identity.NodesRead)}, "delegates": {Delegates: new(identity.All())},
				"nodes": {Nodes: new("n1")}, "lifetime": {MaxLifetime: new(time.Second)}, "nothing": {},
			} {
				_, err := w.UpdateRole(t.Context(), c, r, up)
				fails(t, string(r)+" "+what, err, fault.Conflict)
			}
			fails(t, "delete "+string(r), w.DeleteRole(t.Context(), c, r), fault.Conflict)
		}
	}
	// Whatever somebody writes into the database.
	g := identity.Grant{Role: identity.RoleFullAdmin, Permissions: set(identity.NodesRead)}
	if _, err := w.store.Roles().SaveRole(t.Context(), g, nil, audit.Record{Time: w.clock.Now(), Action: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := w.LoadRoles(t.Context()); err != nil {
		t.Fatal(err)
	}
	if g, _ := w.Roles().Get(identity.RoleFullAdmin); g.Permissions != identity.All() {
		t.Error("a full administrator is none any more")
	}
}

func TestRoleOfTheProgramGoesBackToWhatItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "prod", identity.RoleProductionEngineer)
	was, _ := w.Roles().Get(identity.RoleProductionEngineer)
	fails(t, "reset what is as it was", w.DeleteRole(t.Context(), root, identity.RoleProductionEngineer), fault.Conflict)
	changed, err := w.UpdateRole(t.Context(), root, identity.RoleProductionEngineer, identity.RoleUpdate{Permissions: gives(identity.NodesWrite), Nodes: new("n1")})
	if err != nil || !changed.Changed || !changed.System {
		t.Fatalf("%+v, %v", changed, err)
	}
	if w.as(t, "prod").Can(identity.ImagesWrite) {
		t.Error("the change does not count")
	}
	if err := w.DeleteRole(t.Context(), root, identity.RoleProductionEngineer); err != nil {
		t.Fatal(err)
	}
	if got := w.last(t); got.Action != "role.reset" || got.Object != "role/role.ProductionEngineer" {
		t.Errorf("record %+v", got)
	}
	if is, _ := w.Roles().Get(identity.RoleProductionEngineer); is != was {
		t.Errorf("it is %+v", is)
	}
	if !w.as(t, "prod").CanOn(identity.NodesWrite, "n9") {
		t.Error("the reset does not count")
	}
}

func TestRoleThatIsHeldIsNotDeleted(t *testing.T) {
	t.Parallel()
	w := newShifts(t)
	w.add(t, "ann", "role.Night")
	err := w.DeleteRole(t.Context(), root, "role.Night")
	fails(t, "held by one", err, fault.Conflict)
	if want := "1 user has the role role.Night: ann; take it from them first"; fault.Message(err) != want {
		t.Errorf("message %q, want %q", fault.Message(err), want)
	}
	for _, name := range []string{"b", "c", "d", "e", "f", "g"} {
		w.add(t, name, "role.Night", "role.Power")
	}
	if err = w.DeleteRole(t.Context(), root, "role.Night"); fault.Message(err) != "7 users have the role role.Night: ann, b, c, d, e, ...; take it from them first" {
		t.Errorf("got %v", err)
	}
	if err := w.DeleteRole(t.Context(), root, "role.Rack"); err != nil {
		t.Errorf("held by nobody: %v", err)
	}
	_, err = w.Create(t.Context(), root, identity.NewUser{Name: "late", Roles: roleList{"role.Rack"}})
	fails(t, "give what is gone", err, fault.Invalid)
}

func TestImpersonationTokenChangesNoRoles(t *testing.T) {
	t.Parallel()
	w := newShifts(t)
	w.add(t, "boss", identity.RoleWareManager)
	c := w.as(t, "boss")
	c.Actor = &identity.Actor{Name: "chief"}
	_, err := w.CreateRole(t.Context(), c, identity.NewRole{Role: "role.X"})
	fails(t, "create", err, fault.Denied)
	_, err = w.UpdateRole(t.Context(), c, "role.Night", identity.RoleUpdate{Description: new("x")})
	fails(t, "update", err, fault.Denied)
	fails(t, "delete", w.DeleteRole(t.Context(), c, "role.Night"), fault.Denied)
}

func TestChangesOfRolesAreInTheTrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	c := w.as(t, "chief")
	if _, err := w.CreateRole(t.Context(), c, identity.NewRole{Role: "role.Night", Permissions: set(identity.NodesRead, identity.NodesWrite), Nodes: "n1", MaxLifetime: time.Hour}); err != nil {
		t.Fatal(err)
	}
	want := audit.Record{
		Actor: "chief", Subject: "chief", Via: "session", Addr: "192.0.2.1", RequestID: "r1", Action: "role.create", Object: "role/role.Night",
		Outcome: audit.Done, Details: map[string]string{"display": "Night", "permissions": "+NodesRead,+NodesWrite", "nodes": "n1", "max_lifetime": "1h0m0s"},
	}
	check(t, want, w.last(t))
	if _, err := w.UpdateRole(t.Context(), c, "role.Night", identity.RoleUpdate{Permissions: gives(identity.NodesRead, identity.ImagesRead), Delegates: gives(identity.AuditRead)}); err != nil {
		t.Fatal(err)
	}
	want.Action, want.Details = "role.update", map[string]string{"permissions": "+ImagesRead,-NodesWrite", "delegates": "+AuditRead"}
	check(t, want, w.last(t))
	before := w.last(t).Seq
	if _, err := w.UpdateRole(t.Context(), c, "role.Night", identity.RoleUpdate{Display: new("Night")}); err != nil || w.last(t).Seq != before {
		t.Errorf("a change of nothing is on the trail, %v", err)
	}
	if err := w.DeleteRole(t.Context(), c, "role.Night"); err != nil {
		t.Fatal(err)
	}
	want.Action, want.Details = "role.delete", nil
	check(t, want, w.last(t))
}

func TestWithoutAStoreThereAreTheRolesOfTheProgramOnly(t *testing.T) {
	t.Parallel()
	s := identity.New(identity.Config{Clock: clock.System{}})
	if err := s.LoadRoles(t.Context()); err != nil || len(s.Roles().List()) != len(allRoles) {
		t.Errorf("%d roles, %v", len(s.Roles().List()), err)
	}
	_, err := s.CreateRole(t.Context(), root, identity.NewRole{Role: "role.A"})
	fails(t, "create", err, fault.Unavailable)
	fails(t, "delete", s.DeleteRole(t.Context(), root, "role.A"), fault.Unavailable)
}

// TestRightsThatWereTakenMeanwhileAreGone has callers whose request began before their rights were taken from them.
func TestRightsThatWereTakenMeanwhileAreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	for what, take := range map[string]func(name string) error{
		"role": func(name string) error {
			_, err := w.Update(t.Context(), root, name, identity.Update{Roles: &roleList{identity.RoleAuthUser}})
			return err
		},
		"account": func(name string) error { return w.Delete(t.Context(), root, name) },
		"access": func(name string) error {
			_, err := w.Update(t.Context(), root, name, identity.Update{Disabled: new(true)})
			return err
		},
	} {
		name := "boss-" + what
		w.add(t, name, identity.RoleWareManager)
		w.add(t, "victim-"+what, identity.RoleAuthUser)
		c := w.as(t, name)
		if err := take(name); err != nil {
			t.Fatal(err)
		}
		kind := fault.Unauthenticated
		if what == "role" {
			kind = fault.Denied
		}
		_, err := w.Create(t.Context(), c, identity.NewUser{Name: "new", Roles: roleList{identity.RoleAuthUser}})
		fails(t, what+": create", err, kind)
		_, err = w.Update(t.Context(), c, "victim-"+what, identity.Update{Email: new("x")})
		fails(t, what+": update", err, kind)
		fails(t, what+": delete", w.Delete(t.Context(), c, "victim-"+what), kind)
		_, err = w.CreateRole(t.Context(), c, identity.NewRole{Role: "role.X"})
		fails(t, what+": role", err, kind)
	}
}

func TestRolesThatAreChangedAtOnceAreAllKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := []identity.Role{"role.A", "role.B", "role.C", "role.D", "role.E"}
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() {
			if _, err := w.CreateRole(t.Context(), root, identity.NewRole{Role: name}); err != nil {
				t.Error(err)
			}
			for range 5 {
				w.Roles().Effective(roleList{name, identity.RoleAdmin})
			}
		})
	}
	wg.Wait()
	var got []identity.Role
	for _, g := range w.Roles().List() {
		if !g.System {
			got = append(got, g.Role)
		}
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

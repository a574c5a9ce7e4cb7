package identity_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

type roleList = []identity.Role

func TestWalkthroughCreatesManagerAndProductionEngineer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "boss", identity.RoleWareManager)
	for _, by := range []string{"chief", "boss"} {
		for name, role := range map[string]identity.Role{"M": identity.RoleWareManager, "P": identity.RoleProductionEngineer} {
			u, err := w.Create(t.Context(), w.as(t, by), identity.NewUser{Name: name + by, Roles: roleList{role}})
			if err != nil {
				t.Errorf("%s creates %s: %v", by, role, err)
			}
			if u.ModifiedBy != by || u.ID == "" || !u.Created.Equal(w.clock.Now()) {
				t.Errorf("got %+v", u)
			}
		}
	}
	_, err := w.Create(t.Context(), w.as(t, "chief"), identity.NewUser{Name: "chief2", Roles: roleList{identity.RoleFullAdmin}})
	if err != nil {
		t.Errorf("a full administrator makes another one: %v", err)
	}
}

func TestNobodyCreatesMoreThanHeMayHandOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "boss", identity.RoleWareManager)
	w.add(t, "admin", identity.RoleAdmin)
	w.add(t, "prod", identity.RoleProductionEngineer)
	for _, c := range []struct {
		by    string
		roles roleList
	}{
		{"boss", roleList{identity.RoleFullAdmin}},
		{"boss", roleList{identity.RoleAdmin}},
		{"boss", roleList{identity.RoleAPI}},
		{"boss", roleList{identity.RoleFullAdmin, identity.RoleNoAccess}}, // the lock could be taken off later
		{"admin", roleList{identity.RoleFullAdmin}},
		{"admin", roleList{identity.RoleProductionEngineer}},
		{"prod", roleList{identity.RoleAuthUser}},
	} {
		_, err := w.Create(t.Context(), w.as(t, c.by), identity.NewUser{Name: "new", Roles: c.roles, Password: "x"})
		fails(t, c.by+" creates "+string(c.roles[0]), err, fault.Denied)
	}
	narrowed := w.as(t, "chief")
	narrowed.Permissions = identity.SetOf(identity.AdminsWrite)
	narrowed.HandsOn = narrowed.Permissions
	_, err := w.Create(t.Context(), narrowed, identity.NewUser{Name: "new"})
	fails(t, "a narrowed credential creates its like", err, fault.Denied)
}

func TestCreateWithoutRolesInheritsTheCreators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "mixed", identity.RoleAdmin, identity.RoleAPI, identity.RoleFullAdmin)
	u, err := w.Create(t.Context(), w.as(t, "mixed"), identity.NewUser{Name: "heir"})
	if diff := cmp.Diff(roleList{identity.RoleFullAdmin}, u.Roles); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, by := range map[string]identity.Caller{"explicit": w.as(t, "mixed"), "local": root} {
		n := identity.NewUser{Name: name}
		if name == "explicit" {
			n.Roles = roleList{}
		}
		if u, err := w.Create(t.Context(), by, n); err != nil || len(u.Roles) != 0 {
			t.Errorf("%s: %v, %v", name, u.Roles, err)
		}
	}
}

func TestRecordsThatAreWrongAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for what, n := range map[string]identity.NewUser{
		"no name":                    {Roles: roleList{"api"}},
		"path as a name":             {Name: "../etc", Roles: roleList{"api"}},
		"id as a name":               {Name: "0123456789abcdef0123456789abcdef", Roles: roleList{"api"}},
		"unknown role":               {Name: "a", Roles: roleList{"root"}},
		"user without password":      {Name: "a", Roles: roleList{"user"}},
		"admin+api without password": {Name: "a", Roles: roleList{"admin", "api"}},
		"manager without project":    {Name: "a", Roles: roleList{"manager"}, Password: "x"},
		"project without manager":    {Name: "a", Roles: roleList{"user"}, Password: "x", Projects: []string{"p"}},
		"key that is none":           {Name: "a", Roles: roleList{"api"}, Keys: []string{"AAAA"}},
		"key with options":           {Name: "a", Roles: roleList{"api"}, Keys: []string{`command="rm -rf /" ssh-ed25519 AAAA x`}},
		"two keys in one":            {Name: "a", Roles: roleList{"api"}, Keys: []string{"ssh-ed25519 AAAA\nssh-rsa AAAA"}},
	} {
		_, err := w.Create(t.Context(), root, n)
		fails(t, what, err, fault.Invalid)
	}
	for what, n := range map[string]identity.NewUser{
		"api without password":    {Name: "a1", Roles: roleList{"api"}},
		"ware without password":   {Name: "a2", Roles: roleList{"role.FullAdmin", "api"}},
		"nobody without password": {Name: "a3", Roles: roleList{}},
		"LDAP without password":   {Name: "a4", Roles: roleList{"user"}, Source: identity.AuthLDAP},
		"key":                     {Name: "a5", Roles: roleList{"api"}, Keys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@home"}},
	} {
		if _, err := w.Create(t.Context(), root, n); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := w.Create(t.Context(), root, identity.NewUser{Name: "a1", Roles: roleList{"api"}})
	fails(t, "taken name", err, fault.Conflict)
}

func TestPeopleChangeWhatIsTheirOwnAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "prod", identity.RoleProductionEngineer)
	other := w.add(t, "other", identity.RoleAuthUser)
	c := w.as(t, "prod")
	keys := []string{"ssh-ed25519 AAAA prod"}
	u, err := w.Update(t.Context(), c, "prod", identity.Update{Keys: &keys, FullName: new("P. Rod"), Email: new("p@example.org")})
	if err != nil || u.FullName != "P. Rod" || u.Email != "p@example.org" || !cmp.Equal(u.Keys, keys) {
		t.Errorf("own keys: %+v, %v", u, err)
	}
	for what, up := range map[string]identity.Update{
		"roles": {Roles: &roleList{identity.RoleFullAdmin}}, "password": {Password: new("x")}, "disabled": {Disabled: new(true)},
		"added role": {AddRoles: roleList{identity.RoleFullAdmin}}, "taken role": {RemoveRoles: roleList{identity.RoleProductionEngineer}},
		"added project": {AddProjects: []string{"p"}}, "taken project": {RemoveProjects: []string{"p"}},
		"projects": {Projects: &[]string{"p"}}, "description": {Description: new("x")}, "mixed": {Email: new("x"), Roles: &roleList{}},
	} {
		_, err := w.Update(t.Context(), c, "prod", up)
		fails(t, "own "+what, err, fault.Denied)
	}
	for _, name := range []string{"other", string(other.ID), string(other.ID[:7]), "nobody"} {
		_, err := w.Update(t.Context(), c, name, identity.Update{Keys: &keys})
		fails(t, "keys of "+name, err, fault.Denied)
	}
	narrowed := c
	narrowed.Permissions = identity.SetOf(identity.NodesRead)
	_, err = w.Update(t.Context(), narrowed, "prod", identity.Update{Keys: &keys})
	fails(t, "own keys with a narrowed token", err, fault.Denied)
}

// TestNameThatBeginsAnIDIsNotTakenForIt plants a user whose name is the beginning of the victim's own id: what the victim
// may do to himself must not reach that user.
func TestNameThatBeginsAnIDIsNotTakenForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	self := w.add(t, "self", identity.RoleAuthUser)
	w.add(t, string(self.ID[:6]), identity.RoleAuthUser)
	c := w.as(t, "self")
	c.Permissions = identity.SetOf(identity.AdminsWriteSelf)
	_, err := w.Update(t.Context(), c, string(self.ID[:6]), identity.Update{Email: new("mine")})
	fails(t, "update", err, fault.Denied)
	_, err = w.Get(t.Context(), c, string(self.ID[:6]))
	fails(t, "get", err, fault.Denied)
}

func TestManagerCannotTouchWhoIsAboveHim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "locked", identity.RoleFullAdmin, identity.RoleNoAccess)
	w.add(t, "admin", identity.RoleAdmin)
	w.add(t, "boss", identity.RoleWareManager)
	w.add(t, "boss2", identity.RoleWareManager)
	c := w.as(t, "boss")
	for _, name := range []string{"chief", "locked", "admin"} {
		_, err := w.Update(t.Context(), c, name, identity.Update{Email: new("x")})
		fails(t, "update "+name, err, fault.Denied)
		_, err = w.Update(t.Context(), c, name, identity.Update{Password: new("x")})
		fails(t, "set password of "+name, err, fault.Denied)
		fails(t, "delete "+name, w.Delete(t.Context(), c, name), fault.Denied)
	}
	if _, err := w.Update(t.Context(), c, "boss2", identity.Update{Disabled: new(true)}); err != nil {
		t.Errorf("a peer: %v", err)
	}
}

func TestNobodyRaisesHimself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "boss", identity.RoleWareManager)
	c := w.as(t, "boss")
	for _, r := range []identity.Role{identity.RoleProductionEngineer, identity.RoleFullAdmin} {
		_, err := w.Update(t.Context(), c, "boss", identity.Update{Roles: &roleList{identity.RoleWareManager, r}})
		fails(t, "take "+string(r), err, fault.Denied)
		_, err = w.Update(t.Context(), c, "boss", identity.Update{AddRoles: roleList{r}})
		fails(t, "add "+string(r), err, fault.Denied)
	}
	if _, err := w.Update(t.Context(), c, "boss", identity.Update{Roles: &roleList{identity.RoleAuthUser}}); err != nil {
		t.Errorf("lower himself: %v", err)
	}
}

func TestLastAdministratorStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "boss", identity.RoleWareManager)
	w.add(t, "off", identity.RoleAdmin)
	w.add(t, "locked", identity.RoleFullAdmin, identity.RoleNoAccess)
	if _, err := w.Update(t.Context(), root, "off", identity.Update{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	for what, up := range map[string]identity.Update{
		"disabled": {Disabled: new(true)},
		"demoted":  {Roles: &roleList{identity.RoleWareManager}},
		"locked":   {Roles: &roleList{identity.RoleFullAdmin, identity.RoleNoAccess}},
	} {
		for _, c := range []identity.Caller{root, w.as(t, "chief")} {
			_, err := w.Update(t.Context(), c, "chief", up)
			fails(t, what, err, fault.Conflict)
		}
	}
	fails(t, "deleted", w.Delete(t.Context(), root, "chief"), fault.Conflict)

	w.add(t, "second", identity.RoleAdmin)
	if err := w.Delete(t.Context(), root, "chief"); err != nil {
		t.Errorf("with a second one: %v", err)
	}
	fails(t, "the second", w.Delete(t.Context(), root, "second"), fault.Conflict)
}

// TestRolesAndProjectsThatAreAddedAtOnceAreAllKept has many change the same lists at the same time, none of whom knows
// what the others do.
func TestRolesAndProjectsThatAreAddedAtOnceAreAllKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleManager, identity.RoleSupport)
	want := roleList{identity.RoleAPI, identity.RoleManager, identity.RoleUser, identity.RoleAuthUser, identity.RoleImageEngineer}
	var wg sync.WaitGroup
	change := func(up identity.Update) {
		wg.Go(func() {
			if _, err := w.Update(t.Context(), root, "u", up); err != nil {
				t.Error(err)
			}
		})
	}
	for _, r := range want {
		change(identity.Update{AddRoles: roleList{r}})
	}
	change(identity.Update{RemoveRoles: roleList{identity.RoleSupport}})
	for _, p := range []string{"p1", "p2", "p3", "p4"} {
		change(identity.Update{AddProjects: []string{p}})
	}
	wg.Wait()
	u, err := w.Get(t.Context(), root, "u")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(u.Roles)
	slices.Sort(u.Projects)
	slices.Sort(want)
	if diff := cmp.Diff(want, u.Roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"p1", "p2", "p3", "p4"}, u.Projects); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
}

func TestListsCanBeChangedByWhatComesAndGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for what, c := range map[string]struct {
		up       identity.Update
		roles    roleList
		projects []string
		wrong    string
	}{
		"add":                {identity.Update{AddRoles: roleList{"api", "user"}}, roleList{"manager", "user", "api"}, []string{"p1"}, ""},
		"add and take":       {identity.Update{AddRoles: roleList{"api"}, RemoveRoles: roleList{"user", "api"}}, roleList{"manager"}, []string{"p1"}, ""},
		"replace and add":    {identity.Update{Roles: &roleList{"user"}, AddRoles: roleList{"api"}, Projects: &[]string{}}, roleList{"user", "api"}, []string{}, ""},
		"another spelling":   {identity.Update{AddRoles: roleList{"role.ImagingEngineer"}}, roleList{"manager", "user", "role.ImageEngineer"}, []string{"p1"}, ""},
		"projects":           {identity.Update{AddProjects: []string{"p2", "p1"}, RemoveProjects: []string{"p1"}}, roleList{"manager", "user"}, []string{"p2"}, ""},
		"with projects":      {identity.Update{RemoveRoles: roleList{"manager"}, RemoveProjects: []string{"p1"}}, roleList{"user"}, []string{}, ""},
		"unknown role":       {up: identity.Update{AddRoles: roleList{"king"}}, wrong: "unknown role"},
		"take unknown role":  {up: identity.Update{RemoveRoles: roleList{"king"}}, wrong: "unknown role"},
		"take what is not":   {up: identity.Update{RemoveRoles: roleList{"api"}}, wrong: "user NAME does not have the role api"},
		"no such project":    {up: identity.Update{RemoveProjects: []string{"p2"}}, wrong: "user NAME does not manage the project p2"},
		"projects left over": {up: identity.Update{RemoveRoles: roleList{"manager"}}, wrong: "only a user with role manager"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			name := strings.ReplaceAll(what, " ", "-")
			w.add(t, name, identity.RoleManager, identity.RoleUser)
			u, err := w.Update(t.Context(), root, name, c.up)
			if c.wrong != "" {
				fails(t, what, err, fault.Invalid)
				if !strings.Contains(fault.Message(err), strings.ReplaceAll(c.wrong, "NAME", name)) {
					t.Errorf("message %q, want %q", fault.Message(err), c.wrong)
				}
				return
			}
			if err != nil || !slices.Equal(u.Roles, c.roles) || !slices.Equal(u.Projects, c.projects) {
				t.Errorf("roles %v, projects %v, %v", u.Roles, u.Projects, err)
			}
		})
	}
}

func TestTwoAdministratorsCannotRemoveEachOtherAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "a", identity.RoleFullAdmin)
	w.add(t, "b", identity.RoleFullAdmin)
	callers := map[string]identity.Caller{"b": w.as(t, "a"), "a": w.as(t, "b")}
	var wg sync.WaitGroup
	for victim, c := range callers {
		wg.Go(func() { _ = w.Delete(t.Context(), c, victim) })
	}
	wg.Wait()
	if users, err := w.List(t.Context(), root); err != nil || len(users) != 1 {
		t.Errorf("%d administrators are left, %v", len(users), err)
	}
}

func TestImpersonationTokenChangesNoUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	w.add(t, "boss", identity.RoleWareManager)
	c := w.as(t, "boss")
	c.Actor = &identity.Actor{Name: "chief"}
	_, err := w.Create(t.Context(), c, identity.NewUser{Name: "x"})
	fails(t, "create", err, fault.Denied)
	_, err = w.Update(t.Context(), c, "boss", identity.Update{Keys: &[]string{"ssh-ed25519 AAAA"}})
	fails(t, "own keys", err, fault.Denied)
	fails(t, "delete", w.Delete(t.Context(), c, "boss"), fault.Denied)
}

func TestEveryChangeIsInTheTrailWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	c := w.as(t, "chief")
	if _, err := w.Create(t.Context(), c, identity.NewUser{Name: "u", Roles: roleList{"user"}, Password: "pass", Email: "u@x"}); err != nil {
		t.Fatal(err)
	}
	want := audit.Record{
		Actor: "chief", Subject: "chief", Via: "session", Addr: "192.0.2.1", RequestID: "r1", Action: "user.create", Object: "user/u",
		Outcome: audit.Done, Details: map[string]string{"roles": "user", "email": "u@x", "password": "set"},
	}
	check(t, want, w.last(t))

	_, err := w.Update(t.Context(), c, "u", identity.Update{Password: new("word"), Disabled: new(true), Roles: &roleList{"user", "api"}})
	if err != nil {
		t.Fatal(err)
	}
	want.Action, want.Details = "user.update", map[string]string{
		"roles": "user,api", "disabled": "true", "password": "set", "tokens_revoked": "0", "sessions_ended": "0",
	}
	check(t, want, w.last(t))

	if err := w.Delete(t.Context(), c, "u"); err != nil {
		t.Fatal(err)
	}
	if got := w.last(t); got.Action != "user.delete" || got.Object != "user/u" || got.Actor != "chief" {
		t.Errorf("got %+v", got)
	}
}

func check(t *testing.T, want, got audit.Record) {
	t.Helper()
	got.Seq, got.Hash, got.Time = 0, "", time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestPasswordIsHashedAndDoesNotLeave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	listed, err := w.List(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Get(t.Context(), root, "u")
	if err != nil || u.Password+listed[0].Password+got.Password+w.as(t, "u").User.Password != "" {
		t.Errorf("a hash has left: %v", err)
	}
	acc, err := w.Account(t.Context(), "u")
	if err != nil || acc.Password != "hash of secret" {
		t.Errorf("got %q, %v", acc.Password, err)
	}
	_, err = w.Update(t.Context(), root, "u", identity.Update{Password: new("")})
	fails(t, "take the password away from a user", err, fault.Invalid)
	if _, err := w.Update(t.Context(), root, "u", identity.Update{Password: new(""), Roles: &roleList{"api"}}); err != nil {
		t.Errorf("take it away from a script: %v", err)
	}
}

func TestRehashLosesAgainstAChangeOfPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "u", identity.RoleUser)
	if _, err := w.Update(t.Context(), root, "u", identity.Update{Password: new("new")}); err != nil {
		t.Fatal(err)
	}
	rec := root.Record(w.clock.Now(), "user.rehash", "user/u")
	for _, c := range []struct{ old, hash, want string }{
		{"hash of secret", "better hash of secret", "hash of new"},
		{"hash of new", "better hash of new", "better hash of new"},
	} {
		if err := w.Rehash(t.Context(), u.ID, c.old, c.hash, rec); err != nil {
			t.Fatal(err)
		}
		if acc, err := w.Account(t.Context(), "u"); err != nil || acc.Password != c.want {
			t.Errorf("got %q, %v, want %q", acc.Password, err, c.want)
		}
	}
}

package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func roleTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComesBackAsWritten":              testRoleRoundTrip,
		"EmptyOnesComeBackEmpty":          testRoleEmpty,
		"SaveReplacesWhatHasTheName":      testRoleReplace,
		"ListIsByName":                    testRoleList,
		"DeleteRemovesOneAndUnknownIsNot": testRoleDelete,
		"EndsWhatTheDemotedHaveIssued":    testRoleEnd,
		"ReopenKeepsThem":                 testRoleReopen,
		"WhatNobodyKnowsIsAnError":        testRoleUnknown,
	}
}

// flatRole is a role in values that can be compared.
type flatRole struct {
	Name, Display, Description string
	Permissions, Delegates     []string
	Nodes                      string
	MaxLifetime                time.Duration
	System, Changed            bool
	Modified                   time.Time
	ModifiedBy                 string
}

func flat(g identity.Grant) flatRole {
	f := flatRole{
		Name: string(g.Role), Display: g.Display, Description: g.Description, Permissions: g.Permissions.Names(),
		Delegates: g.Delegates.Names(), MaxLifetime: g.MaxLifetime, System: g.System, Changed: g.Changed,
		Modified: g.Modified, ModifiedBy: g.ModifiedBy,
	}
	if g.Nodes != nil {
		f.Nodes = g.Nodes.String()
	}
	return f
}

// sampleRole returns a role with something in every field that is stored.
func sampleRole(t *testing.T, name identity.Role) identity.Grant {
	t.Helper()
	nodes, err := identity.ParseNodeSet("n[1-16],^n3,login*")
	must(t, err)
	return identity.Grant{
		Role: name, Display: "Ærøskøbing's <&> \"shift\"", Description: "about " + string(name) + `'; DROP TABLE roles; --`,
		Permissions: identity.SetOf(identity.NodesRead, identity.NodesPowerControl), Delegates: identity.SetOf(identity.AuditRead),
		Nodes: nodes, MaxLifetime: 8 * time.Hour, Modified: noon(), ModifiedBy: "root",
	}
}

func saveRole(t *testing.T, s *sqlstore.Store, g identity.Grant, demoted ...identity.UserID) []string {
	t.Helper()
	revoked, err := s.Roles().SaveRole(t.Context(), g, demoted, record("role.update", "role/"+string(g.Role)))
	must(t, err)
	slices.Sort(revoked)
	return revoked
}

func listRoles(t *testing.T, s *sqlstore.Store) []flatRole {
	t.Helper()
	all, err := s.Roles().ListRoles(t.Context())
	must(t, err)
	list := make([]flatRole, len(all))
	for i, g := range all {
		list[i] = flat(g)
	}
	return list
}

func testRoleRoundTrip(db Database) {
	t := db.t
	want := sampleRole(t, "role.Night")
	if revoked := saveRole(t, db.Store, want); revoked != nil {
		t.Errorf("nobody was demoted, and %v were revoked", revoked)
	}
	same(t, "roles", listRoles(t, db.Store), []flatRole{flat(want)})
	if last := wantLast(t, db.Store, "role.update"); last.Details != nil {
		t.Errorf("the record has details %v", last.Details)
	}
}

func testRoleEmpty(db Database) {
	t := db.t
	saveRole(t, db.Store, identity.Grant{Role: "role.Empty"})
	all, err := db.Store.Roles().ListRoles(t.Context())
	must(t, err)
	if len(all) != 1 || all[0] != (identity.Grant{Role: "role.Empty"}) {
		t.Errorf("roles are %+v", all)
	}
}

func testRoleReplace(db Database) {
	t := db.t
	saveRole(t, db.Store, sampleRole(t, "role.Night"))
	want := identity.Grant{
		Role: "role.Night", Display: "N", Permissions: identity.All(), MaxLifetime: time.Second,
		Modified: noon().Add(time.Hour), ModifiedBy: "ann",
	}
	saveRole(t, db.Store, want)
	same(t, "roles", listRoles(t, db.Store), []flatRole{flat(want)})
}

func testRoleList(db Database) {
	t := db.t
	if n := len(listRoles(t, db.Store)); n != 0 {
		t.Fatalf("%d roles in an empty database", n)
	}
	for _, name := range []identity.Role{"role.C", "admin", "role.A"} {
		saveRole(t, db.Store, identity.Grant{Role: name})
	}
	var names []string
	for _, r := range listRoles(t, db.Store) {
		names = append(names, r.Name)
	}
	same(t, "names", names, []string{"admin", "role.A", "role.C"})
}

func testRoleDelete(db Database) {
	t := db.t
	saveRole(t, db.Store, sampleRole(t, "role.A"))
	saveRole(t, db.Store, sampleRole(t, "role.B"))
	rec := record("role.delete", "role/role.A")
	_, err := db.Store.Roles().DeleteRole(t.Context(), "role.A", nil, rec)
	must(t, err)
	wantLast(t, db.Store, "role.delete")
	same(t, "roles", listRoles(t, db.Store), []flatRole{flat(sampleRole(t, "role.B"))})

	before := len(trailOf(t, db.Store))
	_, err = db.Store.Roles().DeleteRole(t.Context(), "role.A", nil, rec)
	wantKind(t, err, fault.NotFound)
	if after := len(trailOf(t, db.Store)); after != before {
		t.Errorf("a role that was not there left %d records", after-before)
	}
}

func testRoleEnd(db Database) {
	t := db.t
	alice, bob, carol := createUser(t, db.Store, "alice"), createUser(t, db.Store, "bob"), createUser(t, db.Store, "carol")
	createToken(t, db.Store, "alice-for-bob", bob, alice)
	createToken(t, db.Store, "bob-for-carol", carol, bob)
	createToken(t, db.Store, "carol-for-alice", alice, carol)
	createToken(t, db.Store, "alice-own", alice, alice)
	createSession(t, db.Store, "s-alice", alice.ID)

	revoked := saveRole(t, db.Store, sampleRole(t, "role.A"), alice.ID, bob.ID)
	same(t, "revoked ids", revoked, []string{"alice-for-bob", "bob-for-carol"})
	same(t, "details", wantLast(t, db.Store, "role.update").Details, map[string]string{"tokens_revoked": "2"})
	same(t, "tokens that live", liveTokens(t, db.Store), []string{"alice-own", "carol-for-alice"})
	_, err := db.Store.Sessions().GetSession(t.Context(), "s-alice")
	must(t, err)

	revoked, err = db.Store.Roles().DeleteRole(t.Context(), "role.A", []identity.UserID{carol.ID}, record("role.delete", "x"))
	must(t, err)
	same(t, "revoked ids", revoked, []string{"carol-for-alice"})
	same(t, "details", wantLast(t, db.Store, "role.delete").Details, map[string]string{"tokens_revoked": "1"})
}

func testRoleReopen(db Database) {
	t := db.t
	want := sampleRole(t, "role.Night")
	saveRole(t, db.Store, want)
	same(t, "roles", listRoles(t, db.Reopen()), []flatRole{flat(want)})
}

// testRoleUnknown has what a newer program, or somebody with a hand in the database, may have written: such a role must
// not come back as one that gives something else.
func testRoleUnknown(db Database) {
	t := db.t
	for column, value := range map[string]string{
		"permissions": `["NodesRead", "RuleTheWorld"]`, "delegates": `["RuleTheWorld"]`, "nodes": `n[1-`,
	} {
		saveRole(t, db.Store, sampleRole(t, "role.Night"))
		must(t, db.Exec(`UPDATE roles SET `+column+` = '`+value+`'`))
		_, err := db.Store.Roles().ListRoles(t.Context())
		wantKind(t, err, fault.Internal)
	}
}

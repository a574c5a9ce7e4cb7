package storetest

import (
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func userTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComesBackAsWritten":                   testUserRoundTrip,
		"UnknownIsNotFound":                    testUserNotFound,
		"TakenNameIsConflict":                  testUserConflict,
		"UpdateKeepsCreationAndLogin":          testUserUpdate,
		"DeleteRevokesTokensAndSessions":       testUserDelete,
		"UpdateEndsWhatItIsToldAndNothingElse": testUserEnd,
		"RefusedUpdateEndsNothing":             testUserEndRefused,
		"SameNameAgainIsAnotherUser":           testUserAgain,
		"ListIsByNameAndEmptyWhenThereIsNone":  testUserList,
		"RefusedChangeLeavesNoRecord":          testUserRefused,
		"LastLoginIsRecorded":                  testUserLogin,
		"QuotesAndUnicodeAreText":              testUserText,
		"NoListAndEmptyListStayWhatTheyAre":    testUserEmptyLists,
		"TwoUsersMayHaveEverythingElseInShare": testUserShared,
	}
}

// sampleUser returns a user with something in every field.
func sampleUser(name string) identity.User {
	return identity.User{ //nolint:gosec // a made-up hash
		ID: identity.UserID("id-of-" + name), Name: name, FullName: "Full " + name, Email: name + "@example.org", Description: "about " + name,
		Roles: []identity.Role{identity.RoleManager, identity.RoleUser}, Projects: []string{"p1", "p2"}, Keys: []string{"ssh-ed25519 AAAA x"},
		Source: identity.AuthLDAP, Password: "$argon2id$x",
		Created: noon(), Modified: noon().Add(time.Second), ModifiedBy: "root", LastLogin: noon().Add(time.Minute),
	}
}

func createUser(t *testing.T, s *sqlstore.Store, name string) identity.User {
	t.Helper()
	u := sampleUser(name)
	must(t, s.Users().CreateUser(t.Context(), u, record("user.create", "user/"+name)))
	return u
}

func testUserRoundTrip(db Database) {
	t := db.t
	want := createUser(t, db.Store, "alice")
	byName, err := db.Store.Users().GetUser(t.Context(), "alice")
	must(t, err)
	same(t, "users by name", byName, want)
	byID, err := db.Store.Users().GetUserByID(t.Context(), want.ID)
	must(t, err)
	same(t, "users by id", byID, want)
	wantLast(t, db.Store, "user.create")
}

func testUserNotFound(db Database) {
	t := db.t
	users := db.Store.Users()
	_, err := users.GetUser(t.Context(), "nobody")
	wantKind(t, err, fault.NotFound)
	_, err = users.GetUserByID(t.Context(), "nobody")
	wantKind(t, err, fault.NotFound)
	_, err = users.UpdateUser(t.Context(), sampleUser("nobody"), everything(), record("user.update", "x"))
	wantKind(t, err, fault.NotFound)
	_, err = users.DeleteUser(t.Context(), "nobody", record("user.delete", "x"))
	wantKind(t, err, fault.NotFound)
	wantKind(t, users.SetLastLogin(t.Context(), "nobody", noon(), record("user.login", "x")), fault.NotFound)
	if n := len(trailOf(t, db.Store)); n != 0 {
		t.Fatalf("%d audit records of changes that did not happen", n)
	}
}

func testUserConflict(db Database) {
	t := db.t
	createUser(t, db.Store, "alice")
	bob := createUser(t, db.Store, "bob")

	twin := sampleUser("alice")
	twin.ID = "another"
	wantKind(t, db.Store.Users().CreateUser(t.Context(), twin, record("user.create", "x")), fault.Conflict)
	twin.ID, twin.Name = bob.ID, "carol"
	wantKind(t, db.Store.Users().CreateUser(t.Context(), twin, record("user.create", "x")), fault.Conflict)
	bob.Name = "alice"
	_, err := db.Store.Users().UpdateUser(t.Context(), bob, identity.End{}, record("user.update", "x"))
	wantKind(t, err, fault.Conflict)
}

func testUserUpdate(db Database) {
	t := db.t
	want := createUser(t, db.Store, "alice")
	change := want
	change.Name, change.FullName, change.Email, change.Description = "alicia", "A", "a@b", "d"
	change.Roles, change.Projects, change.Keys = []identity.Role{identity.RoleAPI}, nil, nil
	change.Source, change.Password, change.Disabled = identity.AuthLocal, "new", true
	change.Modified, change.ModifiedBy = noon().Add(time.Hour), "boss"
	change.Created, change.LastLogin = noon().Add(-time.Hour), time.Time{}
	updateUser(t, db.Store, change, identity.End{})

	change.Created, change.LastLogin = want.Created, want.LastLogin
	got, err := db.Store.Users().GetUser(t.Context(), "alicia")
	must(t, err)
	same(t, "users", got, change)
	if last := wantLast(t, db.Store, "user.update"); last.Details != nil {
		t.Errorf("nothing was to end, and the record says %v", last.Details)
	}
}

func testUserList(db Database) {
	t := db.t
	none, err := db.Store.Users().ListUsers(t.Context())
	must(t, err)
	if len(none) != 0 {
		t.Fatalf("%d users in an empty database", len(none))
	}
	carol, alice, bob := createUser(t, db.Store, "carol"), createUser(t, db.Store, "alice"), createUser(t, db.Store, "bob")
	all, err := db.Store.Users().ListUsers(t.Context())
	must(t, err)
	same(t, "users", all, []identity.User{alice, bob, carol})
}

func testUserRefused(db Database) {
	t := db.t
	createUser(t, db.Store, "alice")
	before := len(trailOf(t, db.Store))
	wantKind(t, db.Store.Users().CreateUser(t.Context(), sampleUser("alice"), record("user.create", "x")), fault.Conflict)
	if after := len(trailOf(t, db.Store)); after != before {
		t.Fatalf("%d audit records, want %d", after, before)
	}
}

func testUserLogin(db Database) {
	t := db.t
	want := createUser(t, db.Store, "alice")
	want.LastLogin = noon().Add(24 * time.Hour)
	must(t, db.Store.Users().SetLastLogin(t.Context(), want.ID, want.LastLogin, record("user.login", "user/alice")))
	got, err := db.Store.Users().GetUser(t.Context(), "alice")
	must(t, err)
	same(t, "users", got, want)
	wantLast(t, db.Store, "user.login")
}

func testUserText(db Database) {
	t := db.t
	want := sampleUser("alice")
	want.FullName = `'; DROP TABLE users; -- "Ærøskøbing" ? $1 \ % _`
	want.Roles = []identity.Role{"<&>\u2028"}
	must(t, db.Store.Users().CreateUser(t.Context(), want, record("user.create", "x")))
	got, err := db.Store.Users().GetUser(t.Context(), "alice")
	must(t, err)
	same(t, "users", got, want)
}

func testUserEmptyLists(db Database) {
	t := db.t
	want := sampleUser("alice")
	want.Roles, want.Projects, want.Keys = nil, []string{}, nil
	want.Created, want.LastLogin = time.Time{}, time.Time{}
	must(t, db.Store.Users().CreateUser(t.Context(), want, record("user.create", "x")))
	got, err := db.Store.Users().GetUser(t.Context(), "alice")
	must(t, err)
	same(t, "users", got, want)
}

func testUserShared(db Database) {
	t := db.t
	alice := createUser(t, db.Store, "alice")
	twin := alice
	twin.ID, twin.Name = "another", "Alice" // names differ in case
	must(t, db.Store.Users().CreateUser(t.Context(), twin, record("user.create", "x")))
	got, err := db.Store.Users().GetUser(t.Context(), "Alice")
	must(t, err)
	same(t, "users", got, twin)
}

// renamed returns the user under another name.
func renamed(u identity.User) identity.User {
	u.Name = "renamed"
	return u
}

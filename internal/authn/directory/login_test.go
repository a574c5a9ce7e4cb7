package directory_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/directory"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/directory/directorytest"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
)

var root = identity.Local("root")

// world is a login with a real directory on a real store.
type world struct {
	*authn.Service
	store  *sqlstore.Store
	users  *identity.Service
	logins *directory.Logins
	log    *strings.Builder
}

func newWorld(t *testing.T, s *directorytest.Server, r directory.Rules) *world {
	t.Helper()
	w := &world{store: storetest.Open(t), log: &strings.Builder{}}
	passwords := authn.NewPasswords()
	w.users = identity.New(identity.Config{Store: w.store.Users(), RoleStore: w.store.Roles(), Hasher: passwords, Clock: clock.System{}})
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.logins = directory.NewLogins(newDirectory(t, s.Config()), w.users, r, log)
	w.Service = authn.NewService(authn.Config{
		Users: w.users, Passwords: passwords, Backends: []authn.Backend{w.logins}, Limiter: authn.NewLimiter(clock.System{}),
		Audit: w.store.Audit(), Clock: clock.System{}, Log: log,
	})
	return w
}

func (w *world) create(t *testing.T, n identity.NewUser) {
	t.Helper()
	if _, err := w.users.Create(t.Context(), root, n); err != nil {
		t.Fatal(err)
	}
}

func (w *world) reason(t *testing.T) string {
	t.Helper()
	recs, err := w.store.Audit().List(t.Context(), audit.Filter{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return recs[0].Reason
}

func TestUsersOfTheDirectoryLogIn(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t, "alice", "bob", "carol")
	w := newWorld(t, s, directory.Rules{CreateOnLogin: true, UpdateOnLogin: true})
	w.create(t, identity.NewUser{Name: "bob", Roles: []identity.Role{"user"}, Password: "local"})
	w.create(t, identity.NewUser{Name: "carol", FullName: "Carol of old", Roles: []identity.Role{"support"}, Source: identity.AuthLDAP})
	for _, c := range []struct{ name, password, reason string }{
		{"alice", "pw-bob", "no such user"}, // no account is made for a guess
		{"alice", "", "no such user"},
		{"alice", "pw-alice", ""},
		{"alice", "pw-alice", ""},
		{"alice", "pw-bob", "wrong password"},
		{"bob", "pw-bob", "wrong password"}, // his password here is the local one
		{"bob", "local", ""},
		{"carol", "pw-carol", ""},
		{"nobody", "x", "no such user"},
		{"alice,ou=x", "pw-alice", "no such user"},
	} {
		u, err := w.Login(t.Context(), identity.Attempt{Name: c.name, Password: c.password, Addr: "192.0.2.1"})
		if got := w.reason(t); (err == nil) != (c.reason == "") || got != c.reason {
			t.Errorf("%s %q: %v, reason %q", c.name, c.password, err, got)
		}
		if err == nil && u.Name != c.name {
			t.Errorf("%s is %+v", c.name, u)
		}
	}
	alice, err := w.users.Get(t.Context(), root, "alice")
	if err != nil || alice.Source != identity.AuthLDAP || alice.FullName != "Full alice" || !slices.Equal(alice.Roles, []identity.Role{"user"}) {
		t.Errorf("%+v, %v", alice, err)
	}
	carol, err := w.users.Get(t.Context(), root, "carol")
	if err != nil || carol.FullName != "Full carol" || !slices.Equal(carol.Roles, []identity.Role{"support"}) {
		t.Errorf("%+v, %v", carol, err)
	}
	s.Modify("dn: uid=carol," + directorytest.UserBase + "\nchangetype: modify\nreplace: gidNumber\ngidNumber: 200\n")
	if _, err := w.Login(t.Context(), identity.Attempt{Name: "carol", Password: "pw-carol"}); err == nil || w.reason(t) != "no user of the directory any more" {
		t.Errorf("who is not meant by the filter any more: %v", err)
	}
}

func TestWithoutSyncOnLoginOnlyAccountsCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, directorytest.Start(t, "alice"), directory.Rules{})
	if _, err := w.Login(t.Context(), identity.Attempt{Name: "alice", Password: "pw-alice"}); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("%v", err)
	}
	w.create(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Source: identity.AuthLDAP})
	if _, err := w.Login(t.Context(), identity.Attempt{Name: "alice", Password: "pw-alice"}); err != nil {
		t.Error(err)
	}
}

// That the directory does not answer is said to all alike, or it would tell whose passwords it knows.
func TestSilentDirectoryTellsNothingAboutUsers(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t, "alice")
	w := newWorld(t, s, directory.Rules{})
	w.create(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Source: identity.AuthLDAP})
	w.create(t, identity.NewUser{Name: "bob", Roles: []identity.Role{"user"}, Password: "local"})
	say := func(name, password string) string {
		_, err := w.Login(t.Context(), identity.Attempt{Name: name, Password: password, Addr: "192.0.2.1"})
		return fault.Message(err)
	}
	if got := say("alice", "x"); got != "wrong user name or password" {
		t.Errorf("before: %s", got)
	}
	s.Stop()
	const silent = "wrong user name or password; one of the services that check passwords does not answer just now"
	for _, name := range []string{"alice", "bob", "nobody"} {
		if got := say(name, "x"); got != silent {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, err := w.Login(t.Context(), identity.Attempt{Name: "bob", Password: "local"}); err != nil {
		t.Errorf("local accounts need no directory: %v", err)
	}
	if !strings.Contains(w.log.String(), "a password could not be checked") {
		t.Errorf("log: %s", w.log)
	}
	s.Run()
	if _, err := w.Login(t.Context(), identity.Attempt{Name: "alice", Password: "pw-alice"}); err != nil {
		t.Error(err)
	}
	if got := say("nobody", "x"); got != "wrong user name or password" {
		t.Errorf("afterwards: %s", got)
	}
}

func TestSyncKeepsAccountsInStep(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t, "alice", "bob", "carol", "dave")
	w := newWorld(t, s, directory.Rules{DeleteOld: true})
	w.create(t, identity.NewUser{Name: "bob", FullName: "Robert", Roles: []identity.Role{"user"}, Password: "local"})
	w.create(t, identity.NewUser{Name: "carol", FullName: "Carol", Roles: []identity.Role{"support"}, Source: identity.AuthLDAP})
	w.create(t, identity.NewUser{Name: "gone", Roles: []identity.Role{"user"}, Source: identity.AuthLDAP})
	w.create(t, identity.NewUser{Name: "chief", Roles: []identity.Role{"admin"}, Source: identity.AuthLDAP}) // the last administrator
	s.Modify(directorytest.Entry("not valid", 2000))
	sync := func(want directory.Synced) {
		t.Helper()
		if got, err := w.logins.Sync(t.Context()); err != nil || got != want {
			t.Errorf("%v, %v", got, err)
		}
	}
	sync(directory.Synced{Added: 2, Updated: 1, Removed: 1, Skipped: 3})
	sync(directory.Synced{Skipped: 3})
	s.Modify("dn: uid=dave," + directorytest.UserBase + "\nchangetype: delete\n")
	sync(directory.Synced{Removed: 1, Skipped: 3})
	users, err := w.users.List(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range users {
		got = append(got, u.Name+":"+u.FullName+":"+string(u.Roles[0])+":"+u.Source.Method())
	}
	want := []string{"alice:Full alice:user:ldap", "bob:Robert:user:password", "carol:Full carol:support:ldap", "chief::admin:ldap"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for _, why := range []string{"user=chief", "last administrator", "user=bob", "another source", "not valid"} {
		if !strings.Contains(w.log.String(), why) {
			t.Errorf("the log does not say %q: %s", why, w.log)
		}
	}
}

func TestSyncDoesNotTakeAMistakeForTheEndOfAllUsers(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t, "alice")
	w := newWorld(t, s, directory.Rules{DeleteOld: true})
	if _, err := w.logins.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Modify("dn: uid=alice," + directorytest.UserBase + "\nchangetype: delete\n")
	if done, err := w.logins.Sync(t.Context()); !fault.Is(err, fault.Unavailable) || done.Removed != 0 {
		t.Errorf("%v, %v", done, err)
	}
	s.Stop()
	if _, err := w.logins.Sync(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a directory: %v", err)
	}
	if _, err := w.users.Get(t.Context(), root, "alice"); err != nil {
		t.Error(err)
	}
}

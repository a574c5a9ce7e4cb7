package authn_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
)

var root = identity.Local("root")

// world is a login on a real store with real hashes.
type world struct {
	*authn.Service
	store     *sqlstore.Store
	users     *identity.Service
	passwords *authn.Passwords
	clock     *clock.Manual
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{store: storetest.Open(t), passwords: authn.NewPasswords(), clock: clock.NewManual(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))}
	w.users = identity.New(identity.Config{Store: w.store.Users(), Roles: identity.DefaultRoles(), Hasher: w.passwords, Clock: w.clock})
	w.Service = authn.NewService(authn.Config{
		Users: w.users, Passwords: w.passwords, Limiter: authn.NewLimiter(w.clock), Audit: w.store.Audit(), Clock: w.clock,
	})
	return w
}

func (w *world) add(t *testing.T, n identity.NewUser) identity.User {
	t.Helper()
	u, err := w.users.Create(t.Context(), root, n)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (w *world) login(t *testing.T, name, password string) (identity.User, error) {
	t.Helper()
	return w.Login(t.Context(), identity.Attempt{Name: name, Password: password, Addr: "192.0.2.1", RequestID: "r1"})
}

func (w *world) trail(t *testing.T) []audit.Record {
	t.Helper()
	recs, err := w.store.Audit().List(t.Context(), audit.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return recs
}

func TestLoginSucceedsAndIsNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	u, err := w.login(t, "alice", "s3cret")
	if err != nil || u.Name != "alice" || u.Password != "" || !u.LastLogin.Equal(w.clock.Now()) {
		t.Fatalf("%+v, %v", u, err)
	}
	if got, err := w.users.Get(t.Context(), root, "alice"); err != nil || !got.LastLogin.Equal(w.clock.Now()) {
		t.Errorf("last login %v, %v", got.LastLogin, err)
	}
	rec := w.trail(t)[0]
	if rec.Action != "user.login" || rec.Object != "user/alice" || rec.Actor != "alice" || rec.Outcome != audit.Done || rec.Addr != "192.0.2.1" || rec.Via != "password" || rec.RequestID != "r1" {
		t.Errorf("trail: %+v", rec)
	}
}

func TestEveryRefusalLooksTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	w.add(t, identity.NewUser{Name: "off", Roles: []identity.Role{"user"}, Password: "s3cret"})
	w.add(t, identity.NewUser{Name: "script", Roles: []identity.Role{"api"}})
	w.add(t, identity.NewUser{Name: "ldap", Roles: []identity.Role{"user"}, Source: identity.AuthLDAP, Password: "s3cret"})
	if _, err := w.users.Update(t.Context(), root, "off", identity.Update{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, password, reason, object string }{
		{"alice", "wrong", "wrong password", "user/alice"},
		{"alice", "", "wrong password", "user/alice"},
		{"alice", strings.Repeat("x", 2000), "wrong password", "user/alice"},
		{"off", "s3cret", "user is disabled", "user/off"},
		{"script", "", "wrong password", "user/script"},
		{"script", "x", "wrong password", "user/script"},
		{"ldap", "s3cret", "wrong password", "user/ldap"},
		{"my-s3cret-in-the-wrong-field", "x", "no such user", "user"},
		{"", "", "no such user", "user"},
		{"Alice", "s3cret", "no such user", "user"},
	} {
		_, err := w.login(t, c.name, c.password)
		if !fault.Is(err, fault.Unauthenticated) || fault.Message(err) != "wrong user name or password" {
			t.Errorf("%s: %v", c.name, err)
		}
		rec := w.trail(t)[0]
		if rec.Action != "user.login" || rec.Outcome != audit.Refused || rec.Reason != c.reason || rec.Object != c.object {
			t.Errorf("%s: trail: %+v", c.name, rec)
		}
	}
	for _, rec := range w.trail(t) {
		if strings.Contains(rec.Actor+rec.Subject+rec.Object+rec.Reason, "s3cret") {
			t.Errorf("a secret in the trail: %+v", rec)
		}
	}
}

func TestGuessingStopsAndIsRecordedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	for range 3 {
		if _, err := w.login(t, "alice", "s3cret"); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		if _, err := w.login(t, "alice", "wrong"); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
	}
	before := len(w.trail(t))
	for range 20 {
		if _, err := w.login(t, "alice", "s3cret"); !fault.Is(err, fault.TooMany) || fault.Message(err) != "too many login attempts" {
			t.Fatal(err)
		}
	}
	recs := w.trail(t)
	if len(recs) != before+1 || recs[0].Reason != "too many attempts" {
		t.Errorf("%d more records, the last %+v", len(recs)-before, recs[0])
	}
	if _, err := w.Login(t.Context(), identity.Attempt{Name: "alice", Password: "s3cret", Addr: "198.51.100.1"}); err != nil {
		t.Errorf("the owner from elsewhere: %v", err)
	}
	w.clock.Advance(15 * time.Minute)
	if _, err := w.login(t, "alice", "s3cret"); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestOldHashesAreRenewedAtLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, err := bcrypt.GenerateFromPassword([]byte("demo"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	u := w.add(t, identity.NewUser{Name: "demo", Roles: []identity.Role{"admin"}, Password: "other"})
	acc, err := w.users.Account(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.users.Rehash(t.Context(), u.ID, acc.Password, string(old), root.Record(w.clock.Now(), "user.import", "user/demo")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.login(t, "demo", "wrong"); !fault.Is(err, fault.Unauthenticated) {
		t.Fatal(err)
	}
	var hashes []string
	for range 2 {
		if _, err := w.login(t, "demo", "demo"); err != nil {
			t.Fatal(err)
		}
		if acc, err = w.users.Account(t.Context(), "demo"); err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, acc.Password)
	}
	if !strings.HasPrefix(hashes[0], "$argon2id$") || hashes[0] != hashes[1] {
		t.Errorf("got %v", hashes)
	}
	if !slices.ContainsFunc(w.trail(t), func(r audit.Record) bool { return r.Action == "user.rehash" && r.Actor == "demo" }) {
		t.Error("the renewal is not in the trail")
	}
}

var errDisk = errors.New("disk full")

type fullTrail struct{ audit.Log }

func (fullTrail) Append(context.Context, audit.Record) error { return errDisk }

func TestWhatCannotBeRecordedIsAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	w.Audit = fullTrail{}
	for range 6 { // the sixth is refused by the limiter
		if _, err := w.login(t, "alice", "wrong"); !errors.Is(err, errDisk) || fault.Message(err) != "internal error" {
			t.Errorf("got %v", err)
		}
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for range 40 { // our own failures do not lock anybody out
		if _, err := w.Login(t.Context(), identity.Attempt{Name: "bob", Password: "x", Addr: "198.51.100.1"}); fault.KindOf(err) != fault.Internal {
			t.Fatalf("got %v", err)
		}
	}
}

// TestUnknownUsersCostAsMuch looks at the memory that a check takes, which is argon2id's measure of work, rather than at
// the time, which on a busy machine says little.
func TestUnknownUsersCostAsMuch(t *testing.T) {
	w := newWorld(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	w.add(t, identity.NewUser{Name: "script", Roles: []identity.Role{"api"}})
	cost := func(name, password string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := w.login(t, name, password); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) >> 20
	}
	want := cost("alice", "guess")
	if want < 19 {
		t.Fatalf("a wrong password costs %d MiB", want)
	}
	for name, password := range map[string]string{"nobody": "guess", "script": "guess", "empty": "", "long": strings.Repeat("x", 2000)} {
		if got := cost(name, password); got != want {
			t.Errorf("%s costs %d MiB, a known user %d MiB", name, got, want)
		}
	}
}

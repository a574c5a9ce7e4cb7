package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func sessionTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComesBackAsWritten":             testSessionRoundTrip,
		"UnknownIsNotFound":              testSessionNotFound,
		"OfDeletedUserIsNotFound":        testSessionWithoutUser,
		"TouchMovesForwardOnly":          testSessionTouch,
		"DisabledOrGoneGetsNone":         testSessionOfDisabled,
		"EndTwiceIsNoErrorOneRecord":     testSessionEnd,
		"EndTakesWhatMatches":            testSessionEndMatching,
		"ListIsByLastUse":                testSessionList,
		"TheLeastUsedMakesRoom":          testSessionLimit,
		"ReplaceIsAllOrNothing":          testSessionReplace,
		"RenewedIsFoundByBothHashes":     testSessionRenew,
		"SweepTakesIdleAndOverdue":       testSessionSweep,
		"SameSecretTwiceIsConflict":      testSessionConflict,
		"TouchOfEndedSessionLeavesItOut": testSessionTouchEnded,
	}
}

func createSession(t *testing.T, s *sqlstore.Store, hash string, user identity.UserID) token.Session {
	t.Helper()
	v := token.Session{
		Hash: hash, UserID: user, Created: noon(), Seen: noon().Add(time.Second), Expires: noon().Add(time.Hour),
		Addr: "192.0.2.1", Agent: "Browser/1", Method: "password",
	}
	must(t, s.Sessions().CreateSession(t.Context(), v, 0, record("session.start", "user/"+string(user))))
	return v
}

// actingSession is a session in which an actor acts as a user.
func actingSession(t *testing.T, s *sqlstore.Store, hash string, user, actor identity.UserID) token.Session {
	t.Helper()
	v := token.Session{
		Hash: hash, UserID: user, ActorID: actor, Method: "oidc", Created: noon(), Seen: noon(), Expires: noon().Add(time.Hour),
		Resumes: noon().Add(2 * time.Hour), Addr: "192.0.2.2", Agent: "Browser/2",
	}
	must(t, s.Sessions().CreateSession(t.Context(), v, 0, record("session.act", "user/"+string(user))))
	return v
}

func endSession(t *testing.T, s *sqlstore.Store, f token.SessionFilter) int {
	t.Helper()
	n, err := s.Sessions().EndSessions(t.Context(), f, record("session.end", "x"))
	must(t, err)
	return n
}

func hashes(t *testing.T, s *sqlstore.Store, f token.SessionFilter) []string {
	t.Helper()
	all, err := s.Sessions().ListSessions(t.Context(), f)
	must(t, err)
	found := []string{}
	for _, v := range all {
		found = append(found, v.Hash)
	}
	return found
}

func testSessionRoundTrip(db Database) {
	t := db.t
	alice, bob := createUser(t, db.Store, "alice").ID, createUser(t, db.Store, "bob").ID
	for _, want := range []token.Session{createSession(t, db.Store, "h1", alice), actingSession(t, db.Store, "h2", alice, bob)} {
		got, err := db.Store.Sessions().GetSession(t.Context(), want.Hash)
		must(t, err)
		same(t, "sessions", got, want)
	}
	wantLast(t, db.Store, "session.act")
}

func testSessionNotFound(db Database) {
	t := db.t
	_, err := db.Store.Sessions().GetSession(t.Context(), "h1")
	wantKind(t, err, fault.NotFound)
}

func testSessionWithoutUser(db Database) {
	t := db.t
	alice := createUser(t, db.Store, "alice").ID
	for _, v := range []token.Session{{Hash: "h1", UserID: "nobody"}, {Hash: "h1", UserID: alice, ActorID: "nobody"}} {
		wantKind(t, db.Store.Sessions().CreateSession(t.Context(), v, 0, record("session.start", "x")), fault.NotFound)
	}
}

func testSessionOfDisabled(db Database) {
	t := db.t
	alice, bob := createUser(t, db.Store, "alice"), createUser(t, db.Store, "bob")
	createSession(t, db.Store, "h0", bob.ID)
	alice.Disabled = true
	updateUser(t, db.Store, alice, identity.End{})
	before := len(trailOf(t, db.Store))
	for _, v := range []token.Session{{Hash: "h1", UserID: alice.ID}, {Hash: "h1", UserID: bob.ID, ActorID: alice.ID}, {Hash: "h1", UserID: alice.ID, ActorID: bob.ID}} {
		wantKind(t, db.Store.Sessions().CreateSession(t.Context(), v, 0, record("session.start", "x")), fault.Unauthenticated)
		wantKind(t, db.Store.Sessions().ReplaceSession(t.Context(), "h0", v, record("session.start", "x")), fault.Unauthenticated)
	}
	same(t, "sessions", hashes(t, db.Store, token.SessionFilter{}), []string{"h0"})
	if after := len(trailOf(t, db.Store)); after != before {
		t.Errorf("%d records of what did not happen", after-before)
	}
}

func testSessionConflict(db Database) {
	t := db.t
	v := createSession(t, db.Store, "h1", createUser(t, db.Store, "alice").ID)
	wantKind(t, db.Store.Sessions().CreateSession(t.Context(), v, 0, record("session.start", "x")), fault.Conflict)
}

func testSessionTouch(db Database) {
	t := db.t
	want := createSession(t, db.Store, "h1", createUser(t, db.Store, "alice").ID)
	want.Seen = noon().Add(10 * time.Minute)
	must(t, db.Store.Sessions().TouchSession(t.Context(), "h1", want.Seen))
	must(t, db.Store.Sessions().TouchSession(t.Context(), "h1", noon()))
	got, err := db.Store.Sessions().GetSession(t.Context(), "h1")
	must(t, err)
	same(t, "sessions", got, want)
}

func testSessionTouchEnded(db Database) {
	t := db.t
	createSession(t, db.Store, "h1", createUser(t, db.Store, "alice").ID)
	endSession(t, db.Store, token.SessionFilter{ID: "h1"})
	must(t, db.Store.Sessions().TouchSession(t.Context(), "h1", noon().Add(time.Minute)))
	_, err := db.Store.Sessions().GetSession(t.Context(), "h1")
	wantKind(t, err, fault.NotFound)
}

func testSessionEnd(db Database) {
	t := db.t
	createSession(t, db.Store, "h1", createUser(t, db.Store, "alice").ID)
	before := len(trailOf(t, db.Store))
	for i := range 2 {
		if n := endSession(t, db.Store, token.SessionFilter{ID: "h1"}); n != 1-i {
			t.Errorf("%d ended the %d. time", n, i+1)
		}
		_, err := db.Store.Sessions().GetSession(t.Context(), "h1")
		wantKind(t, err, fault.NotFound)
	}
	same(t, "details", wantLast(t, db.Store, "session.end").Details, map[string]string{"ended": "h1"})
	if after := len(trailOf(t, db.Store)); after != before+1 {
		t.Fatalf("%d audit records for ending one session, want 1", after-before)
	}
}

func testSessionEndMatching(db Database) {
	alice, bob := createUser(db.t, db.Store, "alice").ID, createUser(db.t, db.Store, "bob").ID
	for name, c := range map[string]struct {
		f    token.SessionFilter
		left []string
	}{
		"one":             {token.SessionFilter{ID: "a1"}, []string{"a2", "ab", "b1"}},
		"of a user":       {token.SessionFilter{UserID: alice}, []string{"b1"}},
		"of an actor":     {token.SessionFilter{UserID: bob}, []string{"a1", "a2"}},
		"all but one":     {token.SessionFilter{UserID: alice, Except: "a2"}, []string{"a2", "b1"}},
		"one of another":  {token.SessionFilter{UserID: bob, ID: "a1"}, []string{"a1", "a2", "ab", "b1"}},
		"an id like none": {token.SessionFilter{ID: "a'--"}, []string{"a1", "a2", "ab", "b1"}},
	} {
		db.t.Run(name, func(t *testing.T) {
			for _, hash := range []string{"a1", "a2"} {
				createSession(t, db.Store, hash, alice)
			}
			createSession(t, db.Store, "b1", bob)
			actingSession(t, db.Store, "ab", alice, bob)
			n := endSession(t, db.Store, c.f)
			left := hashes(t, db.Store, token.SessionFilter{})
			slices.Sort(left)
			same(t, "sessions that are left", left, c.left)
			if n != 4-len(c.left) {
				t.Errorf("%d ended", n)
			}
			must(t, db.Exec(`DELETE FROM sessions`))
		})
	}
}

func testSessionList(db Database) {
	t := db.t
	alice, bob := createUser(t, db.Store, "alice").ID, createUser(t, db.Store, "bob").ID
	for _, hash := range []string{"a1", "a2", "a3"} {
		createSession(t, db.Store, hash, alice)
	}
	createSession(t, db.Store, "b1", bob)
	must(t, db.Store.Sessions().TouchSession(t.Context(), "a2", noon().Add(time.Minute)))
	same(t, "sessions of alice", hashes(t, db.Store, token.SessionFilter{UserID: alice}), []string{"a2", "a1", "a3"})
	same(t, "sessions of nobody", hashes(t, db.Store, token.SessionFilter{UserID: "nobody"}), []string{})
}

func testSessionLimit(db Database) {
	t := db.t
	alice, bob := createUser(t, db.Store, "alice").ID, createUser(t, db.Store, "bob").ID
	for i, hash := range []string{"a1", "a2", "a3"} {
		createSession(t, db.Store, hash, alice)
		must(t, db.Store.Sessions().TouchSession(t.Context(), hash, noon().Add(time.Duration(5-i)*time.Minute)))
	}
	actingSession(t, db.Store, "by-bob", alice, bob)   // counts for bob
	actingSession(t, db.Store, "by-alice", bob, alice) // counts for alice, and was not used for longest
	v := token.Session{Hash: "new", UserID: alice, Created: noon(), Seen: noon().Add(-time.Hour), Expires: noon().Add(time.Hour)}
	must(t, db.Store.Sessions().CreateSession(t.Context(), v, 3, record("session.start", "x")))
	same(t, "sessions", hashes(t, db.Store, token.SessionFilter{}), []string{"a1", "a2", "by-bob", "new"})
	if ended := wantLast(t, db.Store, "session.start").Details["ended"]; ended != "a3,by-alice" && ended != "by-alice,a3" {
		t.Errorf("the record says that %q have ended", ended)
	}
	v.Hash = "newer"
	must(t, db.Store.Sessions().CreateSession(t.Context(), v, 4, record("session.start", "x")))
	if details := wantLast(t, db.Store, "session.start").Details; details != nil {
		t.Errorf("the record of a session with room for it says %v", details)
	}
}

func testSessionReplace(db Database) {
	t := db.t
	alice := createUser(t, db.Store, "alice").ID
	createSession(t, db.Store, "a1", alice)
	kept := createSession(t, db.Store, "a2", alice)
	v := token.Session{Hash: "a3", UserID: alice, Created: noon(), Seen: noon(), Expires: noon().Add(time.Hour)}
	must(t, db.Store.Sessions().ReplaceSession(t.Context(), "a1", v, record("session.act", "x")))
	same(t, "details", wantLast(t, db.Store, "session.act").Details, map[string]string{"ended": "a1"})
	wantKind(t, db.Store.Sessions().ReplaceSession(t.Context(), "a1", v, record("session.act", "x")), fault.Conflict)
	v.Hash = kept.Hash
	wantKind(t, db.Store.Sessions().ReplaceSession(t.Context(), "a3", v, record("session.act", "x")), fault.Conflict)
	same(t, "sessions", hashes(t, db.Store, token.SessionFilter{}), []string{"a2", "a3"})
}

func testSessionRenew(db Database) {
	t := db.t
	alice := createUser(t, db.Store, "alice").ID
	v := createSession(t, db.Store, "a1", alice)
	createSession(t, db.Store, "b1", alice)
	v.Hash, v.Former, v.Rights, v.Renewed, v.Seen = "a2", "a1", "r2", noon().Add(time.Hour), noon().Add(59*time.Minute)
	must(t, db.Store.Sessions().RenewSession(t.Context(), v, record("session.renew", "x")))
	for _, hash := range []string{"a1", "a2"} {
		got, err := db.Store.Sessions().GetSession(t.Context(), hash)
		must(t, err)
		same(t, "session "+hash, got, v)
		same(t, "sessions with id "+hash, hashes(t, db.Store, token.SessionFilter{ID: hash}), []string{"a2"})
		same(t, "sessions without id "+hash, hashes(t, db.Store, token.SessionFilter{Except: hash}), []string{"b1"})
	}
	before := len(trailOf(t, db.Store))
	wantKind(t, db.Store.Sessions().RenewSession(t.Context(), v, record("session.renew", "x")), fault.Conflict)
	taken := v
	taken.Hash, taken.Former = "b1", "a2"
	wantKind(t, db.Store.Sessions().RenewSession(t.Context(), taken, record("session.renew", "x")), fault.Conflict)
	if after := len(trailOf(t, db.Store)); after != before {
		t.Errorf("%d records of what did not happen", after-before)
	}
	v.Hash, v.Former = "a3", "a2"
	must(t, db.Store.Sessions().RenewSession(t.Context(), v, record("session.renew", "x")))
	_, err := db.Store.Sessions().GetSession(t.Context(), "a1")
	wantKind(t, err, fault.NotFound)
	if n := endSession(t, db.Store, token.SessionFilter{ID: "a2"}); n != 1 {
		t.Errorf("%d ended by the id of before", n)
	}
}

func testSessionSweep(db Database) {
	t := db.t
	user := createUser(t, db.Store, "alice").ID
	for hash, v := range map[string]struct{ seen, expires time.Duration }{
		"good":    {10 * time.Minute, time.Hour},
		"idle":    {time.Minute, time.Hour},
		"overdue": {10 * time.Minute, 11 * time.Minute},
	} {
		session := token.Session{Hash: hash, UserID: user, Created: noon(), Seen: noon().Add(v.seen), Expires: noon().Add(v.expires)}
		must(t, db.Store.Sessions().CreateSession(t.Context(), session, 0, record("session.start", "x")))
	}
	must(t, db.Store.Sessions().DeleteSessionsBefore(t.Context(), noon().Add(5*time.Minute), noon().Add(12*time.Minute)))
	_, err := db.Store.Sessions().GetSession(t.Context(), "good")
	must(t, err)
	for _, hash := range []string{"idle", "overdue"} {
		_, err := db.Store.Sessions().GetSession(t.Context(), hash)
		wantKind(t, err, fault.NotFound)
	}
}

// sessionChanges needs sessions h0 and h1 of the user.
func sessionChanges(s *sqlstore.Store, user identity.UserID, rec audit.Record) []attempt {
	return []attempt{
		{"CreateSession", func(ctx context.Context) error {
			return s.Sessions().CreateSession(ctx, token.Session{Hash: "h2", UserID: user}, 3, rec)
		}},
		{"RenewSession", func(ctx context.Context) error {
			return s.Sessions().RenewSession(ctx, token.Session{Hash: "h4", Former: "h1"}, rec)
		}},
		{"ReplaceSession", func(ctx context.Context) error {
			return s.Sessions().ReplaceSession(ctx, "h0", token.Session{Hash: "h3", UserID: user}, rec)
		}},
		{"EndSessions", func(ctx context.Context) error {
			_, err := s.Sessions().EndSessions(ctx, token.SessionFilter{ID: "h1"}, rec)
			return err
		}},
	}
}

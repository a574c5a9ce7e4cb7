package storetest

import (
	"testing"
	"time"

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
		"DeleteTwiceIsNoErrorOneRecord":  testSessionDelete,
		"SweepTakesIdleAndOverdue":       testSessionSweep,
		"SameSecretTwiceIsConflict":      testSessionConflict,
		"TouchOfEndedSessionLeavesItOut": testSessionTouchEnded,
	}
}

func createSession(t *testing.T, s *sqlstore.Store, hash string, user identity.UserID) token.Session {
	t.Helper()
	v := token.Session{
		Hash: hash, UserID: user, Created: noon(), Seen: noon().Add(time.Second), Expires: noon().Add(time.Hour),
		Addr: "192.0.2.1", Agent: "Browser/1",
	}
	must(t, s.Sessions().CreateSession(t.Context(), v, record("session.start", "user/"+string(user))))
	return v
}

func testSessionRoundTrip(db Database) {
	t := db.t
	want := createSession(t, db.Store, "h1", createUser(t, db.Store, "alice").ID)
	got, err := db.Store.Sessions().GetSession(t.Context(), "h1")
	must(t, err)
	same(t, "sessions", got, want)
	wantLast(t, db.Store, "session.start")
}

func testSessionNotFound(db Database) {
	t := db.t
	_, err := db.Store.Sessions().GetSession(t.Context(), "h1")
	wantKind(t, err, fault.NotFound)
}

func testSessionWithoutUser(db Database) {
	t := db.t
	err := db.Store.Sessions().CreateSession(t.Context(), token.Session{Hash: "h1", UserID: "nobody"}, record("session.start", "x"))
	wantKind(t, err, fault.NotFound)
}

func testSessionConflict(db Database) {
	t := db.t
	v := createSession(t, db.Store, "h1", createUser(t, db.Store, "alice").ID)
	wantKind(t, db.Store.Sessions().CreateSession(t.Context(), v, record("session.start", "x")), fault.Conflict)
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
	must(t, db.Store.Sessions().DeleteSession(t.Context(), "h1", record("session.end", "x")))
	must(t, db.Store.Sessions().TouchSession(t.Context(), "h1", noon().Add(time.Minute)))
	_, err := db.Store.Sessions().GetSession(t.Context(), "h1")
	wantKind(t, err, fault.NotFound)
}

func testSessionDelete(db Database) {
	t := db.t
	createSession(t, db.Store, "h1", createUser(t, db.Store, "alice").ID)
	before := len(trailOf(t, db.Store))
	for range 2 {
		must(t, db.Store.Sessions().DeleteSession(t.Context(), "h1", record("session.end", "x")))
		_, err := db.Store.Sessions().GetSession(t.Context(), "h1")
		wantKind(t, err, fault.NotFound)
	}
	wantLast(t, db.Store, "session.end")
	if after := len(trailOf(t, db.Store)); after != before+1 {
		t.Fatalf("%d audit records for ending one session, want 1", after-before)
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
		must(t, db.Store.Sessions().CreateSession(t.Context(), session, record("session.start", "x")))
	}
	must(t, db.Store.Sessions().DeleteSessionsBefore(t.Context(), noon().Add(5*time.Minute), noon().Add(12*time.Minute)))
	_, err := db.Store.Sessions().GetSession(t.Context(), "good")
	must(t, err)
	for _, hash := range []string{"idle", "overdue"} {
		_, err := db.Store.Sessions().GetSession(t.Context(), hash)
		wantKind(t, err, fault.NotFound)
	}
}

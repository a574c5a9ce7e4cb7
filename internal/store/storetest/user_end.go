package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func updateUser(t *testing.T, s *sqlstore.Store, u identity.User, end identity.End) []string {
	t.Helper()
	revoked, err := s.Users().UpdateUser(t.Context(), u, end, record("user.update", "user/"+u.Name))
	must(t, err)
	slices.Sort(revoked)
	return revoked
}

func deleteUser(t *testing.T, s *sqlstore.Store, u identity.User) []string {
	t.Helper()
	revoked, err := s.Users().DeleteUser(t.Context(), u.ID, record("user.delete", "user/"+u.Name))
	must(t, err)
	slices.Sort(revoked)
	return revoked
}

func everything() identity.End { return identity.End{Logins: true, Own: true, Issued: true} }

// credentials gives alice and bob tokens and sessions of every sort, with tokens that have ended before among them, and
// returns the ids of the tokens that live.
func credentials(t *testing.T, s *sqlstore.Store, alice, bob identity.User) (live []string) {
	t.Helper()
	for id, c := range map[string]struct {
		kind   token.Kind
		of, by identity.User
	}{
		"access":   {token.KindAccess, alice, alice},
		"refresh":  {token.KindRefresh, alice, alice},
		"service":  {token.KindService, alice, alice},
		"acted":    {token.KindImpersonation, alice, bob},
		"acting":   {token.KindImpersonation, bob, alice},
		"bob":      {token.KindService, bob, bob},
		"bob-in":   {token.KindAccess, bob, bob},
		"expired":  {token.KindService, alice, alice},
		"revoked":  {token.KindService, bob, alice},
		"eternal":  {token.KindService, alice, alice},
		"eternal2": {token.KindService, bob, alice},
	} {
		tok := sampleToken(id, c.of, c.by)
		tok.Kind = c.kind
		switch id {
		case "expired":
			tok.Expires = noon()
		case "revoked":
			tok.Revoked, tok.RevokedBy = noon().Add(-time.Hour), "earlier"
		case "eternal", "eternal2":
			tok.Expires = time.Time{}
		default:
		}
		saveToken(t, s, tok)
	}
	createSession(t, s, "s-alice", alice.ID)
	createSession(t, s, "s-alice-2", alice.ID)
	createSession(t, s, "s-bob", bob.ID)
	actingSession(t, s, "s-acting", bob.ID, alice.ID)
	return liveTokens(t, s)
}

func liveTokens(t *testing.T, s *sqlstore.Store) []string {
	t.Helper()
	all, err := s.Tokens().ListTokens(t.Context(), token.Filter{Live: noon()})
	must(t, err)
	ids := tokenIDs(all)
	slices.Sort(ids)
	return ids
}

func testUserEnd(db Database) {
	logins := []string{"access", "refresh"}
	own := []string{"access", "acted", "eternal", "refresh", "service"}
	issued := []string{"acting", "eternal2"}
	for name, c := range map[string]struct {
		end      identity.End
		revoked  []string
		sessions bool
		details  map[string]string
	}{
		"nothing":    {identity.End{}, nil, false, nil},
		"logins":     {identity.End{Logins: true}, logins, true, map[string]string{"tokens_revoked": "2", "sessions_ended": "3"}},
		"own":        {identity.End{Own: true}, own, true, map[string]string{"tokens_revoked": "5", "sessions_ended": "3"}},
		"issued":     {identity.End{Issued: true}, issued, false, map[string]string{"tokens_revoked": "2", "sessions_ended": "1"}},
		"in and out": {identity.End{Logins: true, Issued: true}, slices.Concat(logins, issued), true, map[string]string{"tokens_revoked": "4", "sessions_ended": "3"}},
		"everything": {everything(), slices.Concat(own, issued), true, map[string]string{"tokens_revoked": "7", "sessions_ended": "3"}},
	} {
		db.t.Run(name, func(t *testing.T) {
			alice, bob := createUser(t, db.Store, "alice of "+name), createUser(t, db.Store, "bob of "+name)
			live := credentials(t, db.Store, alice, bob)
			slices.Sort(c.revoked)
			same(t, "revoked ids", updateUser(t, db.Store, alice, c.end), c.revoked)
			same(t, "details", wantLast(t, db.Store, "user.update").Details, c.details)
			left := slices.DeleteFunc(live, func(id string) bool { return slices.Contains(c.revoked, id) })
			same(t, "tokens that live", liveTokens(t, db.Store), left)
			acting := c.end != identity.End{}
			for hash, ended := range map[string]bool{"s-alice": c.sessions, "s-alice-2": c.sessions, "s-bob": false, "s-acting": acting} {
				if _, err := db.Store.Sessions().GetSession(t.Context(), hash); fault.Is(err, fault.NotFound) != ended {
					t.Errorf("session %s: %v, ended: %v", hash, err, ended)
				}
			}
			must(t, db.Exec(`DELETE FROM tokens`))
			must(t, db.Exec(`DELETE FROM sessions`))
		})
	}
}

func testUserEndRefused(db Database) {
	t := db.t
	alice, bob := createUser(t, db.Store, "alice"), createUser(t, db.Store, "bob")
	live := credentials(t, db.Store, alice, bob)
	taken := alice
	taken.Name = "bob"
	revoked, err := db.Store.Users().UpdateUser(t.Context(), taken, everything(), record("user.update", "x"))
	wantKind(t, err, fault.Conflict)
	if revoked != nil {
		t.Errorf("a change that was refused revoked %v", revoked)
	}
	same(t, "tokens that live", liveTokens(t, db.Store), live)
	_, err = db.Store.Sessions().GetSession(t.Context(), "s-alice")
	must(t, err)
}

func testUserDelete(db Database) {
	t := db.t
	alice, bob := createUser(t, db.Store, "alice"), createUser(t, db.Store, "bob")
	createToken(t, db.Store, "of-alice", alice, alice)
	createToken(t, db.Store, "by-alice", bob, alice)
	createToken(t, db.Store, "of-bob", bob, bob)
	createSession(t, db.Store, "s-alice", alice.ID)
	createSession(t, db.Store, "s-bob", bob.ID)

	same(t, "revoked ids", deleteUser(t, db.Store, alice), []string{"by-alice", "of-alice"})

	_, err := db.Store.Users().GetUser(t.Context(), "alice")
	wantKind(t, err, fault.NotFound)
	for id, revoked := range map[string]bool{"of-alice": true, "by-alice": true, "of-bob": false} {
		tok, err := db.Store.Tokens().GetToken(t.Context(), id)
		must(t, err)
		if tok.Revoked.IsZero() == revoked {
			t.Errorf("token %s: revoked at %v, want revoked: %v", id, tok.Revoked, revoked)
		}
		if revoked && (!tok.Revoked.Equal(noon()) || tok.RevokedBy != "root") {
			t.Errorf("token %s was revoked at %v by %q", id, tok.Revoked, tok.RevokedBy)
		}
	}
	_, err = db.Store.Sessions().GetSession(t.Context(), "s-alice")
	wantKind(t, err, fault.NotFound)
	_, err = db.Store.Sessions().GetSession(t.Context(), "s-bob")
	must(t, err)
	last := wantLast(t, db.Store, "user.delete")
	same(t, "details", last.Details, map[string]string{"tokens_revoked": "2", "sessions_ended": "1"})
}

func testUserAgain(db Database) {
	t := db.t
	first := createUser(t, db.Store, "alice")
	deleteUser(t, db.Store, first)
	second := sampleUser("alice")
	second.ID = "another-id"
	must(t, db.Store.Users().CreateUser(t.Context(), second, record("user.create", "user/alice")))
	_, err := db.Store.Users().GetUserByID(t.Context(), first.ID)
	wantKind(t, err, fault.NotFound)
}

package storetest

import (
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func testTokenRevoke(db Database) {
	t := db.t
	alice, bob := sampleUser("alice"), sampleUser("bob")
	createToken(t, db.Store, "a1", alice, alice)
	createToken(t, db.Store, "a2", alice, bob)
	createToken(t, db.Store, "b1", bob, bob)
	expired := sampleToken("a3", alice, alice)
	expired.Expires = noon()
	saveToken(t, db.Store, expired)
	gone := sampleToken("a4", alice, alice)
	gone.Revoked, gone.RevokedBy = noon().Add(-time.Hour), "earlier"
	saveToken(t, db.Store, gone)

	ids, err := db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{UserID: alice.ID}, record("token.revoke", "user/alice"))
	must(t, err)
	slices.Sort(ids)
	same(t, "revoked ids", ids, []string{"a1", "a2"})

	got, err := db.Store.Tokens().GetToken(t.Context(), "a1")
	must(t, err)
	if !got.Revoked.Equal(noon()) || got.RevokedBy != "root" {
		t.Errorf("revoked at %v by %q", got.Revoked, got.RevokedBy)
	}
	still, err := db.Store.Tokens().GetToken(t.Context(), "a4")
	must(t, err)
	same(t, "tokens revoked earlier", still, gone)
	last := wantLast(t, db.Store, "token.revoke")
	same(t, "details", last.Details, map[string]string{"tokens_revoked": "2"})
}

// testTokenRevokeMade: with a refresh token go those that were made with it, and none is made afterwards.
func testTokenRevokeMade(db Database) {
	t, s := db.t, db.Store.Tokens()
	alice, bob := sampleUser("alice"), sampleUser("bob")
	for id, parent := range map[string]string{"r1": "", "r2": "", "a1": "r1", "a2": "r1", "a3": "r2", "other": ""} {
		tok := sampleToken(id, alice, alice)
		tok.Kind, tok.Parent = token.KindAccess, parent
		if id[0] == 'r' {
			tok.Kind = token.KindRefresh
		}
		saveToken(t, db.Store, tok)
		got, err := s.GetToken(t.Context(), id)
		must(t, err)
		same(t, "parent", got.Parent, parent)
	}
	for _, c := range []struct {
		f    token.Filter
		want []string
	}{
		{token.Filter{ID: "r1", UserID: bob.ID, Made: true}, []string{}},
		{token.Filter{ID: "a1", Made: true}, []string{"a1"}},
		{token.Filter{ID: "r1"}, []string{"r1"}},
		{token.Filter{ID: "r1", Made: true}, []string{"a2"}}, // what is left, though the parent is gone already
		{token.Filter{UserID: alice.ID, Kind: token.KindRefresh, Made: true}, []string{"a3", "r2"}},
	} {
		c.f.Live = noon()
		counts, err := s.CountTokens(t.Context(), c.f)
		must(t, err)
		ids, err := s.RevokeTokens(t.Context(), c.f, record("token.revoke", "x"))
		must(t, err)
		slices.Sort(ids)
		if n := counts[token.KindAccess] + counts[token.KindRefresh]; !slices.Equal(ids, c.want) || n != len(ids) {
			t.Errorf("%+v: revoked %v, counted %d, want %v", c.f, ids, n, c.want)
		}
	}
	late := sampleToken("late", alice, alice)
	late.Parent = "r1"
	wantKind(t, s.CreateToken(t.Context(), late, nil, record("token.create", "x")), fault.Conflict)
}

func testTokenRevokeNone(db Database) {
	t := db.t
	ids, err := db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{ID: "nothing"}, record("token.revoke", "x"))
	must(t, err)
	if len(ids) != 0 {
		t.Fatalf("revoked %v", ids)
	}
	same(t, "details", wantLast(t, db.Store, "token.revoke").Details, map[string]string{"tokens_revoked": "0"})
}

func testTokenRevokePage(db Database) {
	t := db.t
	_, err := db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{Limit: 1}, record("token.revoke", "x"))
	wantKind(t, err, fault.Invalid)
}

func testTokenRevokeAll(db Database) {
	t := db.t
	createToken(t, db.Store, "a1", sampleUser("alice"), sampleUser("alice"))
	createToken(t, db.Store, "b1", sampleUser("bob"), sampleUser("bob"))
	ids, err := db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{}, record("token.revoke", "*"))
	must(t, err)
	slices.Sort(ids)
	same(t, "revoked ids", ids, []string{"a1", "b1"})
}

func testTokenRevoked(db Database) {
	t := db.t
	createToken(t, db.Store, "a1", sampleUser("alice"), sampleUser("alice"))
	createToken(t, db.Store, "a2", sampleUser("alice"), sampleUser("alice"))
	_, err := db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{ID: "a1"}, record("token.revoke", "token/a1"))
	must(t, err)
	ids, err := db.Store.Tokens().RevokedTokens(t.Context(), noon())
	must(t, err)
	same(t, "revoked ids", ids, []string{"a1"})
	ids, err = db.Store.Tokens().RevokedTokens(t.Context(), noon().Add(time.Hour))
	must(t, err)
	if len(ids) != 0 {
		t.Fatalf("expired tokens are listed: %v", ids)
	}
}

func testTokenUnexpiring(db Database) {
	t := db.t
	tok := sampleToken("a1", sampleUser("alice"), sampleUser("alice"))
	tok.Expires = time.Time{}
	saveToken(t, db.Store, tok)
	live, err := db.Store.Tokens().ListTokens(t.Context(), token.Filter{Live: noon().AddDate(100, 0, 0)})
	must(t, err)
	same(t, "live tokens", tokenIDs(live), []string{"a1"})
	_, err = db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{ID: "a1"}, record("token.revoke", "token/a1"))
	must(t, err)
	revoked, err := db.Store.Tokens().RevokedTokens(t.Context(), noon().AddDate(100, 0, 0))
	must(t, err)
	same(t, "revoked ids", revoked, []string{"a1"})
}

package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func tokenTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComesBackAsWritten":                   testTokenRoundTrip,
		"UnknownIsNotFound":                    testTokenNotFound,
		"SameIdIsConflict":                     testTokenConflict,
		"ListSelects":                          testTokenList,
		"PagesAreTheListInOrder":               testTokenPages,
		"PageAfterUnknownIsInvalid":            testTokenBadPage,
		"RevokeTakesOnlyWhatLivesAndMatches":   testTokenRevoke,
		"RevokeOfNothingIsRecorded":            testTokenRevokeNone,
		"RevokeTakesWhatWasMadeWithIt":         testTokenRevokeMade,
		"RevokeByPageIsInvalid":                testTokenRevokePage,
		"RevokedAreListedUntilTheyExpire":      testTokenRevoked,
		"UsesAreNotedAndOldOnesChangeNothing":  testTokenTouch,
		"UnexpiringTokensLiveAndCanBeRevoked":  testTokenUnexpiring,
		"RevokeWithoutFilterRevokesEverything": testTokenRevokeAll,
		"CreateNeedsTheAccountsAsTheyWere":     testTokenBasis,
		"DisabledWhileMinting":                 testTokenBasisRace,
		"LabelsChange":                         testTokenLabel,
		"CountsAreByKind":                      testTokenCount,
		"ExpiredAreCountedAndForgotten":        testTokenExpiry,
		"FiltersByWhatPeopleRemember":          testTokenFilters,
	}
}

func sampleToken(id string, of, by identity.User) token.Token {
	return token.Token{
		ID: id, KeyID: "k1", Kind: token.KindService, UserID: of.ID, User: of.Name, IssuedBy: by.Name, IssuerID: by.ID,
		Name: "label " + id, Purpose: "purpose", Issued: noon(), Expires: noon().Add(time.Hour),
		LastUsed: noon().Add(time.Minute), LastAddr: "192.0.2.1",
	}
}

// saveToken stores a token as it is, also one that has been revoked.
func saveToken(t *testing.T, s *sqlstore.Store, tok token.Token) {
	t.Helper()
	must(t, s.Tokens().CreateToken(t.Context(), tok, nil, record("token.create", "token/"+tok.ID)))
	if tok.Revoked.IsZero() {
		return
	}
	rec := record("token.revoke", "token/"+tok.ID)
	rec.Time, rec.Actor = tok.Revoked, tok.RevokedBy
	ids, err := s.Tokens().RevokeTokens(t.Context(), token.Filter{ID: tok.ID, Live: tok.Issued.Add(-time.Hour)}, rec)
	must(t, err)
	if len(ids) != 1 {
		t.Fatalf("token %s could not be revoked", tok.ID)
	}
}

func createToken(t *testing.T, s *sqlstore.Store, id string, of, by identity.User) token.Token {
	t.Helper()
	tok := sampleToken(id, of, by)
	saveToken(t, s, tok)
	return tok
}

func tokenIDs(tokens []token.Token) []string {
	ids := make([]string, len(tokens))
	for i, t := range tokens {
		ids[i] = t.ID
	}
	return ids
}

func testTokenRoundTrip(db Database) {
	t := db.t
	want := sampleToken("t1", sampleUser("alice"), sampleUser("bob"))
	want.StatusIndex = 42
	want.Narrowing = token.Narrowing{
		Permissions: []string{"NodesRead", "NodesWrite"}, ReadOnly: true, Nodes: "n[1-16],login*", CIDRs: []string{"10.0.0.0/8"},
		Clusters: []string{"alpha", "beta"},
	}
	saveToken(t, db.Store, want)
	wantLast(t, db.Store, "token.create")
	plain := createToken(t, db.Store, "t2", sampleUser("alice"), sampleUser("bob"))
	revoked := sampleToken("t3", sampleUser("alice"), sampleUser("bob"))
	revoked.Revoked, revoked.RevokedBy = noon().Add(time.Second), "carol"
	saveToken(t, db.Store, revoked)
	for _, want := range []token.Token{want, plain, revoked} {
		got, err := db.Store.Tokens().GetToken(t.Context(), want.ID)
		must(t, err)
		same(t, "tokens", got, want)
	}
}

func testTokenNotFound(db Database) {
	t := db.t
	_, err := db.Store.Tokens().GetToken(t.Context(), "t1")
	wantKind(t, err, fault.NotFound)
}

func testTokenConflict(db Database) {
	t := db.t
	tok := createToken(t, db.Store, "t1", sampleUser("alice"), sampleUser("alice"))
	wantKind(t, db.Store.Tokens().CreateToken(t.Context(), tok, nil, record("token.create", "x")), fault.Conflict)
}

func testTokenList(db Database) {
	t := db.t
	alice, bob := sampleUser("alice"), sampleUser("bob")
	for i, tok := range []token.Token{
		sampleToken("own", alice, alice), sampleToken("for-bob", bob, alice), sampleToken("old-key", bob, bob),
		sampleToken("access", bob, bob), sampleToken("expired", alice, alice), sampleToken("revoked", alice, alice),
	} {
		tok.Issued = noon().Add(time.Duration(i) * time.Second)
		switch tok.ID {
		case "old-key":
			tok.KeyID = "k0"
		case "access":
			tok.Kind = token.KindAccess
		case "expired":
			tok.Expires = noon().Add(time.Minute)
		case "revoked":
			tok.Revoked = noon().Add(time.Minute)
		default:
		}
		saveToken(t, db.Store, tok)
	}
	for name, c := range map[string]struct {
		filter token.Filter
		want   []string
	}{
		"everything": {token.Filter{}, []string{"revoked", "expired", "access", "old-key", "for-bob", "own"}},
		"id":         {token.Filter{ID: "own"}, []string{"own"}},
		"user":       {token.Filter{UserID: alice.ID}, []string{"revoked", "expired", "own"}},
		"issuer":     {token.Filter{IssuerID: alice.ID}, []string{"revoked", "expired", "for-bob", "own"}},
		"key":        {token.Filter{KeyID: "k0"}, []string{"old-key"}},
		"kind":       {token.Filter{Kind: token.KindAccess}, []string{"access"}},
		"live":       {token.Filter{UserID: alice.ID, Live: noon().Add(time.Minute)}, []string{"own"}},
		"limit":      {token.Filter{Limit: 2}, []string{"revoked", "expired"}},
		"page":       {token.Filter{UserID: alice.ID, After: "revoked", Limit: 1}, []string{"expired"}},
		"nothing":    {token.Filter{UserID: "nobody"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := db.Store.Tokens().ListTokens(t.Context(), c.filter)
			must(t, err)
			same(t, "tokens", tokenIDs(got), c.want)
		})
	}
}

func testTokenPages(db Database) {
	t := db.t
	for i := range 10 { // pairs share a time: the id decides
		tok := sampleToken(fmt.Sprintf("t%d", i), sampleUser("alice"), sampleUser("alice"))
		tok.Issued = noon().Add(time.Duration(i/2) * time.Second)
		saveToken(t, db.Store, tok)
	}
	var paged []string
	for after := ""; ; after = paged[len(paged)-1] {
		page, err := db.Store.Tokens().ListTokens(t.Context(), token.Filter{After: after, Limit: 3})
		must(t, err)
		if len(page) == 0 {
			break
		}
		paged = append(paged, tokenIDs(page)...)
	}
	same(t, "tokens", paged, []string{"t9", "t8", "t7", "t6", "t5", "t4", "t3", "t2", "t1", "t0"})
}

func testTokenBadPage(db Database) {
	t := db.t
	_, err := db.Store.Tokens().ListTokens(t.Context(), token.Filter{After: "nothing"})
	wantKind(t, err, fault.Invalid)
}

func testTokenTouch(db Database) {
	t := db.t
	want := createToken(t, db.Store, "a1", sampleUser("alice"), sampleUser("alice"))
	before := len(trailOf(t, db.Store))
	later := want.LastUsed.Add(time.Minute)
	must(t, db.Store.Tokens().TouchTokens(t.Context(), []token.Use{
		{ID: "a1", At: later, Addr: "192.0.2.9"},
		{ID: "a1", At: want.LastUsed, Addr: "192.0.2.8"},
		{ID: "nothing", At: later},
	}))
	want.LastUsed, want.LastAddr = later, "192.0.2.9"
	got, err := db.Store.Tokens().GetToken(t.Context(), "a1")
	must(t, err)
	same(t, "tokens", got, want)
	if after := len(trailOf(t, db.Store)); after != before {
		t.Fatalf("a use is in the audit trail")
	}
}

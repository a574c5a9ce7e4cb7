package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func testTokenLabel(db Database) {
	t := db.t
	want := createToken(t, db.Store, "a1", sampleUser("alice"), sampleUser("alice"))
	must(t, db.Store.Tokens().LabelToken(t.Context(), "a1", "new name", "", record("token.update", "token/a1")))
	want.Name, want.Purpose = "new name", ""
	got, err := db.Store.Tokens().GetToken(t.Context(), "a1")
	must(t, err)
	same(t, "tokens", got, want)
	wantLast(t, db.Store, "token.update")
	wantKind(t, db.Store.Tokens().LabelToken(t.Context(), "a2", "x", "y", record("token.update", "token/a2")), fault.NotFound)
	if n := len(trailOf(t, db.Store)); n != 2 {
		t.Errorf("%d audit records, want 2", n)
	}
}

func testTokenCount(db Database) {
	t := db.t
	alice, bob := sampleUser("alice"), sampleUser("bob")
	for i, kind := range []token.Kind{token.KindAccess, token.KindService, token.KindService, token.KindImpersonation} {
		tok := sampleToken(fmt.Sprint("t", i), alice, bob)
		tok.Kind = kind
		saveToken(t, db.Store, tok)
	}
	_, err := db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{ID: "t1"}, record("token.revoke", "token/t1"))
	must(t, err)
	for name, c := range map[string]struct {
		filter token.Filter
		want   map[token.Kind]int
	}{
		"everything": {token.Filter{}, map[token.Kind]int{token.KindAccess: 1, token.KindService: 2, token.KindImpersonation: 1}},
		"live":       {token.Filter{Live: noon()}, map[token.Kind]int{token.KindAccess: 1, token.KindService: 1, token.KindImpersonation: 1}},
		"issued":     {token.Filter{IssuerID: bob.ID, Kind: token.KindAccess}, map[token.Kind]int{token.KindAccess: 1}},
		"nothing":    {token.Filter{UserID: "nobody"}, map[token.Kind]int{}},
	} {
		got, err := db.Store.Tokens().CountTokens(t.Context(), c.filter)
		must(t, err)
		same(t, name, got, c.want)
	}
}

// testTokenExpiry counts and forgets by the time at which tokens expire.
func testTokenExpiry(db Database) {
	t := db.t
	alice := sampleUser("alice")
	for id, expires := range map[string]time.Time{
		"soon": noon().Add(time.Hour), "later": noon().Add(48 * time.Hour), "past": noon().Add(-time.Hour), "never": {}, "revoked": noon().Add(time.Hour),
	} {
		tok := sampleToken(id, alice, alice)
		tok.Expires = expires
		saveToken(t, db.Store, tok)
	}
	login := sampleToken("login", alice, alice)
	login.Kind, login.Expires = token.KindAccess, noon().Add(-time.Hour)
	saveToken(t, db.Store, login)
	_, err := db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{ID: "revoked"}, record("token.revoke", "token/revoked"))
	must(t, err)

	warnings := db.Store.TokenWarnings()
	n, err := warnings.CountExpiring(t.Context(), alice.ID, noon(), noon().Add(24*time.Hour))
	must(t, err)
	if n != 1 {
		t.Errorf("%d tokens expire within a day, want 1", n)
	}
	at, err := warnings.WarnedUntil(t.Context())
	if must(t, err); !at.IsZero() {
		t.Errorf("warned until %v before anybody has", at)
	}
	for _, until := range []time.Time{noon(), noon().Add(time.Hour)} {
		must(t, warnings.SetWarnedUntil(t.Context(), until))
		at, err := warnings.WarnedUntil(t.Context())
		if must(t, err); !at.Equal(until) {
			t.Errorf("warned until %v, want %v", at, until)
		}
	}
	forget(db, token.KindAccess, 1, "soon", "later", "past", "never", "revoked")
	forget(db, token.KindService, 2, "later", "never")
}

// forget deletes, one by one, what of a kind expires within two hours, and compares what is left.
func forget(db Database, kind token.Kind, most int, left ...string) {
	t := db.t
	for n := 1; n > 0; {
		var err error
		n, err = db.Store.Tokens().DeleteTokens(t.Context(), []token.Kind{kind}, noon().Add(2*time.Hour), most)
		must(t, err)
		if n > most {
			t.Fatalf("deleted %d at once, want at most %d", n, most)
		}
	}
	all, err := db.Store.Tokens().ListTokens(t.Context(), token.Filter{})
	must(t, err)
	ids := tokenIDs(all)
	slices.Sort(ids)
	slices.Sort(left)
	same(t, "tokens left", ids, left)
	revoked, err := db.Store.Tokens().RevokedTokens(t.Context(), noon().Add(-time.Hour))
	must(t, err)
	if slices.Contains(left, "revoked") != slices.Contains(revoked, "revoked") {
		t.Errorf("the revoked are %v", revoked)
	}
}

// testTokenFilters selects by what people remember of a token.
func testTokenFilters(db Database) {
	t := db.t
	alice, bob := sampleUser("alice"), sampleUser("bob")
	create := func(s *sqlstore.Store, id string, edit func(*token.Token)) {
		tok := sampleToken(id, alice, bob)
		edit(&tok)
		saveToken(t, s, tok)
	}
	create(db.Store, "11aa", func(tok *token.Token) { tok.Name = "Night Run 100%" })
	create(db.Store, "22bb", func(tok *token.Token) { tok.Purpose = "the scheduler"; tok.Expires = noon().Add(time.Minute) })
	create(db.Store, "33cc", func(tok *token.Token) { tok.IssuedBy = "carol"; tok.Revoked, tok.RevokedBy = noon(), "root" })
	create(db.Store, "44dd", func(tok *token.Token) { tok.User, tok.UserID = "dave", "id-of-dave" })
	for name, c := range map[string]struct {
		filter token.Filter
		want   []string
	}{
		"name":       {token.Filter{Text: "night"}, []string{"11aa"}},
		"no pattern": {token.Filter{Text: "100%"}, []string{"11aa"}},
		"purpose":    {token.Filter{Text: "SCHED"}, []string{"22bb"}},
		"issuer":     {token.Filter{Text: "carol"}, []string{"33cc"}},
		"user":       {token.Filter{Text: "dave"}, []string{"44dd"}},
		"id":         {token.Filter{Text: "4dd"}, []string{"44dd"}},
		"nothing":    {token.Filter{Text: "%"}, []string{"11aa"}},
		"expired":    {token.Filter{Expired: noon().Add(10 * time.Minute)}, []string{"22bb"}},
		"revoked":    {token.Filter{Revoked: true}, []string{"33cc"}},
		"expiring":   {token.Filter{Live: noon(), Before: noon().Add(10 * time.Minute)}, []string{"22bb"}},
	} {
		got, err := db.Store.Tokens().ListTokens(t.Context(), c.filter)
		must(t, err)
		same(t, name, tokenIDs(got), c.want)
	}
}

package storetest

import (
	"bytes"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func signingKeyTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComeBackAsWritten":                     testKeyRoundTrip,
		"SaveChangesStateAndTimes":              testKeySave,
		"SaveOnAnOldBasisIsConflict":            testKeyBasis,
		"ThereIsNoSecondActiveKey":              testKeyOneActive,
		"RemoveRevokesWhatTheKeySigned":         testKeyRemove,
		"RemoveOfActiveOrUnknownFails":          testKeyRemoveNot,
		"RemovedKeysDoNotComeBack":              testKeyStaysRemoved,
		"CountIsOfLiveTokens":                   testKeyCount,
		"PlacesAreGivenOutOnce":                 testStatusPlaces,
		"RevokedPlacesAreListedUntilTheyExpire": testStatusRevoked,
		"DamageIsAnError":                       testKeyDamage,
	}
}

func sampleKey(id string, state token.KeyState) token.SigningKey {
	k := token.SigningKey{
		ID: id, Public: bytes.Repeat([]byte{id[0]}, 32), Sealed: "v1.sealed " + id, State: state, Origin: token.KeyGenerated, Created: noon(),
	}
	if state != token.KeyNext {
		k.Activated = noon().Add(time.Minute)
	}
	if state == token.KeyRetired {
		k.Retired = noon().Add(time.Hour)
	}
	return k
}

func saveKeys(t *testing.T, s *sqlstore.Store, active string, keys ...token.SigningKey) {
	t.Helper()
	must(t, s.SigningKeys().SaveKeys(t.Context(), active, keys, record("key.rotate", "key/"+keys[0].ID)))
}

func listKeys(t *testing.T, s *sqlstore.Store) []token.SigningKey {
	t.Helper()
	keys, err := s.SigningKeys().ListKeys(t.Context())
	must(t, err)
	return keys
}

func testKeyRoundTrip(db Database) {
	t := db.t
	if keys := listKeys(t, db.Store); len(keys) != 0 {
		t.Fatalf("an empty database has %v", keys)
	}
	a, b, c := sampleKey("a", token.KeyActive), sampleKey("b", token.KeyNext), sampleKey("c", token.KeyRetired)
	b.Created = noon().Add(-time.Hour)
	c.Sealed, c.Origin = "", token.KeyFromEnvironment
	saveKeys(t, db.Store, "", a, b, c)
	wantLast(t, db.Store, "key.rotate")
	same(t, "keys", listKeys(t, db.Store), []token.SigningKey{b, a, c})
	same(t, "keys after reopening", listKeys(t, db.Reopen()), []token.SigningKey{b, a, c})
}

func testKeySave(db Database) {
	t := db.t
	a, b := sampleKey("a", token.KeyActive), sampleKey("b", token.KeyNext)
	saveKeys(t, db.Store, "", a, b)
	a.State, a.Retired = token.KeyRetired, noon().Add(time.Hour)
	b.State, b.Activated = token.KeyActive, noon().Add(time.Hour)
	c := sampleKey("c", token.KeyNext)
	saveKeys(t, db.Store, "a", a, b, c)
	same(t, "keys", listKeys(t, db.Store), []token.SigningKey{a, b, c})
}

func testKeyBasis(db Database) {
	t := db.t
	saveKeys(t, db.Store, "", sampleKey("a", token.KeyActive))
	before := len(trailOf(t, db.Store))
	for _, basis := range []string{"", "b"} {
		err := db.Store.SigningKeys().SaveKeys(t.Context(), basis, []token.SigningKey{sampleKey("b", token.KeyNext)}, record("key.import", "key/b"))
		wantKind(t, err, fault.Conflict)
	}
	same(t, "keys", listKeys(t, db.Store), []token.SigningKey{sampleKey("a", token.KeyActive)})
	if after := len(trailOf(t, db.Store)); after != before {
		t.Errorf("what was refused left %d records", after-before)
	}
}

func testKeyOneActive(db Database) {
	t := db.t
	saveKeys(t, db.Store, "", sampleKey("a", token.KeyActive))
	err := db.Store.SigningKeys().SaveKeys(t.Context(), "a", []token.SigningKey{sampleKey("b", token.KeyActive)}, record("key.rotate", "key/b"))
	wantKind(t, err, fault.Conflict)
}

// signedBy adds a token that the key has signed.
func signedBy(t *testing.T, s *sqlstore.Store, key, id string) {
	t.Helper()
	tok := sampleToken(id, sampleUser("alice"), sampleUser("alice"))
	tok.KeyID = key
	saveToken(t, s, tok)
}

func testKeyRemove(db Database) {
	t := db.t
	saveKeys(t, db.Store, "", sampleKey("a", token.KeyActive), sampleKey("b", token.KeyRetired), sampleKey("c", token.KeyNext))
	signedBy(t, db.Store, "a", "of-a")
	signedBy(t, db.Store, "b", "of-b")
	signedBy(t, db.Store, "b", "too")
	revoked, err := db.Store.SigningKeys().RemoveKey(t.Context(), "b", record("key.remove", "key/b"))
	must(t, err)
	slices.Sort(revoked)
	same(t, "revoked ids", revoked, []string{"of-b", "too"})
	same(t, "details", wantLast(t, db.Store, "key.remove").Details, map[string]string{"tokens_revoked": "2"})
	same(t, "tokens that live", liveTokens(t, db.Store), []string{"of-a"})
	for _, k := range listKeys(t, db.Store) {
		if k.ID == "b" && (k.State != token.KeyRemoved || k.Sealed != "") {
			t.Errorf("the removed key is %+v", k)
		}
	}
	revoked, err = db.Store.SigningKeys().RemoveKey(t.Context(), "c", record("key.remove", "key/c"))
	must(t, err)
	if len(revoked) != 0 {
		t.Errorf("revoked %v with a key that signed nothing", revoked)
	}
}

func testKeyRemoveNot(db Database) {
	t := db.t
	saveKeys(t, db.Store, "", sampleKey("a", token.KeyActive), sampleKey("b", token.KeyNext))
	remove := func(id string) error {
		_, err := db.Store.SigningKeys().RemoveKey(t.Context(), id, record("key.remove", "key/"+id))
		return err
	}
	wantKind(t, remove("a"), fault.Conflict)
	wantKind(t, remove("x"), fault.NotFound)
	must(t, remove("b"))
	wantKind(t, remove("b"), fault.NotFound)
}

func testKeyStaysRemoved(db Database) {
	t := db.t
	saveKeys(t, db.Store, "", sampleKey("a", token.KeyActive), sampleKey("b", token.KeyRetired))
	_, err := db.Store.SigningKeys().RemoveKey(t.Context(), "b", record("key.remove", "key/b"))
	must(t, err)
	err = db.Store.SigningKeys().SaveKeys(t.Context(), "a", []token.SigningKey{sampleKey("b", token.KeyRetired)}, record("key.import", "key/b"))
	wantKind(t, err, fault.Conflict)
}

func testKeyCount(db Database) {
	t := db.t
	signedBy(t, db.Store, "a", "one")
	signedBy(t, db.Store, "a", "two")
	signedBy(t, db.Store, "b", "other")
	_, err := db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{ID: "two"}, record("token.revoke", "token/two"))
	must(t, err)
	for at, want := range map[time.Time]int{noon(): 1, noon().Add(time.Hour): 0} {
		n, err := db.Store.SigningKeys().CountSigned(t.Context(), "a", at)
		must(t, err)
		if n != want {
			t.Errorf("%d tokens live at %s, want %d", n, at, want)
		}
	}
}

func testStatusPlaces(db Database) {
	t := db.t
	s := db.Store.StatusList()
	next := func(n int) int64 {
		first, err := s.ReserveStatusIndexes(t.Context(), n)
		must(t, err)
		return first
	}
	same(t, "places", []int64{next(0), next(1), next(256), next(0), next(3)}, []int64{1, 1, 2, 258, 258})

	var mu sync.Mutex
	seen := map[int64]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				first, err := s.ReserveStatusIndexes(t.Context(), 2)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, i := range []int64{first, first + 1} {
					if seen[i] || i < 261 {
						t.Errorf("place %d is given out twice", i)
					}
					seen[i] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	same(t, "next place after reopening", []int64{mustReserve(t, db.Reopen())}, []int64{421})
}

func mustReserve(t *testing.T, s *sqlstore.Store) int64 {
	t.Helper()
	first, err := s.StatusList().ReserveStatusIndexes(t.Context(), 1)
	must(t, err)
	return first
}

func testStatusRevoked(db Database) {
	t := db.t
	for i, id := range []string{"listed", "good", "short", "nowhere"} {
		tok := sampleToken(id, sampleUser("alice"), sampleUser("alice"))
		tok.StatusIndex = int64(i + 1)
		switch id {
		case "short":
			tok.Expires = noon().Add(time.Minute)
		case "nowhere":
			tok.StatusIndex = 0
		default:
		}
		saveToken(t, db.Store, tok)
		if id != "good" {
			_, err := db.Store.Tokens().RevokeTokens(t.Context(), token.Filter{ID: id}, record("token.revoke", "token/"+id))
			must(t, err)
		}
	}
	for at, want := range map[time.Time][]int64{noon(): {1, 3}, noon().Add(time.Minute): {1}, noon().Add(time.Hour): nil} {
		got, err := db.Store.StatusList().RevokedIndexes(t.Context(), at)
		must(t, err)
		slices.Sort(got)
		same(t, "revoked places", got, want)
	}
}

// testKeyDamage: a key that cannot be read must not become one that verifies something else.
func testKeyDamage(db Database) {
	t := db.t
	saveKeys(t, db.Store, "", sampleKey("a", token.KeyActive))
	for _, public := range []string{"", "AAAA", "!"} {
		must(t, db.Exec(`UPDATE signing_keys SET public = '`+public+`'`))
		_, err := db.Store.SigningKeys().ListKeys(t.Context())
		wantKind(t, err, fault.Internal)
	}
}

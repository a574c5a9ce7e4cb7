package attack_test

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// rows is everything that is known to go wrong with JSON Web Tokens somewhere. Each needs an attack: forged tokens of that
// name, or an entry in moreRows.
var rows = []string{
	"alg none", "alg empty, missing, number, array", "HS keyed by the public key", "RS, ES, PS over an EdDSA key", "EdDSA with another curve", "Ed25519 or EdDSA",
	"embedded jwk", "jku", "x5u", "x5c",
	"kid missing", "kid unknown", "kid path", "kid NUL", "kid SQL quote", "kid of 64 KiB", "kid of a retired key", "kid of another issuer",
	"crit", "b64", "zip", "nested JWT", "typ wrong", "duplicate header members",
	"JWE of five parts", "one, two or four parts", "JSON serialization", "multiple signatures", "padding, blanks, other alphabet, unused bits", "line ends and NUL",
	"empty signature", "flipped bit in each signature byte", "S + L", "R of small order or not reduced", "A of small order", "truncated or extended signature",
	"duplicate claims at each level", "case-changed names", "sub", "exp", "exp beyond the policy", "nbf and iat", "clock set back", "aud", "iss", "roles", "act", "act loops", "act unsigned",
	"JSON of depth 10 k", "8 KiB and more", "8 KiB and less", "invalid UTF-8", "BOM", "not an object",
	"token in the query", "token in a cookie", "token in the body", "two Authorization headers", "two headers that differ", "bearer in other cases", "other schemes",
	"revoked token written otherwise", "deleted and recreated user", "renamed subject", "refresh token as access token",
}

// moreRows are the attacks that take more than a forged token.
func moreRows() map[string]func(*testing.T, *head) {
	return map[string]func(*testing.T, *head){
		"Ed25519 or EdDSA": bothNames, "kid missing": noKid, "kid of a retired key": retiredKey, "line ends and NUL": lineEnds, "A of small order": weakKeys,
		"exp beyond the policy": longLives, "clock set back": clockBack, "act unsigned": unsignedActor, "8 KiB and less": longest,
		"token in the query": inTheQuery, "token in a cookie": inACookie, "token in the body": inTheBody,
		"two Authorization headers": twoHeaders, "two headers that differ": differentHeaders, "bearer in other cases": bearerCases, "other schemes": otherSchemes,
		"revoked token written otherwise": revokedOtherwise, "deleted and recreated user": recreated, "renamed subject": renamed, "refresh token as access token": refreshAsAccess,
	}
}

// withVictim adds the user whom all forged tokens name.
func (h *head) withVictim(t *testing.T) {
	t.Helper()
	u, err := h.Server.Users().Create(t.Context(), servertest.Local(), identity.NewUser{Name: victim, Roles: []identity.Role{identity.RoleAPI, identity.RoleAdmin}, Password: "correct horse battery"})
	if err != nil {
		t.Fatal(err)
	}
	h.victim = string(u.ID)
}

func TestEveryRowHasAnAttack(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.withVictim(t)
	f, more := forgeries(t, h, "http://127.0.0.1:1"), moreRows()
	for _, row := range rows {
		if (len(f[row]) > 0) == (more[row] != nil) {
			t.Errorf("%s: there must be forged tokens or a test of its own, and not both", row)
		}
	}
	for row := range f {
		if !slices.Contains(rows, row) {
			t.Errorf("%s is attacked, but no row", row)
		}
	}
	for row := range more {
		if !slices.Contains(rows, row) {
			t.Errorf("%s is attacked, but no row", row)
		}
	}
}

// maxHeader is how long a header may be before the server stops reading.
const maxHeader = 32 << 10

// TestForgedTokensOpenNothing presents every forged token at a door of each family. All get the same reply; nothing is
// fetched from where a token points to; nothing changes; the trail says why.
func TestForgedTokensOpenNothing(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.withVictim(t)
	var called atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	t.Cleanup(trap.Close)
	f := forgeries(t, h, trap.URL)
	controls := map[string]string{"foreign": h.sign(plain, foreign()), "ours": h.sign(plain, h.ours()), "no typ": h.sign(`{"alg":"EdDSA"}`, foreign())}
	for what, raw := range controls { // the forgeries must not fail for want of something else
		want(t, what, h.whoami(raw), http.StatusOK)
	}
	before, bodies, n := h.tables(t), map[string]map[string]string{}, 0
	for _, row := range slices.Sorted(maps.Keys(f)) {
		for what, raw := range f[row] {
			for _, path := range []string{"/api/v1/whoami", "/api/clusters/"} {
				r := h.Do(servertest.Call{Path: path, Token: raw})
				n++
				if len(raw) > maxHeader && r.Status == http.StatusRequestHeaderFieldsTooLarge {
					continue // not even read
				}
				if r.Status != http.StatusUnauthorized {
					t.Errorf("%s, %s: %d %s\n%.300s", row, what, r.Status, r.Body, raw)
				}
				if bodies[path] == nil {
					bodies[path] = map[string]string{}
				}
				bodies[path][anonymous(r)] = row + ", " + what
			}
		}
	}
	t.Logf("%d requests with forged tokens", n)
	for path, b := range bodies {
		if len(b) != 1 {
			t.Errorf("%s tells forged tokens apart: %v", path, b)
		}
	}
	if called.Load() != 0 {
		t.Errorf("the head has called %d addresses that forged tokens name", called.Load())
	}
	if h.tables(t) != before {
		t.Error("the forged tokens have changed something")
	}
	for what, raw := range controls {
		want(t, what+" afterwards", h.whoami(raw), http.StatusOK)
	}
}

// TestTheTrailSaysWhyAForgedTokenWasRefused looks at the reasons that the clients were not told.
func TestTheTrailSaysWhyAForgedTokenWasRefused(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.withVictim(t)
	f := forgeries(t, h, "http://127.0.0.1:1")
	asked := map[string]string{} // request -> row
	for _, row := range slices.Sorted(maps.Keys(f)) {
		of := slices.Collect(maps.Values(f[row]))
		shortest := slices.MinFunc(of, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
		r := h.whoami(shortest)
		asked[r.Header.Get("X-Request-Id")] = row
	}
	var missing []string
	if !h.soon(func() bool {
		missing = nil
		seen := h.column(t, `SELECT request_id FROM audit_records WHERE outcome = 'refused' AND reason LIKE 'invalid token: _%' AND addr = '127.0.0.1' AND actor <> '`+victim+`' OR reason LIKE '%of "`+victim+`")'`)
		for id, row := range asked {
			if !slices.Contains(seen, id) {
				missing = append(missing, row)
			}
		}
		return len(missing) == 0
	}) {
		t.Errorf("no record with a reason for %q; there are %q", missing, h.column(t, `SELECT reason FROM audit_records WHERE outcome = 'refused'`))
	}
	if reasons := h.column(t, `SELECT DISTINCT reason FROM audit_records WHERE outcome = 'refused'`); len(reasons) < 20 {
		t.Errorf("only %d reasons: %q", len(reasons), reasons)
	}
	if leaked := h.column(t, `SELECT reason FROM audit_records WHERE reason LIKE '%eyJ%'`); len(leaked) != 0 {
		t.Errorf("the trail has tokens: %q", leaked)
	}
}

func TestOtherWaysWithTokens(t *testing.T) {
	t.Parallel()
	for row, attack := range moreRows() {
		t.Run(row, func(t *testing.T) {
			t.Parallel()
			h := newHead(t)
			h.withVictim(t)
			attack(t, h)
		})
	}
}

func bothNames(t *testing.T, h *head) {
	t.Helper()
	for alg, status := range map[string]int{"EdDSA": 200, "Ed25519": 200, "ED25519": 401, "Ed25519ph": 401, "Ed25519ctx": 401} {
		want(t, alg, h.whoami(h.sign(`{"alg":"`+alg+`"}`, foreign())), status)
	}
}

func noKid(t *testing.T, h *head) {
	t.Helper()
	want(t, "no kid", h.whoami(h.sign(plain, foreign())), http.StatusOK)
	want(t, "our kid", h.whoami(h.sign(`{"alg":"EdDSA","kid":"`+h.kid+`"}`, foreign())), http.StatusOK)
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("o", 32)))
	want(t, "no kid, another's key", h.whoami(signWith(other, plain, foreign())), http.StatusUnauthorized)
}

func lineEnds(t *testing.T, h *head) {
	t.Helper()
	good := h.sign(plain, foreign())
	if got := h.send(t, "Authorization: Bearer "+good); got != http.StatusOK {
		t.Fatalf("the token itself: %d", got)
	}
	for what, header := range map[string]string{
		"NUL behind": "Bearer " + good + "\x00", "NUL inside": "Bearer " + good[:10] + "\x00" + good[10:], "line feed inside": "Bearer " + good[:10] + "\n" + good[10:],
		"return inside": "Bearer " + good[:10] + "\r" + good[10:], "folded": "Bearer " + good[:10] + "\r\n " + good[10:], "vertical tab": "Bearer\v" + good, "DEL": "Bearer " + good + "\x7f",
	} {
		if got := h.send(t, "Authorization: "+header); got != http.StatusBadRequest && got != http.StatusUnauthorized {
			t.Errorf("%s: %d", what, got)
		}
	}
}

func weakKeys(t *testing.T, _ *head) {
	t.Helper()
	for what, key := range map[string][]byte{
		"identity": append([]byte{1}, make([]byte, 31)...), "order 4": make([]byte, 32),
		"order 2": slices.Concat([]byte{0xec}, slices.Repeat([]byte{0xff}, 30), []byte{0x7f}), "identity, not reduced": slices.Concat([]byte{0xee}, slices.Repeat([]byte{0xff}, 30), []byte{0x7f}),
		"identity with a sign": slices.Concat([]byte{1}, make([]byte, 30), []byte{0x80}),
	} {
		if _, err := token.ParseKeys(std64(key), ""); err == nil {
			t.Errorf("%s is taken as a public key", what)
		}
	}
}

// longLives asks at both doors that mint.
func longLives(t *testing.T, h *head) {
	t.Helper()
	admin, user := h.Token(identity.RoleFullAdmin), h.User(identity.RoleProductionEngineer)
	before := h.column(t, `SELECT count(*) FROM tokens`)
	for _, life := range []string{`"100000000d"`, `"9999w"`, `"9223372036854775807"`, `"9223372036854775808"`, `"-1"`, `"0"`, `-1`, `1e30`, `"1e3"`, `[]`} {
		r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/admin/" + user + "/token", Token: admin, Body: `{"lifetime":` + life + `}`})
		want(t, "lifetime "+life, r, http.StatusBadRequest)
	}
	if after := h.column(t, `SELECT count(*) FROM tokens`); after[0] != before[0] {
		t.Errorf("%s tokens before, %s after", before, after)
	}
}

// clockBack sets the head's clock back, as a bad time server does: what has been revoked stays so, and what was not good
// yet is not good again.
func clockBack(t *testing.T, h *head) {
	t.Helper()
	h.clock.Advance(time.Hour)
	m := h.Mint(token.MintRequest{For: victim, Lifetime: 2 * time.Hour})
	want(t, "fresh", h.whoami(m.Text), http.StatusOK)
	h.clock.Advance(-20 * time.Second)
	want(t, "20 s before it was made, within the leeway", h.whoami(m.Text), http.StatusOK)
	h.clock.Advance(-20 * time.Second)
	want(t, "40 s before it was made", h.whoami(m.Text), http.StatusUnauthorized)
	h.clock.Advance(time.Minute)
	if r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/logout", Token: m.Text}); r.Status != http.StatusOK {
		t.Fatalf("revoke: %d %s", r.Status, r.Body)
	}
	for _, step := range []time.Duration{-30 * time.Second, 3 * time.Hour, -3 * time.Hour} {
		h.clock.Advance(step)
		want(t, fmt.Sprintf("revoked, then the clock goes by %s", step), h.whoami(m.Text), http.StatusUnauthorized)
	}
}

// unsignedActor puts an actor into a token that somebody else has signed.
func unsignedActor(t *testing.T, h *head) {
	t.Helper()
	p := strings.Split(h.sign(plain, foreign()), ".")
	want(t, "act", h.whoami(p[0]+"."+b64(foreign(`"act":{"sub":"root"}`))+"."+p[2]), http.StatusUnauthorized)
	// With the site's own key: an actor who is not known, or who may not act as the victim, opens nothing.
	nobody := h.User(identity.RoleUser)
	u, err := h.Server.Users().Get(t.Context(), servertest.Local(), nobody)
	if err != nil {
		t.Fatal(err)
	}
	for what, act := range map[string]string{
		"unknown": `{"sub":"nobody","uid":"0123456789abcdef0123456789abcdef","jti":"x"}`, "an ordinary user": `{"sub":"` + nobody + `","uid":"` + string(u.ID) + `","jti":"x"}`,
		"himself": `{"sub":"` + victim + `","uid":"` + h.victim + `","jti":"x"}`,
	} {
		want(t, what, h.whoami(h.sign(plain, h.ours(`"kind":"service"`, `"kind":"impersonation","act":`+act))), http.StatusUnauthorized)
	}
}

func longest(t *testing.T, h *head) {
	t.Helper()
	for _, n := range []int{8<<10 - 1, 8 << 10} {
		want(t, fmt.Sprintf("%d bytes", n), h.whoami(padded(h, n)), http.StatusOK)
	}
}

package token_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func (s *site) statusList() *token.StatusList {
	s.tb.Helper()
	text, _, err := s.tokens.StatusList(s.ctx)
	s.check(err)
	l, err := s.verifier.VerifyStatusList(text)
	s.check(err)
	return l
}

func TestRevokedTokensAreInTheList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var minted []token.Minted
	seen := map[int64]bool{}
	for range 20 {
		m := s.mint()
		if m.StatusIndex < 1 || seen[m.StatusIndex] {
			t.Fatalf("place %d is given out twice, or is none", m.StatusIndex)
		}
		seen[m.StatusIndex] = true
		minted = append(minted, m)
	}
	for i, m := range minted {
		if i%3 == 0 {
			if n, err := s.tokens.Revoke(t.Context(), root, token.Filter{ID: m.ID}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
	}
	l := s.statusList()
	for i, m := range minted {
		if l.Revoked(m.StatusIndex) != (i%3 == 0) {
			t.Errorf("token %d: revoked %v", i, l.Revoked(m.StatusIndex))
		}
	}
	if l.Revoked(0) || l.Revoked(-1) || l.Revoked(1<<40) {
		t.Error("a place that no token has is set")
	}
	// What has expired makes room.
	s.clock.Advance(31 * 24 * time.Hour)
	if l = s.statusList(); l.Revoked(minted[0].StatusIndex) {
		t.Error("an expired token is still in the list")
	}
}

// TestListHasTheShapeOfTheDraft reads the list as somebody does who has only the draft.
func TestListHasTheShapeOfTheDraft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.mint()
	if _, err := s.tokens.Revoke(t.Context(), root, token.Filter{ID: m.ID}); err != nil {
		t.Fatal(err)
	}
	text, keep, err := s.tokens.StatusList(t.Context())
	if err != nil || keep != time.Minute {
		t.Fatal(keep, err)
	}
	parsed, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return s.env.signer.Public(), nil },
		jwt.WithTimeFunc(s.clock.Now), jwt.WithExpirationRequired(), jwt.WithSubject(token.StatusPath), jwt.WithIssuedAt())
	if err != nil || parsed.Header["typ"] != "statuslist+jwt" || parsed.Header["kid"] != s.env.ring.ID() {
		t.Fatal(parsed.Header, err)
	}
	c, ok := parsed.Claims.(jwt.MapClaims)
	if !ok || c["ttl"] != float64(60) {
		t.Errorf("claims %v", c)
	}
	var list struct {
		Bits int    `json:"bits"`
		List string `json:"lst"`
	}
	raw, err := json.Marshal(c["status_list"])
	if err != nil || json.Unmarshal(raw, &list) != nil || list.Bits != 1 {
		t.Fatal(list, err)
	}
	packed, err := base64.RawURLEncoding.DecodeString(list.List)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var bits bytes.Buffer
	if _, err := bits.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	status, uri := claims(t, m.Text)["status"], ""
	if inner, ok := status.(map[string]any)["status_list"].(map[string]any); ok {
		uri, _ = inner["uri"].(string)
		idx, _ := inner["idx"].(float64)
		if i := int(idx); bits.Bytes()[i/8]>>(i%8)&1 != 1 {
			t.Errorf("bit %d is not set", i)
		}
	}
	if uri != token.StatusPath {
		t.Errorf("the token names the list %q", uri)
	}
	if !strings.HasPrefix(string(s.keys.Ring().JWKS()), `{"keys":[`) || fmt.Sprint(c["keys"]) == "<nil>" {
		t.Error("no keys in the list")
	}
}

// counting counts how often the list is built.
type counting struct {
	token.StatusStore
	built int
}

func (c *counting) RevokedIndexes(ctx context.Context, at time.Time) ([]int64, error) {
	c.built++
	return c.StatusStore.RevokedIndexes(ctx, at)
}

func TestListIsBuiltOnlyWhenSomethingChanged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	store := &counting{StatusStore: s.store.StatusList()}
	users := identity.New(identity.Config{Store: s.store.Users(), Roles: identity.DefaultRoles(), Hasher: hasher{}, Clock: s.clock})
	var err error
	s.tokens, err = token.NewService(t.Context(), token.ServiceConfig{
		Keys: s.keys.Ring(), Signing: s.keys, Verifier: s.verifier, Store: s.store.Tokens(), Users: users, Clock: s.clock, Status: store,
		StatusTTL: 5 * time.Second,
	})
	s.check(err)
	m := s.mint()
	want := func(what string, built int, keep time.Duration) {
		t.Helper()
		_, left, err := s.tokens.StatusList(t.Context())
		if err != nil || store.built != built || left != keep {
			t.Errorf("%s: built %d times, to be kept for %s, %v; want %d, %s", what, store.built, left, err, built, keep)
		}
	}
	want("first", 1, 5*time.Second)
	s.clock.Advance(3 * time.Second)
	want("again", 1, 2*time.Second)
	s.clock.Advance(2 * time.Second)
	want("ttl is over", 2, 5*time.Second)
	if _, err := s.tokens.Revoke(t.Context(), root, token.Filter{ID: m.ID}); err != nil {
		t.Fatal(err)
	}
	want("revoked", 3, 5*time.Second)
	s.rotate()
	want("rotated", 4, 5*time.Second)
	want("again", 4, 5*time.Second)
}

func TestVerifierLearnsKeysFromTheList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ring, err := token.ParseKeys(s.env.public, "")
	s.check(err)
	away := token.NewVerifier(token.VerifierConfig{Keys: ring, Clock: s.clock})
	learn := func() {
		t.Helper()
		text, _, err := s.tokens.StatusList(t.Context())
		s.check(err)
		l, err := away.VerifyStatusList(text)
		s.check(err)
		ring.Follow(l)
		if again, err := token.RestoreStatusList(text); err != nil || !slices.Equal(again.KeyIDs(), ring.IDs()) {
			t.Errorf("restored: %v, %v", again, err)
		}
	}
	old := s.mint()
	learn()
	s.rotate()
	fresh := s.mint() // signed with a key that was published as the next one
	for _, m := range []token.Minted{old, fresh} {
		if _, err := away.Verify(m.Text); err != nil {
			t.Error(err)
		}
	}
	learn()
	_, err = s.keys.Remove(t.Context(), root, token.Removal{ID: old.KeyID, Confirmed: true})
	s.check(err)
	learn()
	_, err = away.Verify(old.Text)
	refused(t, "signed with a removed key", err, "no key with that kid")
	if _, err := away.Verify(fresh.Text); err != nil {
		t.Error(err)
	}
	if ring.CanSign() {
		t.Error("a ring that follows a list can sign")
	}
}

func TestNoListWithoutAStoreOrAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, err := w.StatusList(t.Context())
	fails(t, "without a store", err, fault.NotFound)

	s := newSite(t)
	s.rotate()
	s.start("another session key, by mistake")
	_, _, err = s.tokens.StatusList(t.Context())
	fails(t, "without a key", err, fault.Unavailable)
}

// pack is a list of bytes as it stands in the claim.
func pack(bits []byte) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(bits)
	_ = z.Close()
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// listOf is the payload of a list, with some of it replaced.
func listOf(p pair, oldNew ...string) string {
	text := fmt.Sprintf(`{"iss":"bridgehead","sub":"/x","iat":%d,"exp":%d,"ttl":60,"status_list":{"bits":1,"lst":%q},"keys":%s}`,
		start.Unix(), start.Add(time.Hour).Unix(), pack([]byte{2, 0}), p.ring.JWKS())
	return strings.NewReplacer(oldNew...).Replace(text)
}

func decimal(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func TestBadListsAreRefused(t *testing.T) {
	t.Parallel()
	p, other := newPair(t, "k"), newPair(t, "o")
	v := token.NewVerifier(token.VerifierConfig{Keys: p.ring, Clock: clock.NewManual(start)})
	header := `{"alg":"EdDSA","kid":"` + p.ring.ID() + `","typ":"statuslist+jwt"}`
	good, err := v.VerifyStatusList(p.sign(header, listOf(p)))
	if err != nil || !good.Revoked(1) || good.Revoked(0) || good.Revoked(9) || good.TTL != time.Minute {
		t.Fatalf("%+v, %v", good, err)
	}
	list := pack([]byte{2, 0})
	bomb := pack(make([]byte, 17<<20))
	for what, text := range map[string]string{
		"other signer":     other.sign(header, listOf(p)),
		"unknown key":      other.sign(`{"alg":"EdDSA","kid":"`+other.ring.ID()+`","typ":"statuslist+jwt"}`, listOf(p)),
		"access token":     tokenOf(p),
		"typ of a token":   p.sign(`{"alg":"EdDSA","kid":"`+p.ring.ID()+`","typ":"JWT"}`, listOf(p)),
		"no typ":           p.sign(`{"alg":"EdDSA","kid":"`+p.ring.ID()+`"}`, listOf(p)),
		"other issuer":     p.sign(header, listOf(p, `"bridgehead"`, `"elsewhere"`)),
		"no issuer":        p.sign(header, listOf(p, `"iss":"bridgehead",`, ``)),
		"from the future":  p.sign(header, listOf(p, decimal(start), decimal(start.Add(10*time.Minute)))),
		"expired":          p.sign(header, listOf(p, decimal(start.Add(time.Hour)), decimal(start.Add(-31*time.Second)))),
		"no exp":           p.sign(header, listOf(p, `"exp"`, `"x"`)),
		"ttl of nothing":   p.sign(header, listOf(p, `"ttl":60`, `"ttl":0`)),
		"ttl of for ever":  p.sign(header, listOf(p, `"ttl":60`, `"ttl":99999999`)),
		"two bits":         p.sign(header, listOf(p, `"bits":1`, `"bits":2`)),
		"twice":            p.sign(header, listOf(p, `"ttl":60`, `"ttl":60,"ttl":60`)),
		"padding":          p.sign(header, listOf(p, list, list+"=")),
		"not compressed":   p.sign(header, listOf(p, list, "AAAA")),
		"cut off":          p.sign(header, listOf(p, list, list[:len(list)-4])),
		"something behind": p.sign(header, listOf(p, list, list+"AAAA")),
		"bomb":             p.sign(header, listOf(p, list, bomb)),
		"no keys":          p.sign(header, listOf(p, string(p.ring.JWKS()), `{"keys":[]}`)),
		"keys missing":     p.sign(header, listOf(p, `"keys":`+string(p.ring.JWKS()), `"kees":1`)),
		"key of another":   p.sign(header, listOf(p, p.ring.ID(), other.ring.ID())),
		"weak key":         p.sign(header, listOf(p, `"x":"`+b64(string(p.signer[32:]))+`"`, `"x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`)),
		"other curve":      p.sign(header, listOf(p, `"Ed25519"`, `"X25519"`)),
		"too long":         strings.Repeat("A", token.MaxStatusText+1),
		"empty":            "",
	} {
		if l, err := v.VerifyStatusList(text); err == nil {
			t.Errorf("%s: accepted as %+v", what, l)
		}
		if what == "other signer" || what == "bomb" || what == "empty" {
			if _, err := token.RestoreStatusList(text); err == nil {
				t.Errorf("%s: restored", what)
			}
		}
	}
	if _, err := v.Verify(p.sign(header, listOf(p))); err == nil {
		t.Error("a status list opens doors")
	}
}

func FuzzStatusList(f *testing.F) {
	p := newPair(f, "k")
	for _, seed := range []string{listOf(p), listOf(p, `"bits":1`, `"bits":8`), listOf(p, pack([]byte{2, 0}), pack(make([]byte, 1<<20))), `{}`} {
		f.Add(seed)
	}
	v := token.NewVerifier(token.VerifierConfig{Keys: p.ring, Clock: clock.NewManual(start)})
	header := `{"alg":"EdDSA","kid":"` + p.ring.ID() + `","typ":"statuslist+jwt"}`
	f.Fuzz(func(t *testing.T, payload string) {
		l, err := v.VerifyStatusList(p.sign(header, payload))
		if err != nil {
			return
		}
		for _, i := range []int64{0, 1, 1 << 30} {
			l.Revoked(i)
		}
		if !json.Valid([]byte(payload)) || len(l.KeyIDs()) == 0 {
			t.Errorf("accepted %q", payload)
		}
	})
}

// fixed is a store with so many places, of which those are revoked.
type fixed struct {
	places  int64
	revoked []int64
}

func (f fixed) ReserveStatusIndexes(context.Context, int) (int64, error) { return f.places, nil }
func (f fixed) RevokedIndexes(context.Context, time.Time) ([]int64, error) {
	return f.revoked, nil
}

// millions returns a service whose list has a million places, every tenth of them revoked.
func millions(tb testing.TB, revoked int) (*token.Service, *clock.Manual, *token.Verifier) {
	tb.Helper()
	p, clk := newPair(tb, "k"), clock.NewManual(start)
	v := token.NewVerifier(token.VerifierConfig{Keys: p.ring, Clock: clk})
	f := fixed{places: 1_000_000}
	random := rand.New(rand.NewPCG(1, 2))
	for range revoked {
		f.revoked = append(f.revoked, 1+random.Int64N(f.places))
	}
	s, err := token.NewService(context.Background(), token.ServiceConfig{Keys: p.ring, Verifier: v, Store: noTokens{}, Users: noUsers{}, Clock: clk, Status: f})
	if err != nil {
		tb.Fatal(err)
	}
	return s, clk, v
}

type noTokens struct{ token.Store }

func (noTokens) RevokedTokens(context.Context, time.Time) ([]string, error) { return nil, nil }

type noUsers struct{ token.Users }

func (noUsers) OnRevoke(func([]string)) {}

func TestListOfAMillionIsSmall(t *testing.T) {
	t.Parallel()
	for revoked, most := range map[int]int{0: 2 << 10, 1000: 6 << 10, 100_000: 200 << 10, 1_000_000: 220 << 10} {
		s, _, _ := millions(t, revoked)
		text, _, err := s.StatusList(t.Context())
		if err != nil || len(text) > most {
			t.Errorf("%d revoked: %d bytes, want at most %d; %v", revoked, len(text), most, err)
		}
	}
}

func BenchmarkStatusList(b *testing.B) {
	for _, revoked := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("build/%d", revoked), func(b *testing.B) {
			s, clk, _ := millions(b, revoked)
			size := 0
			for b.Loop() {
				clk.Advance(time.Minute) // the ttl
				text, _, err := s.StatusList(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				size = len(text)
			}
			b.ReportMetric(float64(size), "bytes")
		})
		b.Run(fmt.Sprintf("verify/%d", revoked), func(b *testing.B) {
			s, _, v := millions(b, revoked)
			text, _, err := s.StatusList(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := v.VerifyStatusList(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package token_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// tokenOf returns a token as we mint them, with some of it replaced.
func tokenOf(p pair, oldNew ...string) string {
	return p.sign(`{"alg":"EdDSA","kid":"`+p.ring.ID()+`","typ":"JWT"}`, ours(oldNew...))
}

// BenchmarkVerify holds the verifier against the signature check that is in it: bare is the floor for a token that is
// seen for the first time.
func BenchmarkVerify(b *testing.B) {
	p := newPair(b, "k")
	raw := tokenOf(p)
	cfg := token.VerifierConfig{Keys: p.ring, Clock: clock.NewManual(start)}
	verify := func(b *testing.B, v *token.Verifier) {
		b.Helper()
		if _, err := v.Verify(raw); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		i := strings.LastIndexByte(raw, '.')
		input := []byte(raw[:i])
		sig, err := base64.RawURLEncoding.DecodeString(raw[i+1:])
		if err != nil {
			b.Fatal(err)
		}
		public := p.signer[32:]
		for b.Loop() {
			if !ed25519.Verify(ed25519.PublicKey(public), input, sig) {
				b.Fatal("bad signature")
			}
		}
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			verify(b, token.NewVerifier(cfg)) // one that remembers nothing
		}
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		v := token.NewVerifier(cfg)
		for b.Loop() {
			verify(b, v)
		}
	})
	b.Run("golang-jwt", func(b *testing.B) {
		b.ReportAllocs()
		parser := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithTimeFunc(cfg.Clock.Now))
		for b.Loop() {
			if _, err := parser.Parse(raw, func(*jwt.Token) (any, error) { return p.signer.Public(), nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestVerifyAllocatesLittle(t *testing.T) {
	p := newPair(t, "k")
	raw := tokenOf(p)
	ring := ringOf(t, newPair(t, "a"), newPair(t, "b"), newPair(t, "c"), newPair(t, "d"), p)
	cfg := token.VerifierConfig{Keys: ring, Clock: clock.NewManual(start)}
	warm := token.NewVerifier(cfg)
	again := func() {
		if _, err := warm.Verify(raw); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, again); n > 1 {
		t.Errorf("a known token takes %.0f allocations", n)
	}
	var fresh []string
	for i := range 102 {
		fresh = append(fresh, tokenOf(p, `"j1"`, `"j`+strconv.Itoa(i)+`"`))
	}
	n := testing.AllocsPerRun(len(fresh)-2, func() {
		if _, err := warm.Verify(fresh[0]); err != nil {
			t.Fatal(err)
		}
		fresh = fresh[1:]
	})
	if n > 10 {
		t.Errorf("a new token takes %.0f allocations", n)
	}
}

// ringOf returns a ring of those keys as a verifier learns it from its head, the first one active.
func ringOf(tb testing.TB, pairs ...pair) *token.Keyring {
	tb.Helper()
	var keys []string
	for _, p := range pairs {
		keys = append(keys, strings.TrimSuffix(strings.TrimPrefix(string(p.ring.JWKS()), `{"keys":[`), `]}`))
	}
	p := pairs[0]
	v := token.NewVerifier(token.VerifierConfig{Keys: p.ring, Clock: clock.NewManual(start)})
	payload := listOf(p, string(p.ring.JWKS()), `{"keys":[`+strings.Join(keys, ",")+`]}`)
	l, err := v.VerifyStatusList(p.sign(`{"alg":"EdDSA","kid":"`+p.ring.ID()+`","typ":"statuslist+jwt"}`, payload))
	if err != nil {
		tb.Fatal(err)
	}
	ring, err := token.ParseKeys(p.public, "")
	if err != nil {
		tb.Fatal(err)
	}
	ring.Follow(l)
	return ring
}

// BenchmarkVerifyRing is BenchmarkVerify with five keys: what names its key costs what it costs with one, and what names
// none is tried with each.
func BenchmarkVerifyRing(b *testing.B) {
	var pairs []pair
	for _, seed := range []string{"a", "b", "c", "d", "e"} {
		pairs = append(pairs, newPair(b, seed))
	}
	cfg := token.VerifierConfig{Keys: ringOf(b, pairs...), Clock: clock.NewManual(start)}
	last := pairs[len(pairs)-1]
	for name, raw := range map[string]string{
		"active": tokenOf(pairs[0]), "last": tokenOf(last), "no-kid": last.sign(`{"alg":"EdDSA","typ":"JWT"}`, ours()),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := token.NewVerifier(cfg).Verify(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/again", func(b *testing.B) {
			b.ReportAllocs()
			v := token.NewVerifier(cfg)
			for b.Loop() {
				if _, err := v.Verify(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

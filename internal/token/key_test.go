package token_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func TestKeyPairIsPrintedInThreeLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := token.WriteKeyPair(&out, rand.Reader); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`\AED25519 PUBLIC_KEY="([A-Za-z0-9+/]{43}=)"\nED25519 PRIVATE_KEY="([A-Za-z0-9+/]{86}==)"\n[^\n]+\n\z`).FindStringSubmatch(out.String())
	if m == nil {
		t.Fatalf("got %q", out.String())
	}
	if _, err := token.ParseKeys(m[1], m[2]); err != nil {
		t.Error(err)
	}
	if err := token.WriteKeyPair(&out, strings.NewReader("too short")); err == nil {
		t.Error("keys from too little randomness")
	}
}

func TestGenKeypairLinksNoDatabase(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../../cmd/gen-keypair").Output()
	if err != nil {
		t.Skip("go list does not run here:", err)
	}
	if bytes.Contains(out, []byte("sqlite")) || bytes.Contains(out, []byte("database/sql")) {
		t.Error("gen-keypair links a database")
	}
}

func TestDemoKeysWorkAndAreKnown(t *testing.T) {
	t.Parallel()
	const private = "dtPC/6dWJFKZK7KZ78CvWuynylOmjBFyMsUWArwmodOTN9itjL5POlqdZkcnmpJ0yPm4pRaCrvgFaFAbpyik/Q=="
	k, err := token.ParseKeys(token.DemoPublicKey, private)
	if err != nil || !k.CanSign() {
		t.Error(err)
	}
	if !token.IsDemoKey(token.DemoPublicKey+"\n") || token.IsDemoKey(newPair(t, "x").public) {
		t.Error("the demo key is taken for another, or another for it")
	}
}

func TestKeysThatDoNotFitAreRefusedWithoutBeingShown(t *testing.T) {
	t.Parallel()
	a, b := newPair(t, "a"), newPair(t, "b")
	halfSwapped := base64.StdEncoding.EncodeToString(slices.Concat(a.signer[:32], b.signer[32:]))
	for what, keys := range map[string][2]string{
		"other private key":                {a.public, b.private},
		"private key of two":               {b.public, halfSwapped},
		"private key of two, other public": {a.public, halfSwapped},
		"swapped":                          {a.private, a.public},
		"empty":                            {"", ""},
		"not base64":                       {a.public, "!" + a.private[1:]},
		"short":                            {a.public[:40], a.private},
		"base64url":                        {a.public, strings.ReplaceAll(a.private, "+", "-") + "="},
		"seed only":                        {a.public, base64.StdEncoding.EncodeToString(a.signer[:32])},
	} {
		_, err := token.ParseKeys(keys[0], keys[1])
		if err == nil {
			t.Errorf("%s: accepted", what)
			continue
		}
		for _, secret := range []string{a.private[:20], b.private[:20], a.private[20:50]} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error shows the key", what)
			}
		}
	}
}

// TestWeakPublicKeysAreRefused takes every encoding of the points of small order and shows for each that it is one, with
// the curve's own arithmetic.
func TestWeakPublicKeysAreRefused(t *testing.T) {
	t.Parallel()
	curve := newEdwards()
	weak := 0
	for _, y := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 0, not reduced
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 1, not reduced
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		for _, sign := range []byte{0, 0x80} {
			key, err := hex.DecodeString(y)
			if err != nil {
				t.Fatal(err)
			}
			if !curve.smallOrder(key) {
				t.Errorf("%s is not of small order", y)
			}
			key[31] |= sign
			if _, err := token.ParseKeys(base64.StdEncoding.EncodeToString(key), ""); err == nil {
				t.Errorf("%x is accepted", key)
			}
			// What the refusal is for: with R and S of the identity, a signature over anything.
			if slices.ContainsFunc([]string{"a", "b", "c", "d", "e", "f", "g", "h"}, func(m string) bool {
				return ed25519.Verify(key, []byte(m), slices.Concat([]byte{1}, make([]byte, 63)))
			}) {
				weak++
			}
		}
	}
	if weak == 0 {
		t.Error("no forged signature verified; this test tests nothing")
	}
	if curve.smallOrder(newPair(t, "k").signer[32:]) {
		t.Error("an ordinary key is of small order")
	}
}

// edwards is the curve of Ed25519, by the formulas of the book.
type edwards struct{ p, d *big.Int }

func newEdwards() edwards {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	d := new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), p))
	return edwards{p, d.Mod(d, p)}
}

// smallOrder reports whether the point with that y, doubled three times, is the identity.
func (e edwards) smallOrder(key []byte) bool {
	le := slices.Clone(key)
	le[31] &= 0x7f
	slices.Reverse(le)
	y := new(big.Int).SetBytes(le)
	y.Mod(y, e.p)
	yy := new(big.Int).Mul(y, y)
	x := new(big.Int).ModInverse(new(big.Int).Add(new(big.Int).Mul(e.d, yy), big.NewInt(1)), e.p)
	x.Mul(x, new(big.Int).Sub(yy, big.NewInt(1))).Mod(x, e.p)
	if x.ModSqrt(x, e.p) == nil {
		return false
	}
	for range 3 {
		x, y = e.double(x, y)
	}
	return x.Sign() == 0 && y.Cmp(big.NewInt(1)) == 0
}

func (e edwards) double(x, y *big.Int) (*big.Int, *big.Int) {
	mul := func(a, b *big.Int) *big.Int { return new(big.Int).Mod(new(big.Int).Mul(a, b), e.p) }
	dxy := mul(e.d, mul(mul(x, x), mul(y, y)))
	inv := func(a *big.Int) *big.Int { return new(big.Int).ModInverse(new(big.Int).Mod(a, e.p), e.p) }
	x2 := mul(new(big.Int).Add(mul(x, y), mul(x, y)), inv(new(big.Int).Add(big.NewInt(1), dxy)))
	y2 := mul(new(big.Int).Add(mul(y, y), mul(x, x)), inv(new(big.Int).Sub(big.NewInt(1), dxy)))
	return x2, y2
}

func TestJWKSIsReadByOthers(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(p.ring.JWKS(), &set); err != nil || len(set.Keys) != 1 {
		t.Fatal(set, err)
	}
	k := set.Keys[0]
	if pub, ok := k.Key.(ed25519.PublicKey); !ok || !pub.Equal(p.signer.Public()) || k.KeyID != p.ring.ID() || k.Use != "sig" || !k.Valid() {
		t.Errorf("got %+v", k)
	}
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil || base64.RawURLEncoding.EncodeToString(sum) != p.ring.ID() {
		t.Errorf("the id %s is not the RFC 7638 thumbprint: %v", p.ring.ID(), err)
	}
}

// TestThumbprintOfRFC8037 uses the key and thumbprint of RFC 8037, appendix A.3.
func TestThumbprintOfRFC8037(t *testing.T) {
	t.Parallel()
	x, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if err != nil {
		t.Fatal(err)
	}
	k, err := token.ParseKeys(base64.StdEncoding.EncodeToString(x), "")
	if err != nil || k.ID() != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" || k.CanSign() {
		t.Errorf("got %v, %v", k, err)
	}
}

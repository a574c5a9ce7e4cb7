package token_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// The edge cases of Ed25519 in which implementations are known to differ: S not reduced, R and A not reduced, of small
// order, or with a part of small order. They are computed here from the curve's definition in RFC 8032, slowly and
// plainly, and so is the answer that our verifier has to give.

// curve is edwards25519: -x² + y² = 1 + dx²y² over the field of p elements, with the base point of order l.
type curve struct {
	p, d, l, root *big.Int // root is a square root of -1
	base          point
}

type point struct{ x, y *big.Int }

func number(decimal string) *big.Int {
	n, ok := new(big.Int).SetString(decimal, 10)
	if !ok {
		panic(decimal)
	}
	return n
}

func newCurve() curve {
	one := big.NewInt(1)
	p := new(big.Int).Sub(new(big.Int).Lsh(one, 255), big.NewInt(19))
	c := curve{p: p, l: new(big.Int).Add(new(big.Int).Lsh(one, 252), number("27742317777372353535851937790883648493"))}
	c.d = c.mul(big.NewInt(-121665), c.inverse(big.NewInt(121666)))
	c.root = new(big.Int).Exp(big.NewInt(2), new(big.Int).Rsh(new(big.Int).Sub(p, one), 2), p)
	base, ok := c.decode(c.encode(point{big.NewInt(0), c.mul(big.NewInt(4), c.inverse(big.NewInt(5)))}))
	if !ok {
		panic("no base point")
	}
	c.base = base
	return c
}

func (c curve) mod(n *big.Int) *big.Int    { return n.Mod(n, c.p) }
func (c curve) mul(a, b *big.Int) *big.Int { return c.mod(new(big.Int).Mul(a, b)) }
func (c curve) inverse(n *big.Int) *big.Int {
	return new(big.Int).ModInverse(c.mod(new(big.Int).Set(n)), c.p)
}

func (c curve) add(a, b point) point {
	one, k := big.NewInt(1), c.mul(c.d, c.mul(c.mul(a.x, b.x), c.mul(a.y, b.y)))
	x := c.mul(new(big.Int).Add(c.mul(a.x, b.y), c.mul(a.y, b.x)), c.inverse(new(big.Int).Add(one, k)))
	y := c.mul(new(big.Int).Add(c.mul(a.y, b.y), c.mul(a.x, b.x)), c.inverse(new(big.Int).Sub(one, k)))
	return point{x, y}
}

func (c curve) times(n *big.Int, a point) point {
	sum := point{big.NewInt(0), big.NewInt(1)}
	for i := n.BitLen() - 1; i >= 0; i-- {
		if sum = c.add(sum, sum); n.Bit(i) == 1 {
			sum = c.add(sum, a)
		}
	}
	return sum
}

func little(n *big.Int) []byte {
	b := n.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

func fromLittle(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func (c curve) encode(a point) []byte {
	b := little(a.y)
	b[31] |= byte(a.x.Bit(0)) << 7
	return b
}

// decode takes every y, reduced or not: whether that is to be allowed is the caller's question.
func (c curve) decode(b []byte) (point, bool) {
	y := fromLittle(b)
	sign := y.Bit(255)
	y = c.mod(y.SetBit(y, 255, 0))
	yy := c.mul(y, y)
	xx := c.mul(new(big.Int).Sub(yy, big.NewInt(1)), c.inverse(new(big.Int).Add(c.mul(c.d, yy), big.NewInt(1))))
	x := new(big.Int).ModSqrt(xx, c.p)
	if x == nil {
		return point{}, false
	}
	if x.Bit(0) != sign {
		x = c.mod(x.Neg(x))
	}
	return point{x, y}, true
}

// hash is the k of RFC 8032, 5.1.7.
func (c curve) hash(r, a []byte, message string) *big.Int {
	sum := sha512.Sum512(slices.Concat(r, a, []byte(message)))
	k := sum[:]
	slices.Reverse(k)
	n := new(big.Int).SetBytes(k)
	return n.Mod(n, c.l)
}

// verify is RFC 8032, 5.1.7, with [S]B = R + [k]A not multiplied by the cofactor, R compared as it is written, and S < L.
func (c curve) verify(public []byte, message string, sig []byte) bool {
	a, ok := c.decode(public)
	s := fromLittle(sig[32:])
	if !ok || s.Cmp(c.l) >= 0 {
		return false
	}
	minusA := point{c.mod(new(big.Int).Neg(a.x)), a.y}
	r := c.add(c.times(s, c.base), c.times(c.hash(sig[:32], public, message), minusA))
	return bytes.Equal(c.encode(r), sig[:32])
}

// torsion returns the eight points whose order divides eight.
func (c curve) torsion() []point {
	for y := int64(2); ; y++ {
		p, ok := c.decode(little(big.NewInt(y)))
		if !ok {
			continue
		}
		t := c.times(c.l, p) // what is left of a point is of small order
		all := []point{{big.NewInt(0), big.NewInt(1)}}
		for next := t; next.x.Sign() != 0 || next.y.Cmp(big.NewInt(1)) != 0; next = c.add(next, t) {
			all = append(all, next)
		}
		if len(all) == 8 {
			return all
		}
	}
}

// spellings returns every 32 bytes that some decoder reads as a.
func (c curve) spellings(a point) [][]byte {
	var all [][]byte
	for _, y := range []*big.Int{a.y, new(big.Int).Add(a.y, c.p)} {
		for sign := range uint(2) {
			if y.BitLen() > 255 || a.x.Sign() != 0 && a.x.Bit(0) != sign {
				continue
			}
			all = append(all, little(new(big.Int).SetBit(y, 255, sign)))
		}
	}
	return all
}

type vector struct {
	what string
	sig  []byte
}

// vectors are signatures over a message, made with the private key where that gives more.
func (c curve) vectors(key ed25519.PrivateKey, public []byte, message string) []vector {
	seed := sha512.Sum512(key.Seed())
	seed[0], seed[31] = seed[0]&248, seed[31]&127|64
	secret := fromLittle(seed[:32])
	signature := func(r []byte, nonce *big.Int) []byte { // as the owner of the key makes one for any R
		s := new(big.Int).Add(nonce, new(big.Int).Mul(c.hash(r, public, message), secret))
		return slices.Concat(r, little(s.Mod(s, c.l)))
	}
	good := ed25519.Sign(key, []byte(message))
	all := []vector{{"good", good}}
	s := fromLittle(good[32:])
	for k := int64(1); k <= 15; k++ {
		if n := new(big.Int).Add(s, new(big.Int).Mul(c.l, big.NewInt(k))); n.BitLen() <= 256 {
			all = append(all, vector{fmt.Sprintf("S + %dL", k), slices.Concat(good[:32], little(n))})
		}
	}
	special := []*big.Int{big.NewInt(0), big.NewInt(1), c.l, c.p, new(big.Int).Lsh(big.NewInt(1), 255)}
	for _, n := range slices.Clone(special[2:]) {
		special = append(special, new(big.Int).Sub(n, big.NewInt(1)), new(big.Int).Add(n, big.NewInt(1)))
	}
	for _, r := range special {
		all = append(all, vector{"S special", slices.Concat(good[:32], little(r))}, vector{"R special", slices.Concat(little(r), good[32:])})
		for _, s := range special {
			all = append(all, vector{fmt.Sprintf("R %x, S %x", r, s), slices.Concat(little(r), little(s))})
		}
	}
	nonce := big.NewInt(123456789)
	r := c.times(nonce, c.base)
	for i, t := range c.torsion() {
		all = append(all, vector{fmt.Sprintf("R + T%d, and S for R", i), slices.Concat(c.encode(c.add(r, t)), signature(c.encode(r), nonce)[32:])})
		all = append(all, vector{fmt.Sprintf("R + T%d, and S for it", i), signature(c.encode(c.add(r, t)), nonce)})
		for _, spelling := range c.spellings(t) {
			all = append(all, vector{fmt.Sprintf("T%d written %x", i, spelling), signature(spelling, big.NewInt(0))})
		}
	}
	return all
}

func TestEdgeCasesOfEd25519(t *testing.T) {
	t.Parallel()
	c, f := newCurve(), newForge(t)
	public, err := base64.StdEncoding.DecodeString(f.public)
	if err != nil {
		t.Fatal(err)
	}
	input := b64(plainHeader) + "." + b64(foreign(""))
	accepted := map[string]bool{}
	vectors := c.vectors(f.signer, public, input)
	for _, v := range vectors {
		_, err := f.verifier.Verify(input + "." + b64(string(v.sig)))
		if got, want := err == nil, c.verify(public, input, v.sig); got != want {
			t.Errorf("%s: accepted is %v, want %v", v.what, got, want)
		}
		if err == nil {
			accepted[v.what] = true
		}
	}
	// What the holder of the key can make in more than one way is still only what he can make. Of R with a part of small
	// order, none counts; a verifier that multiplies by the cofactor would take all eight.
	for what := range accepted {
		if what != "good" && !strings.HasSuffix(what, "T0, and S for R") && !strings.HasSuffix(what, "T0, and S for it") && !strings.HasPrefix(what, "T0 written 01") {
			t.Errorf("%s is accepted", what)
		}
	}
	if len(vectors) < 150 || !accepted["good"] {
		t.Errorf("%d vectors, accepted: %v", len(vectors), accepted)
	}
}

// TestKeysOfSmallOrderAreRefused computes all of them, and every way to write each. For such a key, one signature holds
// for every message, or for one in eight.
func TestKeysOfSmallOrderAreRefused(t *testing.T) {
	t.Parallel()
	c, n := newCurve(), 0
	for i, p := range c.torsion() {
		for _, spelling := range c.spellings(p) {
			n++
			if _, err := token.ParseKeys(base64.StdEncoding.EncodeToString(spelling), ""); err == nil {
				t.Errorf("point %d, written %x, is taken as a public key", i, spelling)
			}
		}
	}
	for y := range int64(19) { // whatever can be written without being reduced
		for sign := range uint(2) {
			spelling := little(new(big.Int).SetBit(new(big.Int).Add(c.p, big.NewInt(y)), 255, sign))
			if _, err := token.ParseKeys(base64.StdEncoding.EncodeToString(spelling), ""); err == nil {
				t.Errorf("%x, which is not reduced, is taken as a public key", spelling)
			}
		}
	}
	if n < 14 {
		t.Errorf("only %d spellings", n)
	}
}

// TestKeysWithAPartOfSmallOrder: nobody can tell such a key from its bytes, and nobody but its maker can sign for it. What
// he signs, and all of the edge cases, are judged as RFC 8032 says.
func TestKeysWithAPartOfSmallOrder(t *testing.T) {
	t.Parallel()
	c, f := newCurve(), newForge(t)
	whole, ok := c.decode(f.signer[32:])
	if !ok {
		t.Fatal("no key")
	}
	for i, part := range c.torsion() {
		public := c.encode(c.add(whole, part))
		ring, err := token.ParseKeys(base64.StdEncoding.EncodeToString(public), "")
		if err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
		v := token.NewVerifier(token.VerifierConfig{Keys: ring, Clock: clock.NewManual(start)})
		input := b64(plainHeader) + "." + b64(foreign(fmt.Sprintf(`"n":%d,`, i)))
		for _, vec := range c.vectors(f.signer, public, input)[:20] {
			_, err := v.Verify(input + "." + b64(string(vec.sig)))
			if got, want := err == nil, c.verify(public, input, vec.sig); got != want {
				t.Errorf("key %d, %s: accepted is %v, want %v", i, vec.what, got, want)
			}
		}
	}
}

package attack_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"hash"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// victim is whose token is being forged: an administrator.
const victim = "victim"

// foreign returns the claims of a good token for the victim as a site's own script makes one, with more members in front.
func foreign(more ...string) string {
	return `{` + strings.Join(append(more, ""), ",") + `"sub":"` + victim + `","exp":` + at(3600) + `}`
}

// forged are tokens that must not open anything, by what is attacked and by how.
type forged map[string]map[string]string

func (f forged) add(row string, tokens map[string]string) {
	if f[row] != nil {
		panic(row + " is there twice")
	}
	f[row] = tokens
}

// forgeries makes a token for every way of forging one. trap is an address that nobody may call.
func forgeries(t *testing.T, h *head, trap string) forged {
	t.Helper()
	f := forged{}
	algorithms(t, h, f)
	headers(h, f, trap)
	forms(h, f)
	signatures(t, h, f)
	claims(h, f)
	return f
}

func algorithms(t *testing.T, h *head, f forged) {
	t.Helper()
	with := func(algs ...string) map[string]string {
		m := map[string]string{}
		for _, alg := range algs {
			header := `{"alg":` + alg + `,"typ":"JWT"}`
			m[alg] = h.sign(header, foreign())
			m[alg+", unsigned"] = b64(header) + "." + b64(foreign()) + "."
		}
		return m
	}
	f.add("alg none", with(`"none"`, `"None"`, `"nOnE"`, `"NONE"`))
	f.add("alg empty, missing, number, array", with(`""`, `1`, `["EdDSA"]`, `null`, `{}`, `true`))
	f["alg empty, missing, number, array"]["missing"] = h.sign(`{"typ":"JWT"}`, foreign())
	f.add("RS, ES, PS over an EdDSA key", with(`"RS256"`, `"RS384"`, `"RS512"`, `"ES256"`, `"ES256K"`, `"ES384"`, `"ES512"`, `"PS256"`, `"PS384"`, `"PS512"`))
	f.add("EdDSA with another curve", with(`"Ed448"`, `"X25519"`, `"eddsa"`, `"EDDSA"`, `"EdDSA "`))
	f["EdDSA with another curve"]["crv"] = h.sign(`{"alg":"EdDSA","crv":"Ed448"}`, foreign())

	public := h.public(t)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	jwks := h.Do(get("/.well-known/jwks.json")).Body
	hs := map[string]string{}
	for what, secret := range map[string][]byte{
		"raw": public, "base64": []byte(h.Secrets.PublicKey), "base64url": []byte(b64(string(public))), "JWKS": []byte(jwks), "empty": nil,
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der,
	} {
		for alg, sum := range map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New} {
			input := b64(`{"alg":"`+alg+`","kid":"`+h.kid+`","typ":"JWT"}`) + "." + b64(foreign())
			mac := hmac.New(sum, secret)
			mac.Write([]byte(input))
			hs[alg+" with "+what] = input + "." + b64(string(mac.Sum(nil)))
		}
	}
	f.add("HS keyed by the public key", hs)
}

func headers(h *head, f forged, trap string) {
	own := ed25519.NewKeyFromSeed([]byte(strings.Repeat("a", ed25519.SeedSize))) // the attacker's
	x := b64(string(own[32:]))
	with := func(more string) map[string]string {
		header := `{"alg":"EdDSA","typ":"JWT",` + more + `}`
		return map[string]string{more[:min(len(more), 60)]: h.sign(header, foreign()), "with the attacker's key": signWith(own, header, foreign())}
	}
	kid := func(v string) map[string]string { return with(`"kid":` + v) }
	f.add("embedded jwk", with(`"jwk":{"kty":"OKP","crv":"Ed25519","x":"`+x+`"}`))
	f.add("jku", with(`"jku":"`+trap+`/jwks.json"`))
	f.add("x5u", with(`"x5u":"`+trap+`/cert.pem"`))
	f.add("x5c", with(`"x5c":["MIIB"]`))
	f.add("kid unknown", kid(`"no-such-key"`))
	f["kid unknown"]["empty"] = h.sign(`{"alg":"EdDSA","kid":""}`, foreign())
	f["kid unknown"]["number"] = h.sign(`{"alg":"EdDSA","kid":1}`, foreign())
	f["kid unknown"]["URL"] = h.sign(`{"alg":"EdDSA","kid":"`+trap+`/key"}`, foreign())
	f.add("kid path", kid(`"../../../../dev/null"`))
	f.add("kid NUL", kid(`"`+h.kid+`\u0000"`))
	f.add("kid SQL quote", kid(`"x' UNION SELECT '`+x+`' --"`))
	f.add("kid of 64 KiB", kid(`"`+strings.Repeat("k", 64<<10)+`"`))
	f["kid of 64 KiB"]["5 KiB"] = h.sign(`{"alg":"EdDSA","kid":"`+strings.Repeat("k", 5000)+`"}`, foreign())
	_, private, err := token.GenerateKeys(strings.NewReader(strings.Repeat("b", 32)))
	if err != nil {
		panic(err)
	}
	f.add("kid of another issuer", map[string]string{
		"our kid, another's key": signWith(own, `{"alg":"EdDSA","kid":"`+h.kid+`","typ":"JWT"}`, foreign()),
		"the private key as kid": h.sign(`{"alg":"EdDSA","kid":"`+private[:40]+`"}`, foreign()),
	})
	f.add("crit", with(`"crit":["exp"],"exp":1`))
	for _, v := range []string{`[]`, `["b64"]`, `["alg"]`, `null`, `"b64"`} {
		f["crit"][v] = h.sign(`{"alg":"EdDSA","crit":`+v+`}`, foreign())
	}
	f.add("b64", map[string]string{
		"false": h.sign(`{"alg":"EdDSA","b64":false,"crit":["b64"]}`, foreign()), "false, not critical": h.sign(`{"alg":"EdDSA","b64":false}`, foreign()),
		"true": h.sign(`{"alg":"EdDSA","b64":true}`, foreign()),
	})
	f.add("zip", with(`"zip":"DEF"`))
	inner := b64(`{"alg":"none"}`) + "." + b64(foreign()) + "."
	f.add("nested JWT", map[string]string{"cty": h.sign(`{"alg":"EdDSA","cty":"JWT"}`, inner), "no cty": h.sign(plain, inner), "signed": h.sign(`{"alg":"EdDSA","cty":"JWT"}`, h.sign(plain, foreign()))})
	f.add("typ wrong", with(`"x":1`))
	for _, v := range []string{`"JWE"`, `"at+jwt"`, `"dpop+jwt"`, `"logout+jwt"`, `"statuslist+jwt"`, `null`, `1`, `""`} {
		f["typ wrong"][v] = h.sign(`{"alg":"EdDSA","typ":`+v+`}`, foreign())
	}
	f.add("duplicate header members", map[string]string{
		"alg": h.sign(`{"alg":"none","alg":"EdDSA"}`, foreign()), "escaped": h.sign(`{"alg":"none","\u0061lg":"EdDSA"}`, foreign()),
		"Alg": h.sign(`{"alg":"EdDSA","Alg":"none"}`, foreign()), "kid": h.sign(`{"alg":"EdDSA","kid":"`+h.kid+`","kid":"`+h.kid+`"}`, foreign()),
	})
}

func forms(h *head, f forged) {
	good := h.sign(plain, foreign())
	p := strings.Split(good, ".")
	head, payload, sig := p[0], p[1], p[2]
	f.add("JWE of five parts", map[string]string{"five": strings.Join([]string{head, payload, payload, payload, sig}, "."), "JWE header": strings.Join([]string{b64(`{"alg":"dir","enc":"A256GCM"}`), "", payload, payload, sig}, ".")})
	f.add("one, two or four parts", map[string]string{
		"one": head, "payload": payload, "two": head + "." + payload, "last two": payload + "." + sig, "four": good + "." + sig, "four, last empty": good + ".",
		"dots": "..", "many dots": strings.Repeat(".", 100_000), "first empty": "." + payload + "." + sig, "second empty": head + ".." + sig,
	})
	f.add("JSON serialization", map[string]string{
		"flattened": `{"payload":"` + payload + `","protected":"` + head + `","signature":"` + sig + `"}`,
		"general":   `{"payload":"` + payload + `","signatures":[{"protected":"` + head + `","signature":"` + sig + `"}]}`,
	})
	f.add("multiple signatures", map[string]string{
		"two": `{"payload":"` + payload + `","signatures":[{"protected":"` + head + `","signature":"` + sig + `"},{"protected":"` + b64(`{"alg":"none"}`) + `","signature":""}]}`,
	})
	f.add("padding, blanks, other alphabet, unused bits", map[string]string{
		"padding": good + "==", "one pad": good + "=", "padding inside": head + "=." + payload + "." + sig, "blank inside": head + " ." + payload + "." + sig,
		"blank in the signature": head + "." + payload + "." + sig[:10] + " " + sig[10:], "tab inside": head + "\t." + payload + "." + sig,
		"plus": head + "." + payload + ".+" + sig[1:], "slash": head + "." + payload + "./" + sig[1:], "percent": strings.Replace(good, ".", "%2e", 1),
		"unused bits of the signature": head + "." + payload + "." + unused(sig), "one sextet more": good + "A", "quotes": `"` + good + `"`,
		"Bearer twice": "Bearer " + good, "full width": strings.Replace(good, "e", "ｅ", 1), "comma": good + "," + good,
	})
	for _, blanks := range []int{1, 2} { // so that the length leaves unused bits
		if m := len(plain) + blanks; m%3 != 0 {
			s := h.sign(plain+strings.Repeat(" ", blanks), foreign())
			at := strings.IndexByte(s, '.')
			f["padding, blanks, other alphabet, unused bits"][fmt.Sprintf("unused bits of the header, %d", blanks)] = unused(s[:at]) + s[at:]
		}
	}
	f.add("8 KiB and more", map[string]string{"8 KiB + 1": padded(h, 8<<10+1), "64 KiB": padded(h, 64<<10)})
}

// unused changes bits of the last character that no byte is made of.
func unused(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])^1])
}

// padded returns an otherwise good token of exactly that many bytes.
func padded(h *head, length int) string {
	for blanks := range 4 { // base64 does not have every length
		header := plain + strings.Repeat(" ", blanks)
		room := (length - len(b64(header)) - 2 - 86) * 3 / 4
		if raw := h.sign(header, foreign(`"pad":"`+strings.Repeat("x", room-len(foreign(`"pad":""`)))+`"`)); len(raw) == length {
			return raw
		}
	}
	panic("no token of that length")
}

func signatures(t *testing.T, h *head, f forged) {
	t.Helper()
	input := b64(plain) + "." + b64(foreign())
	sig := ed25519.Sign(h.signer, []byte(input))
	tok := func(sig ...[]byte) string { return input + "." + b64(string(slices.Concat(sig...))) }
	f.add("empty signature", map[string]string{"empty": input + ".", "zero": tok(make([]byte, 64))})
	flips := map[string]string{}
	for i := range sig {
		flipped := slices.Clone(sig)
		flipped[i] ^= 1 << (i % 8)
		flips[fmt.Sprintf("byte %d", i)] = tok(flipped)
	}
	f.add("flipped bit in each signature byte", flips)

	order, ok := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	if !ok {
		t.Fatal("no number")
	}
	little := func(n *big.Int) []byte {
		b := n.FillBytes(make([]byte, 32))
		slices.Reverse(b)
		return b
	}
	s := slices.Clone(sig[32:])
	slices.Reverse(s)
	malleable := map[string]string{}
	for k := int64(1); k <= 8; k++ {
		if n := new(big.Int).Add(new(big.Int).SetBytes(s), new(big.Int).Mul(order, big.NewInt(k))); n.BitLen() <= 256 {
			malleable[fmt.Sprintf("S + %dL", k)] = tok(sig[:32], little(n))
		}
	}
	high := slices.Clone(sig)
	high[63] |= 0xe0
	malleable["top bits of S"] = tok(high)
	f.add("S + L", malleable)
	field := slices.Concat([]byte{0xed}, slices.Repeat([]byte{0xff}, 30), []byte{0x7f}) // p, which is zero
	zero, one, two := make([]byte, 32), append([]byte{1}, make([]byte, 31)...), append([]byte{0xee}, slices.Concat(slices.Repeat([]byte{0xff}, 30), []byte{0x7f})...)
	f.add("R of small order or not reduced", map[string]string{
		"identity": tok(one, zero), "identity, good S": tok(one, sig[32:]), "zero": tok(zero, sig[32:]), "p": tok(field, sig[32:]), "p + 1": tok(two, zero),
		"minus identity": tok(append(slices.Clone(one[:31]), 0x80), zero), "order of the group as S": tok(one, little(order)),
	})
	f.add("truncated or extended signature", map[string]string{
		"63 bytes": tok(sig[:63]), "62 bytes": tok(sig[:62]), "32 bytes": tok(sig[:32]), "65 bytes": tok(sig, []byte{0}), "twice": tok(sig, sig),
		"halves swapped": tok(sig[32:], sig[:32]), "of the payload": tok(ed25519.Sign(h.signer, []byte(b64(foreign())))),
		"of decoded parts": tok(ed25519.Sign(h.signer, []byte(plain+"."+foreign()))), "prehashed": tok(prehashed(t, h.signer, input)),
	})
}

// prehashed signs as Ed25519ph does, which is another algorithm with the same keys.
func prehashed(t *testing.T, key ed25519.PrivateKey, input string) []byte {
	t.Helper()
	sum := sha512.Sum512([]byte(input))
	sig, err := key.Sign(nil, sum[:], &ed25519.Options{Hash: 7 /* SHA-512 */})
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

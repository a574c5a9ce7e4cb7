package token_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// forge is what an attacker of a test has: a verifier to get past, and for most rows, more than he would have in life,
// the private key.
type forge struct {
	pair
	verifier *token.Verifier
}

func newForge(tb testing.TB) forge {
	tb.Helper()
	p := newPair(tb, "k")
	return forge{p, token.NewVerifier(token.VerifierConfig{Keys: p.ring, Clock: clock.NewManual(start)})}
}

const plainHeader = `{"alg":"EdDSA","typ":"JWT"}`

// at writes a time relative to now.
func at(seconds int64) string { return strconv.FormatInt(start.Unix()+seconds, 10) }

// foreign returns the claims of a good foreign token with more members in front.
func foreign(more string) string { return `{` + more + `"sub":"alice","exp":` + at(60) + `}` }

// ours returns the claims of a good token of our own, after the replacements.
func ours(oldNew ...string) string {
	s := `{"iss":"bridgehead","aud":"bridgehead","sub":"alice","uid":"0123456789abcdef0123456789abcdef","jti":"j1","iat":` + at(-10) +
		`,"nbf":` + at(-10) + `,"exp":` + at(60) + `,"roles":["user"],"kind":"service"}`
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(s, oldNew[i]) {
			panic("nothing to replace: " + oldNew[i])
		}
		s = strings.Replace(s, oldNew[i], oldNew[i+1], 1)
	}
	return s
}

func TestGoodTokensAreAccepted(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	for what, raw := range map[string]string{
		"ours":                 f.sign(plainHeader, ours()),
		"foreign":              f.sign(plainHeader, foreign("")),
		"no typ":               f.sign(`{"alg":"EdDSA"}`, foreign("")),
		"alg Ed25519":          f.sign(`{"typ":"jwt","alg":"Ed25519"}`, foreign("")),
		"our kid":              f.sign(`{"alg":"EdDSA","kid":"`+f.ring.ID()+`"}`, foreign("")),
		"unknown claims":       f.sign(plainHeader, foreign(`"name":{"values":["A","L"]},"projects":null,"x":1.5,`)),
		"aud in an array":      f.sign(plainHeader, foreign(`"aud":["other","bridgehead"],`)),
		"exp in a second":      f.sign(plainHeader, `{"sub":"a","exp":`+at(1)+`}`),
		"nbf within leeway":    f.sign(plainHeader, foreign(`"nbf":`+at(30)+`,`)),
		"iat within leeway":    f.sign(plainHeader, foreign(`"iat":`+at(30)+`,`)),
		"no roles":             f.sign(plainHeader, foreign(`"roles":[],`)),
		"spaces and line ends": f.sign(" {\n\"alg\" : \"EdDSA\" }", "\t{\"exp\" : "+at(9)+" } \r\n"),
		"exactly 8 KiB":        f.padded(8 << 10),
	} {
		if _, err := f.verifier.Verify(raw); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// padded returns a good token of exactly that many bytes.
func (f forge) padded(length int) string {
	for blanks := range 4 { // base64 does not have every length
		header := plainHeader + strings.Repeat(" ", blanks)
		room := length - base64.RawURLEncoding.EncodedLen(len(header)) - 2 - 86
		pad := base64.RawURLEncoding.DecodedLen(room) - len(foreign(`"pad":"",`))
		if raw := f.sign(header, foreign(`"pad":"`+strings.Repeat("x", pad)+`",`)); len(raw) == length {
			return raw
		}
	}
	panic("no token of that length")
}

func TestHeaderAttacks(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	alg := func(v string) string { return `{"alg":` + v + `,"typ":"JWT"}` }
	with := func(more string) string { return `{"alg":"EdDSA",` + more + `}` }
	for what, header := range map[string]string{
		"none": alg(`"none"`), "None": alg(`"None"`), "nOnE": alg(`"nOnE"`), "empty alg": alg(`""`), "missing alg": `{"typ":"JWT"}`,
		"alg number": alg(`1`), "alg array": alg(`["EdDSA"]`), "alg null": alg(`null`), "alg object": alg(`{}`),
		"eddsa": alg(`"eddsa"`), "EdDSA with blank": alg(`"EdDSA "`), "Ed448": alg(`"Ed448"`), "X25519": alg(`"X25519"`),
		"HS256": alg(`"HS256"`), "RS256": alg(`"RS256"`), "ES256": alg(`"ES256"`), "PS256": alg(`"PS256"`), "ES512": alg(`"ES512"`),
		"duplicate alg":         `{"alg":"none","alg":"EdDSA"}`,
		"escaped duplicate alg": `{"alg":"none","\u0061lg":"EdDSA"}`,
		"Alg beside alg":        with(`"Alg":"none"`),
		"unknown kid":           with(`"kid":"other"`),
		"empty kid":             with(`"kid":""`),
		"kid path":              with(`"kid":"../../dev/null"`),
		"kid NUL":               with(`"kid":"` + f.ring.ID() + `\u0000"`),
		"kid quote":             with(`"kid":"x' OR '1'='1"`),
		"kid number":            with(`"kid":1`),
		"kid long":              with(`"kid":"` + strings.Repeat("k", 5000) + `"`),
		"kid of another key":    with(`"kid":"` + newPair(t, "o").ring.ID() + `"`),
		"crit unknown":          with(`"crit":["exp"],"exp":1`),
		"crit empty":            with(`"crit":[]`),
		"b64 false":             with(`"crit":["b64"],"b64":false`),
		"zip":                   with(`"zip":"DEF"`),
		"cty JWT":               with(`"cty":"JWT"`),
		"jwk":                   with(`"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`),
		"jku":                   with(`"jku":"http://127.0.0.1:1/jwks.json"`),
		"x5u":                   with(`"x5u":"http://127.0.0.1:1/cert.pem"`),
		"x5c":                   with(`"x5c":["MIIB"]`),
		"typ JWE":               with(`"typ":"JWE"`),
		"typ at+jwt":            with(`"typ":"at+jwt"`),
		"typ null":              with(`"typ":null`),
		"not JSON":              `alg=EdDSA`, "empty": ``, "array": `["EdDSA"]`, "string": `"EdDSA"`,
		"BOM":       "\ufeff" + plainHeader,
		"bad UTF-8": "{\"alg\":\"EdDSA\",\"typ\":\"\xff\"}",
		"two":       plainHeader + plainHeader,
		"deep":      with(`"x":` + strings.Repeat("[", 2000)),
	} {
		_, err := f.verifier.Verify(f.sign(header, foreign("")))
		refused(t, what, err, "")
	}
}

// TestSymmetricKeysMadeOfThePublicKey is the classic confusion: what everybody may know is taken as a secret.
func TestSymmetricKeysMadeOfThePublicKey(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	public, ok := f.signer.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatal("no public key")
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New, "EdDSA": sha512.New}
	for what, secret := range map[string][]byte{
		"raw": public, "base64": []byte(f.public), "JWKS": f.ring.JWKS(), "empty": nil,
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	} {
		for alg, h := range hashes {
			input := b64(`{"alg":"`+alg+`","typ":"JWT"}`) + "." + b64(foreign(""))
			mac := hmac.New(h, secret)
			mac.Write([]byte(input))
			_, err := f.verifier.Verify(input + "." + b64(string(mac.Sum(nil))))
			refused(t, alg+" with "+what, err, "")
		}
	}
}

func TestFormAttacks(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	good := f.sign(plainHeader, foreign(""))
	parts := strings.Split(good, ".")
	head, payload, sig := parts[0], parts[1], parts[2]
	unused := func(s string) string { // changes bits that mean nothing
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		return s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])^1])
	}
	for what, raw := range map[string]string{
		"empty": "", "dots": "..", "one part": head, "two parts": head + "." + payload, "four parts": good + "." + sig,
		"five parts (JWE)":      strings.Join([]string{head, payload, payload, payload, sig}, "."),
		"many dots":             strings.Repeat(".", 16<<20),
		"empty signature":       head + "." + payload + ".",
		"empty payload":         head + ".." + sig,
		"empty header":          "." + payload + "." + sig,
		"padding":               good + "==",
		"padding inside":        head + "=." + payload + "." + sig,
		"newline behind":        good + "\n",
		"CRLF behind":           good + "\r\n",
		"newline inside":        head + ".\n" + payload + "." + sig,
		"space in front":        " " + good,
		"tab behind":            good + "\t",
		"NUL behind":            good + "\x00",
		"Bearer":                "Bearer " + good,
		"quotes":                `"` + good + `"`,
		"plus for minus":        head + "." + payload + "." + "+" + sig[1:],
		"slash":                 head + "." + payload + "." + "/" + sig[1:],
		"full width":            strings.Replace(good, "e", "ｅ", 1),
		"unused bits signature": head + "." + payload + "." + unused(sig),
		"one sextet more":       good + "A",
		"signature twice":       head + "." + payload + "." + sig + sig,
		"signature cut":         good[:len(good)-4],
		"JSON serialization":    `{"payload":"` + payload + `","protected":"` + head + `","signature":"` + sig + `"}`,
		"several signatures":    `{"payload":"` + payload + `","signatures":[{"protected":"` + head + `","signature":"` + sig + `"}]}`,
		"8 KiB + 1":             f.padded(8<<10 + 1),
		"4 MiB":                 head + "." + strings.Repeat("A", 4<<20) + "." + sig,
		"other payload":         head + "." + b64(foreign(`"x":1,`)) + "." + sig,
		"other header":          b64(`{"alg":"Ed25519"}`) + "." + payload + "." + sig,
		"other key":             newPair(t, "o").sign(plainHeader, foreign("")),
		"nested":                f.sign(plainHeader, good),
	} {
		_, err := f.verifier.Verify(raw)
		refused(t, what, err, "")
	}
	if _, err := f.verifier.Verify(good); err != nil {
		t.Errorf("the token itself: %v", err)
	}
}

func TestSignatureAttacks(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	input := b64(plainHeader) + "." + b64(foreign(""))
	sig := ed25519.Sign(f.signer, []byte(input))
	try := func(what string, sig []byte) {
		_, err := f.verifier.Verify(input + "." + b64(string(sig)))
		refused(t, what, err, "signature")
	}
	for i := range sig {
		for bit := range 8 {
			flipped := slices.Clone(sig)
			flipped[i] ^= 1 << bit
			try(fmt.Sprintf("bit %d of byte %d", bit, i), flipped)
		}
	}
	// S + L is the same number modulo the order of the group.
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := slices.Clone(sig[32:])
	slices.Reverse(s)
	malleable := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(malleable)
	try("S + L", slices.Concat(sig[:32], malleable))
	try("zero", make([]byte, 64))
	try("R identity", slices.Concat([]byte{1}, make([]byte, 63)))
	try("R not reduced", slices.Concat([]byte{0xee}, slices.Repeat([]byte{0xff}, 30), []byte{0x7f}, sig[32:]))
	try("cut", sig[:63])
	try("longer", append(slices.Clone(sig), 0))
	try("of the payload alone", ed25519.Sign(f.signer, []byte(b64(foreign("")))))
}

func TestClaimAttacks(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	exp := func(v string) string { return `{"sub":"alice","exp":` + v + `}` }
	sub := func(v string) string { return `{"sub":` + v + `,"exp":` + at(60) + `}` }
	more := func(claim string) string { return foreign(claim + ",") }
	for what, payload := range map[string]string{
		"duplicate sub": sub(`"alice","sub":"root"`), "duplicate unknown": more(`"x":1,"x":1`), "nested duplicate": more(`"x":{"y":1,"y":2}`),
		"escaped duplicate": sub(`"alice","s\u0075b":"root"`), "duplicate in act": more(`"act":{"sub":"a","sub":"b"}`),
		"Sub": more(`"Sub":"root"`), "EXP": more(`"EXP":1`), "Kelvin sign in kind": more(`"` + "\u212aind" + `":"access"`),
		"sub number": sub(`1`), "sub array": sub(`["alice"]`), "sub object": sub(`{}`), "sub null": sub(`null`), "sub empty": sub(`""`),
		"sub long": sub(`"` + strings.Repeat("a", 4000) + `"`), "sub NUL": sub(`"alice\u0000"`), "sub RTL": sub(`"\u202eecila"`),
		"sub newline": sub(`"alice\n"`), "sub zero width": sub(`"al\u200bice"`),
		"exp missing": `{"sub":"alice"}`, "exp null": exp(`null`), "exp string": exp(`"` + at(60) + `"`), "exp float": exp(at(60) + ".5"),
		"exp integral float": exp(at(60) + ".0"), "exp exponent": exp(`2e9`), "exp 1e308": exp(`1e308`), "exp 1e999": exp(`1e999`),
		"exp 0": exp(`0`), "exp -0": exp(`-0`), "exp negative": exp(`-1`), "exp 2^53+1": exp(`9007199254740993`), "exp 2^63": exp(`9223372036854775808`),
		"exp year 10000": exp(`253402300800`), "exp array": exp(`[` + at(60) + `]`), "exp true": exp(`true`),
		"exp a second ago": exp(at(-1)), "exp now": exp(at(0)), "exp within leeway": exp(at(-29)),
		"nbf over leeway": more(`"nbf":` + at(31)), "iat over leeway": more(`"iat":` + at(31)), "nbf string": more(`"nbf":"0"`),
		"nbf after exp": `{"exp":` + at(5) + `,"nbf":` + at(6) + `}`, "iat null": more(`"iat":null`),
		"aud other": more(`"aud":"other"`), "aud empty": more(`"aud":""`), "aud empty array": more(`"aud":[]`), "aud prefix": more(`"aud":"bridgehea"`),
		"aud longer": more(`"aud":"bridgehead2"`), "aud number": more(`"aud":1`), "aud of numbers": more(`"aud":["bridgehead",1]`), "aud case": more(`"aud":"Bridgehead"`),
		"iss other": more(`"iss":"other"`), "iss trailing slash": more(`"iss":"bridgehead/"`), "iss empty": more(`"iss":""`), "iss array": more(`"iss":["bridgehead"]`),
		"roles string": more(`"roles":"admin"`), "roles object": more(`"roles":{"admin":true}`), "roles null": more(`"roles":null`),
		"roles duplicate": more(`"roles":["a","a"]`), "roles of numbers": more(`"roles":[1]`), "many roles": more(`"roles":[` + words(200) + `]`),
		"permissions empty": more(`"permissions":[]`), "permissions string": more(`"permissions":"NodesRead"`), "read_only string": more(`"read_only":"true"`),
		"act string": more(`"act":"root"`), "act empty": more(`"act":{}`), "act loop": more(`"act":{"sub":"a","act":{"sub":"alice"}}`), "act null": more(`"act":null`),
		"kind unknown": more(`"kind":"session"`), "kind number": more(`"kind":1`), "uid number": more(`"uid":1`), "jti empty": more(`"jti":""`),
		"deep": more(`"x":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000)), "many members": more(members(200)),
		"not JSON": `sub=alice`, "empty": ``, "array": `[]`, "null": `null`, "number": `1`, "cut": `{"sub":"alice"`, "BOM": "\ufeff" + foreign(""),
		"two values": foreign("") + foreign(""), "bad UTF-8": sub("\"\xff\""), "half surrogate": sub(`"\ud800"`), "NaN": exp(`NaN`),
	} {
		_, err := f.verifier.Verify(f.sign(plainHeader, payload))
		refused(t, what, err, "")
	}
}

func words(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"w%d"`, i)
	}
	return strings.Join(list, ",")
}

func members(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"m%d":0`, i)
	}
	return strings.Join(list, ",")
}

// TestOurOwnTokensAreComplete takes one thing at a time from a token that says it is from here.
func TestOurOwnTokensAreComplete(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	for what, payload := range map[string]string{
		"sub":                          ours(`"sub":"alice",`, ``),
		"uid":                          ours(`"uid":"0123456789abcdef0123456789abcdef",`, ``),
		"jti":                          ours(`"jti":"j1",`, ``),
		"iat":                          ours(`"iat":`+at(-10)+`,`, ``),
		"exp":                          ours(`"exp":`+at(60)+`,`, ``),
		"kind":                         ours(`,"kind":"service"`, ``),
		"aud":                          ours(`"aud":"bridgehead",`, ``),
		"act in an impersonation":      ours(`"service"`, `"impersonation"`),
		"aud of another of us":         ours(`"aud":"bridgehead"`, `"aud":"bridgehead-2"`),
		"iss, of another of us":        ours(`"iss":"bridgehead"`, `"iss":"bridgehead-2"`),
		"exp, where others go without": ours(`"exp":`+at(60)+`,`, ``),
	} {
		lax := token.NewVerifier(token.VerifierConfig{Keys: f.ring, Clock: clock.NewManual(start), AllowUnexpiring: true})
		_, err := lax.Verify(f.sign(plainHeader, payload))
		refused(t, "without "+what, err, "")
	}
}

// TestDocumentedTokenWithoutSubOrExp is the token of ClusterCockpit's documentation and test scripts (contract
// clustercockpit 1.3): good for the metric store where a site has asked for it.
func TestDocumentedTokenWithoutSubOrExp(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	raw := f.sign(plainHeader, `{"user":"admin","roles":["ROLE_ADMIN","ROLE_ANALYST","ROLE_USER"]}`)
	_, err := f.verifier.Verify(raw)
	refused(t, "by default", err, "no exp")
	lax := token.NewVerifier(token.VerifierConfig{Keys: f.ring, Clock: clock.NewManual(start), AllowUnexpiring: true})
	if c, err := lax.Verify(raw); err != nil || c.Subject != "" || len(c.Roles) != 3 || !c.Expires.IsZero() {
		t.Errorf("where allowed: %+v, %v", c, err)
	}
}

// TestTimeIsLookedAtEveryTime sees to it that the memory of good signatures is no memory of good times.
func TestTimeIsLookedAtEveryTime(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k")
	clk := clock.NewManual(start)
	v := token.NewVerifier(token.VerifierConfig{Keys: p.ring, Clock: clk})
	raw := p.sign(plainHeader, foreign(`"nbf":`+at(31)+`,`))
	_, err := v.Verify(raw)
	refused(t, "early", err, "not good yet")
	for range 3 {
		clk.Advance(start.Add(19e9).Sub(clk.Now()))
		if _, err := v.Verify(raw); err != nil {
			t.Errorf("in time: %v", err)
		}
		clk.Advance(start.Add(60e9).Sub(clk.Now()))
		_, err = v.Verify(raw)
		refused(t, "late", err, "expired")
	}
	clk.Advance(-50e9) // the clock is set back
	if _, err := v.Verify(raw); err != nil {
		t.Errorf("clock set back: %v", err)
	}
	// A known signature says nothing about any other bytes.
	_, err = v.Verify(raw[:len(raw)-1] + map[bool]string{true: "A", false: "Q"}[raw[len(raw)-1] == 'Q'])
	refused(t, "other last character", err, "")
	_, err = v.Verify(raw + "=")
	refused(t, "padded", err, "")
}

func TestOnlySignedTokensNameTheirOwner(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	expired := f.sign(plainHeader, ours(`"exp":`+at(60), `"exp":`+at(-1)))
	_, err := f.verifier.Verify(expired)
	if got := err.Error(); got != `invalid token: expired (token "j1" of "alice")` {
		t.Errorf("got %s", got)
	}
	_, err = f.verifier.Verify(newPair(t, "o").sign(plainHeader, ours()))
	if got := err.Error(); got != `invalid token: signature does not verify` {
		t.Errorf("got %s", got)
	}
}

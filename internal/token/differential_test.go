package token_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// secondOpinion asks golang-jwt and go-jose about a token that our verifier has accepted: they must accept it, and read it
// alike.
func secondOpinion(tb failer, raw string, c token.Claims, public ed25519.PublicKey, now time.Time) {
	tb.Helper()
	golang, err := jwt.Parse(raw, func(*jwt.Token) (any, error) { return public, nil },
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithStrictDecoding(), jwt.WithLeeway(30*time.Second),
		jwt.WithIssuedAt(), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		tb.Fatalf("golang-jwt refuses %s: %v", raw, err)
	}
	sub, err := golang.Claims.GetSubject()
	if err != nil || sub != c.Subject {
		tb.Fatalf("golang-jwt reads sub %q, %v, we %q", sub, err, c.Subject)
	}
	exp, err := golang.Claims.GetExpirationTime()
	if err != nil || exp != nil && !exp.Equal(c.Expires) || exp == nil && !c.Expires.IsZero() {
		tb.Fatalf("golang-jwt reads exp %v, %v, we %v", exp, err, c.Expires)
	}

	sig, err := josejwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		tb.Fatalf("go-jose refuses %s: %v", raw, err)
	}
	var std josejwt.Claims
	var all map[string]json.RawMessage
	if err := sig.Claims(public, &std, &all); err != nil {
		tb.Fatalf("go-jose refuses %s: %v", raw, err)
	}
	if std.Subject != c.Subject || std.ID != c.ID || std.Issuer != c.Issuer {
		tb.Fatalf("go-jose reads %+v, we %+v", std, c)
	}
	if err := std.ValidateWithLeeway(josejwt.Expected{Time: now}, 30*time.Second); err != nil {
		tb.Fatalf("go-jose refuses the claims of %s: %v", raw, err)
	}
}

// sameBytes checks that there is only one way to write the token.
func sameBytes(tb failer, raw string) {
	tb.Helper()
	parts := strings.Split(raw, ".")
	for i, p := range parts {
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			tb.Fatal(err)
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(b)
	}
	if again := strings.Join(parts, "."); again != raw {
		tb.Fatalf("%s is also written %s", raw, again)
	}
}

// mutants are tokens that are nearly good: members of header and claims in any combination, order and repetition, signed
// properly.
func mutants(p pair) *rapid.Generator[string] {
	headers := []string{
		`"alg":"EdDSA"`, `"alg":"EdDSA"`, `"alg":"EdDSA"`, `"typ":"JWT"`, `"typ":"JWT"`, `"kid":"` + p.ring.ID() + `"`, `"kid":"x"`, `"crit":["b64"]`,
		`"b64":false`, `"alg":"none"`, `"cty":"JWT"`,
	}
	claims := []string{
		`"sub":"a"`, `"sub":"b"`, `"sub":"\u0061"`, `"exp":` + at(60), `"exp":` + at(60), `"exp":` + at(0), `"exp":` + at(1), `"exp":` + at(-20), `"exp":2e9`,
		`"nbf":` + at(29), `"nbf":` + at(31), `"iat":` + at(29), `"iat":` + at(-9), `"iat":1.5`, `"aud":"bridgehead"`, `"aud":["bridgehead","x"]`, `"aud":"x"`,
		`"iss":"x"`, `"jti":"1"`, `"jti":"\ud83d\ude00"`, `"roles":["user"]`, `"roles":[]`, `"x":{"y":[1,2,{"z":null}]}`, `"SUB":"c"`, `"x":1e400`, `"":""`,
	}
	return rapid.Custom(func(t *rapid.T) string {
		object := func(label string, members []string) string {
			some := rapid.SliceOfN(rapid.SampledFrom(members), 1, 5).Draw(t, label)
			return "{" + strings.Join(some, rapid.SampledFrom([]string{",", ",", ", ", ",\n"}).Draw(t, "comma")) + "}"
		}
		return p.sign(object("header", headers), object("claims", claims))
	})
}

func TestWhatWeAcceptOthersAccept(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k")
	public, ok := p.signer.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatal("no public key")
	}
	accepted, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		v := token.NewVerifier(token.VerifierConfig{Keys: p.ring, Clock: clock.NewManual(start), AllowUnexpiring: true})
		for range 10 {
			raw := mutants(p).Draw(t, "token")
			c, err := v.Verify(raw)
			if err != nil {
				refused++
				continue
			}
			accepted++
			secondOpinion(t, raw, c, public, start)
			sameBytes(t, raw)
		}
	})
	if accepted < 20 || refused < 20 {
		t.Errorf("%d accepted, %d refused: the tokens of this test are all alike", accepted, refused)
	}
}

// TestTokensOfGolangJWTAreAccepted: a site's own scripts sign with the same private key (contract clustercockpit 1.3).
func TestTokensOfGolangJWTAreAccepted(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	raw, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"sub": "alice", "roles": []string{"api"}, "iat": start.Unix(), "exp": start.Add(time.Hour).Unix(),
	}).SignedString(f.signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.verifier.Verify(raw)
	if err != nil || c.Subject != "alice" || !c.Expires.Equal(start.Add(time.Hour)) || c.UserID != "" || c.Roles[0] != "api" {
		t.Errorf("%+v, %v", c, err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: f.signer, KeyID: f.ring.ID()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err = josejwt.Signed(signer).Claims(josejwt.Claims{Subject: "bob", Expiry: josejwt.NewNumericDate(start.Add(time.Minute))}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	if c, err = f.verifier.Verify(raw); err != nil || c.Subject != "bob" {
		t.Errorf("go-jose's token: %+v, %v", c, err)
	}
}

func FuzzVerify(f *testing.F) {
	g := newForge(f)
	public, ok := g.signer.Public().(ed25519.PublicKey)
	if !ok {
		f.Fatal("no public key")
	}
	lax := token.NewVerifier(token.VerifierConfig{Keys: g.ring, Clock: clock.NewManual(start), AllowUnexpiring: true})
	f.Add(g.sign(plainHeader, ours()), "", "")
	f.Add(g.sign(plainHeader, foreign("")), plainHeader, foreign(`"x":[{}],`))
	f.Add("..", `{"alg":"EdDSA","kid":"`+g.ring.ID()+`"}`, `{"user":"admin","roles":["ROLE_ADMIN"]}`)
	f.Add("", `{"alg":"Ed25519"}`, `{"sub":"a","act":{"sub":"b","uid":"c","jti":"d"},"read_only":true,"permissions":["NodesRead"],"exp":1782907261}`)
	f.Fuzz(func(t *testing.T, raw, header, payload string) {
		// First the bytes as they come, then with a good signature under whatever they say.
		for _, raw := range []string{raw, g.sign(header, payload)} {
			c, err := lax.Verify(raw)
			if err != nil {
				refused(t, raw, err, "")
				continue
			}
			sameBytes(t, raw)
			if strings.Contains(header, "Ed25519") { // which golang-jwt does not know
				continue
			}
			secondOpinion(t, raw, c, public, start)
		}
	})
}

// Package interop_test asks other people's programs what they think of our tokens and our interfaces: npm's jose as a
// verifier and signer, and oauth4webapi as a client that follows the standards and knows nothing of us.
package interop_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func needsNode(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no node")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed: npm's jose is not asked")
	}
	if _, err := os.Stat("node_modules/jose"); err != nil {
		t.Skip("test/interop/node_modules is not there; make test installs it (npm ci)")
	}
}

// site is a key pair, our verifier of it, and jose with the same key.
type site struct {
	signer   ed25519.PrivateKey
	kid      string
	verifier *token.Verifier
	in       io.Writer
	out      *bufio.Reader
}

func newSite(t *testing.T) *site {
	t.Helper()
	public, private, err := token.GenerateKeys(strings.NewReader(strings.Repeat("i", 32)))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := token.ParseKeys(public, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.StdEncoding.DecodeString(private)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{signer: key, kid: ring.ID(), verifier: token.NewVerifier(token.VerifierConfig{Keys: ring, Clock: clock.NewManual(start), AllowUnexpiring: true})}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "node", "jose.mjs") // it ends with its input
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stdin.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	s.in, s.out = stdin, bufio.NewReader(stdout)
	s.ask(t, map[string]any{"jwk": map[string]string{"kty": "OKP", "crv": "Ed25519", "x": b64(string(key[32:])), "d": b64(string(key[:32]))}})
	return s
}

// answer is what node says.
type answer struct {
	Claims map[string]any
	Token  string
	Error  string
}

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func (s *site) ask(t failer, question map[string]any) answer {
	t.Helper()
	line, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	reply, err := s.out.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(reply, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (s *site) sign(header, payload string) string {
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(ed25519.Sign(s.signer, []byte(input))))
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func at(seconds int64) string { return strconv.FormatInt(start.Unix()+seconds, 10) }

// nearly makes tokens that are nearly good: members that are alright, each once and in any order, at times some that are
// not, or that are there already; signed properly, and at times changed afterwards.
func (s *site) nearly() *rapid.Generator[string] {
	goodHeader := []string{`"typ":"JWT"`, `"kid":"` + s.kid + `"`}
	oddHeader := []string{
		`"alg":"Ed25519"`, `"kid":"x"`, `"crit":["b64"]`, `"crit":[]`, `"b64":false`, `"b64":true`, `"alg":"none"`, `"cty":"JWT"`, `"zip":"DEF"`, `"typ":"at+jwt"`, `"typ":"jwt"`,
	}
	good := []string{
		`"sub":"a"`, `"exp":` + at(1), `"nbf":` + at(29), `"iat":` + at(-9), `"aud":["bridgehead","x"]`, `"jti":"\ud83d\ude00"`, `"roles":["user"]`,
		`"x":{"y":[1,2,{"z":null}]}`, `"":""`, `"name":"\u0000"`, `"z":0.1e-7`, `"permissions":["NodesRead"]`, `"read_only":true`,
	}
	odd := []string{
		`"sub":"\u0062"`, `"sub":1`, `"exp":` + at(0), `"exp":` + at(-20), `"exp":2e9`, `"exp":"1"`, `"nbf":` + at(30), `"nbf":` + at(31), `"nbf":null`, `"iat":` + at(29), `"iat":1.5`, `"aud":"x"`,
		`"iss":"x"`, `"jti":"\ud83d"`, `"roles":[]`, `"SUB":"c"`, `"big":1e400`, `"__proto__":{"sub":"b"}`, `"constructor":1`, `"act":{"sub":"b"}`,
	}
	return rapid.Custom(func(t *rapid.T) string {
		object := func(label string, first string, good, odd []string) string {
			members := rapid.Permutation(good).Draw(t, label)[:rapid.IntRange(0, len(good)).Draw(t, "how many")]
			if first != "" {
				members = append(members, first)
			}
			if rapid.IntRange(0, 2).Draw(t, "odd") == 0 {
				members = append(members, rapid.SampledFrom(odd).Draw(t, "odd one"))
			}
			members = rapid.Permutation(members).Draw(t, "order")
			return "{" + strings.Join(members, rapid.SampledFrom([]string{",", ",", ", ", ",\n"}).Draw(t, "comma")) + "}"
		}
		alg := rapid.SampledFrom([]string{`"alg":"EdDSA"`, `"alg":"EdDSA"`, `"alg":"Ed25519"`, `"alg":"\u0045dDSA"`}).Draw(t, "alg")
		raw := s.sign(object("header", alg, goodHeader, oddHeader), object("claims", "", good, odd))
		switch rapid.IntRange(0, 9).Draw(t, "change") {
		case 0:
			i := rapid.IntRange(0, len(raw)-1).Draw(t, "where")
			return raw[:i] + string(rapid.SampledFrom([]rune("AQgwxyz-_.=+/ ")).Draw(t, "to")) + raw[i+1:]
		case 1:
			return raw + rapid.SampledFrom([]string{"=", "A", ".", "\n"}).Draw(t, "behind")
		default:
			return raw
		}
	})
}

func TestWhatWeAcceptJoseAcceptsAndReadsAlike(t *testing.T) {
	t.Parallel()
	needsNode(t)
	s := newSite(t)
	accepted, refused, stricter := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			raw := s.nearly().Draw(t, "token")
			c, err := s.verifier.Verify(raw)
			other := s.ask(t, map[string]any{"verify": raw, "now": start.Unix()})
			if err != nil {
				refused++
				if other.Error == "" {
					stricter++
				}
				continue
			}
			accepted++
			if other.Error != "" {
				t.Fatalf("we accept %s, jose does not: %s", raw, other.Error)
			}
			sub, _ := other.Claims["sub"].(string) // "" is what a token without one has with us
			exp, _ := other.Claims["exp"].(float64)
			if sub != c.Subject || exp != 0 && int64(exp) != c.Expires.Unix() || exp == 0 && !c.Expires.IsZero() {
				t.Fatalf("%s: jose reads sub %q and exp %v, we %q and %s", raw, sub, exp, c.Subject, c.Expires)
			}
		}
	})
	t.Logf("%d accepted by both, %d refused by us, of which jose accepts %d", accepted, refused, stricter)
	if accepted < 50 || refused < 50 {
		t.Errorf("%d accepted, %d refused: the tokens of this test are all alike", accepted, refused)
	}
}

func TestTokensOfJoseAreAccepted(t *testing.T) {
	t.Parallel()
	needsNode(t)
	s := newSite(t)
	for _, header := range []map[string]any{{"alg": "EdDSA"}, {"alg": "EdDSA", "typ": "JWT"}, {"alg": "Ed25519", "typ": "JWT", "kid": s.kid}} {
		a := s.ask(t, map[string]any{"sign": map[string]any{"sub": "alice", "exp": start.Unix() + 60, "iat": start.Unix(), "roles": []string{"api"}}, "header": header})
		if a.Error != "" {
			t.Fatalf("%v: %s", header, a.Error)
		}
		if c, err := s.verifier.Verify(a.Token); err != nil || c.Subject != "alice" || len(c.Roles) != 1 {
			t.Errorf("%v: %+v, %v", header, c, err)
		}
	}
}

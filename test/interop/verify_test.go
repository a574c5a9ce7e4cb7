package interop_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

const examples = "../../examples/verify/"

// TestTheManualShowsTheExamplesAsTheyAre compares the programs in docs/verify.md with the files.
func TestTheManualShowsTheExamplesAsTheyAre(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	for path, language := range map[string]string{"go/main.go": "go", "python/verify.py": "python", "node/verify.mjs": "js"} {
		program, err := os.ReadFile(examples + path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(manual), "```"+language+"\n"+string(program)+"```\n") {
			t.Errorf("docs/verify.md does not show %s%s as it is", examples, path)
		}
	}
}

// TestTheExamplesVerify runs the manual's programs on good tokens and on bad ones.
func TestTheExamplesVerify(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	user := h.User(identity.RoleAPI)
	private, err := base64.StdEncoding.DecodeString(h.Secrets.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{signer: private}
	fresh := h.Mint(token.MintRequest{For: user}).Text
	p := strings.Split(fresh, ".")
	signed := func(header, claims string) string { return s.sign(header, claims) }
	now := clock.System{}.Now()
	claims := func(d time.Duration, more string) string {
		b, err := json.Marshal(map[string]any{"iss": "bridgehead", "aud": "bridgehead", "sub": user, "jti": "x", "exp": now.Add(d).Unix(), "nbf": now.Add(d - time.Hour).Unix()})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Replace(string(b), "{", "{"+more, 1)
	}
	const plain = `{"alg":"EdDSA","typ":"JWT"}`
	stranger := ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", 32)))
	bad := map[string]string{
		"expired": signed(plain, claims(-time.Minute, "")), "not good yet": signed(plain, claims(2*time.Hour, "")),
		"tampered claims":    p[0] + "." + b64(claims(time.Minute, "")) + "." + p[2],
		"tampered signature": fresh[:len(fresh)-8] + map[bool]string{true: "B", false: "A"}[fresh[len(fresh)-8] == 'A'] + fresh[len(fresh)-7:],
		"alg none":           b64(`{"alg":"none","typ":"JWT"}`) + "." + b64(claims(time.Minute, "")) + ".",
		"alg none, signed":   signed(`{"alg":"none","typ":"JWT"}`, claims(time.Minute, "")),
		"another key":        (&site{signer: stranger}).sign(plain, claims(time.Minute, "")),
		"crit":               signed(`{"alg":"EdDSA","crit":["x"],"x":1}`, claims(time.Minute, "")),
		"no exp":             signed(plain, `{"iss":"bridgehead","aud":"bridgehead","sub":"a","jti":"x"}`),
		"another audience":   signed(plain, strings.Replace(claims(time.Minute, ""), `"aud":"bridgehead"`, `"aud":"other"`, 1)),
		"empty":              "", "two parts": p[0] + "." + p[1], "four parts": fresh + "." + p[2],
	}
	for name, program := range verifiers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if program == nil {
				t.Skip("what it needs is not installed")
			}
			for what, key := range map[string]string{"key": h.Secrets.PublicKey, "key set": h.URL + "/.well-known/jwks.json"} {
				var c struct{ Sub string }
				out, ok := run(t, program, key, fresh+"\n")
				if err := json.Unmarshal([]byte(out), &c); err != nil || !ok || c.Sub != user {
					t.Fatalf("fresh, by %s: %s", what, out)
				}
			}
			for what, raw := range bad {
				if out, ok := run(t, program, h.Secrets.PublicKey, raw); ok || !strings.Contains(out, "refused: ") {
					t.Errorf("%s: %s", what, out)
				}
			}
		})
	}
}

// verifiers returns the command of each example, nil where it cannot run here.
func verifiers(t *testing.T) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "verify"), ".")
	build.Dir, build.Env = examples+"go", append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	all := map[string][]string{"go": {filepath.Join(dir, "verify")}, "python": nil, "node": nil}
	if exec.CommandContext(t.Context(), "python3", "-c", "import cryptography").Run() == nil {
		all["python"] = []string{"python3", examples + "python/verify.py"}
	}
	modules, err := filepath.Abs("node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(modules + "/jose"); err != nil || exec.CommandContext(t.Context(), "node", "--version").Run() != nil {
		return all
	}
	program, err := os.ReadFile(examples + "node/verify.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "verify.mjs"), program, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil { // where npm install would put them
		t.Fatal(err)
	}
	all["node"] = []string{"node", filepath.Join(dir, "verify.mjs")}
	return all
}

// run runs a program with the key as its argument and the token as its input.
func run(t *testing.T, program []string, key, raw string) (output string, ok bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program[0], append(program[1:len(program):len(program)], key)...)
	cmd.Stdin = strings.NewReader(raw)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

package token_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

var (
	start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	root  = identity.Local("root")
)

// pair is a key pair that is the same in every run.
type pair struct {
	public, private string
	signer          ed25519.PrivateKey
	ring            *token.Keyring
}

func newPair(tb testing.TB, seed string) pair {
	tb.Helper()
	public, private, err := token.GenerateKeys(strings.NewReader(strings.Repeat(seed, 32)))
	if err != nil {
		tb.Fatal(err)
	}
	ring, err := token.ParseKeys(public, private)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(private)
	if err != nil {
		tb.Fatal(err)
	}
	return pair{public, private, raw, ring}
}

// sign makes a token of a header and a payload, whatever they say.
func (p pair) sign(header, payload string) string {
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(ed25519.Sign(p.signer, []byte(input))))
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// world is a token service on a real store.
type world struct {
	*token.Service
	pair
	path     string // of the database
	store    *sqlstore.Store
	users    *identity.Service
	clock    *clock.Manual
	verifier *token.Verifier
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{pair: newPair(t, "k"), path: filepath.Join(t.TempDir(), "test.db"), clock: clock.NewManual(start)}
	store, err := sqlite.Open(t.Context(), w.path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.store = store
	w.users = identity.New(identity.Config{Store: w.store.Users(), RoleStore: w.store.Roles(), Roles: identity.DefaultRoles(), Hasher: hasher{}, Clock: w.clock})
	w.verifier = token.NewVerifier(token.VerifierConfig{Keys: w.ring, Clock: w.clock})
	w.Service = w.restart(t, token.Policy{})
	return w
}

// restart returns a service that only knows what is stored.
func (w *world) restart(t *testing.T, p token.Policy) *token.Service {
	t.Helper()
	s, err := token.NewService(t.Context(), token.ServiceConfig{
		Keys: w.ring, Verifier: w.verifier, Store: w.store.Tokens(), Users: w.users, Clock: w.clock, Policy: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type hasher struct{}

func (hasher) HashPassword(_ context.Context, password string) (string, error) {
	return "hash of " + password, nil
}

func (w *world) add(t *testing.T, name string, roles ...identity.Role) identity.User {
	t.Helper()
	n := identity.NewUser{Name: name, Roles: append([]identity.Role{}, roles...), Password: "secret"}
	for _, r := range roles {
		if r == identity.RoleManager {
			n.Projects = []string{"p1"}
		}
	}
	u, err := w.users.Create(t.Context(), root, n)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (w *world) change(t *testing.T, name string, up identity.Update) {
	t.Helper()
	if _, err := w.users.Update(t.Context(), root, name, up); err != nil {
		t.Fatal(err)
	}
}

// as returns the caller that the user is on the local socket.
func (w *world) as(t *testing.T, name string) identity.Caller {
	t.Helper()
	st, err := w.users.Resolve(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	c := st.Caller(identity.ViaSocket)
	c.RequestID = "r1"
	return c
}

func (w *world) mint(t *testing.T, c identity.Caller, r token.MintRequest) token.Minted {
	t.Helper()
	m, err := w.Mint(t.Context(), c, r)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (w *world) enter(t *testing.T, raw string) identity.Caller {
	t.Helper()
	c, err := w.Authenticate(t.Context(), raw, "192.0.2.7", "r2")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// last returns the newest record of the trail.
func (w *world) last(t *testing.T) audit.Record {
	t.Helper()
	recs, err := w.store.Audit().List(t.Context(), audit.Filter{Limit: 1})
	if err != nil || len(recs) != 1 {
		t.Fatal(recs, err)
	}
	return recs[0]
}

// claims returns what a token says, as anybody reads it who does not check it.
func claims(t *testing.T, raw string) map[string]any {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// refused checks that an error is the one refusal, and that its cause says why.
func refused(t *testing.T, what string, err error, why string) {
	t.Helper()
	var r *token.RefusedError
	if !fault.Is(err, fault.Unauthenticated) || fault.Message(err) != "invalid token" || !errors.As(err, &r) {
		t.Errorf("%s: got %v, want a refusal", what, err)
	} else if !strings.Contains(r.Reason, why) {
		t.Errorf("%s: refused because %q, want %q", what, r.Reason, why)
	}
}

func fails(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: got %v, want %s", what, err, kind)
	}
}

// script signs claims as a site's own script does, with a library and the private key from the environment.
func script(private string, claims jwt.MapClaims) string {
	key, err := base64.StdEncoding.DecodeString(private)
	if err != nil {
		panic(err)
	}
	raw, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims).SignedString(ed25519.PrivateKey(key))
	if err != nil {
		panic(err)
	}
	return raw
}

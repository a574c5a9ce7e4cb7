package crosslogin_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/crosslogin"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
)

var (
	root   = identity.Local("root")
	secret = []byte(strings.Repeat("0123456789abcdef", 4))
)

// own plays the token service: any token is of alice, unless it says bad.
type own struct{ clock clock.Clock }

// Authenticate checks a token of this site.
func (o own) Authenticate(_ context.Context, raw, _, _ string) (identity.Caller, error) {
	if strings.HasSuffix(raw, ".YmFk") {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "invalid token")
	}
	return identity.Caller{User: identity.User{Name: "alice"}, Expires: o.clock.Now().Add(time.Hour)}, nil
}

type noHash struct{}

// HashPassword hashes nothing: no password is checked here.
func (noHash) HashPassword(context.Context, string) (string, error) { return "x", nil }

type world struct {
	*crosslogin.Logins
	store   *sqlstore.Store
	users   *identity.Service
	clock   *clock.Manual
	private ed25519.PrivateKey
	tries   int
}

func newWorld(t *testing.T, edits ...func(*crosslogin.Config)) *world {
	t.Helper()
	w := &world{store: storetest.Open(t), clock: clock.NewManual(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.private = private
	passwords := authn.NewPasswords()
	w.users = identity.New(identity.Config{Store: w.store.Users(), RoleStore: w.store.Roles(), Hasher: noHash{}, Clock: w.clock})
	service := authn.NewService(authn.Config{
		Users: w.users, Passwords: passwords, Limiter: authn.NewLimiter(w.clock), Audit: w.store.Audit(), Clock: w.clock, Log: slog.New(slog.DiscardHandler),
	})
	c := crosslogin.Config{Secret: secret, Issuer: "portal", Public: public, Own: own{w.clock}, Create: true, Update: true}
	for _, edit := range edits {
		edit(&c)
	}
	if w.Logins, err = crosslogin.New(c, service, w.clock); err != nil {
		t.Fatal(err)
	}
	return w
}

func enc(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// hs signs with a shared secret.
func hs(header, payload string, key []byte, h func() hash.Hash) string {
	input := enc([]byte(header)) + "." + enc([]byte(payload))
	m := hmac.New(h, key)
	m.Write([]byte(input))
	return input + "." + enc(m.Sum(nil))
}

func hs512(payload string) string {
	return hs(`{"alg":"HS512","typ":"JWT"}`, payload, secret, sha512.New)
}

func (w *world) ed(payload string) string {
	input := enc([]byte(`{"alg":"EdDSA","typ":"JWT"}`)) + "." + enc([]byte(payload))
	return input + "." + enc(ed25519.Sign(w.private, []byte(input)))
}

// claims returns a payload with an end in an hour and whatever else.
func (w *world) claims(more string) string {
	return fmt.Sprintf(`{"exp":%d%s}`, w.clock.Now().Add(time.Hour).Unix(), more)
}

func (w *world) attempt() identity.Attempt {
	w.tries++ // every attempt from an address of its own, or the limiter would end the test
	return identity.Attempt{Addr: fmt.Sprintf("10.0.%d.%d", w.tries/250, w.tries%250), RequestID: "r1"}
}

func (w *world) reason(t *testing.T) string {
	t.Helper()
	recs, err := w.store.Audit().List(t.Context(), audit.Filter{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return recs[0].Reason
}

func TestTokensInLinksLogIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		more     string
		name     string
		roles    []identity.Role
		projects []string
	}{
		{`,"sub":"ann","name":"Ann B.","roles":["user"]`, "Ann B.", []identity.Role{"user"}, nil},
		{`,"sub":"ann","name":{"values":["Ann","C."]}`, "Ann C.", []identity.Role{"user"}, nil},
		{`,"sub":"ann","roles":["manager"],"projects":["p1","p2"]`, "Ann C.", []identity.Role{"manager"}, []string{"p1", "p2"}},
		{`,"sub":"ann","roles":["admin","support","role.FullAdmin","api"]`, "Ann C.", []identity.Role{"user"}, nil},
	} {
		u, err := w.Link(t.Context(), hs512(w.claims(c.more)), w.attempt())
		if err != nil || u.Name != "ann" || u.FullName != c.name || u.Source != identity.AuthToken || !slices.Equal(u.Roles, c.roles) || !slices.Equal(u.Projects, c.projects) {
			t.Errorf("%s: %+v, %v (%s)", c.more, u, err, w.reason(t))
		}
	}
	raw := hs(`{"alg":"HS256"}`, w.claims(`,"sub":"ann","jti":"x"`), secret, sha256.New)
	if _, err := w.Link(t.Context(), raw, w.attempt()); err != nil {
		t.Errorf("HS256: %v (%s)", err, w.reason(t))
	}
}

// Portals have shorter keys than the library takes for HS512.
func TestShortKeysAreTheSameKeys(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	payload := fmt.Sprintf(`{"sub":"ann","exp":%d}`, clk.Now().Unix()+60)
	for n, h := range map[int]func() hash.Hash{32: sha512.New, 33: sha256.New, 63: sha512.New, 64: sha256.New, 65: sha256.New, 129: sha512.New} {
		key := bytes.Repeat([]byte("k"), n)
		l, err := crosslogin.New(crosslogin.Config{Secret: key}, refuser{}, clk)
		if err != nil {
			t.Fatal(err)
		}
		alg := map[int]string{32: "HS256", 64: "HS512"}[h().Size()]
		if _, err := l.Link(t.Context(), hs(`{"alg":"`+alg+`"}`, payload, key, h), identity.Attempt{}); err != nil {
			t.Errorf("%s with %d bytes: %v", alg, n, err)
		}
	}
}

func TestBadTokensAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.claims(`,"sub":"ann"`)
	now := w.clock.Now().Unix()
	none := enc([]byte(`{"alg":"none"}`)) + "." + enc([]byte(good)) + "."
	for what, raw := range map[string]string{
		"empty": "", "no dots": "abc", "two parts": "a.b", "four parts": hs512(good) + ".x", "alg none": none,
		"another key":       hs(`{"alg":"HS512"}`, good, []byte(strings.Repeat("x", 64)), sha512.New),
		"an empty key":      hs(`{"alg":"HS512"}`, good, nil, sha512.New),
		"alg is another":    hs(`{"alg":"HS256"}`, good, secret, sha512.New),
		"HS384":             hs(`{"alg":"HS384"}`, good, secret, sha512.New384),
		"EdDSA in a link":   w.ed(good),
		"the public key":    hs(`{"alg":"HS512"}`, good, w.private.Public().(ed25519.PublicKey), sha512.New),
		"crit":              hs(`{"alg":"HS512","crit":["x"],"x":1}`, good, secret, sha512.New),
		"a key in it":       hs(`{"alg":"HS512","jwk":{"kty":"oct","k":"AAAA"}}`, good, secret, sha512.New),
		"jku":               hs(`{"alg":"HS512","jku":"http://x"}`, good, secret, sha512.New),
		"typ":               hs(`{"alg":"HS512","typ":"at+jwt"}`, good, secret, sha512.New),
		"alg twice":         hs(`{"alg":"HS512","alg":"HS512"}`, good, secret, sha512.New),
		"a line break":      hs512(good) + "\n",
		"padding":           hs512(good) + "=",
		"unused bits":       loose(hs512(good)),
		"too long":          hs512(w.claims(`,"sub":"ann","x":"` + strings.Repeat("x", 9000) + `"`)),
		"sub twice":         hs512(w.claims(`,"sub":"bob","sub":"ann"`)),
		"no sub":            hs512(w.claims(``)),
		"sub is a number":   hs512(w.claims(`,"sub":1`)),
		"a name that is no": hs512(w.claims(`,"sub":"a b"`)),
		"no exp":            hs512(`{"sub":"ann"}`),
		"exp is text":       hs512(`{"sub":"ann","exp":"2030"}`),
		"expired":           hs512(fmt.Sprintf(`{"sub":"ann","exp":%d}`, now)),
		"not yet":           hs512(w.claims(fmt.Sprintf(`,"sub":"ann","nbf":%d`, now+31))),
		"from the future":   hs512(w.claims(fmt.Sprintf(`,"sub":"ann","iat":%d`, now+31))),
		"not JSON":          hs512(`{"sub":"ann"`),
		"something behind":  hs512(good + "{}"),
		"name is a number":  hs512(w.claims(`,"sub":"ann","name":7`)),
	} {
		if u, err := w.Link(t.Context(), raw, w.attempt()); !fault.Is(err, fault.Unauthenticated) || strings.Contains(w.reason(t), raw) && raw != "" {
			t.Errorf("%s: %+v, %v, reason %q", what, u, err, w.reason(t))
		}
	}
	if users, err := w.users.List(t.Context(), root); err != nil || len(users) != 0 {
		t.Errorf("accounts were made: %v, %v", users, err)
	}
}

// loose changes bits of the last character that no byte depends on.
func loose(raw string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	at := strings.IndexByte(alphabet, raw[len(raw)-1])
	return raw[:len(raw)-1] + alphabet[at^1:at^1+1]
}

func TestTokensAreGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	raw := hs512(w.claims(`,"sub":"ann"`))
	if _, err := w.Link(t.Context(), raw, w.attempt()); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(59 * time.Minute)
	if _, err := w.Link(t.Context(), raw, w.attempt()); !fault.Is(err, fault.Unauthenticated) || w.reason(t) != "the token has been used before" {
		t.Errorf("%v", err)
	}
	w.clock.Advance(time.Minute)
	if _, err := w.Link(t.Context(), raw, w.attempt()); !fault.Is(err, fault.Unauthenticated) || w.reason(t) != "the token has expired" {
		t.Errorf("%v", err)
	}
}

func TestNobodyIsBelievedWithoutAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *crosslogin.Config) { c.Secret, c.Public = nil, nil })
	for _, key := range [][]byte{nil, {}, secret} {
		raw := hs(`{"alg":"HS512"}`, w.claims(`,"sub":"ann"`), key, sha512.New)
		if _, err := w.Link(t.Context(), raw, w.attempt()); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%v", err)
		}
	}
	if _, err := w.Cookie(t.Context(), w.ed(w.claims(`,"sub":"ann","iss":"portal"`)), w.attempt()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("%v", err)
	}
	for want, c := range map[string]crosslogin.Config{
		"has 5 bytes; it needs at least 32": {Secret: []byte("short")},
		"trusted-issuer does not say":       {Public: w.private.Public().(ed25519.PublicKey)},
	} {
		if _, err := crosslogin.New(c, nil, w.clock); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestCookiesOfTheTrustedIssuerLogIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ raw, message string }{
		{w.ed(w.claims(`,"sub":"ann","iss":"portal"`)), ""},
		{w.ed(w.claims(`,"sub":"ann","iss":"other"`)), "untrusted JWT issuer"},
		{w.ed(w.claims(`,"sub":"ann","iss":"portal","iss":"portal"`)), "invalid token"},
		{w.ed(w.claims(`,"sub":"ann","ISS":"portal","iss":"other"`)), "untrusted JWT issuer"},
		{hs512(w.claims(`,"sub":"ann","iss":"portal"`)), "invalid token"},
		{"x.y.z", "invalid token"},
	} {
		_, err := w.Cookie(t.Context(), c.raw, w.attempt())
		if (err == nil) != (c.message == "") || err != nil && fault.Message(err) != c.message {
			t.Errorf("%s: %v, reason %q", c.raw, err, w.reason(t))
		}
	}
}

// A token that this site has made for an interface does not become a session, which would not keep to its limits.
func TestOwnTokensWithAPurposeAreNoLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.users.Create(t.Context(), root, identity.NewUser{Name: "alice", Roles: []identity.Role{"admin"}, Password: "x"}); err != nil {
		t.Fatal(err)
	}
	token := func(more string) string {
		return enc([]byte(`{"alg":"EdDSA"}`)) + "." + enc([]byte(w.claims(more))) + ".c2ln"
	}
	for _, more := range []string{`,"kind":"service"`, `,"act":{"sub":"root"}`, `,"read_only":true`, `,"permissions":[]`, `,"nodes":"n1"`, `,"cidr":[]`, `,"clusters":[]`} {
		if _, err := w.Cookie(t.Context(), token(`,"sub":"alice"`+more), w.attempt()); !fault.Is(err, fault.Unauthenticated) || w.reason(t) != "a token for interfaces is not good for a login" {
			t.Errorf("%s: %v", more, err)
		}
	}
	if _, err := w.Cookie(t.Context(), enc([]byte(`{}`))+"."+enc([]byte(`{}`))+".YmFk", w.attempt()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a bad one: %v", err)
	}
	if u, err := w.Cookie(t.Context(), token(`,"sub":"alice"`), w.attempt()); err != nil || u.Name != "alice" {
		t.Errorf("%v, %v", u, err)
	}
	if _, err := w.Cookie(t.Context(), token(`,"sub":"alice"`), w.attempt()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("again: %v", err)
	}
}

func TestWhichAccountsAPortalOpens(t *testing.T) {
	t.Parallel()
	for _, validate := range []bool{false, true} {
		w := newWorld(t, func(cfg *crosslogin.Config) { cfg.Validate = validate })
		for _, c := range []struct {
			name             string
			source           identity.AuthSource
			open, validating bool
		}{
			{"local", identity.AuthLocal, false, true},
			{"ldap", identity.AuthLDAP, true, true},
			{"token", identity.AuthToken, true, true},
			{"oidc", identity.AuthOIDC, false, true},
			{"nobody", 0, true, false},
		} {
			if c.name != "nobody" {
				n := identity.NewUser{Name: c.name, Roles: []identity.Role{"admin"}, Source: c.source, Password: "x"}
				if _, err := w.users.Create(t.Context(), root, n); err != nil {
					t.Fatal(err)
				}
			}
			want := c.open
			if validate {
				want = c.validating
			}
			if _, err := w.Link(t.Context(), hs512(w.claims(`,"sub":"`+c.name+`"`)), w.attempt()); (err == nil) != want {
				t.Errorf("%s, validate %v: %v", c.name, validate, err)
			}
		}
	}
}

func FuzzLink(f *testing.F) {
	f.Add(hs512(`{"sub":"ann","exp":1}`))
	f.Add("a.b.c")
	l, err := crosslogin.New(crosslogin.Config{Secret: secret}, refuser{}, clock.NewManual(time.Unix(0, 0)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if _, err := l.Link(t.Context(), raw, identity.Attempt{}); err == nil && !strings.Contains(raw, ".") {
			t.Errorf("%q is let in", raw)
		}
	})
}

// refuser only asks who has come.
type refuser struct{}

// Outside asks find.
func (refuser) Outside(ctx context.Context, _ identity.Via, _ identity.Attempt, find func(context.Context) (authn.Arrival, error)) (identity.User, error) {
	_, err := find(ctx)
	return identity.User{}, err
}

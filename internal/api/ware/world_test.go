package ware_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/ware"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
	"github.com/bridgehead-hpc/bridgehead/internal/trail"
)

// world is the dialect over real services and a real database, at an address of its own.
type world struct {
	t       *testing.T
	store   *sqlstore.Store
	clock   *clock.Manual
	users   *identity.Service
	tokens  *token.Service
	logins  *token.Sessions
	nodes   *node.Service
	dialect *api.Dialect
	log     *bytes.Buffer
	url     string
	bearers map[string]string // token of each user, by name
}

// command is the head's own command line.
var command = identity.Local("root")

// theAccounts are the accounts that every world has, by role.
var theAccounts = map[string]identity.Role{
	"boss": identity.RoleFullAdmin, "manager": identity.RoleWareManager, "production": identity.RoleProductionEngineer,
	"onsite": identity.RoleOnsiteEngineer, "reader": identity.RoleAuthUser, "locked": identity.RoleNoAccess,
}

// newWorld returns a world with the accounts, and with nodes n0 and n1. The options change the dialect's configuration.
func newWorld(t *testing.T, options ...func(*ware.Config)) *world {
	t.Helper()
	w := &world{
		t: t, store: storetest.Open(t), clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
		log: &bytes.Buffer{}, bearers: map[string]string{},
	}
	passwords := authn.NewPasswords()
	w.users = identity.New(identity.Config{Store: w.store.Users(), RoleStore: w.store.Roles(), Hasher: cheap{}, Clock: w.clock})
	w.tokens = w.newTokens()
	w.logins = token.NewSessions(token.SessionsConfig{Store: w.store.Sessions(), Users: w.users, Clock: w.clock, Key: []byte("key")})
	w.nodes = node.New(node.Config{Store: w.store.Nodes(), Clock: w.clock})
	cfg := ware.Config{
		Users: w.users, Tokens: w.tokens, Keys: w.newKeys(), Sessions: w.logins, Audit: trail.New(trail.Config{Log: w.store.Trail(), Clock: w.clock}), Nodes: w.nodes, Clock: w.clock, Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Logins: authn.NewService(authn.Config{
			Users: w.users, Passwords: passwords, Limiter: authn.NewLimiter(w.clock), Audit: w.store.Audit(), Clock: w.clock,
		}),
		Head: "head0", Version: "1.0", Clusters: func() []string { return []string{"alpha"} },
		ClientAddr: func(*http.Request) string { return "192.0.2.1" },
		RequestID:  func(context.Context) string { return "req-1" },
	}
	w.addLogins(&cfg, passwords)
	for _, o := range options {
		o(&cfg)
	}
	var err error
	if w.dialect, err = ware.New(cfg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.dialect.Mux(api.Guard{Auth: door{w}}))
	t.Cleanup(server.Close)
	w.url = server.URL
	w.populate()
	return w
}

// cheap hashes as accounts from ClusterCockpit have been hashed, at the lowest cost: worlds are made often.
type cheap struct{}

func (cheap) HashPassword(_ context.Context, password string) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	return string(hash), err
}

func (w *world) newTokens() *token.Service {
	w.t.Helper()
	public, private, err := token.GenerateKeys(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := token.ParseKeys(public, private)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := token.NewService(w.t.Context(), token.ServiceConfig{
		Keys: keys, Verifier: token.NewVerifier(token.VerifierConfig{Keys: keys, Clock: w.clock}), Store: w.store.Tokens(),
		Users: w.users, Clock: w.clock, Policy: token.DefaultPolicy(), Warnings: w.store.TokenWarnings(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// newKeys returns signing keys of which the first is the same in every run. The tokens of this world have others.
func (w *world) newKeys() *token.Keys {
	w.t.Helper()
	public, private, err := token.GenerateKeys(strings.NewReader(strings.Repeat("k", 32)))
	if err != nil {
		w.t.Fatal(err)
	}
	box, err := seal.New([]byte("the session key of a world"), token.SealPurpose)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := token.OpenKeys(w.t.Context(), token.KeysConfig{Store: w.store.SigningKeys(), Clock: w.clock, Box: box, Public: public, Private: private})
	if err != nil {
		w.t.Fatal(err)
	}
	return keys
}

func (w *world) populate() {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.nodes.EnsureDefaults(ctx); err != nil {
		w.t.Fatal(err)
	}
	for name, role := range theAccounts {
		if _, err := w.users.Create(ctx, command, identity.NewUser{Name: name, Roles: []identity.Role{role}, Password: "secret of " + name}); err != nil {
			w.t.Fatal(err)
		}
		m, err := w.tokens.Mint(ctx, command, token.MintRequest{For: name})
		if err != nil {
			w.t.Fatal(err)
		}
		w.bearers[name] = m.Text
	}
	for i, n := range []node.NewNode{
		{MAC: "08:00:27:00:00:00"},
		{MAC: "08:00:27:00:00:01", IP: "10.0.0.11", PowerURI: "ipmi://root:geheim@bmc1", Attributes: map[string]string{"rack": "r1"}},
	} {
		if _, err := w.nodes.Create(ctx, command, n); err != nil {
			w.t.Fatalf("create node %d: %v", i, err)
		}
	}
}

// door authenticates the tokens of the world, and browsers by a header with the user's name.
type door struct{ *world }

func (d door) Authenticate(r *http.Request, _ http.Header) (identity.Caller, error) {
	c := identity.Caller{Addr: "192.0.2.1", RequestID: "req-1"}
	if name := r.Header.Get("X-Session-Of"); name != "" {
		st, err := d.users.Resolve(r.Context(), name)
		as := st.Caller(identity.ViaSession)
		as.Addr, as.RequestID = c.Addr, c.RequestID
		return as, err
	}
	raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "a token is required")
	}
	return d.tokens.Authenticate(r.Context(), raw, c.Addr, c.RequestID)
}

// call is one request. The body goes out as curl --data sends it unless another type is given.
type call struct {
	method, path string
	as           string // user, "" for nobody, "session of X", or "token X"
	body         string
	contentType  string // "none" sends no type at all
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   []byte
}

func (w *world) do(c call) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), c.method, w.url+c.path, strings.NewReader(c.body))
	if err != nil {
		w.t.Fatal(err)
	}
	switch {
	case c.contentType == "" && c.body != "":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case c.contentType != "" && c.contentType != "none":
		r.Header.Set("Content-Type", c.contentType)
	}
	if name, ok := strings.CutPrefix(c.as, "session of "); ok {
		r.Header.Set("X-Session-Of", name)
	} else if raw, ok := strings.CutPrefix(c.as, "token "); ok {
		r.Header.Set("Authorization", "Bearer "+raw)
	} else if c.as != "" {
		r.Header.Set("Authorization", "Bearer "+w.bearers[c.as])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, text}
}

// envelope is every JSON reply of the dialect.
type envelope[T any] struct {
	Success bool     `json:"success"`
	Data    T        `json:"data"`
	Removed []string `json:"removed"`
	Reason  string   `json:"reason"`
	Code    string   `json:"code"`
	Details []string `json:"details"`
}

// want does a call, fails unless it has that status and an envelope that agrees with it, and returns what is inside.
func want[T any](w *world, status int, c call) envelope[T] {
	w.t.Helper()
	a := w.do(c)
	var e envelope[T]
	if err := json.Unmarshal(a.text, &e); err != nil {
		w.t.Fatalf("%s %s: %v in %s", c.method, c.path, err, a.text)
	}
	if a.status != status || e.Success != (status < 300) {
		w.t.Fatalf("%s %s is %d, want %d: %s", c.method, c.path, a.status, status, a.text)
	}
	return e
}

type object = map[string]any

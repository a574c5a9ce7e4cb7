package metricserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

var (
	begin = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	local = identity.Local("root")
)

// realHead is the token side of a head node, reached without a network.
type realHead struct {
	*token.Service
	keys   *token.Keys
	public string
	path   string // of the database

	mu    sync.Mutex // guards all below
	asked int
	down  bool
	reply func(text string) string // what becomes of the answer on its way
}

type plainHasher struct{}

func (plainHasher) HashPassword(context.Context, string) (string, error) { return "hash", nil }

// newRealHead starts a head whose list may be kept for five seconds.
func newRealHead(t *testing.T, clk clock.Clock) *realHead {
	t.Helper()
	public, private, err := token.GenerateKeys(strings.NewReader(strings.Repeat("k", 32)))
	must(t, err)
	h := &realHead{public: public, path: filepath.Join(t.TempDir(), "test.db")}
	store, err := sqlite.Open(context.Background(), h.path, sqlite.Options{})
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	box, err := seal.New(bytes.Repeat([]byte("s"), 32), token.SealPurpose)
	must(t, err)
	h.keys, err = token.OpenKeys(context.Background(), token.KeysConfig{Store: store.SigningKeys(), Clock: clk, Box: box, Public: public, Private: private})
	must(t, err)
	users := identity.New(identity.Config{Store: store.Users(), Roles: identity.DefaultRoles(), Hasher: plainHasher{}, Clock: clk})
	_, err = users.Create(context.Background(), local, identity.NewUser{Name: "ann", Roles: []identity.Role{identity.RoleAPI}, Password: "secret"})
	must(t, err)
	h.Service, err = token.NewService(context.Background(), token.ServiceConfig{
		Keys: h.keys.Ring(), Signing: h.keys, Verifier: token.NewVerifier(token.VerifierConfig{Keys: h.keys.Ring(), Clock: clk}),
		Store: store.Tokens(), Users: users, Clock: clk, Status: store.StatusList(), StatusTTL: 5 * time.Second,
	})
	must(t, err)
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// RoundTrip implements http.RoundTripper.
func (h *realHead) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	if h.down {
		return nil, errors.New("no route to the head")
	}
	text, _, err := h.StatusList(r.Context())
	if err != nil {
		return nil, err
	}
	if h.reply != nil {
		text = h.reply(text)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

func (h *realHead) mint(t *testing.T) token.Minted {
	t.Helper()
	m, err := h.Mint(context.Background(), local, token.MintRequest{For: "ann", Kind: token.KindService, Lifetime: 10 * 24 * time.Hour})
	must(t, err)
	return m
}

func (h *realHead) revoke(t *testing.T, m token.Minted) {
	t.Helper()
	n, err := h.Revoke(context.Background(), local, token.Filter{ID: m.ID})
	if n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

// store is the door of a metric store that follows the head.
func (h *realHead) store(t *testing.T, dir string, clk clock.Clock, log io.Writer) tokenDoor {
	t.Helper()
	c := Config{PublicKey: h.public, HeadURL: "http://head", Dir: dir, Addr: "localhost:0"}
	auth, follows, err := newAuthenticator(c, clk, slog.New(slog.NewTextHandler(log, nil)))
	must(t, err)
	follows.client.Transport = h
	follows.restore()
	door, ok := auth.(tokenDoor)
	if !ok {
		t.Fatalf("got %T", auth)
	}
	return door
}

func (d tokenDoor) opens(text string) error {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+text)
	_, err := d.Authenticate(r, nil)
	return err
}

func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	if !fault.Is(err, fault.Unauthenticated) || fault.Message(err) != "invalid token" {
		t.Errorf("%s: got %v, want a refusal", what, err)
	}
}

func TestRevokedIsRefusedAfterTheNextLook(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(begin)
	h := newRealHead(t, clk)
	a, b := h.mint(t), h.mint(t)
	dir := t.TempDir()
	door := h.store(t, dir, clk, io.Discard)
	h.revoke(t, a)
	must(t, door.opens(a.Text)) // nothing was ever heard from the head: the key alone counts
	must(t, door.head.ask(t.Context()))
	wantRefused(t, "revoked", door.opens(a.Text))
	must(t, door.opens(b.Text))
	if p := door.head.pause(); p > 5*time.Second || p < 4*time.Second {
		t.Errorf("the next look is in %s, and the list may be kept for 5s", p)
	}

	h.down = true
	if err := door.head.ask(t.Context()); err == nil {
		t.Error("a head that is down says something")
	}
	wantRefused(t, "revoked, with the head down", door.opens(a.Text))
	door.head.report(t.Context(), errors.New("no route"))
	if p := door.head.pause() + door.head.patience(); p > 5*time.Second || p < time.Second {
		t.Errorf("a head that has come back is heard after %s, and the list may be kept for 5s", p)
	}
	again := h.store(t, dir, clk, io.Discard)
	wantRefused(t, "revoked, after a restart with the head down", again.opens(a.Text))
	must(t, again.opens(b.Text))
}

func TestKeysAreLearntAndForgotten(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(begin)
	h := newRealHead(t, clk)
	dir := t.TempDir()
	door := h.store(t, dir, clk, io.Discard)
	must(t, door.head.ask(t.Context()))
	old := h.mint(t)
	for range 3 {
		clk.Advance(time.Second)
		_, err := h.keys.Rotate(t.Context(), local)
		must(t, err)
		must(t, door.opens(h.mint(t).Text)) // at once: the next key is known
		must(t, door.head.ask(t.Context()))
	}
	must(t, door.opens(old.Text))
	_, err := h.keys.Remove(t.Context(), local, token.Removal{ID: old.KeyID, Confirmed: true})
	must(t, err)
	clk.Advance(time.Second)
	must(t, door.head.ask(t.Context()))
	wantRefused(t, "of a removed key", door.opens(old.Text))

	// The key of the configuration is the removed one, and the store still knows the present ones.
	again := h.store(t, dir, clk, io.Discard)
	wantRefused(t, "of a removed key, after a restart", again.opens(old.Text))
	must(t, again.opens(h.mint(t).Text))
	must(t, again.head.ask(t.Context()))

	// A store that was away too long, or is new, cannot know whose signature that is.
	fresh := h.store(t, t.TempDir(), clk, io.Discard)
	if err := fresh.head.ask(t.Context()); err == nil || !strings.Contains(err.Error(), "key that is not known") {
		t.Errorf("got %v", err)
	}
}

func TestWhatTheNetworkSaysIsNotBelieved(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(begin)
	h := newRealHead(t, clk)
	m := h.mint(t)
	door := h.store(t, t.TempDir(), clk, io.Discard)
	before, _, err := h.StatusList(t.Context())
	must(t, err)
	clk.Advance(2 * time.Second)
	h.revoke(t, m)
	must(t, door.head.ask(t.Context()))
	for what, reply := range map[string]func(string) string{
		"an older list":  func(string) string { return before },
		"a token":        func(string) string { return m.Text },
		"nothing":        func(string) string { return "" },
		"a page":         func(string) string { return "<html>" },
		"a changed list": func(s string) string { return strings.Replace(s, ".ey", ".eY", 1) },
		"without end":    func(s string) string { return s + strings.Repeat("A", token.MaxStatusText) },
	} {
		h.reply = reply
		if err := door.head.ask(t.Context()); err == nil {
			t.Errorf("%s: believed", what)
		}
		wantRefused(t, what, door.opens(m.Text))
	}
	h.reply = nil
	clk.Advance(10 * time.Minute) // the head has a new list by then
	must(t, door.head.ask(t.Context()))
}

func TestKeptListOfAnotherKeyIsForgotten(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(begin)
	h := newRealHead(t, clk)
	m, dir := h.mint(t), t.TempDir()
	h.revoke(t, m)
	must(t, h.store(t, dir, clk, io.Discard).head.ask(t.Context()))
	file := filepath.Join(dir, statusFile)
	data, err := os.ReadFile(file)
	must(t, err)
	for what, text := range map[string]string{
		"another key":    strings.Replace(string(data), h.keys.Ring().ID(), "another", 1),
		"not JSON":       "{",
		"an altered one": strings.Replace(string(data), `"list":"ey`, `"list":"eyJ`, 1),
	} {
		must(t, os.WriteFile(file, []byte(text), 0o600))
		var log bytes.Buffer
		door := h.store(t, dir, clk, &log)
		if log.Len() == 0 || door.head.list.Load() != nil {
			t.Errorf("%s: taken for good, log: %s", what, &log)
		}
		must(t, door.opens(m.Text))
	}
}

// TestHeadIsAskedAgainAndAgain runs the loop in a time of its own.
func TestHeadIsAskedAgainAndAgain(t *testing.T) {
	var log bytes.Buffer
	var wall clock.System
	dir := t.TempDir()
	h := newRealHead(t, clock.NewManual(begin)) // its database is no part of the bubble
	text, _, err := h.StatusList(t.Context())
	must(t, err)
	synctest.Test(t, func(t *testing.T) {
		door := h.store(t, dir, clock.NewManual(begin), &log)
		door.head.clock = wall
		replies := &canned{text: text}
		door.head.client.Transport = replies
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- door.head.run(ctx) }()
		<-wall.After(21 * time.Second)
		if n := replies.asked(); n < 5 || n > 6 {
			t.Errorf("asked %d times in 21s, and the list may be kept for 5s", n)
		}
		replies.fail(true)
		<-wall.After(30 * time.Second)
		replies.fail(false)
		<-wall.After(6 * time.Second)
		cancel()
		must(t, <-ended)
		if n := door.head.failed.Load(); n < 5 {
			t.Errorf("%d failures counted", n)
		}
	})
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, &log)
	}
	if !strings.Contains(log.String(), "is back") {
		t.Errorf("log:\n%s", &log)
	}
}

// canned is a head that always answers the same, or does not.
type canned struct {
	mu    sync.Mutex // guards all below
	text  string
	n     int
	fails bool
}

func (c *canned) asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *canned) fail(v bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails = v
}

// RoundTrip implements http.RoundTripper.
func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	if c.fails {
		return nil, fmt.Errorf("no route to %s", r.Host)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(c.text)), Request: r}, nil
}

package client_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

var noon = time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)

// head answers every request with a canned reply and remembers what it was asked.
type head struct {
	*httptest.Server
	mu      sync.Mutex // guards all below
	asked   []string   // "METHOD path?query bearer body"
	replies map[string]reply
	always  *reply // the reply to everything, when it is set
}

type reply struct {
	status int
	body   string
	header map[string]string
}

func newHead(t *testing.T, replies map[string]reply) *head {
	t.Helper()
	h := &head{replies: replies}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *head) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	h.asked = append(h.asked, fmt.Sprintf("%s %s [%s] %s", r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), body))
	a, ok := h.replies[r.Method+" "+r.URL.EscapedPath()]
	if h.always != nil {
		a, ok = *h.always, true
	}
	if !ok {
		a = reply{status: 404, body: `{"success": false, "reason": "no such route in this test"}`}
	}
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_, _ = io.WriteString(w, a.body)
}

func data(v any) reply {
	text, _ := json.Marshal(map[string]any{"success": true, "data": v})
	return reply{body: string(text)}
}

func (h *head) connect(t *testing.T, c client.Config) *client.Client {
	t.Helper()
	c.BaseURL = h.URL + "/api/v1"
	if c.Clock == nil {
		c.Clock = clock.NewManual(noon)
	}
	cl, err := client.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

// guarded is a head that lets in only the bearer that is good at the moment.
type guarded struct {
	*httptest.Server
	mu        sync.Mutex // guards all below
	good      string
	logins    int
	refreshes int
	clock     *clock.Manual
	refreshed string // reply to a refresh, "" refuses it
	refused   int
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{clock: clock.NewManual(noon)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/login", g.login)
	mux.HandleFunc("POST /api/v1/token/refresh", g.refresh)
	mux.HandleFunc("GET /api/v1/whoami", g.whoami)
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

func (g *guarded) connect(t *testing.T, cred client.Credential) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{BaseURL: g.URL, Credential: cred, Clock: g.clock})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (g *guarded) login(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var body struct{ Username, Password string }
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.Password != "right" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"success": false, "reason": "wrong user name or password"}`)
		return
	}
	g.logins++
	g.good = fmt.Sprintf("access-%d", g.logins)
	g.grant(w, g.good, "refresh-me")
}

func (g *guarded) grant(w io.Writer, access, refresh string) {
	_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "data": map[string]any{
		"access_token": access, "refresh_token": refresh, "expires": g.clock.Now().Add(15 * time.Minute).Unix(), "user": "ann", "extra": 1,
	}})
}

func (g *guarded) refresh(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refreshed == "" || r.Header.Get("Authorization") != "Bearer refresh-me" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"success": false, "reason": "invalid token"}`)
		return
	}
	g.refreshes++
	g.good = g.refreshed
	g.grant(w, g.good, "")
}

func (g *guarded) whoami(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+g.good {
		g.refused++
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"success": false, "reason": "invalid token", "code": "unauthenticated"}`)
		return
	}
	_, _ = io.WriteString(w, `{"success": true, "data": {"name": "ann"}}`)
}

package attack_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// from returns a client with an address of its own.
func from(t *testing.T, a, b byte) *http.Client {
	t.Helper()
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, a, b, 1)}}
	c := &http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func login(t *testing.T, c *http.Client, base, user, password string) (status int) {
	t.Helper()
	resp, err := c.Post(base+"/api/v1/login", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"username": {user}, "password": {password}}.Encode()))
	if err != nil {
		t.Error(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body) // only the status counts
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestAFloodOfLoginsIsTurnedAway: 200 people at 200 addresses at once. Hashing a password is expensive, so only few wait
// for it; the others are told to come back, at once, and everybody else is served meanwhile.
func TestAFloodOfLoginsIsTurnedAway(t *testing.T) {
	t.Parallel()
	h := openHead(t)
	h.newUser(t, "alice", identity.RoleUser)
	raw := h.Token(identity.RoleUser)
	var mu sync.Mutex // guards statuses
	statuses := map[int]int{}
	var flood sync.WaitGroup
	for i := range 200 {
		c := from(t, 2, byte(i))
		flood.Go(func() {
			status := login(t, c, h.URL, fmt.Sprintf("u%d", i), "wrong")
			mu.Lock()
			statuses[status]++
			mu.Unlock()
		})
	}
	for range 20 {
		want(t, "who has a token, meanwhile", h.whoami(raw), http.StatusOK)
	}
	flood.Wait()
	if statuses[http.StatusUnauthorized]+statuses[http.StatusTooManyRequests] != 200 || statuses[http.StatusTooManyRequests] < 50 {
		t.Errorf("statuses %v; most are to be told to come back", statuses)
	}
	if got := login(t, from(t, 3, 1), h.URL, "alice", "correct horse battery alice"); got != http.StatusOK {
		t.Errorf("a person with the right password, afterwards: %d", got)
	}
}

// TestGuessingIsLimited guesses one account from one address, one from many, and many from one; with forwarding headers
// that nobody has configured to be believed. Who guesses at one account does not lock others out.
func TestGuessingIsLimited(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.newUser(t, "alice", identity.RoleUser)
	h.newUser(t, "bob", identity.RoleUser)
	count := func(n int, try func(i int) servertest.Reply) (passed int) {
		for i := range n {
			switch r := try(i); r.Status {
			case http.StatusUnauthorized:
				passed++
			case http.StatusTooManyRequests:
			default:
				t.Errorf("%d %s", r.Status, r.Body)
			}
		}
		return passed
	}
	guess := func(user string) servertest.Reply {
		return h.call(http.MethodPost, "/api/v1/login", "", fmt.Sprintf(`{"username":%q,"password":"wrong"}`, user))
	}
	if n := count(20, func(int) servertest.Reply { return guess("alice") }); n > 5 {
		t.Errorf("%d guesses at one account from one address", n)
	}
	if n := count(60, func(i int) servertest.Reply { return guess(fmt.Sprintf("u%d", i)) }); n > 30 {
		t.Errorf("%d guesses at many accounts from one address", n)
	}
	// Other addresses are what forwarding headers say only for configured proxies.
	for i := range 5 {
		addr := fmt.Sprintf("192.0.2.%d", i)
		got := h.sendTo(t, "POST /api/v1/login", `{"username":"alice","password":"wrong"}`, "X-Forwarded-For: "+addr, "X-Real-Ip: "+addr, "Forwarded: for="+addr)
		if got != http.StatusTooManyRequests {
			t.Errorf("with a forwarding header: %d", got)
		}
	}
	if got := login(t, from(t, 4, 1), h.URL, "bob", "correct horse battery bob"); got != http.StatusOK {
		t.Errorf("another person at another address: %d", got)
	}
	if got := login(t, from(t, 4, 2), h.URL, "alice", "correct horse battery alice"); got != http.StatusOK {
		t.Errorf("the person who is guessed at, at another address: %d", got)
	}
}

// sendTo sends a request with a body and headers that no HTTP client would.
func (h *head) sendTo(t *testing.T, line, body string, headers ...string) int {
	t.Helper()
	request := fmt.Sprintf("%s HTTP/1.1\r\nHost: head\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n\r\n%s", line, len(body), strings.Join(headers, "\r\n"), body)
	return exchange(t, strings.TrimPrefix(h.URL, "http://"), request)
}

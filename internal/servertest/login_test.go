package servertest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// guesser guesses from any loopback address, and says that it comes from elsewhere.
type guesser struct {
	url string
	tb  testing.TB
}

func (g guesser) guess(from, forwarded, user string) (status int, reason string) {
	g.tb.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, g.url+"/api/v1/login", strings.NewReader(`{"username": "`+user+`", "password": "guess"}`))
	if err != nil {
		g.tb.Fatal(err)
	}
	if forwarded != "" {
		r.Header.Set("X-Forwarded-For", forwarded)
		r.Header.Set("X-Real-Ip", forwarded)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		g.tb.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // it has been read
	if err != nil {
		g.tb.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// passed is how many of n guesses are looked at before the limiter steps in.
func (g guesser) passed(n int, from, forwarded, user func(int) string) (passed int) {
	g.tb.Helper()
	for i := range n {
		switch status, reason := g.guess(from(i), forwarded(i), user(i)); {
		case status == http.StatusUnauthorized && strings.Contains(reason, "wrong user name or password"):
			passed++
		case status != http.StatusTooManyRequests || !strings.Contains(reason, "too many login attempts"):
			g.tb.Fatalf("guess %d: %d %s", i, status, reason)
		}
	}
	return passed
}

func constant(s string) func(int) string { return func(int) string { return s } }
func counted(f string) func(int) string  { return func(i int) string { return fmt.Sprintf(f, i%200+1) } }

func TestGuessingIsLimitedHoweverItIsSpread(t *testing.T) {
	t.Parallel()
	none := constant("")
	for what, c := range map[string]struct {
		n                     int
		from, forwarded, user func(int) string
		proxies               []string
		want                  int
	}{
		"one user from one address":                 {10, constant("127.0.0.9"), none, constant("victim"), nil, 5},
		"one password for every user":               {40, constant("127.0.0.9"), none, counted("u%d"), nil, 30},
		"one user from many addresses":              {70, counted("127.0.1.%d"), none, constant("victim"), nil, 60},
		"addresses that are made up":                {10, constant("127.0.0.9"), counted("203.0.113.%d"), constant("victim"), nil, 5},
		"behind a proxy, one address":               {10, constant("127.0.0.9"), constant("203.0.113.7"), constant("victim"), []string{"127.0.0.9"}, 5},
		"behind a proxy, one customer of IPv6":      {40, constant("127.0.0.9"), counted("2001:db8::%x"), counted("u%d"), []string{"127.0.0.9"}, 30},
		"behind a proxy, many addresses, all users": {12, constant("127.0.0.9"), counted("203.0.113.%d"), counted("u%d"), []string{"127.0.0.9"}, 12},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := servertest.New(t, servertest.WithClock(clock.NewManual(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))),
				servertest.WithConfig(func(cfg *server.Config) { cfg.Main.TrustedProxies = c.proxies }))
			if _, err := h.Server.Users().Create(t.Context(), servertest.Local(), identity.NewUser{Name: "victim", Roles: []identity.Role{"user"}, Password: "s3cret"}); err != nil {
				t.Fatal(err)
			}
			if got := (guesser{h.URL, t}).passed(c.n, c.from, c.forwarded, c.user); got != c.want {
				t.Errorf("%d guesses pass, want %d", got, c.want)
			}
		})
	}
}

// What somebody knows of an account does not show in a refusal, on either door.
func TestRefusalsOnBothDoorsAreAlike(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	for name, n := range map[string]identity.NewUser{
		"alice": {Roles: []identity.Role{"user"}, Password: "s3cret"}, "off": {Roles: []identity.Role{"user"}, Password: "s3cret"},
		"script": {Roles: []identity.Role{"api"}}, "far": {Roles: []identity.Role{"user"}, Source: identity.AuthLDAP},
	} {
		n.Name = name
		if _, err := h.Server.Users().Create(t.Context(), servertest.Local(), n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "off", identity.Update{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	pages, replies := map[string]bool{}, map[string]bool{}
	for i, c := range [][2]string{{"alice", "guess"}, {"off", "s3cret"}, {"script", "x"}, {"far", "x"}, {"nobody", "x"}, {"alice", strings.Repeat("x", 2000)}} {
		form := h.Do(servertest.Call{Method: http.MethodPost, Path: "/login", Type: "application/x-www-form-urlencoded", Body: "username=" + c[0] + "&password=" + c[1]})
		pages[fmt.Sprint(form.Status, form.Body)] = true
		reply := h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/login", Body: `{"username": "` + c[0] + `", "password": "` + c[1] + `"}`})
		id := reply.Header.Get("X-Request-Id")
		replies[fmt.Sprint(reply.Status, strings.ReplaceAll(reply.Body, id, ""))] = true
		if form.Status != http.StatusUnauthorized || reply.Status != http.StatusUnauthorized {
			t.Errorf("%d %q: %d and %d", i, c[0], form.Status, reply.Status)
		}
	}
	if len(pages) != 1 || len(replies) != 1 {
		t.Errorf("%d different pages, %d different replies: %v", len(pages), len(replies), replies)
	}
}

package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func right(context.Context) (string, error) { return "right", nil }

func whoami(t *testing.T, c *client.Client) {
	t.Helper()
	me, err := c.Whoami(t.Context())
	if err != nil || me.Name != "ann" {
		t.Fatalf("whoami: %+v, %v", me, err)
	}
}

func TestPasswordLogsInOnceForManyRequests(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	c := g.connect(t, client.Password("ann", right))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { whoami(t, c) })
	}
	all.Wait()
	if g.logins != 1 || g.refused != 0 {
		t.Errorf("%d logins, %d refusals", g.logins, g.refused)
	}
}

func TestLoginIsRefreshedBeforeItExpires(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.refreshed = "access-fresh"
	c := g.connect(t, client.Password("ann", right))
	whoami(t, c)
	g.clock.Advance(14*time.Minute + 45*time.Second)
	whoami(t, c)
	if g.logins != 1 || g.refreshes != 1 || g.refused != 0 {
		t.Errorf("%d logins, %d refreshes, %d refusals", g.logins, g.refreshes, g.refused)
	}
	g.clock.Advance(time.Hour) // the refresh token stays good, though the reply did not repeat it
	whoami(t, c)
	if g.logins != 1 || g.refreshes != 2 {
		t.Errorf("%d logins, %d refreshes", g.logins, g.refreshes)
	}
}

func TestPasswordLogsInAgainWhenRefreshIsRefused(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	c := g.connect(t, client.Password("ann", right))
	whoami(t, c)
	g.clock.Advance(time.Hour)
	whoami(t, c)
	if g.logins != 2 {
		t.Errorf("%d logins", g.logins)
	}
}

func TestRevokedAccessTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	c := g.connect(t, client.Password("ann", right))
	whoami(t, c)
	g.good = "somebody else's"
	whoami(t, c)
	if g.logins != 2 || g.refused != 1 {
		t.Errorf("%d logins, %d refusals", g.logins, g.refused)
	}
}

func TestWrongPasswordIsUnauthenticatedAndNotRepeated(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	c := g.connect(t, client.Password("ann", func(context.Context) (string, error) { return "hunter2", nil }))
	_, err := c.Whoami(t.Context())
	if !errors.Is(err, client.ErrUnauthenticated) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	asking := errors.New("no terminal")
	c = g.connect(t, client.Password("ann", func(context.Context) (string, error) { return "", asking }))
	if _, err := c.Whoami(t.Context()); !errors.Is(err, asking) {
		t.Errorf("got %v", err)
	}
}

func TestKeptPasswordAsksOnceForManyPrograms(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.refreshed = "access-fresh"
	path := filepath.Join(t.TempDir(), "login")
	asked := 0
	program := func() *client.Client {
		return g.connect(t, client.KeptPassword("ann", path, func(context.Context) (string, error) { asked++; return "right", nil }))
	}
	whoami(t, program())
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	whoami(t, program())
	g.clock.Advance(time.Hour)
	whoami(t, program())
	if asked != 1 || g.refreshes != 1 {
		t.Errorf("asked %d times, refreshed %d times", asked, g.refreshes)
	}
	g.refreshed, g.good = "", "revoked" // the login has ended on the head
	whoami(t, program())
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func tokenFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ann.token")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileTokenIsRefreshedAndKept(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.refreshed = "access-fresh"
	path := tokenFile(t, fmt.Sprintf(`{"access_token": "old", "refresh_token": "refresh-me", "expires": %d, "user": "ann"}`, noon.Unix()-60))
	whoami(t, g.connect(t, client.FileToken(path)))
	kept, err := client.ReadTokenFile(path)
	if err != nil || kept.AccessToken != "access-fresh" || kept.RefreshToken != "refresh-me" || !kept.Expires.Equal(noon.Add(15*time.Minute)) {
		t.Errorf("the file holds %q, %q until %v: %v", kept.AccessToken, kept.RefreshToken, kept.Expires, err)
	}
	whoami(t, g.connect(t, client.FileToken(path)))
	if g.refreshes != 1 || g.refused != 0 {
		t.Errorf("%d refreshes, %d refusals", g.refreshes, g.refused)
	}
}

func TestExpiredFileTokenSaysSinceWhenAndByWhom(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	path := tokenFile(t, fmt.Sprintf(`{"access_token": "old", "expires": %d.0, "user": "ProdEng", "issued_by": "admin1"}`, noon.Unix()-60))
	_, err := g.connect(t, client.FileToken(path)).Whoami(t.Context())
	var expired *client.ExpiredError
	if !errors.As(err, &expired) || !errors.Is(err, client.ErrUnauthenticated) {
		t.Fatalf("got %v", err)
	}
	want := client.ExpiredError{Source: path, Since: noon.Add(-time.Minute), IssuedBy: "admin1", User: "ProdEng"}
	if *expired != want || !strings.Contains(err.Error(), "expired at 2026-08-21 11:59:00 UTC") {
		t.Errorf("got %+v: %v", *expired, err)
	}
	if g.refused != 0 {
		t.Error("the expired token was sent")
	}
}

func TestFileTokenIsUsedToItsEnd(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.good = "last"
	path := tokenFile(t, fmt.Sprintf(`{"access_token": "last", "expires": %d}`, noon.Unix()+10))
	whoami(t, g.connect(t, client.FileToken(path)))
}

func TestStaticTokenIsNotRetried(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	if _, err := g.connect(t, client.StaticToken("bad")).Whoami(t.Context()); !errors.Is(err, client.ErrUnauthenticated) || g.refused != 1 {
		t.Errorf("%v after %d refusals", err, g.refused)
	}
}

func TestTokenFileRefusals(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "eyJhbGciOiJFZERTQSJ9.e30.c2ln", `{"success": true, "data": {"access_token": "x"}}`, `["x"]`} {
		_, err := client.ReadTokenFile(tokenFile(t, text))
		if err == nil || !strings.Contains(err.Error(), "is not a token file") || strings.Contains(err.Error(), "eyJ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTokenFileIsPrivateEvenOverAnOpenOne(t *testing.T) {
	t.Parallel()
	h := newHead(t, map[string]reply{"POST /api/v1/admin/ann/token": data(map[string]any{"access_token": "a.b.c", "expires": 5, "future": "kept"})})
	token, err := h.connect(t, client.Config{}).MintToken(t.Context(), "ann", client.TokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	path := tokenFile(t, "old")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := token.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, _ := os.ReadFile(path)
	if want := "{\n  \"access_token\": \"a.b.c\",\n  \"expires\": 5,\n  \"future\": \"kept\"\n}\n"; string(text) != want {
		t.Errorf("the file holds %s", text)
	}
	if list, _ := os.ReadDir(filepath.Dir(path)); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
	if s := fmt.Sprint(token); strings.Contains(s, "a.b.c") {
		t.Errorf("printing a token shows its secret: %s", s)
	}
	if err := token.WriteFile(filepath.Join(path, "below-a-file")); err == nil {
		t.Error("written below a file")
	}
}

func TestRequestThatTakesTooLongEnds(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-done:
		}
	}))
	defer s.Close()
	defer close(done)
	c, err := client.New(client.Config{BaseURL: s.URL, Timeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var unreachable *client.UnreachableError
	if _, err := c.Whoami(t.Context()); !errors.As(err, &unreachable) {
		t.Errorf("got %v", err)
	}
}

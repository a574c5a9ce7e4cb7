package attack_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// logIn logs alice in as a browser does that has some cookie already, nil for none, and returns the cookie that it gets.
func (h *head) logIn(t *testing.T, has *http.Cookie) *http.Cookie {
	t.Helper()
	form := url.Values{"username": {"alice"}, "password": {"correct horse battery alice"}}
	r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/login", Type: "application/x-www-form-urlencoded", Body: form.Encode(), Session: has})
	for _, line := range r.Header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Value != "" {
			return c
		}
	}
	t.Fatalf("no session: %d %s", r.Status, r.Body)
	return nil
}

func (h *head) opens(c *http.Cookie) int {
	return h.Do(servertest.Call{Path: "/api/v1/whoami", Session: c}).Status
}

func TestSessionsAreNotFixedCopiedOrRead(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.newUser(t, "alice", identity.RoleUser)
	first := h.logIn(t, nil)
	if !regexp.MustCompile(`^bhs_[A-Za-z0-9_-]{43}[0-9a-f]{8}$`).MatchString(first.Value) {
		t.Errorf("the cookie is %q: it is to say nothing", first.Value)
	}
	if !first.HttpOnly || first.SameSite != http.SameSiteLaxMode || first.Path != "/" || first.Domain != "" || first.MaxAge <= 0 {
		t.Errorf("cookie %+v", first)
	}
	if stored := h.column(t, `SELECT hash FROM sessions`); len(stored) != 1 || strings.Contains(stored[0], first.Value[:20]) {
		t.Errorf("stored: %q", stored)
	}
	second := h.logIn(t, first)
	if second.Value == first.Value || h.opens(first) != http.StatusUnauthorized || h.opens(second) != http.StatusOK {
		t.Error("a login leaves the session of before")
	}
	for what, value := range map[string]string{
		"planted":          "bhs_" + strings.Repeat("A", 43) + "00000000",
		"the stored hash":  h.column(t, `SELECT hash FROM sessions`)[0],
		"upper case":       strings.ToUpper(second.Value),
		"something behind": second.Value + "x",
		"cut":              second.Value[:len(second.Value)-1],
	} {
		planted := &http.Cookie{Name: second.Name, Value: value}
		if h.opens(planted) != http.StatusUnauthorized {
			t.Errorf("%s: the cookie opens the door", what)
		}
		if got := h.logIn(t, planted); got.Value == value || h.opens(planted) != http.StatusUnauthorized {
			t.Errorf("%s: the cookie opens the door after a login", what)
		}
	}
	copied := *second
	r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/logout", Session: second})
	if r.Status >= 400 || h.opens(&copied) != http.StatusUnauthorized {
		t.Errorf("a copy of the cookie survives the logout: %d", r.Status)
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	t.Parallel()
	const idle, absolute = time.Hour, 5 * time.Hour
	h := newHead(t, servertest.WithConfig(func(c *server.Config) {
		c.Main.SessionIdle, c.Main.SessionMaxAge = server.Duration(idle), server.Duration(absolute)
	}))
	h.newUser(t, "alice", identity.RoleUser)
	unused, used := h.logIn(t, nil), h.logIn(t, nil)
	for range 5 {
		if got := h.opens(used); got != http.StatusOK {
			t.Fatalf("a session in use: %d", got)
		}
		h.clock.Advance(idle - time.Minute)
	}
	if got := h.opens(unused); got != http.StatusUnauthorized {
		t.Errorf("a session that nobody uses: %d", got)
	}
	if got := h.opens(used); got != http.StatusOK {
		t.Errorf("before its end: %d", got)
	}
	h.clock.Advance(6 * time.Minute)
	if got := h.opens(used); got != http.StatusUnauthorized {
		t.Errorf("after five hours, however busy: %d", got)
	}
}

// TestSessionsEndWithWhatTheyStandOn: password, account.
func TestSessionsEndWithWhatTheyStandOn(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*testing.T, *head){
		"the password changes": func(t *testing.T, h *head) {
			t.Helper()
			h.update(t, identity.Update{Password: ptr("another password entirely")})
		},
		"the user is disabled": func(t *testing.T, h *head) { t.Helper(); h.update(t, identity.Update{Disabled: ptr(true)}) },
		"the user is deleted": func(t *testing.T, h *head) {
			t.Helper()
			if err := h.Server.Users().Delete(t.Context(), servertest.Local(), "alice"); err != nil {
				t.Fatal(err)
			}
		},
		"the user is made anew": func(t *testing.T, h *head) {
			t.Helper()
			if err := h.Server.Users().Delete(t.Context(), servertest.Local(), "alice"); err != nil {
				t.Fatal(err)
			}
			h.newUser(t, "alice", identity.RoleAdmin)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := newHead(t)
			h.newUser(t, "alice", identity.RoleUser)
			a, b := h.logIn(t, nil), h.logIn(t, nil)
			if h.opens(a) != http.StatusOK || h.opens(b) != http.StatusOK {
				t.Fatal("the sessions were never good")
			}
			change(t, h)
			if h.opens(a) != http.StatusUnauthorized || h.opens(b) != http.StatusUnauthorized {
				t.Error("a session has survived")
			}
		})
	}
}

func (h *head) update(t *testing.T, up identity.Update) {
	t.Helper()
	if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "alice", up); err != nil {
		t.Fatal(err)
	}
}

// TestASessionMayDoWhatItsUserMayNow: rights are not in the cookie.
func TestASessionMayDoWhatItsUserMayNow(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.User(identity.RoleFullAdmin)
	h.newUser(t, "alice", identity.RoleFullAdmin)
	h.update(t, identity.Update{Password: ptr("correct horse battery alice")})
	c := h.logIn(t, nil)
	nodes := func() int { return h.Do(servertest.Call{Path: "/api/v1/admins", Session: c}).Status }
	if got := nodes(); got != http.StatusOK {
		t.Fatalf("as an administrator: %d", got)
	}
	h.update(t, identity.Update{Roles: &[]identity.Role{identity.RoleUser}})
	if got := nodes(); got != http.StatusForbidden && got != http.StatusUnauthorized {
		t.Errorf("as an administrator no more: %d", got)
	}
}

// TestASessionIDDiesWithTheRightsItWasGivenFor: who had a copy of a cookie does not rise with its owner. Requests that
// are on their way when it changes get through.
func TestASessionIDDiesWithTheRightsItWasGivenFor(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.newUser(t, "alice", identity.RoleUser)
	copied := h.logIn(t, nil)
	h.update(t, identity.Update{Roles: &[]identity.Role{identity.RoleSupport}})
	page := func(c *http.Cookie) (status int, next *http.Cookie) {
		r := h.Do(servertest.Call{Path: "/api/v1/whoami", Session: c})
		for _, line := range r.Header.Values("Set-Cookie") {
			var err error
			if next, err = http.ParseSetCookie(line); err != nil {
				t.Fatal(err)
			}
		}
		return r.Status, next
	}
	status, next := page(copied)
	if status != http.StatusOK || next == nil || next.Value == copied.Value || !next.HttpOnly || next.Path != "/" || next.MaxAge <= 0 {
		t.Fatalf("the first request with other rights: %d, cookie %v", status, next)
	}
	if status, other := page(next); status != http.StatusOK || other != nil {
		t.Errorf("the new cookie: %d, and again another one %v", status, other)
	}
	if status, other := page(copied); status != http.StatusOK || other != nil {
		t.Errorf("a request on its way with the old one: %d, %v", status, other)
	}
	h.clock.Advance(31 * time.Second)
	if h.opens(copied) != http.StatusUnauthorized || h.opens(next) != http.StatusOK {
		t.Error("half a minute later, the old cookie opens the door, or the new one does not")
	}
	if stored := h.column(t, `SELECT hash || former FROM sessions`); len(stored) != 1 || strings.Contains(stored[0], next.Value[4:24]) {
		t.Errorf("stored: %q", stored)
	}
}

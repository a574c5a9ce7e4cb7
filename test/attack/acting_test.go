package attack_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// impersonate begins to act as a user in the browser with that cookie.
func (h *head) impersonate(c *http.Cookie, user string) servertest.Reply {
	return h.Do(servertest.Call{Method: http.MethodPost, Path: "/impersonate", Session: c, Type: "application/x-www-form-urlencoded", Body: "user=" + user})
}

func cookieOf(t *testing.T, r servertest.Reply) *http.Cookie {
	t.Helper()
	for _, line := range r.Header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Value != "" {
			return c
		}
	}
	t.Fatalf("no cookie: %d %s", r.Status, r.Body)
	return nil
}

// TestActingInTheBrowserIsNoWayUp: who acts as somebody in a session has that one's rights, less what would let him stay.
func TestActingInTheBrowserIsNoWayUp(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.newUser(t, "alice", identity.RoleWareManager)
	h.update(t, identity.Update{Password: ptr("correct horse battery alice")})
	h.newUser(t, "engineer", identity.RoleProductionEngineer)
	h.newUser(t, "other", identity.RoleProductionEngineer)
	h.newUser(t, "sleeper", identity.RoleAuthUser)
	if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "sleeper", identity.Update{Disabled: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	own := h.logIn(t, nil)
	for _, user := range []string{"alice", h.User(identity.RoleFullAdmin), "nobody", "sleeper", ""} {
		if r := h.impersonate(own, user); r.Status < 400 || r.Status >= 500 || len(r.Header.Values("Set-Cookie")) > 0 {
			t.Errorf("alice acts as %q: %d %s", user, r.Status, r.Body)
		}
	}
	acting := cookieOf(t, h.impersonate(own, "engineer"))
	if acting.Value == own.Value || h.opens(own) != http.StatusUnauthorized || h.opens(acting) != http.StatusOK {
		t.Error("the session of before is still good, or the new one is not")
	}
	before := h.tables(t)
	for what, c := range map[string]servertest.Call{
		"acting on": {Method: http.MethodPost, Path: "/impersonate", Type: "application/x-www-form-urlencoded", Body: "user=other"}, "a token": {Method: http.MethodPost, Path: "/api/v1/admin/engineer/token", Body: "{}"},
		"a token of the pages": {Path: "/frontend/jwt/?username=engineer"}, "the password": {Method: http.MethodPatch, Path: "/api/v1/admin/engineer", Body: `{"password":"another password"}`},
		"the keys": {Method: http.MethodPatch, Path: "/api/v1/admin/engineer", Body: `{"keys":[]}`}, "a second factor": {Method: http.MethodPost, Path: "/api/v1/admin/engineer/totp", Body: "{}"},
		"a user": {Method: http.MethodPost, Path: "/api/v1/admins", Body: `{"name":"x","roles":["role.AuthUser"]}`}, "what the other may not": {Method: http.MethodPost, Path: "/api/v1/keys/rotate", Body: "{}"},
	} {
		c.Session = acting
		if r := h.Do(c); r.Status < 400 || r.Status >= 500 {
			t.Errorf("%s: %d %s", what, r.Status, r.Body)
		}
	}
	if h.tables(t) != before {
		t.Error("something has changed")
	}
	stopped := cookieOf(t, h.Do(servertest.Call{Method: http.MethodPost, Path: "/impersonate/stop", Session: acting}))
	if stopped.Value == acting.Value || stopped.Value == own.Value || h.opens(acting) != http.StatusUnauthorized || h.opens(own) != http.StatusUnauthorized || h.opens(stopped) != http.StatusOK {
		t.Error("after the stop an older session is good, or the new one is not")
	}
	if r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/impersonate/stop", Session: stopped}); r.Status < 400 || r.Status >= 500 {
		t.Errorf("a second stop: %d %s", r.Status, r.Body)
	}
	// A token is no session: the cookie would be one for whoever has the token, for longer than that lives.
	if r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/impersonate", Token: h.Token(identity.RoleFullAdmin), Type: "application/x-www-form-urlencoded", Body: "user=engineer"}); r.Status < 400 || r.Status >= 500 {
		t.Errorf("acting with a token: %d %s", r.Status, r.Body)
	}
}

// TestActingEndsWithTheRightToIt: the actor is demoted, disabled or deleted, or the other is raised; and it ends by itself.
func TestActingEndsWithTheRightToIt(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*testing.T, *head){
		"demoted": func(t *testing.T, h *head) {
			t.Helper()
			h.update(t, identity.Update{Roles: &[]identity.Role{identity.RoleAuthUser}})
		},
		"disabled": func(t *testing.T, h *head) { t.Helper(); h.update(t, identity.Update{Disabled: ptr(true)}) },
		"deleted": func(t *testing.T, h *head) {
			t.Helper()
			if err := h.Server.Users().Delete(t.Context(), servertest.Local(), "alice"); err != nil {
				t.Fatal(err)
			}
		},
		"new password": func(t *testing.T, h *head) {
			t.Helper()
			h.update(t, identity.Update{Password: ptr("another password entirely")})
		},
		"the other is raised": func(t *testing.T, h *head) {
			t.Helper()
			if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "engineer", identity.Update{Roles: &[]identity.Role{identity.RoleFullAdmin}}); err != nil {
				t.Fatal(err)
			}
		},
		"the other is disabled": func(t *testing.T, h *head) {
			t.Helper()
			if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "engineer", identity.Update{Disabled: ptr(true)}); err != nil {
				t.Fatal(err)
			}
		},
		"time": func(_ *testing.T, h *head) { h.clock.Advance(13 * time.Hour) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := newHead(t)
			h.User(identity.RoleFullAdmin)
			h.newUser(t, "alice", identity.RoleWareManager)
			h.update(t, identity.Update{Password: ptr("correct horse battery alice")})
			h.newUser(t, "engineer", identity.RoleProductionEngineer)
			acting := cookieOf(t, h.impersonate(h.logIn(t, nil), "engineer"))
			if got := h.opens(acting); got != http.StatusOK {
				t.Fatalf("acting: %d", got)
			}
			change(t, h)
			if got := h.opens(acting); got != http.StatusUnauthorized {
				t.Errorf("still acting: %d", got)
			}
		})
	}
}

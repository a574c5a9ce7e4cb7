package test_test

import (
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// browser is somebody at the pages: it keeps the session's cookie as it is told.
type browser struct {
	t      *testing.T
	h      *servertest.Harness
	cookie *http.Cookie
}

func (b *browser) do(method, path, body string) servertest.Reply {
	b.t.Helper()
	call := servertest.Call{Method: method, Path: path, Body: body, Session: b.cookie}
	if body != "" && !strings.HasPrefix(body, "{") {
		call.Type = "application/x-www-form-urlencoded"
	}
	r := b.h.Do(call)
	for _, line := range r.Header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == access.SessionCookie {
			b.cookie = c
		}
	}
	return r
}

// must is do with a status that has to come.
func (b *browser) must(status int, method, path, body string) servertest.Reply {
	b.t.Helper()
	r := b.do(method, path, body)
	if r.Status != status {
		b.t.Fatalf("%s %s: %d %s, want %d", method, path, r.Status, r.Body, status)
	}
	return r
}

// opens reports whether a cookie is good for anything.
func opens(h *servertest.Harness, c *http.Cookie) bool {
	return h.Do(servertest.Call{Path: "/api/v1/whoami", Session: c}).Status == http.StatusOK
}

const sessionPassword = "correct horse battery staple"

// account makes a user with a password.
func account(t *testing.T, h *servertest.Harness, name string, role identity.Role) {
	t.Helper()
	_, err := h.Server.Users().Create(t.Context(), servertest.Local(), identity.NewUser{Name: name, Roles: []identity.Role{role}, Password: sessionPassword})
	if err != nil {
		t.Fatal(err)
	}
}

// logIn logs a user in with whatever cookie the browser has.
func (b *browser) logIn(name string) {
	b.t.Helper()
	b.must(http.StatusFound, http.MethodPost, "/login", url.Values{"username": {name}, "password": {sessionPassword}}.Encode())
}

// TestNoSessionIDSurvivesAChangeOfWhoIsBehindIt goes through a browser's life; each change leaves a dead copy behind.
func TestNoSessionIDSurvivesAChangeOfWhoIsBehindIt(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	account(t, h, "boss", identity.RoleAdmin)
	account(t, h, "mallory", identity.RoleUser)
	account(t, h, "alice", identity.RoleUser)
	mallory := &browser{t: t, h: h}
	mallory.logIn("mallory")

	b := &browser{t: t, h: h, cookie: mallory.cookie} // planted
	steps := []struct {
		name string
		do   func()
		user string // who it is afterwards, "" for nobody
	}{
		{"login", func() { b.logIn("boss") }, "boss"},
		{"login again", func() { b.logIn("boss") }, "boss"},
		{"acting", func() { b.must(http.StatusSeeOther, http.MethodPost, "/impersonate", "user=alice") }, "alice"},
		{"stop acting", func() { b.must(http.StatusSeeOther, http.MethodPost, "/impersonate/stop", "") }, "boss"},
		{"acting again", func() { b.must(http.StatusSeeOther, http.MethodPost, "/impersonate", `{"user": "alice"}`) }, "alice"},
		{"logout", func() { b.must(http.StatusOK, http.MethodPost, "/logout", "") }, ""},
	}
	secret := regexp.MustCompile(`^bhs_[A-Za-z0-9_-]{43}[0-9a-f]{8}$`)
	for _, s := range steps {
		before := b.cookie
		s.do()
		if opens(h, before) {
			t.Errorf("%s: the cookie of before still opens", s.name)
		}
		if s.user == "" {
			if b.cookie.MaxAge >= 0 || b.cookie.Value != "" {
				t.Errorf("%s: the browser keeps %v", s.name, b.cookie)
			}
			continue
		}
		if !secret.MatchString(b.cookie.Value) || !b.cookie.HttpOnly || b.cookie.SameSite != http.SameSiteLaxMode || b.cookie.Path != "/" {
			t.Errorf("%s: cookie %v holds more than a secret, or is not guarded", s.name, b.cookie)
		}
		if r := b.must(http.StatusOK, http.MethodGet, "/api/v1/whoami", ""); !strings.Contains(r.Body, `"name":"`+s.user+`"`) {
			t.Errorf("%s: %s", s.name, r.Body)
		}
	}
}

func TestActingOverHTTPIsBoundedAndNamesBoth(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	boss := &browser{t: t, h: h, cookie: h.Session(identity.RoleFullAdmin)}
	deputy := h.User(identity.RoleWareManager)
	boss.must(http.StatusSeeOther, http.MethodPost, "/impersonate", "user="+deputy)
	var me struct {
		Data struct {
			Token struct {
				Type, Actor    string
				ImpersonatedBy string `json:"impersonated_by"`
			}
		}
	}
	boss.must(http.StatusOK, http.MethodGet, "/api/v1/whoami", "").Decode(t, &me)
	name := h.User(identity.RoleFullAdmin)
	if c := me.Data.Token; c.Type != "session" || c.Actor != name || c.ImpersonatedBy != name {
		t.Errorf("whoami: %+v", c)
	}
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/v1/admin/" + deputy + "/token", "{}"},
		{"POST", "/api/v1/admin/" + h.User(identity.RoleProductionEngineer) + "/token", "{}"},
		{"GET", "/frontend/jwt/?username=" + deputy, ""},
		{"POST", "/impersonate", "user=" + h.User(identity.RoleProductionEngineer)},
		{"PATCH", "/api/v1/admin/" + deputy, `{"keys": ["ssh-ed25519 AAAA x"]}`},
		{"PATCH", "/api/v1/admin/" + deputy, `{"password": "mine"}`},
		{"PATCH", "/api/v1/admin/" + h.User(identity.RoleProductionEngineer), `{"roles": []}`},
		{"POST", "/api/v1/admins", `{"name": "new", "roles": ["role.AuthUser"]}`},
		{"DELETE", "/api/v1/admin/" + h.User(identity.RoleProductionEngineer), ""},
		{"DELETE", "/api/v1/sessions", ""},
	} {
		if r := boss.do(c.method, c.path, c.body); r.Status != http.StatusForbidden && r.Status != http.StatusUnauthorized {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, r.Status, r.Body)
		}
	}
	boss.must(http.StatusSeeOther, http.MethodPost, "/impersonate/stop", "")
	engineer := h.User(identity.RoleProductionEngineer)
	boss.must(http.StatusSeeOther, http.MethodPost, "/impersonate", "user="+engineer)
	boss.must(http.StatusOK, http.MethodPost, "/api/v1/nodes", `{"mac": "11:22:33:44:55:66"}`)

	db, err := sql.Open("sqlite", filepath.Join(h.Dir, "job.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for action, as := range map[string]string{"session.act": deputy, "session.return": deputy, "node.create": engineer} {
		var actor, subject string
		row := db.QueryRowContext(t.Context(), `SELECT actor, subject FROM audit_records WHERE action = ? ORDER BY seq LIMIT 1`, action)
		if err := row.Scan(&actor, &subject); err != nil || actor != name || subject != as {
			t.Errorf("%s was done by %q as %q, %v", action, actor, subject, err)
		}
	}
}

func TestActingNeedsASessionAndItsOwnSite(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	user := h.User(identity.RoleUser)
	if r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/impersonate", Token: h.Token(identity.RoleFullAdmin), Body: `{"user": "` + user + `"}`}); r.Status != http.StatusBadRequest {
		t.Errorf("with a token: %d %s", r.Status, r.Body)
	}
	cookie := h.Session(identity.RoleAdmin)
	for _, site := range []string{"cross-site", "same-site"} {
		for _, path := range []string{"/impersonate", "/impersonate/stop", "/logout", "/oauth/revoke"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+path, strings.NewReader("user="+user))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", site)
			r.AddCookie(cookie)
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden || !opens(h, cookie) {
				t.Errorf("%s from %s: %d", path, site, resp.StatusCode)
			}
		}
	}
}

func TestSessionsFallWithThePasswordAndTheLimit(t *testing.T) {
	t.Parallel()
	h := servertest.New(t, servertest.WithConfig(func(c *server.Config) { c.Main.SessionLimit = 2 }))
	account(t, h, "alice", identity.RoleUser)
	var all [3]*browser
	for i := range all {
		all[i] = &browser{t: t, h: h}
		all[i].logIn("alice")
	}
	if opens(h, all[0].cookie) || !opens(h, all[1].cookie) || !opens(h, all[2].cookie) {
		t.Error("of three logins, where two may be, not the oldest has ended")
	}
	pw := "another horse battery staple"
	if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "alice", identity.Update{Password: &pw}); err != nil {
		t.Fatal(err)
	}
	for i, b := range all {
		if opens(h, b.cookie) {
			t.Errorf("session %d has outlived the password", i)
		}
	}
}

// TestCredentialsCountOnlyWhereTheyBelong presents good credentials in wrong places.
func TestCredentialsCountOnlyWhereTheyBelong(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	tok, cookie := h.Token(identity.RoleAPI), h.Session(identity.RoleUser)
	for name, edit := range map[string]func(*http.Request){
		"token in the query":        func(r *http.Request) { r.URL.RawQuery = url.Values{"access_token": {tok}}.Encode() },
		"token in a cookie":         func(r *http.Request) { r.AddCookie(&http.Cookie{Name: access.SessionCookie, Value: tok}) },
		"session as a token":        func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+cookie.Value) },
		"session in the query":      func(r *http.Request) { r.URL.RawQuery = url.Values{"session": {cookie.Value}}.Encode() },
		"session in another cookie": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "Session", Value: cookie.Value}) },
		"two tokens": func(r *http.Request) {
			r.Header["Authorization"] = []string{"Bearer " + tok, "Bearer " + tok}
		},
		"a bad token beside a good session": func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer x.y.z")
			r.AddCookie(cookie)
		},
		"a session's id": func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: access.SessionCookie, Value: cookie.Value[:20]})
		},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/api/v1/whoami", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		edit(r)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
}

func TestUnderTLSTheCookieIsBoundToTheHost(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	account(t, h, "alice", identity.RoleUser)
	secure := httptest.NewTLSServer(h.Server.Handler())
	t.Cleanup(secure.Close)
	client := secure.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.PostForm(secure.URL+"/login", url.Values{"username": {"alice"}, "password": {sessionPassword}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	set := resp.Cookies()
	if len(set) != 1 || set[0].Name != access.HostCookie || !set[0].Secure || set[0].Path != "/" || set[0].Domain != "" {
		t.Fatalf("cookies %v", set)
	}
	if got := resp.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=") {
		t.Errorf("Strict-Transport-Security is %q", got)
	}
	if !opens(h, set[0]) {
		t.Error("the cookie opens nothing")
	}
}

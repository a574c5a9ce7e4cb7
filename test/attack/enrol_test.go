package attack_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/pquerna/otp/totp"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// TestWhoNeedsASecondFactorDoesNothingBeforeHeHasOne: with a password alone, an administrator's account opens one door,
// behind which he sets up his codes.
func TestWhoNeedsASecondFactorDoesNothingBeforeHeHasOne(t *testing.T) {
	t.Parallel()
	h := newHead(t, servertest.WithConfig(func(c *server.Config) { c.Auth.TOTP.RequiredRoles = []string{"admin", "role.FullAdmin"} }))
	old := h.newUser(t, "alice", identity.RoleAdmin, identity.RoleAPI)
	user, script := h.newUser(t, "bob", identity.RoleUser), h.Token(identity.RoleFullAdmin)
	cookie := h.logIn(t, nil)
	for _, by := range []servertest.Call{{Token: old}, {Session: cookie}} {
		for _, c := range []struct{ method, path, body string }{
			{http.MethodGet, "/api/v1/admins", ""},
			{http.MethodGet, "/api/jobs/", ""},
			{http.MethodGet, "/api/v1/nodes", ""},
			{http.MethodGet, "/api/v1/tokens", ""},
			{http.MethodGet, "/api/v1/audit", ""},
			{http.MethodPost, "/api/v1/admin/alice/token", "{}"},
			{http.MethodPost, "/api/v1/admin/bob/token", "{}"},
			{http.MethodPatch, "/api/v1/admin/alice", `{"keys":["ssh-ed25519 AAAA x"]}`},
			{http.MethodPatch, "/api/v1/admin/alice", `{"roles":["user"]}`},
			{http.MethodPatch, "/api/v1/admin/alice", `{"password":"mine"}`},
			{http.MethodGet, "/api/v1/admin/bob/totp", ""},
			{http.MethodPost, "/impersonate", `{"user":"bob"}`},
			{http.MethodGet, "/frontend/jwt/?username=alice", ""},
			{http.MethodPost, "/api/write/?cluster=x", "a,hostname=b value=1 1\n"},
		} {
			by.Method, by.Path, by.Body = c.method, c.path, c.body
			if r := h.Do(by); r.Status != http.StatusForbidden && r.Status != http.StatusUnauthorized && !strings.Contains(r.Body, `"data":[]`) {
				t.Errorf("%s %s: %d %s", c.method, c.path, r.Status, r.Body)
			}
		}
	}
	if r := h.whoami(old); r.Status != http.StatusOK || !strings.Contains(r.Body, `"totp_required":true`) || !strings.Contains(r.Body, `"permissions":[]`) {
		t.Errorf("whoami: %d %s", r.Status, r.Body)
	}
	if r := h.call(http.MethodGet, "/api/v1/admins", old, ""); !strings.Contains(r.Body, "second factor") {
		t.Errorf("he is not told what to do: %s", r.Body)
	}
	login := h.call(http.MethodPost, "/api/v1/login", "", `{"username":"alice","password":"correct horse battery alice"}`)
	if said := payloadOf(t, login); strings.Contains(said, `admin`) || !strings.Contains(said, `"roles":[]`) {
		t.Errorf("a metric store that has the key alone would believe %s", said)
	}
	for what, raw := range map[string]string{"who has another role": user, "who has no password": script} {
		if r := h.whoami(raw); strings.Contains(r.Body, "totp_required") || strings.Contains(r.Body, `"permissions":[]`) {
			t.Errorf("%s: %s", what, r.Body)
		}
	}
	want(t, "acting as him", h.actAs(script, "alice"), http.StatusOK)

	var begun struct{ Data struct{ Secret string } }
	h.call(http.MethodPost, "/api/v1/admin/alice/totp", old, "").Decode(t, &begun)
	want(t, "begun is not done", h.call(http.MethodGet, "/api/v1/admins", old, ""), http.StatusForbidden)
	code, err := totp.GenerateCode(begun.Data.Secret, h.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/admin/alice/totp/confirm", Session: cookie, Body: `{"code":"` + code + `"}`})
	want(t, "confirmed in the browser", r, http.StatusOK)
	want(t, "then", h.call(http.MethodGet, "/api/v1/admins", old, ""), http.StatusOK)
	if r := h.Do(servertest.Call{Path: "/api/v1/admins", Session: cookie}); r.Status != http.StatusOK || r.Header.Get("Set-Cookie") == "" {
		t.Errorf("in the browser: %d, cookie %q: it is to have another one", r.Status, r.Header.Get("Set-Cookie"))
	}
	want(t, "removed by an administrator", h.call(http.MethodDelete, "/api/v1/admin/alice/totp", script, ""), http.StatusOK)
	want(t, "and so from the beginning", h.call(http.MethodGet, "/api/v1/admins", old, ""), http.StatusForbidden)
}

// payloadOf returns what the access token of a login says.
func payloadOf(t *testing.T, login servertest.Reply) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(accessToken(t, login), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

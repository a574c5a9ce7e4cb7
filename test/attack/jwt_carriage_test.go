package attack_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// How a good token is carried to the door, and when it is no longer good.

func std64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func inTheQuery(t *testing.T, h *head) {
	t.Helper()
	good := h.sign(plain, foreign())
	for _, name := range []string{"access_token", "token", "jwt", "Authorization", "auth", "X-Auth-Token"} {
		for _, path := range []string{"/api/v1/cluster", "/api/clusters/"} {
			if r := h.Do(get(path + "?" + name + "=" + url.QueryEscape(good))); r.Status != http.StatusUnauthorized && r.Status != http.StatusBadRequest {
				t.Errorf("%s in %s: %d", name, path, r.Status)
			}
		}
	}
}

func inACookie(t *testing.T, h *head) {
	t.Helper()
	good := h.sign(plain, foreign())
	for _, name := range []string{access.SessionCookie, "__Host-session", "token", "access_token", "jwt", "Authorization"} {
		r := h.Do(servertest.Call{Path: "/api/v1/whoami", Session: &http.Cookie{Name: name, Value: good}})
		want(t, name, r, http.StatusUnauthorized)
	}
}

func inTheBody(t *testing.T, h *head) {
	t.Helper()
	good := h.sign(plain, foreign())
	for _, field := range []string{"access_token", "token"} {
		want(t, field, h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/jobs/start_job/", Body: `{"` + field + `":"` + good + `"}`}), http.StatusUnauthorized)
		want(t, field+" in a form", h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/jobs/start_job/", Type: "application/x-www-form-urlencoded", Body: field + "=" + good}), http.StatusUnauthorized)
	}
}

func twoHeaders(t *testing.T, h *head) {
	t.Helper()
	good := "Authorization: Bearer " + h.sign(plain, foreign())
	for what, headers := range map[string][]string{
		"the same twice": {good, good}, "good and bad": {good, "Authorization: Bearer x"}, "bad and good": {"Authorization: Bearer x", good}, "good and empty": {good, "Authorization:"},
		"empty and good": {"Authorization:", good}, "Basic and good": {"Authorization: Basic eDp5", good},
	} {
		if got := h.send(t, headers...); got != http.StatusUnauthorized && got != http.StatusBadRequest {
			t.Errorf("%s: %d", what, got)
		}
	}
}

// differentHeaders presents a good and a bad token in the two headers that carry one. What decides must not depend on
// which of them somebody in between looks at: two that differ are refused.
func differentHeaders(t *testing.T, h *head) {
	t.Helper()
	good, other := h.sign(plain, foreign()), h.Token(identity.RoleUser)
	for what, headers := range map[string][]string{
		"bad Authorization": {"Authorization: Bearer x", "X-Auth-Token: " + good}, "bad X-Auth-Token": {"Authorization: Bearer " + good, "X-Auth-Token: x"},
		"another's": {"Authorization: Bearer " + other, "X-Auth-Token: " + good}, "and the other way round": {"Authorization: Bearer " + good, "X-Auth-Token: " + other},
	} {
		if got := h.send(t, headers...); got != http.StatusUnauthorized {
			t.Errorf("%s: %d", what, got)
		}
	}
	// A bad token is not saved by a good session.
	r := h.Do(servertest.Call{Path: "/api/v1/whoami", Token: "x", Session: h.Session(identity.RoleUser)})
	want(t, "bad token, good session", r, http.StatusUnauthorized)
}

func bearerCases(t *testing.T, h *head) {
	t.Helper()
	good := h.sign(plain, foreign())
	for _, header := range []string{"Authorization: Bearer ", "Authorization: bearer ", "AUTHORIZATION: BEARER ", "authorization: bEARER ", "Authorization: ", "X-Auth-Token: ", "x-auth-token: "} {
		if got := h.send(t, header+good); got != http.StatusOK {
			t.Errorf("%s: %d", header, got)
		}
	}
}

func otherSchemes(t *testing.T, h *head) {
	t.Helper()
	good := h.sign(plain, foreign())
	for _, scheme := range []string{"Basic ", "Digest ", "Negotiate ", "Token ", "JWT ", "Bearer:", "Bearer=", "Bearer, ", "DPoP ", "Bearer Bearer "} {
		if got := h.send(t, "Authorization: "+scheme+good); got != http.StatusUnauthorized {
			t.Errorf("%s: %d", scheme, got)
		}
	}
}

// revokedOtherwise writes a revoked token so that its bytes are others and its meaning is the same.
func revokedOtherwise(t *testing.T, h *head) {
	t.Helper()
	m := h.Mint(token.MintRequest{For: victim})
	want(t, "before", h.whoami(m.Text), http.StatusOK)
	want(t, "revoke", h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/logout", Token: m.Text}), http.StatusOK)
	ours := h.ours(`"jti":"j1"`, `"jti":"`+m.ID+`"`) // even signed again, with the stolen key
	for what, raw := range map[string]string{
		"as it was": m.Text, "padded": m.Text + "=", "unused bits": unused(m.Text), "signed again": h.sign(plain, ours), "other header": h.sign(`{"alg":"Ed25519"}`, ours),
		"blanks": h.sign(plain, " "+ours+" "), "escaped jti": h.sign(plain, h.ours(`"jti":"j1"`, `"jti":"\u00`+hexByte(m.ID[0])+m.ID[1:]+`"`)), "foreign": h.sign(plain, foreign(`"jti":"`+m.ID+`"`)),
	} {
		want(t, what, h.whoami(raw), http.StatusUnauthorized)
	}
	for _, suffix := range []string{"\n", "\r\n", "\x00", " x"} {
		if got := h.send(t, "Authorization: Bearer "+m.Text+suffix); got == http.StatusOK {
			t.Errorf("with %q behind: %d", suffix, got)
		}
	}
}

func hexByte(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

// recreated: the name is free again, the tokens of who had it before are not.
func recreated(t *testing.T, h *head) {
	t.Helper()
	m := h.Mint(token.MintRequest{For: victim})
	h.User(identity.RoleAdmin) // the last administrator cannot be deleted
	h.User(identity.RoleFullAdmin)
	want(t, "before", h.whoami(m.Text), http.StatusOK)
	if err := h.Server.Users().Delete(t.Context(), servertest.Local(), victim); err != nil {
		t.Fatal(err)
	}
	want(t, "deleted", h.whoami(m.Text), http.StatusUnauthorized)
	old := h.victim
	h.withVictim(t)
	want(t, "recreated", h.whoami(m.Text), http.StatusUnauthorized)
	fresh := h.Mint(token.MintRequest{For: victim})
	want(t, "of the new one", h.whoami(fresh.Text), http.StatusOK)
	h.victim = old
	want(t, "signed anew for the old one", h.whoami(h.sign(plain, h.ours())), http.StatusUnauthorized)
}

// renamed puts another name beside the id of the victim.
func renamed(t *testing.T, h *head) {
	t.Helper()
	other := h.User(identity.RoleUser)
	want(t, "own name", h.whoami(h.sign(plain, h.ours())), http.StatusOK)
	want(t, "another's name", h.whoami(h.sign(plain, h.ours(`"sub":"`+victim+`"`, `"sub":"`+other+`"`))), http.StatusUnauthorized)
	want(t, "no such id", h.whoami(h.sign(plain, h.ours(h.victim, "0123456789abcdef0123456789abcdef"))), http.StatusUnauthorized)
}

func refreshAsAccess(t *testing.T, h *head) {
	t.Helper()
	var login struct {
		Data struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
	}
	h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/login", Body: `{"username":"` + victim + `","password":"correct horse battery"}`}).Decode(t, &login)
	want(t, "access", h.whoami(login.Data.Access), http.StatusOK)
	want(t, "refresh", h.whoami(login.Data.Refresh), http.StatusUnauthorized)
	refresh := func(raw string) servertest.Reply {
		return h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/token/refresh", Token: raw})
	}
	want(t, "access token to refresh with", refresh(login.Data.Access), http.StatusUnauthorized)
	want(t, "refresh token to refresh with", refresh(login.Data.Refresh), http.StatusOK)
	h.clock.Advance(20 * time.Minute)
	want(t, "access, outlived", h.whoami(login.Data.Access), http.StatusUnauthorized)
}

// retiredKey: a key that signs no more still verifies what it has signed; one that is removed verifies nothing; and a key
// of another head never did.
func retiredKey(t *testing.T, h *head) {
	t.Helper()
	root := h.Token(identity.RoleFullAdmin)
	other := openHead(t)
	want(t, "another head's key and kid", h.whoami(other.sign(`{"alg":"EdDSA","kid":"`+other.kid+`"}`, foreign())), http.StatusUnauthorized)
	named := `{"alg":"EdDSA","kid":"` + h.kid + `"}`
	m := h.Mint(token.MintRequest{For: victim})
	want(t, "rotate", h.call(http.MethodPost, "/api/v1/keys/rotate", root, ""), http.StatusOK)
	want(t, "minted before", h.whoami(m.Text), http.StatusOK)
	want(t, "signed with the retired key", h.whoami(h.sign(named, h.ours())), http.StatusOK)
	root = h.Mint(token.MintRequest{For: h.User(identity.RoleFullAdmin)}).Text
	removed := h.call(http.MethodDelete, "/api/v1/key/"+h.kid+"?confirm=true", root, "")
	if removed.Status != http.StatusOK {
		t.Fatalf("remove: %d %s", removed.Status, removed.Body)
	}
	want(t, "minted before, its key removed", h.whoami(m.Text), http.StatusUnauthorized)
	want(t, "its id signed again", h.whoami(h.sign(named, h.ours(`"jti":"j1"`, `"jti":"`+m.ID+`"`))), http.StatusUnauthorized)
	for what, header := range map[string]string{"named": named, "not named": plain, "named as another": `{"alg":"EdDSA","kid":"` + other.kid + `"}`} {
		want(t, "signed with the removed key, "+what, h.whoami(h.sign(header, foreign())), http.StatusUnauthorized)
	}
	if jwks := h.Do(get("/.well-known/jwks.json")).Body; strings.Contains(jwks, h.kid) {
		t.Errorf("the removed key is published: %s", jwks)
	}
	want(t, "of the new key", h.whoami(root), http.StatusOK)
}

package attack_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// TestRefusalsAreAllAlike: a client is not told whether a token was forged, expired, revoked, from elsewhere, or whose
// account is gone.
func TestRefusalsAreAllAlike(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.withVictim(t)
	mint := func(user string, r token.MintRequest) string {
		if user != victim {
			h.newUser(t, user, identity.RoleAPI)
		}
		r.For = user
		return h.Mint(r).Text
	}
	short, revoked := mint("short", token.MintRequest{Lifetime: time.Second}), mint("revoked", token.MintRequest{})
	disabled, deleted := mint("disabled", token.MintRequest{}), mint("deleted", token.MintRequest{})
	elsewhere := mint("elsewhere", token.MintRequest{Narrowing: token.Narrowing{CIDRs: []string{"192.0.2.1"}}})
	h.clock.Advance(2 * time.Second)
	h.call(http.MethodPost, "/api/v1/logout", revoked, "")
	if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "disabled", identity.Update{Disabled: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	if err := h.Server.Users().Delete(t.Context(), servertest.Local(), "deleted"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/whoami", "/api/clusters/", "/oauth/introspect", "/metrics"} {
		method := http.MethodGet
		if path == "/oauth/introspect" {
			method = http.MethodPost
		}
		forged := h.call(method, path, h.sign(`{"alg":"none"}`, foreign()), "")
		want(t, "forged at "+path, forged, http.StatusUnauthorized)
		for what, raw := range map[string]string{"expired": short, "revoked": revoked, "of a disabled user": disabled, "of a deleted user": deleted, "from elsewhere": elsewhere} {
			r := h.call(method, path, raw, "")
			same := anonymous(r) == anonymous(forged) && r.Status == forged.Status && fmt.Sprint(r.Header["Www-Authenticate"]) == fmt.Sprint(forged.Header["Www-Authenticate"])
			if !same {
				t.Errorf("%s at %s: %d %s, forged: %d %s", what, path, r.Status, r.Body, forged.Status, forged.Body)
			}
		}
	}
}

// TestOneTimeCodesCannotBeReplayedGuessedOrSkipped at every door that takes a password.
func TestOneTimeCodesCannotBeReplayedGuessedOrSkipped(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	raw := h.newUser(t, "alice", identity.RoleUser)
	var begun struct{ Data struct{ Secret string } }
	h.call(http.MethodPost, "/api/v1/admin/alice/totp", raw, "").Decode(t, &begun)
	code := func() string {
		t.Helper()
		c, err := totp.GenerateCode(begun.Data.Secret, h.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	want(t, "confirmed with a wrong code", h.call(http.MethodPost, "/api/v1/admin/alice/totp/confirm", raw, `{"code":"000000"}`), http.StatusBadRequest)
	var confirmed struct {
		Data struct {
			Codes []string `json:"recovery_codes"`
		}
	}
	first := code()
	h.call(http.MethodPost, "/api/v1/admin/alice/totp/confirm", raw, `{"code":"`+first+`"}`).Decode(t, &confirmed)
	if len(confirmed.Data.Codes) < 2 {
		t.Fatal("no second factor")
	}
	login := func(code string) servertest.Reply {
		return h.call(http.MethodPost, "/api/v1/login", "", fmt.Sprintf(`{"username":"alice","password":"correct horse battery alice","code":%q}`, code))
	}
	want(t, "no code", login(""), http.StatusUnauthorized)
	want(t, "the code that confirmed", login(first), http.StatusUnauthorized)
	h.clock.Advance(31 * time.Second)
	second := code()
	want(t, "a fresh code", login(second), http.StatusOK)
	want(t, "the same again", login(second), http.StatusUnauthorized)
	h.clock.Advance(31 * time.Second)
	want(t, "and half a minute later", login(second), http.StatusUnauthorized)
	h.clock.Advance(20 * time.Minute) // the budget of failures is full again
	want(t, "a recovery code", login(confirmed.Data.Codes[0]), http.StatusOK)
	want(t, "the same again", login(confirmed.Data.Codes[0]), http.StatusUnauthorized)
	page := h.Do(servertest.Call{Method: http.MethodPost, Path: "/login", Type: "application/x-www-form-urlencoded", Body: "username=alice&password=correct+horse+battery+alice"})
	if page.Status != http.StatusUnauthorized || len(page.Header.Values("Set-Cookie")) > 0 {
		t.Errorf("the pages ask for no code: %d", page.Status)
	}
	h.clock.Advance(20 * time.Minute)
	tries := 0
	for i := range 50 {
		r := login(fmt.Sprintf("%06d", i))
		if r.Status == http.StatusTooManyRequests {
			break
		}
		tries++
	}
	if tries > 10 {
		t.Errorf("%d codes could be guessed", tries)
	}
	h.clock.Advance(40 * time.Minute)
	want(t, "removed without proof", h.call(http.MethodDelete, "/api/v1/admin/alice/totp", raw, ""), http.StatusBadRequest)
}

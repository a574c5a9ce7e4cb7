package ware_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"golang.org/x/crypto/ssh"

	"github.com/bridgehead-hpc/bridgehead/internal/api/ware"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
	"github.com/bridgehead-hpc/bridgehead/internal/sshsig"
)

// addLogins gives a world the ways to log in besides the password.
func (w *world) addLogins(c *ware.Config, passwords *authn.Passwords) {
	w.t.Helper()
	box, err := seal.New([]byte("0123456789abcdef"), "second factor")
	if err != nil {
		w.t.Fatal(err)
	}
	limiter := authn.NewLimiter(w.clock)
	factors := authn.NewFactors(authn.FactorsConfig{
		Store: w.store.Factors(), Users: w.users, Passwords: passwords, Limiter: limiter, Box: box, Clock: w.clock, Issuer: "head0",
	})
	logins := authn.NewService(authn.Config{
		Users: w.users, Passwords: passwords, Factors: factors, Limiter: limiter, Audit: w.store.Audit(), Clock: w.clock,
	})
	c.Logins, c.Factors, c.SingleSignOn = logins, factors, "Example University"
	if c.SSH, err = authn.NewKeyLogins(logins, "head0", []byte("0123456789abcdef")); err != nil {
		w.t.Fatal(err)
	}
}

func TestKeyLogsInAndGetsTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey())))}
	if _, err := w.users.Update(t.Context(), command, "reader", identity.Update{Keys: &keys}); err != nil {
		t.Fatal(err)
	}
	answer := func(user string, status int) envelope[object] {
		t.Helper()
		c := want[object](w, 200, call{"POST", "/api/v1/login/ssh/challenge", "", `{"username": "` + user + `", "fingerprint": "` + ssh.FingerprintSHA256(key.PublicKey()) + `"}`, ""})
		nonce, _ := c.Data["nonce"].(string)
		signature, err := sshsig.Sign(key, sshsig.Message("head0", user, nonce))
		if err != nil {
			t.Fatal(err)
		}
		return want[object](w, status, call{"POST", "/api/v1/login/ssh", "", `{"username": "` + user + `", "nonce": "` + nonce + `", "signature": "` + signature + `"}`, ""})
	}
	access, _ := answer("reader", 200).Data["access_token"].(string)
	if who := want[object](w, 200, call{"GET", "/api/v1/whoami", "token " + access, "", ""}); who.Data["name"] != "reader" {
		t.Errorf("%v", who.Data)
	}
	if e := answer("boss", 401); e.Reason != "the user, the challenge or the signature is not good" {
		t.Errorf("%+v", e)
	}
}

// The reply to a challenge says nothing about who exists.
func TestChallengesAllLookTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, user := range []string{"reader", "nobody", "locked", strings.Repeat("x", 500)} {
		c := want[object](w, 200, call{"POST", "/api/v1/login/ssh/challenge", "", `{"username": "` + user + `", "fingerprint": "SHA256:x"}`, ""})
		nonce, _ := c.Data["nonce"].(string)
		if len(c.Data) != 3 || len(nonce) != 75 || c.Data["head"] != "head0" || c.Data["expires"] != float64(w.clock.Now().Unix()+60) {
			t.Errorf("%.10s: %v", user, c.Data)
		}
	}
}

func TestSecondFactorFromBeginToEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = "/api/v1/admin/reader/totp"
	code := func(secret string) string {
		t.Helper()
		c, err := totp.GenerateCode(secret, w.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	login := func(status int, code string) envelope[object] {
		t.Helper()
		return want[object](w, status, call{"POST", "/api/v1/login", "", `{"username": "reader", "password": "secret of reader", "code": "` + code + `"}`, ""})
	}
	e := want[object](w, 200, call{"POST", path, "reader", "{}", ""})
	secret, _ := e.Data["secret"].(string)
	qr, _ := e.Data["qr"].(string)
	picture, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(qr, "data:image/png;base64,"))
	if err != nil || !strings.HasPrefix(string(picture), "\x89PNG") || !strings.HasPrefix(e.Data["uri"].(string), "otpauth://totp/head0:reader?") {
		t.Errorf("%v, %v", e.Data, err)
	}
	login(200, "")
	if s := want[object](w, 200, call{"GET", path, "reader", "", ""}); s.Data["enabled"] != false || s.Data["pending"] != true {
		t.Errorf("%v", s.Data)
	}
	codes := want[object](w, 200, call{"POST", path + "/confirm", "reader", `{"code": "` + code(secret) + `"}`, ""})
	recovery, _ := codes.Data["recovery_codes"].([]any)
	if len(recovery) != 10 {
		t.Fatalf("%v", codes.Data)
	}
	if s := want[object](w, 200, call{"GET", path, "reader", "", ""}); s.Data["since"] == nil {
		t.Errorf("it is not told since when: %v", s.Data)
	}
	if all := want[[]object](w, 200, call{"GET", "/api/v1/admins/totp", "manager", "", ""}); len(all.Data) != 1 || all.Data[0]["since"] == nil {
		t.Errorf("who has one: %v", all.Data)
	}
	want[any](w, 403, call{"GET", "/api/v1/admins/totp", "reader", "", ""})
	if r := login(401, ""); r.Reason != "a one-time code is required" {
		t.Errorf("%+v", r)
	}
	w.clock.Advance(time.Minute)
	login(200, code(secret))
	login(200, recovery[0].(string))
	if r := login(401, recovery[0].(string)); r.Reason != "the one-time code is wrong or has been used" {
		t.Errorf("%+v", r)
	}
	want[any](w, 400, call{"DELETE", path, "reader", "", ""})
	want[any](w, 200, call{"DELETE", path, "reader", `{"password": "secret of reader"}`, ""})
	login(200, "")
}

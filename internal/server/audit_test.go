package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// trailOf returns the whole trail, as an auditor exports it, and fails when it does not hold.
func trailOf(t *testing.T, h *servertest.Harness) []byte {
	t.Helper()
	r := h.Do(servertest.Call{Path: "/api/v1/audit?format=ndjson", Token: h.Token(identity.RoleFullAdmin)})
	if r.Status != http.StatusOK {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	v := audit.NewVerifier(audit.Head{})
	for line := range strings.Lines(r.Body) {
		rec, err := audit.ParseLine([]byte(strings.TrimSuffix(line, "\n")))
		if err == nil {
			err = v.Add(rec)
		}
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
	}
	return []byte(r.Body)
}

// eventually calls do until it succeeds.
func eventually(t *testing.T, do func() error) {
	t.Helper()
	var wall clock.System
	err := do()
	for deadline := wall.Now().Add(20 * time.Second); err != nil && wall.Now().Before(deadline); err = do() {
		<-wall.After(20 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// keeper knows every secret that was used, and looks for them.
type keeper struct {
	*servertest.Harness
	t       *testing.T
	secrets map[string]string
}

// call sends a request and fails unless it has that status.
func (k *keeper) call(status int, c servertest.Call) map[string]any {
	k.t.Helper()
	r := k.Do(c)
	if r.Status != status {
		k.t.Errorf("%s %s: %d %s, want %d", c.Method, c.Path, r.Status, r.Body, status)
	}
	var body struct{ Data map[string]any }
	_ = json.Unmarshal([]byte(r.Body), &body) // some replies are no JSON, or hold no object
	return body.Data
}

func (k *keeper) learn(what string, secret any) string {
	k.t.Helper()
	text, _ := secret.(string)
	if len(text) < 8 {
		k.t.Fatalf("%s: no secret: %v", what, secret)
	}
	k.secrets[what] = text
	return text
}

// TestNoSecretIsInTheTrail uses every kind of secret everywhere that one can be put in, rightly and wrongly, and looks for
// it in the trail: as it is, and in the forms in which bytes are written.
func TestNoSecretIsInTheTrail(t *testing.T) {
	t.Parallel()
	k := &keeper{servertest.New(t), t, map[string]string{}}
	k.learn("private key", k.Secrets.PrivateKey)
	k.learn("session key", string(k.Secrets.SessionKey))
	admin := k.learn("token", k.Token(identity.RoleFullAdmin))
	passwords(k, admin)
	tokens(k, admin)
	factors(k)
	sessions(k)
	everywhere(k)

	eventually(t, func() error {
		if n := bytes.Count(trailOf(t, k.Harness), []byte(`"request.refuse"`)); n < 20 {
			return fmt.Errorf("only %d refusals yet", n)
		}
		return nil
	})
	trail := trailOf(t, k.Harness)
	for what, secret := range k.secrets {
		forms := []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret)), url.QueryEscape(secret)}
		if parts := strings.Split(secret, "."); len(parts) == 3 {
			forms = append(forms, parts[1], parts[2]) // of a token, the signature alone makes it good again
		}
		for _, form := range forms {
			if i := bytes.Index(trail, []byte(form)); i >= 0 {
				t.Errorf("%s is in the trail: %s", what, lineAt(trail, i))
			}
		}
	}
	if found := regexp.MustCompile(`eyJ\w{5,}\.|bh[a-z]_\w{20,}|\$argon2|\$2[aby]\$|PRIVATE KEY`).Find(trail); found != nil {
		t.Errorf("something that looks like a secret is in the trail: %s", found)
	}
}

func lineAt(text []byte, i int) string {
	begin, end := bytes.LastIndexByte(text[:i], '\n')+1, bytes.IndexByte(text[i:], '\n')+i
	return string(text[begin:end])
}

// passwords are set, changed, right, wrong, and typed into the field of the name.
func passwords(k *keeper, admin string) {
	first, second := k.learn("first password", "canary-Pass-word-1"), k.learn("second password", "canary-Pass-word-2")
	guess, typed := k.learn("guess", "canary-guess-3"), k.learn("typed as name", "canary-typed-as-name-4")
	k.call(200, servertest.Call{Method: "POST", Path: "/api/v1/admins", Token: admin, Body: `{"name":"kate","roles":["role.AuthUser"],"password":"` + first + `"}`})
	k.call(200, servertest.Call{Method: "PATCH", Path: "/api/v1/admin/kate", Token: admin, Body: `{"password":"` + second + `"}`})
	k.call(401, servertest.Call{Method: "POST", Path: "/api/v1/login", Body: `{"username":"kate","password":"` + guess + `"}`})
	k.call(401, servertest.Call{Method: "POST", Path: "/api/v1/login", Body: `{"username":"` + typed + `","password":"x"}`})
	k.call(401, servertest.Call{Method: "POST", Path: "/login", Type: "application/x-www-form-urlencoded", Body: "username=" + typed + "&password=" + guess})
	k.call(401, servertest.Call{Method: "POST", Path: "/api/v1/login", Body: `{"username":"` + typed + `","password":"` + second + `"}`})
	got := k.call(200, servertest.Call{Method: "POST", Path: "/api/v1/login", Body: `{"username":"kate","password":"` + second + `"}`})
	k.learn("access token", got["access_token"])
	refresh := k.learn("refresh token", got["refresh_token"])
	k.call(200, servertest.Call{Method: "POST", Path: "/api/v1/token/refresh", Token: refresh})
	k.call(401, servertest.Call{Path: "/api/v1/whoami", Token: refresh})
}

// tokens are minted, inspected, pasted where their id belongs, revoked and used after that.
func tokens(k *keeper, admin string) {
	got := k.call(200, servertest.Call{Method: "POST", Path: "/api/v1/admin/kate/token", Token: admin, Body: `{"lifetime":"1h","name":"n"}`})
	acting := k.learn("impersonation token", got["access_token"])
	jti, _ := got["jti"].(string)
	k.call(200, servertest.Call{Method: "POST", Path: "/api/v1/tokens/inspect", Token: admin, Body: `{"token":"` + acting + `"}`})
	k.call(404, servertest.Call{Method: "POST", Path: "/api/v1/admin/" + acting + "/token", Token: k.Token(identity.RoleOnsiteEngineer)})
	k.call(404, servertest.Call{Method: "DELETE", Path: "/api/v1/token/" + acting, Token: admin})
	k.call(403, servertest.Call{Path: "/api/v1/audit?who=" + acting, Token: acting})
	k.call(200, servertest.Call{Method: "DELETE", Path: "/api/v1/token/" + jti, Token: admin})
	k.call(401, servertest.Call{Path: "/api/v1/whoami", Token: acting})
	k.call(401, servertest.Call{Path: "/api/v1/whoami?access_token=" + acting})
	forged := k.learn("forged token", acting[:len(acting)-8]+"canary__")
	k.call(401, servertest.Call{Path: "/api/v1/node/" + forged, Token: forged})
}

// factors are begun, confirmed, and used with codes that are right and wrong.
func factors(k *keeper) {
	as := k.call(200, servertest.Call{Method: "POST", Path: "/api/v1/login", Body: `{"username":"kate","password":"canary-Pass-word-2"}`})
	own := k.learn("second access token", as["access_token"])
	secret := k.learn("TOTP secret", k.call(200, servertest.Call{Method: "POST", Path: "/api/v1/admin/kate/totp", Token: own})["secret"])
	code, err := totp.GenerateCode(secret, clock.System{}.Now())
	if err != nil {
		k.t.Fatal(err)
	}
	r := k.Do(servertest.Call{Method: "POST", Path: "/api/v1/admin/kate/totp/confirm", Token: own, Body: `{"code":"` + code + `"}`})
	if r.Status != 200 {
		k.t.Fatalf("confirm: %d %s", r.Status, r.Body)
	}
	for i, m := range regexp.MustCompile(`"([A-Za-z0-9-]{9,})"`).FindAllStringSubmatch(r.Body[strings.Index(r.Body, `"data"`)+6:], -1) {
		k.secrets[fmt.Sprint("recovery code ", i)] = m[1]
	}
	if len(k.secrets) < 14 {
		k.t.Errorf("no recovery codes in %s", r.Body)
	}
	k.call(401, servertest.Call{Method: "POST", Path: "/api/v1/login", Body: `{"username":"kate","password":"canary-Pass-word-2"}`})
	k.call(401, servertest.Call{Method: "POST", Path: "/api/v1/login", Body: `{"username":"kate","password":"canary-Pass-word-2","code":"000000"}`})
}

// sessions are opened, copied and used after their end.
func sessions(k *keeper) {
	cookie := k.Session(identity.RoleAdmin)
	k.learn("session", cookie.Value)
	k.call(401, servertest.Call{Path: "/api/v1/whoami", Token: cookie.Value}) // in the wrong place
	k.call(200, servertest.Call{Method: "POST", Path: "/logout", Session: cookie})
	k.call(401, servertest.Call{Path: "/api/v1/whoami", Session: cookie})
	k.call(401, servertest.Call{Path: "/api/v1/node/" + cookie.Value})
}

// everywhere sends a token to every route that there is, in its path, its query, its body and as credential.
func everywhere(k *keeper) {
	wildcard := regexp.MustCompile(`\{[^}]*\}`)
	minted := k.learn("token everywhere", k.Mint(token.MintRequest{For: k.User(identity.RoleNoAccess)}).Text)
	for _, d := range k.Server.Dialects() {
		for _, rt := range d.Routes {
			for _, m := range rt.Methods {
				path := wildcard.ReplaceAllString(rt.Path, minted)
				if m+" "+rt.Path == "POST /api/v1/logout" || strings.Contains(path, "revo") {
					continue // it would be none any more
				}
				k.Do(servertest.Call{Method: m, Path: path + "?token=" + minted, Token: minted, Body: fmt.Sprintf(
					`{"token":%[1]q,"username":%[1]q,"name":%[1]q,"password":%[1]q,"code":%[1]q,"refresh_token":%[1]q}`, minted)})
			}
		}
	}
}

package attack_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pquerna/otp/totp"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
	"github.com/bridgehead-hpc/bridgehead/test/program"
)

// TestSecretsStayWhereTheyBelong fills a head with secrets, uses and misuses each in every way that people and programs
// do, and then looks for them wherever they might have gone: files, logs of everything, replies, figures, process
// lists, and the dump of a process that is made to quit.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	p := program.New(t, program.Build(t, "cc-backend", "cw-adminctl"), t.TempDir(), "boss:role.FullAdmin,admin:canary-Password-of-boss-1", "worker:api:canary-Password-of-worker-1")
	p.Start()
	c := canaries{p: p, secrets: map[string]string{"password": "canary-Password-of-boss-1", "another password": "canary-Password-of-worker-1"}}
	c.keys()
	c.mint()
	misuses := c.misuse()
	c.tools()
	_, _, figures := c.do(request{method: http.MethodGet, path: "/metrics", header: bearer(c.secrets["access token"])})
	if !strings.Contains(figures, "go_goroutines") {
		t.Errorf("no figures: %.200s", figures)
	}
	c.look("figures", []byte(figures))
	c.lookAtProcess()
	p.Stop(syscall.SIGQUIT)
	if dump := p.Read("head.log"); !strings.Contains(dump, "goroutine ") || strings.Count(dump, "level=DEBUG") < misuses/2 && strings.Count(dump, "request") < misuses/2 {
		t.Error("the log has no lines of requests, or no dump: this test looks at nothing")
	}
	c.lookAtFiles()
	p.Start() // and what is written when a head goes down in order
	p.Stop(syscall.SIGTERM)
	c.lookAtFiles()
	t.Logf("%d secrets, each in %d forms; %d misuses", len(c.secrets), len(formsOf(c.secrets["password"])), misuses)
}

// canaries are secrets of a head.
type canaries struct {
	p       *program.Head
	secrets map[string]string
}

// request is a program.Request whose fields need no names: there are many.
type request struct {
	method, path, body string
	header             http.Header
}

func (c canaries) do(r request) (int, http.Header, string) {
	c.p.T.Helper()
	return c.p.Do(program.Request{Method: r.method, Path: r.path, Body: r.body, Header: r.header})
}

func bearer(raw string) http.Header { return program.Bearer(raw) }

// keys takes the head's own keys from .env, the only file that may have them.
func (c canaries) keys() {
	c.p.T.Helper()
	for _, m := range regexp.MustCompile(`(?m)^(JWT_PRIVATE_KEY|SESSION_KEY)="?([^"\n]+)"?$`).FindAllStringSubmatch(c.p.Read(".env"), -1) {
		c.secrets[m[1]] = m[2]
	}
	if len(c.secrets) != 4 {
		c.p.T.Fatalf("no keys in .env: %v", slices.Sorted(maps.Keys(c.secrets)))
	}
	private, err := base64.StdEncoding.DecodeString(c.secrets["JWT_PRIVATE_KEY"])
	if err != nil {
		c.p.T.Fatal(err)
	}
	c.secrets["the private key's seed"] = string(private[:32]) // what follows is the public key
	delete(c.secrets, "JWT_PRIVATE_KEY")
	session, err := base64.StdEncoding.DecodeString(c.secrets["SESSION_KEY"])
	if err != nil {
		c.p.T.Fatal(err)
	}
	c.secrets["SESSION_KEY"] = string(session)
}

// mint gets one credential of every kind.
func (c canaries) mint() {
	t := c.p.T
	t.Helper()
	decode := func(path, body string, header http.Header) map[string]string {
		t.Helper()
		status, _, text := c.do(request{http.MethodPost, path, body, header})
		var reply struct {
			Data map[string]json.RawMessage
		}
		if err := json.Unmarshal([]byte(text), &reply); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, text)
		}
		m := map[string]string{}
		for k, v := range reply.Data {
			m[k], _ = strconv.Unquote(string(v)) // what is no text is no secret
		}
		return m
	}
	login := decode("/api/v1/login", `{"username":"boss","password":"`+c.secrets["password"]+`"}`, nil)
	c.secrets["access token"], c.secrets["refresh token"] = login["access_token"], login["refresh_token"]
	as := bearer(login["access_token"])
	c.secrets["renewed token"] = decode("/api/v1/token/refresh", "", bearer(login["refresh_token"]))["access_token"]
	c.secrets["service token"] = decode("/api/v1/admin/boss/token", `{"name":"canary","purpose":"to be found"}`, as)["access_token"]
	c.secrets["impersonation token"] = decode("/api/v1/admin/worker/token", `{}`, as)["access_token"]
	c.secrets["token of the command line"] = regexp.MustCompile(`eyJ\S+`).FindString(c.p.Run("", "cc-backend", "-jwt", "worker"))
	form := url.Values{"username": {"boss"}, "password": {c.secrets["password"]}}.Encode()
	_, header, _ := c.do(request{http.MethodPost, "/login", form, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
	cookie, err := http.ParseSetCookie(header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	c.secrets["session"] = cookie.Value
	c.secondFactor(as)
	c.importedKey(as)
	for what, s := range c.secrets {
		if len(s) < 12 {
			t.Fatalf("%s: %q is too short to be found", what, s)
		}
	}
}

// secondFactor switches one-time codes on.
func (c canaries) secondFactor(as http.Header) {
	t := c.p.T
	t.Helper()
	var begun struct{ Data struct{ Secret string } }
	_, _, text := c.do(request{http.MethodPost, "/api/v1/admin/boss/totp", "", as})
	if err := json.Unmarshal([]byte(text), &begun); err != nil || begun.Data.Secret == "" {
		t.Fatalf("no second factor: %s", text)
	}
	code, err := totp.GenerateCode(begun.Data.Secret, clock.System{}.Now())
	if err != nil {
		t.Fatal(err)
	}
	var confirmed struct {
		Data struct {
			Codes []string `json:"recovery_codes"`
		}
	}
	_, _, text = c.do(request{http.MethodPost, "/api/v1/admin/boss/totp/confirm", `{"code":"` + code + `"}`, as})
	if err := json.Unmarshal([]byte(text), &confirmed); err != nil || len(confirmed.Data.Codes) < 2 {
		t.Fatalf("no recovery codes: %s", text)
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(begun.Data.Secret)
	if err != nil {
		t.Fatal(err)
	}
	c.secrets["secret of the second factor"], c.secrets["the same in bytes"] = begun.Data.Secret, string(raw)
	c.secrets["recovery code"] = confirmed.Data.Codes[0]
}

// importedKey brings a signing key in, which the head has to keep.
func (c canaries) importedKey(as http.Header) {
	t := c.p.T
	t.Helper()
	_, private, err := token.GenerateKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	status, _, text := c.do(request{http.MethodPost, "/api/v1/keys/import", `{"key":"` + private + `","as":"next"}`, as})
	if status != http.StatusOK {
		t.Fatalf("import a key: %d %s", status, text)
	}
	raw, err := base64.StdEncoding.DecodeString(private)
	if err != nil {
		t.Fatal(err)
	}
	c.secrets["seed of an imported key"] = string(raw[:32])
}

// misuse sends every secret to every place where it does not belong. What comes back must not have it.
func (c canaries) misuse() (n int) {
	t := c.p.T
	t.Helper()
	good := bearer(c.secrets["access token"])
	formType := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for what, secret := range c.secrets {
		if strings.ContainsFunc(secret, func(r rune) bool { return r < ' ' || r > '~' }) {
			secret = base64.StdEncoding.EncodeToString([]byte(secret)) // keys, as they are written down
		}
		query, quoted := url.QueryEscape(secret), strconv.Quote(secret)
		for _, r := range []request{
			{http.MethodGet, "/api/v1/whoami", "", bearer(secret)},
			{http.MethodGet, "/api/v1/whoami", "", bearer(secret + "x")},
			{http.MethodGet, "/api/v1/whoami", "", http.Header{"Authorization": {"Basic " + secret}}},
			{http.MethodGet, "/api/v1/whoami", "", http.Header{"Authorization": {secret + " " + secret}}},
			{http.MethodGet, "/api/clusters/", "", http.Header{"X-Auth-Token": {secret + "!"}}},
			{http.MethodGet, "/api/v1/whoami", "", http.Header{"Cookie": {"session=" + query + "; other=" + query}}},
			{http.MethodGet, "/api/v1/nodes?access_token=" + query, "", nil},
			{http.MethodGet, "/api/v1/nodes?access_token=" + query, "", good},
			{http.MethodGet, "/api/jobs/?jwt=" + query, "", good},
			{http.MethodGet, "/login?token=" + query, "", nil},
			{http.MethodGet, "/api/v1/admin/" + url.PathEscape(secret), "", nil},
			{http.MethodGet, "/api/v1/admin/" + url.PathEscape(secret), "", good},
			{http.MethodDelete, "/api/v1/token/" + url.PathEscape(secret), "", nil},
			{http.MethodDelete, "/api/v1/token/" + url.PathEscape(secret), "", good},
			{http.MethodGet, "/" + url.PathEscape(secret), "", nil},
			{http.MethodGet, "/api/nothing/" + url.PathEscape(secret), "", good},
			{http.MethodPost, "/api/v1/login", `{"username":` + quoted + `,"password":` + quoted + `}`, nil},
			{http.MethodPost, "/api/v1/login", `{"username":"boss","password":` + quoted, nil},
			{http.MethodPost, "/api/v1/login", `{"username":"boss","passwort":` + quoted + `}`, nil},
			{http.MethodPost, "/api/v1/login", `{"username":"boss","password":[` + quoted + `]}`, nil},
			{http.MethodPost, "/api/v1/login", `{` + quoted + `:1}`, nil},
			{http.MethodPost, "/login", "username=" + query + "&password=" + query, formType},
			{http.MethodPost, "/login", "username=boss&password=" + query + "&redirect=/?" + query, formType},
			{http.MethodPost, "/api/v1/token/refresh", `{"refresh_token":` + quoted + `x}`, nil},
			{http.MethodPost, "/api/v1/token/refresh", `{"refresh_token":` + strconv.Quote(secret+"x") + `}`, nil},
			{http.MethodPost, "/api/v1/admins", `{"name":"x","password":` + quoted + `,"roles":["no.such.role"]}`, good},
			{http.MethodPost, "/api/v1/admins", `{"name":"x","password":` + quoted + `,`, good},
			{http.MethodPatch, "/api/v1/admin/boss", `{"password":{"a":` + quoted + `}}`, good},
			{http.MethodPost, "/api/jobs/start_job/", `{"jobId":"` + query + `"}`, bearer(c.secrets["token of the command line"])},
			{http.MethodPost, "/api/write?cluster=alpha", secret + " " + secret + " " + secret, bearer(c.secrets["token of the command line"])},
			{http.MethodPost, "/oauth/token", "grant_type=" + query + "&refresh_token=" + query, formType},
			{http.MethodPost, "/oauth/token", "grant_type=refresh_token&refresh_token=" + query + "x", formType},
			{http.MethodPost, "/oauth/introspect", "token=" + query + "x", http.Header{"Content-Type": formType["Content-Type"], "Authorization": good["Authorization"]}},
			{http.MethodGet, "/healthz", "", http.Header{"X-Api-Key": {secret}, "Referer": {c.p.URL + "/?token=" + query}, "X-Request-Id": {secret}}},
		} {
			inPath := strings.Contains(r.path, url.PathEscape(secret)) && !strings.Contains(r.path, "?")
			if inPath && !regexp.MustCompile(`^(eyJ|bhs_)`).MatchString(secret) {
				continue // nothing tells it from the name of somebody
			}
			status, header, body := c.do(r)
			n++
			if status == http.StatusInternalServerError {
				t.Errorf("%s: %s %s: %s", what, r.method, strings.ReplaceAll(r.path, query, "SECRET"), body)
			}
			var head bytes.Buffer
			if err := header.Write(&head); err != nil {
				t.Fatal(err)
			}
			where := fmt.Sprintf("the reply to %s %s", r.method, r.path[:min(len(r.path), 24)])
			// A name that does not exist is repeated to who has asked for it: in a path, in a member of JSON, in a line of samples.
			if named := inPath || strings.HasPrefix(r.body, "{"+quoted) || strings.HasPrefix(r.body, secret); !named {
				c.look(where, []byte(body))
			}
			if !strings.HasPrefix(r.path, "/login") || r.method != http.MethodPost { // where a redirect goes is the client's own word
				c.look("the headers of "+where, head.Bytes())
			}
		}
	}
	return n
}

// tools uses the secrets as people do with the tools, well and badly.
func (c canaries) tools() {
	c.p.T.Helper()
	file := filepath.Join(c.p.Dir, "boss.token")
	if err := os.WriteFile(file, []byte(`{"access_token":"`+c.secrets["service token"]+`"}`), 0o600); err != nil {
		c.p.T.Fatal(err)
	}
	base := []string{"--base_url", c.p.URL + "/api/v1"}
	settings := filepath.Join(c.p.Dir, ".scyldcw", "settings.ini")
	if err := os.MkdirAll(filepath.Dir(settings), 0o700); err != nil {
		c.p.T.Fatal(err)
	}
	if err := os.WriteFile(settings, []byte("client.base_url = "+c.p.URL+"/api/v1\nclient.authtkn = "+file+"\n"), 0o600); err != nil {
		c.p.T.Fatal(err)
	}
	if out, err := c.p.Try("", "cw-adminctl", "whoami"); err != nil {
		c.p.T.Fatal(err, out)
	}
	for _, args := range [][]string{
		{"create", "name=x", "roles=nothing", "password=" + c.secrets["password"]},
		{"-u", "boss:" + c.secrets["another password"], "whoami"},
		{"tokens", "revoke", c.secrets["service token"]},
		{"-i", c.secrets["refresh token"], "ls"},
		append(base, "whoami", c.secrets["access token"]),
	} {
		out, _ := c.p.Try("", "cw-adminctl", args...) // all of these fail
		c.look("what cw-adminctl says", []byte(out))
	}
	if err := os.Remove(file); err != nil {
		c.p.T.Fatal(err)
	}
}

// lookAtProcess looks at what everybody on the machine can see of the head.
func (c canaries) lookAtProcess() {
	c.p.T.Helper()
	for _, name := range []string{"cmdline", "environ", "status"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", c.p.PID(), name))
		if err != nil {
			c.p.T.Fatal(err)
		}
		c.look("/proc/PID/"+name, b)
	}
}

// lookAtFiles looks at all that the head and the tools have written: database, its log, samples, logs, the tools' own
// records.
func (c canaries) lookAtFiles() {
	c.p.T.Helper()
	seen := map[string]bool{}
	err := filepath.WalkDir(c.p.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == ".env" {
			return err
		}
		b, err := os.ReadFile(path)
		c.look(strings.TrimPrefix(path, c.p.Dir), b)
		seen[d.Name()] = true
		return err
	})
	if err != nil {
		c.p.T.Fatal(err)
	}
	if !seen["job.db"] || !seen["head.log"] || len(seen) < 6 {
		c.p.T.Errorf("the files of a head are not there: %v", slices.Sorted(maps.Keys(seen)))
	}
}

// look fails the test when a place has a secret in any form.
func (c canaries) look(where string, text []byte) {
	c.p.T.Helper()
	for what, secret := range c.secrets {
		for form, f := range formsOf(secret) {
			if i := bytes.Index(text, f); i >= 0 {
				c.p.T.Errorf("%s has the %s, %s: ...%q...", where, what, form, text[max(0, i-80):min(len(text), i+len(f)+20)])
				break
			}
		}
	}
}

// formsOf are the ways in which a secret may be written. Of a signed token it is the signature that makes it one.
func formsOf(secret string) map[string][]byte {
	if parts := strings.Split(secret, "."); len(parts) == 3 {
		secret = parts[2][:64]
	}
	forms := map[string][]byte{
		"as it is": []byte(secret), "in hex": []byte(hex.EncodeToString([]byte(secret))), "in upper case hex": []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
		"for URLs": []byte(url.QueryEscape(secret)), "quoted": []byte(strings.Trim(strconv.Quote(secret), `"`)), "in UTF-16": []byte(strings.Join(strings.Split(secret, ""), "\x00")),
	}
	for shift := range 3 { // in base64 it looks different at each of three places
		padded := append(bytes.Repeat([]byte{0}, shift), secret...)
		for name, enc := range map[string]*base64.Encoding{"in base64": base64.RawStdEncoding, "in base64url": base64.RawURLEncoding} {
			text := enc.EncodeToString(padded)
			skip := []int{0, 2, 3}[shift]
			forms[fmt.Sprintf("%s at %d", name, shift)] = []byte(text[skip : len(text)-2])
		}
	}
	return forms
}

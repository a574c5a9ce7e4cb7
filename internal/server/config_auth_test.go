package server_test

import (
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Every key of a login has two spellings, and flat files have no section for them.
func TestBothSpellingsOfLoginsAreRead(t *testing.T) {
	const today = `{"jwts": {"max-age": "2000h", "cookie-name": "c", "validate-user": true, "trusted-issuer": "i", "sync-user-on-login": true, "update-user-on-login": true},
		"ldap": {"url": "ldaps://h", "user-base": "b", "search-dn": "s", "user-bind": "uid={username}", "user-filter": "(a=b)", "username-attr": "cn", "uid-attr": "mail",
			"sync-interval": "24h", "sync-del-old-users": true, "sync-user-on-login": true, "update-user-on-login": true},
		"oidc": {"provider": "https://idp", "sync-user-on-login": true, "update-user-on-login": true}}`
	old := strings.NewReplacer("cookie-name", "cookieName", "validate-user", "validateUser", "trusted-issuer", "trustedIssuer", "user-base", "user_base",
		"search-dn", "search_dn", "user-bind", "user_bind", "user-filter", "user_filter", "username-attr", "username_attr", "uid-attr", "uid_attr",
		"sync-interval", "sync_interval", "sync-del-old-users", "sync_del_old_users", "sync-user-on-login", "syncUserOnLogin", "update-user-on-login", "updateUserOnLogin").Replace(today)
	read := func(text string) server.AuthConfig {
		t.Helper()
		c, notes, err := server.ReadConfig(write(t, "config.json", text, 0o644))
		if err != nil || len(notes) != 0 {
			t.Fatalf("%q, %v", notes, err)
		}
		return c.Auth
	}
	want := read(`{"main": {}, "auth": ` + today + `}`)
	l := want.LDAP
	if l == nil || l.URL != "ldaps://h" || l.UIDAttr != "mail" || time.Duration(l.SyncInterval) != 24*time.Hour || !l.SyncDelOldUsers || !l.UpdateUserOnLogin ||
		want.OIDC == nil || !want.OIDC.SyncUserOnLogin || want.JWTs.CookieName != "c" || want.JWTs.TrustedIssuer != "i" || !want.JWTs.ValidateUser {
		t.Errorf("got %+v %+v %+v", want.JWTs, l, want.OIDC)
	}
	for what, text := range map[string]string{
		"old spelling in sections": `{"main": {}, "auth": ` + old + `}`, "flat": `{"addr": "127.0.0.1:1",` + old[1:], "flat with today's": `{"addr": "127.0.0.1:1",` + today[1:],
	} {
		if strings.HasPrefix(what, "flat") {
			want.JWTs.StatusTTL = server.DefaultConfig().Auth.JWTs.StatusTTL
		}
		if diff := cmp.Diff(want, read(text)); diff != "" {
			t.Errorf("%s:\n%s", what, diff)
		}
	}
}

func TestMistakesInLoginsAreSaid(t *testing.T) {
	for want, auth := range map[string]string{
		"auth.oidc.provider is missing":                     `{"oidc": {}}`,
		"auth.exec.path \"check\" does not":                 `{"exec": {"path": "check"}}`,
		`unknown key "url2"`:                                `{"ldap": {"url2": "x"}}`,
		"sync-interval: a string is expected, not a number": `{"ldap": {"sync-interval": 5}}`,
		"must not be negative":                              `{"ldap": {"sync-interval": "-5m"}}`,
	} {
		if _, _, err := server.ReadConfig(write(t, "config.json", `{"main": {}, "auth": `+auth+`}`, 0o644)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", auth, err)
		}
	}
}

func TestMistakesThatOnlyShowAtStartAreSaid(t *testing.T) {
	for want, edit := range map[string]func(c *server.Config, s *server.Secrets){
		"auth.ldap: user-base is missing":      func(c *server.Config, _ *server.Secrets) { c.Auth.LDAP = &server.LDAPConfig{URL: "ldap://h"} },
		"auth.ldap.ca-file: open /nonexistent": func(c *server.Config, _ *server.Secrets) { c.Auth.LDAP = &server.LDAPConfig{CAFile: "/nonexistent"} },
		"config_auth_test.go holds no certificate": func(c *server.Config, _ *server.Secrets) {
			c.Auth.LDAP = &server.LDAPConfig{CAFile: "config_auth_test.go"}
		},
		"auth.oidc: OID_CLIENT_ID and": func(c *server.Config, _ *server.Secrets) { c.Auth.OIDC = &server.OIDCConfig{Provider: "https://h"} },
		`auth.oidc.roles, "boss": unknown role "god"`: func(c *server.Config, _ *server.Secrets) {
			c.Auth.OIDC = &server.OIDCConfig{Provider: "https://h", Roles: map[string]string{"boss": "god"}}
		},
		"auth.exec.path: find program": func(c *server.Config, _ *server.Secrets) { c.Auth.Exec.Path = "/nonexistent/check" },
		"auth.jwts.trusted-roles: unknown role": func(c *server.Config, _ *server.Secrets) {
			c.Auth.JWTs.CookieName, c.Auth.JWTs.TrustedRoles = "c", []string{"god"}
		},
		"CROSS_LOGIN_JWT_HS512_KEY has 3 bytes": func(_ *server.Config, s *server.Secrets) { s.CrossLoginKey = []byte("abc") },
	} {
		c := server.DefaultConfig()
		c.Main.DB, c.Archive.Path, c.MetricStore.Checkpoints.Directory = filepath.Join(t.TempDir(), "x.db"), t.TempDir(), t.TempDir()
		public, private, err := token.GenerateKeys(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s := server.Secrets{PublicKey: public, PrivateKey: private, SessionKey: []byte("0123456789abcdef")}
		edit(&c, &s)
		if _, err := server.New(t.Context(), c, s, server.Options{Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestSecretsOfLoginsComeFromTheEnvironment(t *testing.T) {
	public, _, err := token.GenerateKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	base := "JWT_PUBLIC_KEY=a\nJWT_PRIVATE_KEY=b\n" + session
	s, err := server.ReadSecrets(write(t, ".env", base+"LDAP_ADMIN_PASSWORD='p w'\nOID_CLIENT_ID=id\nOID_CLIENT_SECRET=secret\nCROSS_LOGIN_JWT_HS512_KEY="+
		base64.StdEncoding.EncodeToString([]byte("key"))+"\nCROSS_LOGIN_JWT_PUBLIC_KEY=\""+public+"\"\n", 0o600), none)
	if err != nil || s.LDAPPassword != "p w" || s.OIDCClientID != "id" || s.OIDCClientSecret != "secret" || string(s.CrossLoginKey) != "key" || base64.StdEncoding.EncodeToString(s.CrossLoginPublic) != public {
		t.Errorf("%v", err)
	}
	for want, line := range map[string]string{
		"CROSS_LOGIN_JWT_HS512_KEY must be":              "CROSS_LOGIN_JWT_HS512_KEY=!!!",
		"CROSS_LOGIN_JWT_PUBLIC_KEY: the public key":     "CROSS_LOGIN_JWT_PUBLIC_KEY=AAAA",
		"CROSS_LOGIN_JWT_PUBLIC_KEY: the public key is ": "CROSS_LOGIN_JWT_PUBLIC_KEY=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	} {
		if _, err := server.ReadSecrets(write(t, ".env", base+line+"\n", 0o600), none); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

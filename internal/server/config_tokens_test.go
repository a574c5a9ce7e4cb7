package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/server"
)

func readTokens(t *testing.T, section string) (server.TokensConfig, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(`{"main": {}, "auth": {"jwts": {"max-age": "2000h"}, "tokens": `+section+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := server.ReadConfig(path)
	return c.Auth.Tokens, err
}

func TestLifetimesOfTokensAreConfigured(t *testing.T) {
	t.Parallel()
	c, err := readTokens(t, `{"max-service-lifetime": "30d", "max-access-lifetime": "10m", "max-impersonation-lifetime": "36h", "max-refresh-lifetime": "2w",
		"require-purpose": true, "warn-days": [14, 1], "keep-logins": "7d"}`)
	want := map[server.Lifetime]time.Duration{
		c.MaxServiceLifetime: 30 * 24 * time.Hour, c.MaxAccessLifetime: 10 * time.Minute, c.MaxImpersonationLifetime: 36 * time.Hour,
		c.MaxRefreshLifetime: 14 * 24 * time.Hour, c.KeepLogins: 7 * 24 * time.Hour, c.KeepOthers: 365 * 24 * time.Hour,
	}
	for got, want := range want {
		if time.Duration(got) != want {
			t.Errorf("got %v, want %v", time.Duration(got), want)
		}
	}
	if err != nil || !c.RequirePurpose || len(c.WarnDays) != 2 {
		t.Errorf("got %+v, %v", c, err)
	}
	if c, err := readTokens(t, `{"warn-days": []}`); err != nil || len(c.WarnDays) != 0 {
		t.Errorf("no warnings: %+v, %v", c, err)
	}
	for section, say := range map[string]string{
		`{"max-service-lifetime": "soon"}`: `"soon" is not a lifetime such as "30d", "12h" or "15m"`,
		`{"max-service-lifetime": "-1h"}`:  `"-1h" is not a lifetime`,
		`{"warn-days": [0]}`:               "auth.tokens.warn-days has 0",
		`{"max-life": "1d"}`:               `unknown key "max-life"`,
	} {
		if _, err := readTokens(t, section); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %v", section, err)
		}
	}
}

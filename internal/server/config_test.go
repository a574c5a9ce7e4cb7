package server_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/server"
)

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigKeepsDefaultsForWhatIsAbsent(t *testing.T) {
	c, notes, err := server.ReadConfig(write(t, "config.json", `{"main": {"addr": "127.0.0.1:9999"}, "metric-store": {"retention-in-memory": "12h", "memory-cap": 4}}`, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	want := server.DefaultConfig()
	want.Main.Addr = "127.0.0.1:9999"
	want.MetricStore.RetentionInMemory = server.Duration(12 * time.Hour)
	want.MetricStore.MemoryCap = 4
	if c.Main.Addr != want.Main.Addr || c.Main.DB != want.Main.DB || c.MetricStore.RetentionInMemory != want.MetricStore.RetentionInMemory ||
		c.MetricStore.SyncInterval != want.MetricStore.SyncInterval || c.MetricStore.MemoryCap != 4 || c.Auth.JWTs.MaxAge != want.Auth.JWTs.MaxAge {
		t.Errorf("got %+v", c)
	}
	if len(notes) != 0 {
		t.Errorf("notes about nothing: %v", notes)
	}
}

// A real installation's file is read as it is, and what it asks for in vain is named.
func TestConfigNamesWhatIsNotActedOn(t *testing.T) {
	_, notes, err := server.ReadConfig(write(t, "config.json", `{
		"main": {"addr": "127.0.0.1:1", "user": "cc", "resampling": {"trigger": 30, "resolutions": [600]}},
		"auth": {"jwts": {"max-age": "2000h", "cookie-name": "x"}, "ldap": {"url": "ldap://h"}}, "archive": {"retention": {}},
		"metric-store": {"checkpoints": {"file-format": "json"}, "cleanup": {"mode": "archive", "directory": "./old"}},
		"cron": {"duration-worker": "5m"}, "mine": {}}`, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"main.user is", "main.resampling.trigger is", "main.resampling.resolutions is", "archive.retention is", "section cron is", "metric-store.checkpoints.file-format has", "metric-store.cleanup.mode archive is", "section mine is unknown"} {
		if !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, want) }) {
			t.Errorf("no note begins with %q: %q", want, notes)
		}
	}
}

func TestSectionsMayBeInOtherFiles(t *testing.T) {
	store := write(t, "store.json", `{"retention-in-memory": "7h"}`, 0o644)
	main := write(t, "main.json", `{"addr": "127.0.0.1:7777"}`, 0o644)
	c, notes, err := server.ReadConfig(write(t, "config.json", `{"main-file": "`+main+`", "metric-store-file": "`+store+`"}`, 0o644))
	if err != nil || time.Duration(c.MetricStore.RetentionInMemory) != 7*time.Hour || c.Main.Addr != "127.0.0.1:7777" || len(notes) > 0 {
		t.Errorf("%+v, %q, %v", c, notes, err)
	}
	if _, _, err := server.ReadConfig(write(t, "config.json", `{"main": {}, "metric-store-file": "`+write(t, "bad.json", "{", 0o644)+`"}`, 0o644)); err == nil || !strings.Contains(err.Error(), "bad.json is not valid JSON") {
		t.Errorf("broken file: %v", err)
	}
}

// The flat file of 1.2 to 1.4 means the same as its sections.
func TestFlatConfigIsRead(t *testing.T) {
	c, notes, err := server.ReadConfig(write(t, "config.json", `{"addr": "127.0.0.1:7777", "apiAllowedIPs": ["10.0.0.0/8"],
		"archive": {"kind": "file", "path": "./arch", "retention": {"policy": "none"}}, "db-driver": "sqlite3", "db": "./x.db",
		"jwts": {"max-age": "100h", "cookieName": "c", "validateUser": true},
		"clusters": [{"name": "fritz", "metricDataRepository": {"kind": "cc-metric-store", "url": "http://h:8082"}}]}`, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	if c.Main.Addr != "127.0.0.1:7777" || c.Main.DB != "./x.db" || c.Archive.Path != "./arch" || c.Main.APIAllowedIPs[0] != "10.0.0.0/8" ||
		time.Duration(c.Auth.JWTs.MaxAge) != 100*time.Hour || !c.Auth.JWTs.ValidateUser {
		t.Errorf("got %+v", c)
	}
	for _, want := range []string{"clusters: ", "archive.retention is"} {
		if !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, want) }) {
			t.Errorf("no note begins with %q: %q", want, notes)
		}
	}
	if _, _, err := server.ReadConfig(write(t, "config.json", `{"addr": "127.0.0.1:1", "db-driver": "mysql"}`, 0o644)); err == nil || !strings.Contains(err.Error(), `"sqlite3" is`) {
		t.Errorf("mysql: %v", err)
	}
}

func TestMistakesInTheConfigAreSaid(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no JSON", "{\n \"main\": {\n  addr: 1\n}}", "line 3"},
		{"cut off", `{"main": {`, "not valid JSON"},
		{"no main", `{"auth": {}}`, `no section "main"`},
		{"unknown key", `{"main": {"adr": "x"}}`, `section "main": unknown key "adr"; the keys here are addr, also-addr,`},
		{"wrong type", `{"main": {"addr": 8080}}`, "addr: a string is expected, not a number"},
		{"number for a duration", `{"main": {"session-max-age": 7}}`, "session-max-age: a string is expected, not a number"},
		{"duration", `{"main": {}, "metric-store": {"retention-in-memory": "2 days"}}`, `"2 days" is not a duration such as "168h"`},
		{"no retention", `{"main": {}, "metric-store": {"retention-in-memory": "0s"}}`, "longer than nothing"},
		{"memory that is none", `{"main": {}, "metric-store": {"memory-cap": -1}}`, "metric-store.memory-cap is -1; it is a number of GB"},
		{"memory that nobody has", `{"main": {}, "metric-store": {"memory-cap": 68719476736}}`, "a number of GB"},
		{"checkpoints before their time", `{"main": {}, "metric-store": {"checkpoint-interval": "-1h"}}`, `checkpoint-interval must not be negative; it is "12h"`},
		{"log on disk before its time", `{"main": {}, "metric-store": {"sync-interval": "-1h"}}`, "sync-interval must not be negative"},
		{"log of less than nothing", `{"main": {}, "metric-store": {"checkpoints": {"max-wal-size": -1}}}`, "max-wal-size is -1"},
		{"form of checkpoints", `{"main": {}, "metric-store": {"checkpoints": {"file-format": "parquet"}}}`, `file-format is "parquet"; it is "wal" or "json"`},
		{"kind of cleanup", `{"main": {}, "metric-store": {"cleanup": {"mode": "burn"}}}`, `cleanup.mode is "burn"; it is "delete" or "archive"`},
		{"section in a file that is not there", `{"main-file": "/nosuch/file"}`, "main-file: open /nosuch/file: no such file"},
		{"section in no file", `{"main": {}, "metric-store-file": 1}`, "metric-store-file: the name of a file is expected"},
		{"archive", `{"main": {}, "archive": {"kind": "s3"}}`, `"file" is`},
		{"half of TLS", `{"main": {"https-cert-file": "a"}}`, "belong together"},
		{"open to the world", `{"main": {"addr": "0.0.0.0:80", "disable-authentication": true}}`, "not a loopback address"},
		{"open to the world besides", `{"main": {"addr": "127.0.0.1:80", "also-addr": ":80", "disable-authentication": true}}`, "not a loopback address"},
		{"address range", `{"main": {"api-allowed-ips": ["10.0.0.0/99"]}}`, "api-allowed-ips"},
		{"proxies", `{"main": {"trusted-proxies": ["proxy1"]}}`, "trusted-proxies"},
		{"public URL without scheme", `{"main": {"public-url": "head.example.org"}}`, "as in https://head.example.org"},
		{"public URL with a path", `{"main": {"public-url": "https://head.example.org/"}}`, "as in https://head.example.org"},
		{"public URL of another kind", `{"main": {"public-url": "ftp://head.example.org"}}`, "as in https://head.example.org"},
		{"no logins", `{"main": {"session-limit": -1}}`, "session-limit"},
		{"status list for no time", `{"main": {}, "auth": {"jwts": {"status-ttl": "0s"}}}`, "auth.jwts.status-ttl"},
		{"status list for too long", `{"main": {}, "auth": {"jwts": {"status-ttl": "25h"}}}`, "auth.jwts.status-ttl"},
		{"fewer than no points", `{"main": {"resampling": {"minimum-points": -1}}}`, "main.resampling.minimum-points is -1; it is at least 1, and 1000"},
		{"fewer than no series", `{"main": {}, "prometheus": {"max-series": -5}}`, "prometheus.max-series is -5; it is at least 1, and 200000"},
		{"no time to answer", `{"main": {}, "prometheus": {"timeout": "-1s"}}`, "prometheus.timeout is -1s"},
		{"no time to act", `{"main": {"impersonation-max-age": "0s"}}`, "impersonation-max-age"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := server.ReadConfig(write(t, "config.json", tt.text, 0o644))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, _, err := server.ReadConfig(filepath.Join(t.TempDir(), "none.json")); err == nil || !strings.Contains(err.Error(), "-init") {
		t.Errorf("missing file: %v", err)
	}
}

const session = "SESSION_KEY=\"MDEyMzQ1Njc4OWFiY2RlZg==\"\n"

func none(string) string { return "" }

func TestSecretsComeFromFileAndEnvironment(t *testing.T) {
	path := write(t, ".env", "# keys\n\nexport JWT_PUBLIC_KEY=\"pub\"\nJWT_PRIVATE_KEY='priv'\n"+session, 0o600)
	s, err := server.ReadSecrets(path, none)
	if err != nil {
		t.Fatal(err)
	}
	if s.PublicKey != "pub" || s.PrivateKey != "priv" || string(s.SessionKey) != "0123456789abcdef" {
		t.Errorf("got %q %q %q", s.PublicKey, s.PrivateKey, s.SessionKey)
	}
	s, err = server.ReadSecrets(path, func(name string) string { return map[string]string{"JWT_PUBLIC_KEY": "other"}[name] })
	if err != nil || s.PublicKey != "other" || s.PrivateKey != "priv" {
		t.Errorf("the environment wins: got %q %q, %v", s.PublicKey, s.PrivateKey, err)
	}
}

func TestBadSecretsAreRefused(t *testing.T) {
	full := "JWT_PUBLIC_KEY=a\nJWT_PRIVATE_KEY=b\n"
	tests := []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"others may read", full + session, 0o644, "chmod 600"},
		{"the group may read", full + session, 0o640, "chmod 600"},
		{"empty", "", 0o600, "does not set JWT_PUBLIC_KEY, JWT_PRIVATE_KEY, SESSION_KEY"},
		{"not a line", full + "SESSION_KEY\n", 0o600, "line 3"},
		{"short session key", full + "SESSION_KEY=c2hvcnQ=\n", 0o600, "at least 16 random bytes"},
		{"session key not base64", full + "SESSION_KEY=!!!\n", 0o600, "base64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, ".env", tt.text, tt.mode)
			if err := os.Chmod(path, tt.mode); err != nil { // whatever the umask is
				t.Fatal(err)
			}
			_, err := server.ReadSecrets(path, none)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := server.ReadSecrets(filepath.Join(t.TempDir(), ".env"), none); err == nil || !strings.Contains(err.Error(), "gen-keypair") {
		t.Errorf("missing file: %v", err)
	}
}

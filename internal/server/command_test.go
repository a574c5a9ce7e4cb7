package server_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/server"
)

// backend runs cc-backend in the current folder.
func backend(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = server.Main(ctx, server.Env{Args: args, Stdout: &out, Stderr: &errs, Getenv: none})
	return code, out.String(), errs.String()
}

// initialised changes into an empty folder that -init has set up.
func initialised(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if code, _, stderr := backend(t.Context(), "-init"); code != 0 {
		t.Fatalf("-init: exit code %d: %s", code, stderr)
	}
}

func TestInitLeavesWhatIsThere(t *testing.T) {
	initialised(t)
	before, err := os.ReadFile(".env")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(".env")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf(".env has mode %v, %v", info.Mode(), err)
	}
	config, err := os.ReadFile("config.json")
	if err != nil || !bytes.Contains(config, []byte(`"max-age": "2000h"`)) || !bytes.Contains(config, []byte(`"session-max-age": "168h"`)) {
		t.Errorf("config.json: %s, %v", config, err)
	}
	if code, stdout, _ := backend(t.Context(), "-init"); code != 0 || !strings.Contains(stdout, "nothing has been changed") {
		t.Errorf("second -init: exit code %d, %q", code, stdout)
	}
	after, err := os.ReadFile(".env")
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the keys have changed: %v", err)
	}
}

func TestSeveralOneShotFlagsInOneCall(t *testing.T) {
	initialised(t)
	code, stdout, stderr := backend(t.Context(), "-add-user", "bot:admin,api:pass:with:colons", "-jwt", "bot", "-jwt-lifetime", "1h")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if code != 0 || stderr != "" || len(lines) != 2 || !strings.HasPrefix(lines[0], "JWT: Successfully generated JWT for user 'bot': eyJ") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if lines[1] != "No errors, server flag not set. Exiting cc-backend." {
		t.Errorf("last line %q", lines[1])
	}
	if code, _, stderr := backend(t.Context(), "-del-user", "bot"); code != 1 || !strings.Contains(stderr, "last administrator") {
		t.Errorf("deleting the last administrator: exit code %d, %q", code, stderr)
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	initialised(t)
	tests := []struct {
		name string
		args []string
		code int
		want string
		not  string
	}{
		{"unknown flag", []string{"-nosuch"}, 2, "flag provided but not defined: -nosuch", ""},
		{"argument", []string{"server"}, 1, `unexpected argument "server"`, ""},
		{"malformed user", []string{"-add-user", "bob-secret"}, 1, "name:role[,role...]:password", "secret"},
		{"unknown role", []string{"-add-user", "bob:root:secret"}, 1, `unknown role "root"; the roles are api, user`, "secret"},
		{"empty password", []string{"-add-user", "bob:user:"}, 1, "password", ""},
		{"unknown user", []string{"-jwt", "nobody"}, 1, "getting user 'nobody'", ""},
		{"unknown level", []string{"-loglevel", "loud"}, 1, "debug, info, warn, err, crit", ""},
		{"lifetime beyond the policy", []string{"-add-user", "amy:api:", "-jwt", "amy", "-jwt-lifetime", "99999h"}, 1, "too long", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := backend(t.Context(), tt.args...)
			if code != tt.code || !strings.Contains(stderr, tt.want) || tt.not != "" && strings.Contains(stderr, tt.not) {
				t.Errorf("exit code %d, stderr %q; want %d and %q", code, stderr, tt.code, tt.want)
			}
			if tt.code == 1 && strings.Count(stderr, "\n") != 1 {
				t.Errorf("not one line: %q", stderr)
			}
		})
	}
}

func TestSchemaFlags(t *testing.T) {
	initialised(t)
	for flag, want := range map[string]string{
		"-migrate-db":  "MigrateDB Success: Migrated SQLite database at './var/job.db' to version ",
		"-force-db":    "ForceDB Success: ",
		"-optimize-db": "OptimizeDB Success: ",
		"-version":     "SQL db version:\t",
	} {
		if code, stdout, stderr := backend(t.Context(), flag); code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("%s: exit code %d, %q, %q", flag, code, stdout, stderr)
		}
	}
}

func TestPortInUseIsSaidInOneLine(t *testing.T) {
	initialised(t)
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	config, err := os.ReadFile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("config.json", bytes.Replace(config, []byte("127.0.0.1:8080"), []byte(taken.Addr().String()), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := backend(t.Context(), "-server")
	if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "in use by another program; stop it, or change main.addr") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestDemoKeysAreRefusedOutside(t *testing.T) {
	initialised(t)
	env := `JWT_PUBLIC_KEY="kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0="
JWT_PRIVATE_KEY="dtPC/6dWJFKZK7KZ78CvWuynylOmjBFyMsUWArwmodOTN9itjL5POlqdZkcnmpJ0yPm4pRaCrvgFaFAbpyik/Q=="
SESSION_KEY="67d829bf61dc5f87a73fd814e2c9f629"
`
	if err := os.WriteFile(".env", []byte(env), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := backend(t.Context(), "-add-user", "a:api:"); code != 0 {
		t.Errorf("on a loopback address: exit code %d, %q", code, stderr)
	}
	if err := os.WriteFile("config.json", []byte(`{"main": {"addr": ":8080"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := backend(t.Context(), "-server"); code != 1 || !strings.Contains(stderr, "demo key") {
		t.Errorf("on every address: exit code %d, %q", code, stderr)
	}
}

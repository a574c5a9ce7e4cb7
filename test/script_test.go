package test_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bridgehead-hpc/bridgehead/internal/authn/directory/directorytest"
	"github.com/bridgehead-hpc/bridgehead/internal/remote/remotetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sign-jwt": signJWT})
}

// TestScripts runs the walkthroughs in script/: the programs as they are installed, each in a process of its own. Only
// what a script needs beside them is made here.
func TestScripts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: the programs are not built")
	}
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	bin := build(t, top)
	var sshd *remotetest.Server
	if _, err := os.Stat("/usr/sbin/sshd"); err == nil {
		sshd = remotetest.Start(t)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			for k, v := range map[string]string{
				"PATH": bin + ":" + os.Getenv("PATH"), "BIN": bin, "TOP": top, "USER": me.Username,
				"HOME": filepath.Join(env.WorkDir, "home"), "SSH_AUTH_SOCK": "", "CW_SOCKET": "", "CW_BASE_URL": "", "CW_TOKEN_FILE": "",
			} {
				env.Setenv(k, v)
			}
			// A script that builds something uses what the tests themselves are built with, and fetches nothing.
			for _, k := range []string{"GOCACHE", "GOMODCACHE", "GOROOT"} {
				env.Setenv(k, goEnv(k))
			}
			env.Setenv("GOPROXY", "off")
			return os.MkdirAll(filepath.Join(env.WorkDir, "home", ".scyldcw"), 0o700)
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "sshd":
				return sshd != nil, nil
			case "slapd":
				return directorytest.Installed(), nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"append":   appendLine,
			"exits":    exits,
			"filemode": fileMode,
			"freeport": freePort,
			"ldap":     startDirectory(t),
			"let":      let,
			"portal":   portalToken,
			"provider": startProvider(t),
			"ready":    ready,
			"socket":   socket,
			"sql":      runSQL,
			"sshd": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Setenv("SSHPORT", strconv.Itoa(sshd.Port))
				ts.Setenv("SSHUSER", sshd.User)
				ts.Setenv("SSHKEY", sshd.Identity)
				ts.Setenv("KNOWN", sshd.KnownHosts)
			},
			"totp":     totpCode,
			"unixtime": unixTime,
			"waitfor":  waitFor,
		},
	})
}

// build makes the programs and returns their folder.
func build(t *testing.T, top string) string {
	t.Helper()
	bin := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin+"/", "./cmd/...")
	cmd.Dir, cmd.Env = top, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the programs: %v\n%s", err, out)
	}
	return bin
}

func goEnv(name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		return os.Getenv(name)
	}
	return strings.TrimSpace(string(out))
}

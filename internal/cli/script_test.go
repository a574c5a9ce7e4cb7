package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bridgehead-hpc/bridgehead/internal/cli"
	"github.com/bridgehead-hpc/bridgehead/internal/remote/remotetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"cw-adminctl":   func() { os.Exit(cli.AdminCtl(context.Background(), inTest())) },
		"cw-nodectl":    func() { os.Exit(cli.NodeCtl(context.Background(), inTest())) },
		"cw-clusterctl": func() { os.Exit(cli.ClusterCtl(context.Background(), inTest())) },
	})
}

// inTest is the process's Env, its system-wide settings moved and its terminal an environment variable.
func inTest() cli.Env {
	env := cli.System()
	env.Etc = os.Getenv("ETC")
	env.Ask = func(context.Context, string) (string, error) {
		if p := os.Getenv("TYPED"); p != "" {
			return p, nil
		}
		return "", errors.New("there is no terminal to ask on")
	}
	return env
}

// TestScripts runs the tools as users do, against a fake head and a real SSH server.
func TestScripts(t *testing.T) {
	t.Parallel()
	var sshd *remotetest.Server
	if _, err := os.Stat("/usr/sbin/sshd"); err == nil {
		sshd = remotetest.Start(t)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			head := newFakeHead()
			url, socket := head.start(t, t.TempDir())
			home := filepath.Join(env.WorkDir, "home")
			if err := os.MkdirAll(filepath.Join(home, ".scyldcw"), 0o700); err != nil {
				return err
			}
			for k, v := range map[string]string{
				"HOME": home, "ETC": filepath.Join(env.WorkDir, "etc"), "URL": url, "SOCKET": socket, "CW_SOCKET": socket,
				"CW_BASE_URL": url, "SSH_AUTH_SOCK": "", "HEAD3": headOf(theTrail()[2]),
			} {
				env.Setenv(k, v)
			}
			env.Values["head"], env.Values["sshd"] = head, sshd
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "sshd" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return sshd != nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"sshnode":   sshNode,
			"filemode":  fileMode,
			"tokenfile": tokenFile,
			"append":    appendLine,
		},
	})
}

// exits runs a tool and compares its exit code: exits 3 cw-nodectl ls.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// sshNode makes nodes of the fake head point to the SSH server.
func sshNode(ts *testscript.TestScript, _ bool, nodes []string) {
	s, _ := ts.Value("sshd").(*remotetest.Server)
	head, _ := ts.Value("head").(*fakeHead)
	head.mu.Lock()
	defer head.mu.Unlock()
	for _, n := range nodes {
		head.nodes[n]["ip"] = "127.0.0.1"
		attributesOf(head.nodes[n])["_ssh_port"] = strconv.Itoa(s.Port)
		attributesOf(head.nodes[n])["_remote_user"] = s.User
	}
	ts.Setenv("SSHKEY", s.Identity)
	ts.Setenv("KNOWN", s.KnownHosts)
}

func fileMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// tokenFile writes a token file whose token ends in the given time: tokenfile FILE TEXT -3h.
func tokenFile(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[2])
	ts.Check(err)
	text := fmt.Sprintf(`{"access_token": %q, "expires": %d.0, "user": "ProdEng", "issued_by": "admin1"}`, args[1], time.Now().Add(d).Unix())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// appendLine is echo LINE >> FILE.
func appendLine(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = f.WriteString(args[1] + "\n")
	ts.Check(errors.Join(err, f.Close()))
}

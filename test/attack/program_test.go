package attack_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/porttest"
)

// build makes the named programs as they are installed and returns their folder.
func build(t *testing.T, names ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the programs are not built")
	}
	bin := t.TempDir()
	args := []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", bin + "/"}
	for _, n := range names {
		args = append(args, "./cmd/"+n)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// program is a head in a process of its own, as it is installed.
type program struct {
	t        *testing.T
	bin, dir string
	url      string
	socket   string
	process  *exec.Cmd
	logPath  string
}

// startProgram sets a head up in an empty folder, with the users that -add-user takes, and starts it with a log of
// everything.
func startProgram(t *testing.T, bin string, users ...string) *program {
	t.Helper()
	p := &program{t: t, bin: bin, dir: t.TempDir()}
	p.run("", "cc-backend", "-init")
	addr := porttest.Addr(t)
	short, err := os.MkdirTemp("", "bh") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	p.url, p.socket, p.logPath = "http://"+addr, filepath.Join(short, "s"), filepath.Join(p.dir, "head.log")
	config := p.read("config.json")
	config = strings.ReplaceAll(strings.ReplaceAll(config, "127.0.0.1:8080", addr), "./var/auth.sock", p.socket)
	if err := os.WriteFile(filepath.Join(p.dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		p.run("", "cc-backend", "-add-user", u)
	}
	p.start()
	return p
}

func (p *program) start() {
	p.t.Helper()
	log, err := os.OpenFile(p.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(p.t.Context()), filepath.Join(p.bin, "cc-backend"), "-server", "-loglevel", "debug")
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = p.dir, log, log, p.env()
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	_ = log.Close() // the program has its own
	p.process = cmd
	p.t.Cleanup(func() { p.stop(syscall.SIGTERM) })
	var wall clock.System
	for deadline := wall.Now().Add(patience); ; <-wall.After(20 * 1e6) {
		if resp, err := http.Get(p.url + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if wall.Now().After(deadline) {
			p.t.Fatalf("the head is not ready:\n%s", p.read("head.log"))
		}
	}
}

func (p *program) env() []string {
	return []string{"PATH=" + p.bin + ":" + os.Getenv("PATH"), "HOME=" + p.dir, "USER=" + os.Getenv("USER"), "CW_SOCKET="}
}

// stop ends the process and waits for it. A second time it does nothing.
func (p *program) stop(with syscall.Signal) {
	if p.process == nil {
		return
	}
	_ = p.process.Process.Signal(with) // it may have ended by itself
	_ = p.process.Wait()               // how it ended is not what these tests are about
	p.process = nil
}

// run runs a program in the head's folder and returns all that it writes.
func (p *program) run(stdin, name string, args ...string) string {
	p.t.Helper()
	out, err := p.try(stdin, name, args...)
	if err != nil {
		p.t.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
	return out
}

func (p *program) try(stdin, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(p.t.Context(), filepath.Join(p.bin, name), args...)
	cmd.Dir, cmd.Env, cmd.Stdin = p.dir, p.env(), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p *program) read(path string) string {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, path))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// request is what is sent to a program: a servertest.Call with any headers.
type request struct {
	method, path, body string
	header             http.Header
}

// do sends a request and returns status, headers and body. Redirects are not followed.
func (p *program) do(r request) (int, http.Header, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), r.method, p.url+r.path, bytes.NewReader([]byte(r.body)))
	if err != nil {
		p.t.Fatal(err)
	}
	for name, values := range r.header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // it has been read
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func bearer(raw string) http.Header {
	return http.Header{"Authorization": {"Bearer " + raw}}
}

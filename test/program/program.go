// Package program runs the programs of this tree in processes of their own, as they are installed, for tests.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/porttest"
)

// patience is how long a head has to become ready. It is much more than it needs, for machines that do other things as well.
const patience = time.Minute

// Build makes the named programs, for a test in a folder below test, and returns their folder. With -short the test is
// skipped.
func Build(t *testing.T, names ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the programs are not built")
	}
	bin := t.TempDir()
	if err := BuildInto(t.Context(), bin, names...); err != nil {
		t.Fatal(err)
	}
	return bin
}

// BuildInto is Build into a folder that is there.
func BuildInto(ctx context.Context, bin string, names ...string) error {
	args := []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", bin + "/"}
	for _, n := range names {
		args = append(args, "./cmd/"+n)
	}
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments are the test's own
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// Head is a head in a process of its own.
type Head struct {
	T        testing.TB
	Bin, Dir string // of the programs, and in which it works
	URL      string
	Socket   string
	// Wrap is a command that Start puts before the program, such as ip netns exec.
	Wrap []string
	// Env is added to the environment of the programs.
	Env     []string
	process *exec.Cmd
	ended   chan struct{} // closed when the process has ended
}

// Log is the file in the head's folder that has all that it has written.
const Log = "head.log"

// New sets a head up in an empty folder, with the users that -add-user takes. It is not started.
func New(tb testing.TB, bin, dir string, users ...string) *Head {
	tb.Helper()
	h := &Head{T: tb, Bin: bin, Dir: dir}
	h.Run("", "cc-backend", "-init")
	short, err := os.MkdirTemp("", "bh") //nolint:usetesting // a socket's path must be short
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(short) })
	h.Socket = filepath.Join(short, "s")
	h.Configure("./var/auth.sock", h.Socket)
	h.Listen(porttest.Addr(tb))
	for _, u := range users {
		h.Run("", "cc-backend", "-add-user", u)
	}
	return h
}

// Configure replaces texts in config.json: old, new, old, new and so on.
func (h *Head) Configure(oldnew ...string) {
	h.T.Helper()
	text := strings.NewReplacer(oldnew...).Replace(h.Read("config.json"))
	if err := os.WriteFile(filepath.Join(h.Dir, "config.json"), []byte(text), 0o600); err != nil {
		h.T.Fatal(err)
	}
}

// Listen makes the head listen at an address when it starts.
func (h *Head) Listen(addr string) {
	h.T.Helper()
	was := "127.0.0.1:8080"
	if h.URL != "" {
		was = strings.TrimPrefix(h.URL, "http://")
	}
	h.Configure(was, addr)
	h.URL = "http://" + addr
}

// Start starts the head, with a log of everything, and returns when it is ready.
func (h *Head) Start() {
	h.T.Helper()
	h.Launch()
	h.AwaitReady()
}

// Launch starts the head and returns at once.
func (h *Head) Launch() {
	h.T.Helper()
	log, err := os.OpenFile(filepath.Join(h.Dir, Log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		h.T.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // the program has its own
	args := append(append([]string{}, h.Wrap...), filepath.Join(h.Bin, "cc-backend"), "-server", "-loglevel", "debug")
	cmd := exec.CommandContext(context.WithoutCancel(h.T.Context()), args[0], args[1:]...) //nolint:gosec // what a test has asked for
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = h.Dir, log, log, h.env()
	if err := cmd.Start(); err != nil {
		h.T.Fatal(err)
	}
	ended := make(chan struct{})
	h.process, h.ended = cmd, ended
	go func() {
		_ = cmd.Wait() // how it ended is not what tests ask for
		close(ended)
	}()
	h.T.Cleanup(func() { h.Stop(syscall.SIGTERM) })
}

// AwaitReady returns when the head answers that it is ready.
func (h *Head) AwaitReady() {
	h.T.Helper()
	var wall clock.System
	for deadline := wall.Now().Add(patience); ; <-wall.After(20 * time.Millisecond) {
		r, err := Request{Method: http.MethodGet, Path: "/readyz"}.Send(h.T.Context(), http.DefaultTransport, h.URL)
		if err == nil && r.Status == http.StatusOK {
			return
		}
		if h.HasEnded() || wall.Now().After(deadline) {
			h.T.Fatalf("the head is not ready:\n%s", h.Read(Log))
		}
	}
}

// HasEnded reports whether the process has ended.
func (h *Head) HasEnded() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// Ended is closed when the process that Launch has started last has ended.
func (h *Head) Ended() <-chan struct{} { return h.ended }

// PID returns the number of the process that Launch has started last.
func (h *Head) PID() int { return h.process.Process.Pid }

func (h *Head) env() []string {
	return append([]string{"PATH=" + h.Bin + ":" + os.Getenv("PATH"), "HOME=" + h.Dir, "USER=" + os.Getenv("USER"), "CW_SOCKET="}, h.Env...)
}

// Stop ends the process with a signal and waits for it. A second time it does nothing.
func (h *Head) Stop(with syscall.Signal) {
	if h.process == nil {
		return
	}
	_ = h.process.Process.Signal(with) // it may have ended by itself
	<-h.ended
	h.process = nil
}

// Run runs a program in the head's folder and returns all that it writes. It has to succeed.
func (h *Head) Run(stdin, name string, args ...string) string {
	h.T.Helper()
	out, err := h.Try(stdin, name, args...)
	if err != nil {
		h.T.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
	return out
}

// Try is Run for what may fail.
func (h *Head) Try(stdin, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(h.T.Context(), filepath.Join(h.Bin, name), args...) //nolint:gosec // likewise
	cmd.Dir, cmd.Env, cmd.Stdin = h.Dir, h.env(), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Read returns a file in the head's folder.
func (h *Head) Read(path string) string {
	h.T.Helper()
	b, err := os.ReadFile(filepath.Join(h.Dir, path)) //nolint:gosec // likewise
	if err != nil {
		h.T.Fatal(err)
	}
	return string(b)
}

// Request is what is sent to a program.
type Request struct {
	Method, Path, Body string
	Header             http.Header
}

// Do sends a request and returns status, headers and body. Redirects are not followed.
func (h *Head) Do(r Request) (int, http.Header, string) {
	h.T.Helper()
	reply, err := r.Send(h.T.Context(), http.DefaultTransport, h.URL)
	if err != nil {
		h.T.Fatal(err)
	}
	return reply.Status, reply.Header, reply.Body
}

// Reply is what came back.
type Reply struct {
	Status int
	Header http.Header
	Body   string
}

// Send sends the request to the program at url.
func (r Request) Send(ctx context.Context, via http.RoundTripper, url string) (Reply, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, url+r.Path, bytes.NewReader([]byte(r.Body)))
	if err != nil {
		return Reply{}, err
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	resp, err := via.RoundTrip(req)
	if err != nil {
		return Reply{}, err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return Reply{}, err
	}
	return Reply{resp.StatusCode, resp.Header, string(body)}, nil
}

// Bearer returns the header that carries a token.
func Bearer(raw string) http.Header {
	return http.Header{"Authorization": {"Bearer " + raw}}
}

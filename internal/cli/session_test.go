package cli_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/cli"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// session is a home with a head behind a local socket.
type session struct {
	env      cli.Env
	vars     map[string]string // the environment
	head     *fakeHead
	url      string
	out, err bytes.Buffer
}

func newSession(t *testing.T, change ...func(*fakeHead)) *session {
	t.Helper()
	head := newFakeHead()
	for _, c := range change {
		c(head)
	}
	url, socket := head.start(t, t.TempDir())
	s := &session{head: head, url: url, vars: map[string]string{"CW_SOCKET": socket}}
	s.env = cli.Env{
		Stdin: strings.NewReader(""), Stdout: &s.out, Stderr: &s.err, Home: t.TempDir(), Etc: t.TempDir(),
		Clock:  clock.NewManual(time.Date(2024, 8, 2, 19, 10, 50, 500e6, time.UTC)),
		Getenv: func(key string) string { return s.vars[key] },
		Ask:    func(context.Context, string) (string, error) { return "", errors.New("there is no terminal to ask on") },
	}
	return s
}

func (s *session) nodectl(t *testing.T, args ...string) int {
	t.Helper()
	return s.run(t.Context(), "cw-nodectl", args...)
}

func (s *session) adminctl(t *testing.T, args ...string) int {
	t.Helper()
	return s.run(t.Context(), "cw-adminctl", args...)
}

func (s *session) run(ctx context.Context, tool string, args ...string) int {
	s.out.Reset()
	s.err.Reset()
	env := s.env
	env.Args = args
	if tool == "cw-adminctl" {
		return cli.AdminCtl(ctx, env)
	}
	return cli.NodeCtl(ctx, env)
}

// requests returns what the head was asked since the last call.
func (s *session) requests() []string {
	s.head.mu.Lock()
	defer s.head.mu.Unlock()
	asked := s.head.asked
	s.head.asked = nil
	return asked
}

// write puts a file into the session's home and returns its path.
func (s *session) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(s.env.Home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

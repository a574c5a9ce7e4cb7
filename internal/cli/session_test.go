package cli_test

import (
	"bytes"
	"context"
	"errors"
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
	out, err bytes.Buffer
}

func newSession(t *testing.T, change ...func(*fakeHead)) *session {
	t.Helper()
	head := newFakeHead()
	for _, c := range change {
		c(head)
	}
	_, socket := head.start(t, t.TempDir())
	s := &session{head: head, vars: map[string]string{"CW_SOCKET": socket}}
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

// Package servertest runs a whole head node inside a test: real SQLite, real metric store, real archive, real HTTP on a
// loopback port, all background work going on, in a folder that goes away with the test.
//
//	h := servertest.New(t, servertest.WithClusters(sim.NewMachine("sim", 4, time.Minute).Cluster()))
//	reply := h.Do(servertest.Call{Path: "/api/jobs/", Token: h.Token(identity.RoleAPI)})
//
// There is a user for each role of both families, made when somebody first asks for his token or his session. With
// WithClock the head's time stands still until the test moves it.
package servertest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Harness is a running head node.
type Harness struct {
	Server *server.Server
	URL    string // where it answers, without a slash at the end
	Socket string // path of the local socket, "" without WithSocket
	Dir    string // where it keeps everything
	// Secrets are the head's own: what nobody outside has, and what must not be found outside.
	Secrets server.Secrets

	tb     testing.TB
	mu     sync.Mutex // guards people
	people map[identity.Role]*person
}

// Option is a wish about the head.
type Option func(*settings)

type settings struct {
	clock    clock.Clock
	clusters []cluster.Cluster
	edits    []func(*server.Config)
	secrets  func(*server.Secrets)
	socket   bool
}

// WithClock gives the head a clock that stands still until the test moves it.
func WithClock(c *clock.Manual) Option { return func(s *settings) { s.clock = c } }

// WithClusters configures clusters to monitor.
func WithClusters(c ...cluster.Cluster) Option {
	return func(s *settings) { s.clusters = append(s.clusters, c...) }
}

// WithConfig changes the configuration before the head starts.
func WithConfig(edit func(*server.Config)) Option {
	return func(s *settings) { s.edits = append(s.edits, edit) }
}

// WithSecrets changes the secrets before the head starts: to add some, or to have those of an earlier life.
func WithSecrets(edit func(*server.Secrets)) Option {
	return func(s *settings) { s.secrets = edit }
}

// WithSocket opens the local socket as well.
func WithSocket() Option { return func(s *settings) { s.socket = true } }

// New starts a head that runs until the test ends. What goes wrong with it fails the test; its warnings are in the
// test's log.
func New(tb testing.TB, options ...Option) *Harness {
	tb.Helper()
	set := settings{clock: clock.System{}}
	for _, o := range options {
		o(&set)
	}
	h := &Harness{tb: tb, Dir: tb.TempDir(), people: map[identity.Role]*person{}}
	if set.socket {
		h.Socket = socketPath(tb)
	}
	for _, c := range set.clusters {
		if err := cluster.WriteDir(h.config().Archive.Path, &c); err != nil {
			tb.Fatal(err)
		}
	}
	c := h.config()
	for _, edit := range set.edits {
		edit(&c)
	}
	h.Secrets = secrets(tb)
	if set.secrets != nil {
		set.secrets(&h.Secrets)
	}
	h.start(c, set.clock)
	return h
}

// socketPath returns a path that is short enough for a socket, wherever the test's own folder is.
func socketPath(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "bh") //nolint:usetesting // the test's own folder may be too long a name
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) }) // a leftover in the folder for temporary files hurts nobody
	return filepath.Join(dir, "s")
}

// config has everything below one folder, and waits for nothing.
func (h *Harness) config() server.Config {
	c := server.DefaultConfig()
	c.Main.Addr = "127.0.0.1:0"
	c.Main.DB = filepath.Join(h.Dir, "job.db")
	c.Main.AuthSocket = "none"
	if h.Socket != "" {
		c.Main.AuthSocket = h.Socket
	}
	c.Archive.Path = filepath.Join(h.Dir, "job-archive")
	c.Archive.Grace = 0 // tests send all samples before a job stops
	c.MetricStore.Checkpoints.Directory = filepath.Join(h.Dir, "checkpoints")
	return c
}

func (h *Harness) start(c server.Config, clk clock.Clock) {
	h.tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.tb.Context()))
	open := make(chan net.Addr, 3)
	s, err := server.New(ctx, c, h.Secrets, server.Options{
		Clock: clk, Log: slog.New(slog.NewTextHandler(testLog{h.tb}, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Listening: func(a net.Addr) { open <- a },
	})
	if err != nil {
		cancel()
		h.tb.Fatal(err)
	}
	h.Server = s
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	select {
	case a := <-open: // the first is main.addr
		h.URL = "http://" + a.String()
	case err := <-ended:
		cancel()
		h.tb.Fatalf("the head did not start: %v", err)
	}
	h.tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.tb.Errorf("the head ended with: %v", err)
		}
	})
}

func secrets(tb testing.TB) server.Secrets {
	tb.Helper()
	public, private, err := token.GenerateKeys(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return server.Secrets{PublicKey: public, PrivateKey: private, SessionKey: []byte(rand.Text())}
}

// testLog writes lines into the log of a test.
type testLog struct{ tb testing.TB }

// Write logs one line.
func (l testLog) Write(line []byte) (int, error) {
	l.tb.Logf("head: %s", strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

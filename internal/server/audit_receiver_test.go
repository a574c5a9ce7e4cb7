package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	head "github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// broker is a real NATS server with a stream that keeps what is published to audit.>. It can be stopped and started again
// at the same address.
type broker struct {
	dir string
	url string
	*server.Server
}

func (b *broker) start(t *testing.T) {
	t.Helper()
	o := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, JetStream: true, StoreDir: b.dir, Username: "head", Password: "hush hush"}
	if b.url != "" {
		u, err := url.Parse(b.url)
		if err != nil {
			t.Fatal(err)
		}
		if o.Port, err = strconv.Atoi(u.Port()); err != nil {
			t.Fatal(err)
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	b.url, b.Server = s.ClientURL(), s
	js := b.jetStream(t)
	if _, err := js.AddStream(&nats.StreamConfig{Name: "AUDIT", Subjects: []string{"audit.>"}}); err != nil && !errors.Is(err, nats.ErrStreamNameAlreadyInUse) {
		t.Fatal(err)
	}
}

func (b *broker) stop() {
	b.Shutdown()
	b.WaitForShutdown()
}

func (b *broker) jetStream(t *testing.T) nats.JetStreamContext {
	t.Helper()
	nc, err := nats.Connect(b.url, nats.UserInfo("head", "hush hush"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// lines returns what the stream has kept.
func (b *broker) lines(t *testing.T) [][]byte {
	t.Helper()
	sub, err := b.jetStream(t).SubscribeSync("audit.bridgehead", nats.OrderedConsumer())
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Unsubscribe()
	var all [][]byte
	for {
		m, err := sub.NextMsg(200 * time.Millisecond)
		if err != nil {
			return all
		}
		all = append(all, m.Data)
	}
}

// logd is a syslog server over TCP that keeps all that it is sent, over all its lives.
type logd struct {
	addr string
	mu   sync.Mutex // guards all below
	l    net.Listener
	open []net.Conn
	text bytes.Buffer
}

func (d *logd) start(t *testing.T) {
	t.Helper()
	if d.addr == "" {
		d.addr = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addr, d.l = l.Addr().String(), l
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.open = append(d.open, c)
			d.mu.Unlock()
			go func() { _, _ = io.Copy(d, c) }()
		}
	}()
}

// Write keeps what one connection brings.
func (d *logd) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(p)
}

func (d *logd) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.l.Close()
	for _, c := range d.open {
		_ = c.Close()
	}
	d.open = nil
}

// lines returns the records in what was sent, wherever they begin.
func (d *logd) lines() [][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all [][]byte
	for part := range bytes.SplitSeq(d.text.Bytes(), []byte(" - {")) {
		var raw json.RawMessage
		if json.NewDecoder(bytes.NewReader(slices.Concat([]byte("{"), part))).Decode(&raw) == nil {
			all = append(all, raw)
		}
	}
	return all
}

// complete returns nil when the lines are the trail from its beginning to last, in order, though some may come again.
func complete(lines [][]byte, last int64) error {
	v := audit.NewVerifier(audit.Head{})
	for _, line := range lines {
		r, err := audit.ParseLine(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return err
		}
		if r.Seq <= v.Head().Seq {
			continue
		}
		if err := v.Add(r); err != nil {
			return err
		}
	}
	if v.Head().Seq != last {
		return fmt.Errorf("it ends with record %d, want %d", v.Head().Seq, last)
	}
	return nil
}

// TestReceiversMissNothing takes a head with three receivers through three lives, in which the receivers come and go.
func TestReceiversMissNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nat, log := &broker{dir: filepath.Join(dir, "nats")}, &logd{}
	nat.start(t)
	log.start(t)
	path := filepath.Join(dir, "log", "audit")
	var kept head.Secrets
	var auditor string // his token in this life
	live := func(name string, work func(t *testing.T, h *servertest.Harness, write func(n int) int64)) {
		t.Run(name, func(t *testing.T) {
			h := servertest.New(t, servertest.WithConfig(func(c *head.Config) {
				c.Main.DB = filepath.Join(dir, "job.db")
				c.Audit.File.Path = path
				c.Audit.Syslog = &head.AuditSyslogConfig{Network: "tcp", Addr: log.addr}
				c.Audit.NATS = &head.AuditNATSConfig{URL: nat.url, Subject: "audit.bridgehead", Username: "head", Stream: true}
			}), servertest.WithSecrets(func(s *head.Secrets) {
				if kept.PublicKey == "" {
					kept = *s
					kept.AuditNATSPassword = "hush hush"
				}
				*s = kept
			}))
			if name == "first" {
				if _, err := h.Server.Users().Create(t.Context(), servertest.Local(), identity.NewUser{Name: "auditor", Roles: []identity.Role{identity.RoleFullAdmin}}); err != nil {
					t.Fatal(err)
				}
			}
			auditor = h.Mint(token.MintRequest{For: "auditor"}).Text
			made := 0
			write := func(n int) int64 {
				for range n {
					made++
					u := identity.NewUser{Name: fmt.Sprint(name, made), Roles: []identity.Role{identity.RoleAuthUser}}
					if _, err := h.Server.Users().Create(t.Context(), servertest.Local(), u); err != nil {
						t.Fatal(err)
					}
				}
				var end struct{ Data struct{ Seq int64 } }
				h.Do(servertest.Call{Path: "/api/v1/audit/head", Token: auditor}).Decode(t, &end)
				return end.Data.Seq
			}
			work(t, h, write)
		})
	}
	arrived := func(t *testing.T, last int64) {
		t.Helper()
		eventually(t, func() error { return complete(log.lines(), last) })
		eventually(t, func() error { return complete(nat.lines(t), last) })
		eventually(t, func() error { return complete(fileLines(t, path), last) })
	}

	live("first", func(t *testing.T, h *servertest.Harness, write func(int) int64) { //nolint:thelper // it is the test itself
		arrived(t, write(20))
		nat.stop()
		log.stop()
		write(20)
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		metrics := func() string {
			return h.Do(servertest.Call{Path: "/metrics", Token: auditor}).Body
		}
		for _, receiver := range []string{"syslog", "nats"} {
			if want := fmt.Sprintf("bridgehead_audit_lag_records{receiver=%q} 2", receiver); !strings.Contains(metrics(), want) {
				t.Errorf("no %s in the metrics", want)
			}
		}
	})
	live("second", func(_ *testing.T, _ *servertest.Harness, write func(int) int64) { write(20) })
	nat.start(t)
	log.start(t)
	t.Cleanup(nat.stop)
	t.Cleanup(log.stop)
	live("third", func(t *testing.T, _ *servertest.Harness, write func(int) int64) { //nolint:thelper // it is the test itself
		arrived(t, write(300))
		log.stop()
		log.start(t)
		arrived(t, write(20))
	})
}

// fileLines returns the lines of a file and of what it was rotated to.
func fileLines(t *testing.T, path string) [][]byte {
	t.Helper()
	var text []byte
	for _, p := range []string{path + ".1", path} {
		part, err := os.ReadFile(p)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		text = append(text, part...)
	}
	return slices.Collect(bytes.Lines(text))
}

func TestWrongAuditSettingsAreTold(t *testing.T) {
	t.Parallel()
	for section, want := range map[string]string{
		`{"path": "a", "file": {"path": "b"}}`:                        "contradict each other",
		`{"file": "a"}`:                                               "file: an object is expected, not a string",
		`{"files": {}}`:                                               `unknown key "files"; the keys here are path, file, syslog, network`,
		`{"syslog": {"facility": "local9"}}`:                          "audit.syslog: facility \"local9\" is unknown",
		`{"syslog": {"network": "tcp"}}`:                              "looks like loghost:514",
		`{"nats": {"url": "nats://a:b@c:1", "subject": "x"}}`:         "AUDIT_NATS_PASSWORD",
		`{"nats": {"url": "nats://c:1"}}`:                             "audit.nats.subject",
		`{"nats": {"url": "nats://c:1", "subject": "x", "pass": ""}}`: `unknown key "pass"`,
	} {
		path := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(path, []byte(`{"main": {}, "audit": `+section+`}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := head.ReadConfig(path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "a:b") {
			t.Errorf("%s: %v, want %q", section, err, want)
		}
	}
}

// A head that is to stop does not wait for those who follow its trail: they get an answer at once.
func TestStopEndsWaiting(t *testing.T) { //nolint:tparallel // the life of the head ends before the rest
	t.Parallel()
	answered := make(chan error, 1)
	t.Run("life", func(t *testing.T) {
		h := servertest.New(t)
		r, err := http.NewRequest(http.MethodGet, h.URL+"/api/v1/audit?after=1000000&wait=60s", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+h.Token(identity.RoleFullAdmin))
		go func() {
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err == nil {
				_ = resp.Body.Close()
			}
			answered <- err
		}()
		eventually(t, waits)         // a request of which the server has read nothing yet when it stops gets no answer
		eventually(t, func() error { // whoever waits is served while others are
			if r := h.Do(servertest.Call{Path: "/healthz"}); r.Status != http.StatusOK {
				return errors.New(r.Body)
			}
			return nil
		})
	})
	if err := <-answered; err != nil {
		t.Errorf("torn off: %v", err)
	}
}

// waits reports whether somebody waits for records. The program does not say; where its goroutines are does.
func waits() error {
	stacks := make([]byte, 4<<20)
	return contains(string(stacks[:runtime.Stack(stacks, true)]), "trail.(*Service).Wait(")
}

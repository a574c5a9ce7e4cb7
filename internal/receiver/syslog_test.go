package receiver_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/receiver"
)

// daemon is a log server that keeps what it gets.
type daemon struct {
	network, addr string

	mu       sync.Mutex // guards all below
	closers  []io.Closer
	messages [][]byte
}

// listen starts a daemon; network is unixgram, unix, udp or tcp.
func listen(t *testing.T, network, addr string) *daemon {
	t.Helper()
	d := &daemon{network: network, addr: addr}
	switch network {
	case "unixgram", "udp":
		c, err := (&net.ListenConfig{}).ListenPacket(t.Context(), network, addr)
		if err != nil {
			t.Fatal(err)
		}
		d.addr = c.LocalAddr().String()
		d.closers = append(d.closers, c)
		go d.datagrams(c)
	default:
		l, err := (&net.ListenConfig{}).Listen(t.Context(), network, addr)
		if err != nil {
			t.Fatal(err)
		}
		d.addr = l.Addr().String()
		d.closers = append(d.closers, l)
		go d.accept(l)
	}
	t.Cleanup(d.kill)
	return d
}

func (d *daemon) datagrams(c net.PacketConn) {
	buf := make([]byte, 1<<17)
	for {
		n, _, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		d.keep(bytes.Clone(buf[:n]))
	}
}

func (d *daemon) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		d.closers = append(d.closers, c)
		d.mu.Unlock()
		go d.stream(c)
	}
}

// stream reads frames: a length before each over TCP, a NUL after each at a local socket.
func (d *daemon) stream(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		if d.network == "unix" {
			m, err := in.ReadBytes(0)
			if err != nil {
				return
			}
			d.keep(m[:len(m)-1])
			continue
		}
		length, err := in.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		if err != nil {
			d.keep([]byte("bad frame " + length))
			return
		}
		m := make([]byte, n)
		if _, err := io.ReadFull(in, m); err != nil {
			return
		}
		d.keep(m)
	}
}

func (d *daemon) keep(m []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.messages = append(d.messages, m)
}

// kill ends the daemon as kill -9 does: nobody listens, and no connection is open any more.
func (d *daemon) kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.closers {
		_ = c.Close()
	}
	d.closers = nil
}

func (d *daemon) kept() [][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Split(bytes.Join(d.messages, []byte("\x00")), []byte("\x00"))
}

// lines returns the JSON lines in the messages.
func lines(messages [][]byte) [][]byte {
	var all [][]byte
	for _, m := range messages {
		if i := bytes.IndexByte(m, '{'); i >= 0 {
			all = append(all, m[i:])
		}
	}
	return all
}

func newSyslog(t *testing.T, d *daemon) *receiver.Syslog {
	t.Helper()
	network := d.network
	if network == "unixgram" {
		network = "unix"
	}
	s, err := receiver.NewSyslog(receiver.SyslogConfig{Network: network, Addr: d.addr, Host: "head0", Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// socketPath is short enough for a socket wherever the test's own folder is.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bh") //nolint:usetesting // the test's own folder may be too long a name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "log")
}

// address returns where a daemon of that network listens.
func address(t *testing.T, network string) string {
	t.Helper()
	if strings.HasPrefix(network, "unix") {
		return socketPath(t)
	}
	return "127.0.0.1:0"
}

var rfc5424 = regexp.MustCompile(`^<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\S+) (\S+) (\d+) (\S+) - (\{.*\})$`)

func TestMessagesAreOfRFC5424OnEveryWay(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"unixgram", "unix", "udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			d := listen(t, network, address(t, network))
			s := newSyslog(t, d)
			if err := s.Send(t.Context(), chained(t, 1, 50)); err != nil {
				t.Fatal(err)
			}
			if err := s.Send(t.Context(), chained(t, 51, 80)); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() error { return check(lines(d.kept()), 80, false) })
			m := rfc5424.FindStringSubmatch(string(d.kept()[2]))
			want := []string{"86", "2026-03-01T12:00:03.000005Z", "head0", "bridgehead", strconv.Itoa(os.Getpid()), "node.update", string(audit.Line(chained(t, 3, 3)[0]))}
			if len(m) != 8 || fmt.Sprint(m[1:]) != fmt.Sprint(want) {
				t.Errorf("got %q", d.kept()[2])
			}
		})
	}
}

func TestSeverityFacilityAndTag(t *testing.T) {
	t.Parallel()
	d := listen(t, "tcp", "127.0.0.1:0")
	s, err := receiver.NewSyslog(receiver.SyslogConfig{Network: "tcp", Addr: d.addr, Facility: "local3", Tag: "hpc", Host: "two words", Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	records := []audit.Record{
		{Seq: 1, Outcome: audit.Done, Action: "a.b"}, {Seq: 2, Outcome: audit.Refused, Action: "request.refuse é\n<1>1"}, {Seq: 3, Outcome: audit.Failed},
	}
	if err := s.Send(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if len(d.kept()) != 3 {
			return fmt.Errorf("%d messages", len(d.kept()))
		}
		return nil
	})
	for i, want := range []string{`<158>1 0001-01-01T00:00:00.000000Z two?words hpc `, `<156>1 `, `<155>1 `} {
		m := string(d.kept()[i])
		if !strings.HasPrefix(m, want) || !rfc5424.MatchString(m) {
			t.Errorf("message %d: %q", i, m)
		}
	}
	if m := string(d.kept()[1]); !strings.Contains(m, " request.refuse???<1>1 - {") {
		t.Errorf("an action steers the header: %q", m)
	}
}

func TestLongRecordsFitIntoDatagrams(t *testing.T) {
	t.Parallel()
	long := chained(t, 1, 1)[0]
	long.Reason = strings.Repeat("\x01", 20_000)
	long.Details = map[string]string{"x": strings.Repeat("x", 60_000)}
	for _, network := range []string{"unixgram", "udp"} {
		d := listen(t, network, address(t, network))
		if err := newSyslog(t, d).Send(t.Context(), []audit.Record{long}); err != nil {
			t.Fatalf("%s: %v", network, err)
		}
		eventually(t, func() error {
			for _, line := range lines(d.kept()) {
				if r, err := audit.ParseLine(line); err == nil && r.Hash == long.Hash && r.Details["shortened"] != "" {
					return nil
				}
			}
			return errors.New("not there yet")
		})
	}
	d := listen(t, "tcp", "127.0.0.1:0") // where it fits
	if err := newSyslog(t, d).Send(t.Context(), []audit.Record{long}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if all := lines(d.kept()); len(all) != 1 || !bytes.Equal(all[0], audit.Line(long)) {
			return errors.New("not the whole record")
		}
		return nil
	})
}

// TestDaemonThatWasKilledMissesNothing kills and restarts a daemon between batches and sends until each batch is taken.
func TestDaemonThatWasKilledMissesNothing(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"unixgram", "unix", "udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			d := listen(t, network, address(t, network))
			s := newSyslog(t, d)
			var all [][]byte
			for life := range int64(5) {
				batch := chained(t, 20*life+1, 20*life+20)
				eventually(t, func() error { return s.Send(t.Context(), batch) })
				eventually(t, func() error { return check(lines(append(all, d.kept()...)), 20*life+20, true) })
				all = append(all, d.kept()...)
				d.kill()
				if err := s.Send(t.Context(), chained(t, 20*life+21, 20*life+40)); err == nil && network != "udp" {
					t.Errorf("life %d: nobody is there, and the batch was taken", life)
				}
				_ = os.Remove(d.addr) // a daemon that was killed leaves its socket
				d = listen(t, network, d.addr)
			}
		})
	}
}

func TestWrongSettingsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]receiver.SyslogConfig{
		"facility":          {Facility: "local9"},
		"network":           {Network: "tls", Addr: "x:1"},
		"loghost:514":       {Network: "udp", Addr: "loghost"},
		"looks like":        {Network: "tcp"},
		`tag "two words"`:   {Tag: "two words"},
		"up to 48 letters,": {Tag: strings.Repeat("x", 49)},
	} {
		if _, err := receiver.NewSyslog(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	s, err := receiver.NewSyslog(receiver.SyslogConfig{})
	if err != nil || s.Network != "unix" || s.Addr != "/dev/log" || s.Tag != "bridgehead" || s.Facility != "authpriv" {
		t.Errorf("defaults: %+v, %v", s, err)
	}
}

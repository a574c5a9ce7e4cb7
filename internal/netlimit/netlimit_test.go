package netlimit_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/netlimit"
)

// echo answers every connection of a listener with one byte and keeps it open.
func echo(t *testing.T, l *netlimit.Limiter) string {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := l.Listen(ln)
	t.Cleanup(func() { _ = limited.Close() })
	go func() {
		for {
			c, err := limited.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = c.Write([]byte("x"))   // the client sees whether it came
				_, _ = io.Copy(io.Discard, c) // until the client closes
				_ = c.Close()                 // it has been read
			}()
		}
	}()
	return ln.Addr().String()
}

// dial connects from an address and reports whether it was let in; ok is nil while it waits.
func dial(t *testing.T, addr, from string) (net.Conn, error) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, err = io.ReadFull(c, make([]byte, 1))
	return c, err
}

func TestAnAddressHasSoManyConnections(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	addr := echo(t, netlimit.New(netlimit.Limits{
		PerAddress: 3, Exempt: []netip.Prefix{netip.MustParsePrefix("127.0.9.0/24")}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}))
	var open []net.Conn
	for i := range 6 {
		c, err := dial(t, addr, "127.0.1.1")
		if (err == nil) != (i < 3) {
			t.Errorf("connection %d: %v", i+1, err)
		}
		open = append(open, c)
		if _, err := dial(t, addr, "127.0.9.1"); err != nil {
			t.Errorf("connection %d of a proxy: %v", i+1, err)
		}
	}
	if _, err := dial(t, addr, "127.0.1.2"); err != nil {
		t.Errorf("another address: %v", err)
	}
	_ = open[0].Close()
	let := func() bool { _, err := dial(t, addr, "127.0.1.1"); return err == nil }
	for i := 0; !let(); i++ { // the server has to see that it is closed
		if i > 1000 {
			t.Fatal("what is closed still counts")
		}
	}
	if n := strings.Count(log.String(), "127.0.1.1/32"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, log.String())
	}
}

func TestTooManyOverAllWait(t *testing.T) {
	t.Parallel()
	l := netlimit.New(netlimit.Limits{Total: 2})
	one, two := echo(t, l), echo(t, l)
	first, err := dial(t, one, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(t, two, "127.0.0.2"); err != nil {
		t.Fatal(err)
	}
	came := make(chan error, 1)
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", two)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		_, err := io.ReadFull(c, make([]byte, 1))
		came <- err
	}()
	select {
	case err := <-came:
		t.Fatalf("the third is not made to wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	_ = first.Close()
	if err := <-came; err != nil {
		t.Errorf("when there is room: %v", err)
	}
}

func TestAWaitingListenerCanBeClosed(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := netlimit.New(netlimit.Limits{Total: 1}).Listen(ln)
	go func() { _, _ = net.Dial("tcp", ln.Addr().String()) }()
	if _, err := limited.Accept(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := limited.Accept()
		ended <- err
	}()
	if err := limited.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestSomeDescriptorsAreKept(t *testing.T) {
	t.Parallel()
	if n := netlimit.Connections(); n < 16 || n > 1<<20 {
		t.Errorf("%d connections", n)
	}
}

func TestAServerWaitsForNobodyForEver(t *testing.T) {
	t.Parallel()
	s := netlimit.Server(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout < s.ReadHeaderTimeout || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 || s.MaxHeaderBytes > 1<<17 {
		t.Errorf("%+v", s)
	}
}

package attack_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
)

// connect opens a connection from an address of its own.
func (h *head) connect(t *testing.T, a, b byte) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, a, b, 1)}}
	c, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// drip sends the beginning of a request and then one byte after another, until ctx ends or the head has enough.
func drip(ctx context.Context, c net.Conn, begin string) {
	var wall clock.System
	_, err := io.WriteString(c, begin)
	for err == nil && clock.Sleep(ctx, wall, 20*time.Millisecond) == nil {
		_, err = io.WriteString(c, "x")
	}
}

// memory is what this process, head and attackers, holds.
func memory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// roomFor skips a test that needs so many open files, unless the system lets the process have them.
func roomFor(t *testing.T, files uint64) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < files {
		t.Skipf("it takes %d open files, and this process may have %d; ulimit -n %d before the test", files, limit.Cur, files)
	}
}

// TestSlowClientsKeepNobodyWaiting has clients that send slowly, do not read, do nothing, or send far too much, all of
// them beside one that does as it should. How long that one waits is in the log; a busy machine decides about it.
func TestSlowClientsKeepNobodyWaiting(t *testing.T) {
	const idle = 5000
	roomFor(t, 4*idle)
	h := openHead(t, servertest.WithClusters(sim.NewMachine("sim", 4, time.Minute).Cluster()))
	raw := h.Token(identity.RoleAPI)
	before := memory()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var attackers sync.WaitGroup
	for i := range idle {
		h.connect(t, 10, byte(i%20))
	}
	post := "POST /api/write/?cluster=sim HTTP/1.1\r\nHost: head\r\nAuthorization: Bearer " + raw + "\r\n"
	for i := range byte(10) {
		head, body, deaf := h.connect(t, 11, i), h.connect(t, 12, i), h.connect(t, 13, i)
		attackers.Go(func() { drip(ctx, head, "GET /api/v1/whoami HTTP/1.1\r\nHost: head\r\nX-Slow: ") })
		attackers.Go(func() { drip(ctx, body, post+"Content-Length: 1000000\r\n\r\n") })
		attackers.Go(func() { // asks for some ten megabytes and reads nothing of it
			_, _ = io.WriteString(deaf, strings.Repeat("GET /api/v1/openapi.json HTTP/1.1\r\nHost: head\r\n\r\n", 100)) // until the head has enough
		})
		half := h.connect(t, 14, i)
		attackers.Go(func() { halfClosed(t, half) })
	}
	attackers.Go(func() { h.longLine(t, post) })
	attackers.Go(func() { h.bomb(t, raw) })
	took := h.wellBehaved(t, raw, 200)
	if grown := memory() - before; grown > 1<<30 {
		t.Errorf("%d MB more than before", grown>>20)
	} else {
		t.Logf("%d MB more than before", grown>>20)
	}
	slices.Sort(took)
	t.Logf("the client beside them: median %v, p99 %v of %d requests", took[len(took)/2], took[len(took)*99/100], len(took))
	stop()
	attackers.Wait()
}

// wellBehaved asks and sends, and returns how long each request took.
func (h *head) wellBehaved(t *testing.T, raw string, n int) (took []time.Duration) {
	t.Helper()
	var wall clock.System
	for i := range n {
		begin := wall.Now()
		if i%2 == 0 {
			want(t, "a request beside them", h.whoami(raw), http.StatusOK)
		} else {
			line := fmt.Sprintf("cpu_load,hostname=n1 value=%d %d\n", i, wall.Now().Unix()-int64(n-i))
			want(t, "samples beside them", h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/write/?cluster=sim", Token: raw, Body: line, Type: "text/plain"}), http.StatusOK)
		}
		took = append(took, wall.Now().Sub(begin))
	}
	return took
}

// halfClosed sends a request and closes its side. Whatever the head makes of it, it closes the connection.
func halfClosed(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := io.WriteString(c, "GET /api/v1/whoami HTTP/1.1\r\nHost: head\r\n\r\n")
	if half, ok := c.(*net.TCPConn); ok && err == nil {
		err = half.CloseWrite()
	}
	if err == nil {
		_, err = io.Copy(io.Discard, c)
	}
	if err != nil {
		t.Errorf("half-closed: %v", err)
	}
}

// longLine sends one line of 100 MB.
func (h *head) longLine(t *testing.T, post string) {
	t.Helper()
	c := h.connect(t, 15, 1)
	_, err := io.WriteString(c, post+"Content-Length: 104857600\r\n\r\ncpu_load,hostname=")
	piece := bytes.Repeat([]byte("x"), 1<<20)
	for i := 0; i < 100 && err == nil; i++ {
		_, err = c.Write(piece)
	}
	// The head may have closed the connection before all was sent: that is an answer as well.
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return
	}
	_ = resp.Body.Close() // only the status counts
	if resp.StatusCode < 400 || resp.StatusCode >= 500 {
		t.Errorf("a line of 100 MB: %d", resp.StatusCode)
	}
}

// bomb sends a gigabyte of blanks that is one megabyte on the way: a thousand times the same piece, which is how gzip may
// be written as well.
func (h *head) bomb(t *testing.T, raw string) {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write(bytes.Repeat([]byte(" "), 1<<20)) // a buffer takes everything
	_ = zip.Close()
	packed = *bytes.NewBuffer(bytes.Repeat(packed.Bytes(), 1<<10))
	for _, path := range []string{"/api/write/?cluster=sim", "/api/v1/login"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+path, bytes.NewReader(packed.Bytes()))
		if err != nil {
			t.Error(err)
			return
		}
		r.Header = http.Header{"Authorization": {"Bearer " + raw}, "Content-Encoding": {"gzip"}}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil { // closed before all was sent
			continue
		}
		_ = resp.Body.Close() // only the status counts
		if resp.StatusCode < 400 || resp.StatusCode >= 500 {
			t.Errorf("%s: a gigabyte in a megabyte: %d", path, resp.StatusCode)
		}
	}
}

// TestOneAddressDoesNotTakeAllConnections, however many it opens; those at the limit are still served.
func TestOneAddressDoesNotTakeAllConnections(t *testing.T) {
	t.Parallel()
	h := openHead(t, servertest.WithConfig(func(c *server.Config) { c.Main.ConnectionsPerAddress = 20 }))
	raw := h.Token(identity.RoleAPI)
	served := 0
	for range 60 {
		c := h.connect(t, 20, 1)
		_, err := io.WriteString(c, "GET /api/v1/whoami HTTP/1.1\r\nHost: head\r\n\r\n")
		if err != nil {
			continue
		}
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			_ = resp.Body.Close() // only that there is one counts
			served++
		}
	}
	if served != 20 {
		t.Errorf("%d of 60 connections of one address are served; 20 may be", served)
	}
	want(t, "another address", h.whoami(raw), http.StatusOK)
}

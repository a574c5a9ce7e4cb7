package oidc

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// zone is a name server that has one answer to every question about a name, until it is given another one.
type zone struct {
	mu     sync.Mutex // guards answer
	answer netip.Addr
	asked  atomic.Int64
}

func (z *zone) set(ip string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.answer = netip.MustParseAddr(ip)
}

// resolver returns one that asks z.
func (z *zone) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(z.reply(buf[:n]), from) // who hears nothing asks again
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// reply answers a query (RFC 1035): a header of twelve bytes, and the question again.
func (z *zone) reply(query []byte) []byte {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked.Add(1)
	end := 12
	for query[end] != 0 { // labels, each behind its length
		end += int(query[end]) + 1
	}
	end += 5
	const a, aaaa = 1, 28
	asked, data := binary.BigEndian.Uint16(query[end-4:]), z.answer.AsSlice()
	fits := asked == a && z.answer.Is4() || asked == aaaa && z.answer.Is6()
	out := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[12:end]...)
	if !fits {
		return out
	}
	out[7] = 1
	out = append(out, 0xc0, 12, 0, byte(asked), 0, 1, 0, 0, 0, 0, 0, byte(len(data))) // the name of the question, for no time
	return append(out, data...)
}

// counted answers on an address of this machine, and counts.
func counted(t *testing.T, addr string) (port string, hits *atomic.Int64) {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	hits = &atomic.Int64{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		w.Header().Set("Connection", "close")
	}))
	_ = srv.Listener.Close()
	srv.Listener = ln
	srv.Start()
	t.Cleanup(srv.Close)
	_, port, err = net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, hits
}

// TestAnAnswerThatChangesLeadsNowhere: the name meant an address that the site has written down, and then another one.
func TestAnAnswerThatChangesLeadsNowhere(t *testing.T) {
	t.Parallel()
	port, meant := counted(t, "127.0.0.1:0")
	_, other := counted(t, "127.0.0.2:"+port)
	z := &zone{}
	client := guarded("http", []string{"idp.test:" + port, "127.0.0.1"}, z.resolver(t))
	get := func(url string) error {
		resp, err := client.Get(url)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body) // it is empty
			_ = resp.Body.Close()
		}
		return err
	}
	idp := "http://idp.test:" + port + "/"
	z.set("127.0.0.1")
	if err := get(idp); err != nil || meant.Load() != 1 {
		t.Fatalf("where it should go: %v, %d requests", err, meant.Load())
	}
	var wall clock.System
	for _, ip := range []string{
		"127.0.0.2", "169.254.169.254", "0.0.0.0", "::1", "fe80::1", "::ffff:169.254.169.254", "::ffff:127.0.0.2", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:2",
		"fd00:ec2::254", "224.0.0.1", "255.255.255.255", "ff02::1", "::",
	} {
		z.set(ip)
		begin := wall.Now()
		if err := get(idp); err == nil || !strings.Contains(err.Error(), "auth.oidc.hosts can list the address") {
			t.Errorf("%s: %v", ip, err)
		}
		if took := wall.Now().Sub(begin); took > replyTime {
			t.Errorf("%s: took %v", ip, took)
		}
	}
	if other.Load() != 0 || meant.Load() != 1 || z.asked.Load() == 0 {
		t.Errorf("%d requests to the other, %d to the one, %d questions", other.Load(), meant.Load(), z.asked.Load())
	}
	for _, url := range []string{
		"http://169.254.169.254/latest/meta-data", "http://[::ffff:169.254.169.254]/", "http://[::ffff:7f00:2]:" + port, "http://2130706434:" + port, "http://0x7f000002:" + port,
		"http://017700000002:" + port, "http://127.2:" + port, "http://other.test:" + port, "https://idp.test:" + port, "http://idp.test:1", "http://x@idp.test:" + port,
		"file:///etc/passwd", "gopher://idp.test:" + port, "http://idp.test.:" + port, "http://127.0.0.1:" + port,
	} {
		if err := get(url); err == nil {
			t.Errorf("%s: no error", url)
		}
	}
	if other.Load() != 0 || meant.Load() != 1 {
		t.Errorf("%d requests to the other, %d to the one", other.Load(), meant.Load())
	}
}

func TestAddressesThatAreNobodysOrOurs(t *testing.T) {
	t.Parallel()
	for ip, inside := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true, "169.254.169.254": true, "64:ff9b::a9fe:a9fe": true, "0.1.2.3": true,
		"10.0.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "fd12::1": false, "192.0.2.1": false, "2001:db8::1": false, "64:ff9b::808:808": false,
	} {
		if got := isInside(plain(netip.MustParseAddr(ip))); got != inside {
			t.Errorf("%s: %t", ip, got)
		}
	}
}

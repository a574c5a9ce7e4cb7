package attack_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/test/program"
)

// TestTheHeadKeepsItsFilesWhenDescriptorsRunOut takes every connection that a head with few open files has to give. Who
// is connected goes on, with what is written to the database, the trail and the log; the others wait for their turn.
func TestTheHeadKeepsItsFilesWhenDescriptorsRunOut(t *testing.T) {
	t.Parallel()
	p := program.New(t, program.Build(t, "cc-backend"), t.TempDir(), "boss:admin:correct horse battery boss")
	for what, c := range map[string]struct {
		files  int
		shrink uint64 // what is left while it runs, 0 for files
	}{
		"few from the beginning": {400, 0}, "fewer than it has counted on": {400, 64},
	} {
		p.Wrap = []string{"/bin/sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$@"`, c.files), "sh"}
		p.Start()
		login := func() int { // writes to the database and to the trail
			status, _, _ := p.Do(program.Request{Method: http.MethodPost, Path: "/api/v1/login", Body: `{"username":"boss","password":"correct horse battery boss"}`})
			return status
		}
		if got := login(); got != http.StatusOK {
			t.Fatalf("%s, before: %d", what, got)
		}
		if c.shrink > 0 {
			limit := unix.Rlimit{Cur: c.shrink, Max: c.shrink}
			if err := unix.Prlimit(p.PID(), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
				t.Fatal(err)
			}
		}
		var idle []net.Conn
		for i := range 300 {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 30, byte(i%10), 1)}, Timeout: patience}
			conn, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(p.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			idle = append(idle, conn)
		}
		for range 5 {
			if got := login(); got != http.StatusOK {
				t.Errorf("%s, who is connected: %d", what, got)
			}
		}
		for _, conn := range idle {
			_ = conn.Close()
		}
		fresh := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
		var wall clock.System
		for deadline := wall.Now().Add(patience); ; <-wall.After(20 * time.Millisecond) {
			resp, err := fresh.Get(p.URL + "/readyz")
			if err == nil {
				_ = resp.Body.Close()
				break
			}
			if wall.Now().After(deadline) {
				t.Fatalf("%s, somebody new, afterwards: %v", what, err)
			}
		}
		p.Stop(syscall.SIGTERM)
		if log := p.Read(program.Log); strings.Contains(log, "unable to open database") || strings.Contains(log, "request panicked") {
			t.Errorf("%s:\n%s", what, log)
		}
	}
}

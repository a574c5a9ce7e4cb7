package fault_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/porttest"
	"github.com/bridgehead-hpc/bridgehead/test/program"
)

// statusTTL is how long a list of revoked tokens may be kept, as the head is configured in these tests.
func statusTTL() time.Duration { return time.Duration(pick(2, 5)) * time.Second }

// cable is a network of its own with one cable to this one.
type cable struct {
	t         *testing.T
	name      string // of the network
	near, far string // names of the ends
	farAddr   string
}

var cables atomic.Int32

func newCable(t *testing.T) *cable {
	t.Helper()
	needRoot(t, "ip", "tc")
	n := int(cables.Add(1)) + os.Getpid()*8
	c := &cable{t: t, name: fmt.Sprintf("bhfault%d", n), near: fmt.Sprintf("bhn%d", n), far: fmt.Sprintf("bhf%d", n)}
	subnet := fmt.Sprintf("198.18.%d.", n>>6&0xff) // of the addresses for measurements
	nearAddr := subnet + strconv.Itoa(n<<2&0xff+1)
	c.farAddr = subnet + strconv.Itoa(n<<2&0xff+2)
	if _, err := command("ip", "netns", "add", c.name); err != nil {
		t.Skipf("networks cannot be made here (a container needs the capability NET_ADMIN): %v", err)
	}
	t.Cleanup(func() { _, _ = command("ip", "netns", "del", c.name) }) // the cable goes with it
	tool(t, "ip", "link", "add", c.near, "type", "veth", "peer", "name", c.far, "netns", c.name)
	tool(t, "ip", "addr", "add", nearAddr+"/30", "dev", c.near)
	c.within("ip", "link", "set", "lo", "up")
	c.within("ip", "addr", "add", c.farAddr+"/30", "dev", c.far)
	c.within("ip", "link", "set", c.far, "up")
	tool(t, "ip", "link", "set", c.near, "up")
	mac, err := command("ip", "netns", "exec", c.name, "cat", "/sys/class/net/"+c.far+"/address")
	must(t, err)
	// For the link to swallow everything, nobody may ask who is there.
	tool(t, "ip", "neigh", "replace", c.farAddr, "lladdr", strings.TrimSpace(mac), "dev", c.near, "nud", "permanent")
	return c
}

// within runs a tool in the network.
func (c *cable) within(args ...string) {
	c.t.Helper()
	tool(c.t, "ip", append([]string{"netns", "exec", c.name}, args...)...)
}

// unplug takes the cable out, and plug puts it in again.
func (c *cable) unplug() { c.t.Helper(); tool(c.t, "ip", "link", "set", c.near, "down") }

func (c *cable) plug() {
	c.t.Helper()
	tool(c.t, "ip", "link", "set", c.near, "up")
}

// swallow makes what is sent disappear without a word, and deliver ends that.
func (c *cable) swallow() {
	c.t.Helper()
	c.within("ip", "addr", "del", c.farAddr+"/30", "dev", c.far)
}

func (c *cable) deliver() {
	c.t.Helper()
	c.within("ip", "addr", "add", c.farAddr+"/30", "dev", c.far)
}

// worsen makes the cable a bad one: it loses packets and takes its time.
func (c *cable) worsen() {
	c.t.Helper()
	if _, err := command("tc", "qdisc", "add", "dev", c.near, "root", "netem", "loss", "30%", "delay", "50ms"); err == nil {
		return
	}
	// A kernel without netem: a queue that is soon full drops what does not fit.
	tool(c.t, "tc", "qdisc", "add", "dev", c.near, "root", "tbf", "rate", "24kbit", "burst", "1600", "limit", "1600")
}

func (c *cable) mend() {
	c.t.Helper()
	tool(c.t, "tc", "qdisc", "del", "dev", c.near, "root")
}

// farHead is a head at the other end of a cable. Its local socket can be reached without the cable.
type farHead struct {
	*program.Head
	local http.RoundTripper
	boss  http.Header
}

func newFarHead(t *testing.T, c *cable, bin string) farHead {
	t.Helper()
	h := newHead(t, bin, t.TempDir())
	h.Configure(`"max-age": "2000h"`, fmt.Sprintf(`"max-age": "2000h", "status-ttl": "%s"`, statusTTL()))
	h.Listen(c.farAddr + ":8080")
	h.Wrap = []string{"ip", "netns", "exec", c.name}
	h.Start()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", h.Socket)
	}
	boss := program.Bearer(newClient(t, h).token)
	boss.Set("Content-Type", "application/json")
	return farHead{h, &http.Transport{DialContext: dial}, boss}
}

func (h farHead) call(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r := program.Request{Method: method, Path: path, Body: body, Header: h.boss}
	reply, err := r.Send(t.Context(), h.local, "http://head")
	must(t, err)
	return reply.Status, reply.Body
}

// mint makes a token that may write samples.
func (h farHead) mint(t *testing.T) (text, id string) {
	t.Helper()
	status, reply := h.call(t, http.MethodPost, "/api/v1/admin/collector/token", `{}`)
	var m struct {
		Data struct {
			Text string `json:"access_token"`
			ID   string `json:"jti"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(reply), &m); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, reply)
	}
	return m.Data.Text, m.Data.ID
}

func (h farHead) revoke(t *testing.T, id string) {
	t.Helper()
	if status, reply := h.call(t, http.MethodDelete, "/api/v1/token/"+id, ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, reply)
	}
}

// nearStore is a metric store at this end of the cable, which follows the head.
type nearStore struct {
	t        *testing.T
	bin, dir string
	addr     string
	process  *exec.Cmd
}

func newNearStore(t *testing.T, bin string, h farHead) *nearStore {
	t.Helper()
	s := &nearStore{t: t, bin: bin, dir: t.TempDir(), addr: porttest.Addr(t)}
	key := regexp.MustCompile(`JWT_PUBLIC_KEY="(.*)"`).FindStringSubmatch(h.Read(".env"))
	config := fmt.Sprintf(`{
  "main": {"addr": %q, "jwt-public-key": %q, "head-url": %q},
  "metrics": {"cpu_load": {"frequency": 60, "aggregation": null}},
  "metric-store": {"retention-in-memory": "48h", "checkpoints": {"directory": "./var"}}
}`, s.addr, key[1], h.URL)
	must(t, os.WriteFile(filepath.Join(s.dir, "config.json"), []byte(config), 0o600))
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *nearStore) start() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, program.Log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(s.t, err)
	defer log.Close()
	s.process = exec.CommandContext(context.WithoutCancel(s.t.Context()), filepath.Join(s.bin, "cc-metric-store"))
	s.process.Dir, s.process.Stdout, s.process.Stderr = s.dir, log, log
	must(s.t, s.process.Start())
	s.until("the store answers", time.Minute, func() bool {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

func (s *nearStore) stop() {
	if s.process != nil {
		_ = s.process.Process.Signal(syscall.SIGTERM)
		_ = s.process.Wait()
		s.process = nil
	}
}

// takes reports whether the store takes a sample from who has that token.
func (s *nearStore) takes(raw string) bool {
	s.t.Helper()
	var wall clock.System
	r := program.Request{
		Method: http.MethodPost, Path: "/api/write/?cluster=alpha", Header: program.Bearer(raw),
		Body: fmt.Sprintf("cpu_load,hostname=n1 value=1 %d", wall.Now().Unix()),
	}
	reply, err := r.Send(s.t.Context(), http.DefaultTransport, "http://"+s.addr)
	must(s.t, err)
	switch reply.Status {
	case http.StatusOK:
		return true
	case http.StatusUnauthorized:
		return false
	}
	s.t.Fatalf("the store answers %d %s", reply.Status, reply.Body)
	return false
}

// until waits for something to become so and returns how long that took.
func (s *nearStore) until(what string, most time.Duration, done func() bool) time.Duration {
	s.t.Helper()
	var wall clock.System
	for began := wall.Now(); ; <-wall.After(20 * time.Millisecond) {
		took := wall.Now().Sub(began)
		if done() {
			return took
		}
		if took > most {
			text, _ := os.ReadFile(filepath.Join(s.dir, program.Log))
			s.t.Fatalf("%s: not within %s\n%s", what, most, tail(string(text)))
		}
	}
}

// slack is for machines that do other things as well.
const slack = 2 * time.Second

// A metric store that the head cannot reach refuses what it knows to be revoked, also after a restart, and accepts what has
// been revoked since. It refuses that as well within the lifetime of a list after the head is back.
func TestPartitionDelaysRevocationsAndUndoesNone(t *testing.T) {
	t.Parallel()
	needRoot(t, "ip", "tc")
	bin := programs(t)
	for what, kind := range map[string]struct{ cut, mend func(*cable) }{
		"the cable is out":              {(*cable).unplug, (*cable).plug},
		"everything sent is swallowed":  {(*cable).swallow, (*cable).deliver},
		"the line is bad for some time": {(*cable).worsen, (*cable).mend},
	} {
		bad := strings.Contains(what, "bad")
		if bad && !long() {
			continue
		}
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := newCable(t)
			h := newFarHead(t, c, bin)
			if status, text := h.call(t, http.MethodPost, "/api/users/", `{"username": "collector", "role": "api"}`); status != http.StatusOK {
				t.Fatal(status, text)
			}
			before, beforeID := h.mint(t)
			during, duringID := h.mint(t)
			good, _ := h.mint(t)
			s := newNearStore(t, bin, h)
			if !s.takes(before) || !s.takes(during) || !s.takes(good) {
				t.Fatal("good tokens are refused")
			}
			h.revoke(t, beforeID)
			took := s.until("the revoked token is refused", statusTTL()+slack, func() bool { return !s.takes(before) })

			kind.cut(c)
			h.revoke(t, duringID)
			<-clock.System{}.After(statusTTL() + time.Second)
			if !bad && !s.takes(during) {
				t.Error("the store knows what nobody can have told it")
			}
			s.stop()
			s.start()
			if s.takes(before) || !s.takes(good) || !bad && !s.takes(during) {
				t.Error("a restart while the head cannot be heard has undone or invented something")
			}
			kind.mend(c)
			after := s.until("the token that was revoked meanwhile is refused", statusTTL()+slack, func() bool { return !s.takes(during) })
			if !s.takes(good) || s.takes(before) {
				t.Error("the wrong token is refused")
			}
			t.Logf("refused %s after the revocation; of the one meanwhile %s after the head was back", took, after)
		})
	}
}

// A request that is cut off is done wholly or not at all, wherever the cut is and however the line ends.
func TestRequestThatIsCutOffIsDoneWhollyOrNotAtAll(t *testing.T) {
	t.Parallel()
	needRoot(t, "ip", "tc")
	c := newCable(t)
	h := newFarHead(t, c, programs(t))
	boss := newClient(t, h.Head)
	if _, failed := boss.step(t.Context(), 16); failed > 0 {
		t.Fatal(boss.failure)
	}
	n, whole := 0, 0
	send := func(path, body string, portion float64, end func(net.Conn)) (complete bool) {
		text := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: head\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			path, boss.token, len(body), body)
		conn, err := net.Dial("tcp", c.farAddr+":8080")
		must(t, err)
		defer conn.Close()
		size := int(portion * float64(len(text)))
		if portion < 1 {
			size = max(size, len(text)-len(body)+int(portion*float64(len(body)))) // most of a request is its head
		}
		_, err = conn.Write([]byte(text[:size]))
		must(t, err)
		end(conn)
		n++
		return size == len(text)
	}
	ends := map[string]func(net.Conn){
		"close": func(conn net.Conn) {},
		"reset": func(conn net.Conn) { must(t, conn.(*net.TCPConn).SetLinger(0)) },
		"half":  func(conn net.Conn) { must(t, conn.(*net.TCPConn).CloseWrite()) },
	}
	if long() {
		ends["cable"] = func(net.Conn) { c.unplug(); <-boss.wall.After(50 * time.Millisecond); c.plug() }
	}
	for name, end := range ends {
		for i := range pick(8, 40) {
			portion := float64(i+1) / float64(pick(8, 40))
			user := fmt.Sprintf("cut%s%d", name, i)
			for path, body := range map[string]string{
				"/api/users/":                    fmt.Sprintf(`{"username": %q, "role": "api"}`, user),
				"/api/v1/admin/u16/token":        fmt.Sprintf(`{"name": %q}`, user),
				"/api/jobs/start_job/":           fmt.Sprintf(`{"jobId": %d, "cluster": "alpha", "user": %q, "project": "p", "numNodes": 1, "startTime": %d, "resources": [{"hostname": "n1"}]}`, 1000+n, user, boss.jobs),
				"/api/write/?cluster=" + cluster: fmt.Sprintf("cpu_load,hostname=n0 value=%v %d\n", sampleOf(0, 0), boss.start),
			} {
				if send(path, body, portion, end) {
					whole++
				}
			}
		}
	}
	<-boss.wall.After(500 * time.Millisecond)
	tr := &trouble{t: t, h: h.Head, c: boss, next: 17}
	status, text := h.call(t, http.MethodGet, "/api/users/", "")
	for name := range ends {
		for i := range pick(8, 40) - 1 { // the last one was sent whole
			if user := fmt.Sprintf(`"cut%s%d"`, name, i); strings.Contains(text, user) {
				t.Errorf("%s is there, and was never sent whole", user)
			}
		}
	}
	if status != http.StatusOK || whole == 0 {
		t.Errorf("%d %s", status, text)
	}
	tr.kept()
	t.Logf("%d requests, %d of them whole", n, whole)
}

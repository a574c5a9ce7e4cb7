package servertest_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// who is what /api/v1/whoami says.
type who struct {
	Data struct {
		Name  string
		Roles []string
	}
}

func TestEveryRoleHasAUserWithAToken(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	for _, g := range identity.DefaultRoles().List() {
		reply := h.Do(servertest.Call{Path: "/api/v1/whoami", Token: h.Token(g.Role)})
		var w who
		reply.Decode(t, &w)
		if reply.Status != http.StatusOK || w.Data.Name != h.User(g.Role) || len(w.Data.Roles) != 1 || w.Data.Roles[0] != string(g.Role) {
			t.Errorf("%s: %d %s", g.Role, reply.Status, reply.Body)
		}
	}
}

func TestUsersLogInAsBrowsersDo(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	for _, role := range []identity.Role{identity.RoleUser, identity.RoleFullAdmin} {
		reply := h.Do(servertest.Call{Path: "/api/v1/whoami", Session: h.Session(role)})
		var w who
		reply.Decode(t, &w)
		if reply.Status != http.StatusOK || w.Data.Name != h.User(role) {
			t.Errorf("%s: %d %s", role, reply.Status, reply.Body)
		}
	}
}

func TestTimeIsTheTests(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	h := servertest.New(t, servertest.WithClock(clk))
	m := h.Mint(token.MintRequest{For: h.User(identity.RoleAPI), Lifetime: time.Hour})
	status := func() int { return h.Do(servertest.Call{Path: "/api/clusters/", Token: m.Text}).Status }
	if got := status(); got != http.StatusOK {
		t.Errorf("at once: %d", got)
	}
	clk.Advance(2 * time.Hour)
	if got := status(); got != http.StatusUnauthorized {
		t.Errorf("after two hours: %d", got)
	}
}

// The background work goes on: a stopped job finds its way into the archive.
func TestTheHeadWorks(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	h := servertest.New(t, servertest.WithClock(clock.NewManual(begin.Add(10*time.Minute))),
		servertest.WithClusters(sim.NewMachine("sim", 4, time.Minute).Cluster()))
	call := func(path, body string, want int) {
		t.Helper()
		if r := h.Do(servertest.Call{Method: http.MethodPost, Path: path, Token: h.Token(identity.RoleAPI), Body: body}); r.Status != want {
			t.Fatalf("%s: %d %s", path, r.Status, r.Body)
		}
	}
	call("/api/jobs/start_job/", fmt.Sprintf(`{"jobId":1,"cluster":"sim","user":"ann","project":"p","numNodes":1,"startTime":%d,"resources":[{"hostname":"n1"}]}`, begin.Unix()), http.StatusCreated)
	for i := range 10 {
		call("/api/write/?cluster=sim", fmt.Sprintf("cpu_load,hostname=n1 value=%d %d\n", i, begin.Unix()+int64(60*i)), http.StatusOK)
	}
	call("/api/jobs/stop_job/", fmt.Sprintf(`{"jobId":1,"cluster":"sim","stopTime":%d,"jobState":"completed"}`, begin.Unix()+600), http.StatusOK)
	var wall clock.System
	for deadline := wall.Now().Add(10 * time.Second); wall.Now().Before(deadline); <-wall.After(10 * time.Millisecond) {
		if found, err := filepath.Glob(filepath.Join(h.Dir, "job-archive/sim/*/*/*/meta.json")); err == nil && len(found) == 1 {
			return
		}
	}
	t.Error("the job was not archived within ten seconds")
}

func TestSocketKnowsItsUsers(t *testing.T) {
	t.Parallel()
	h := servertest.New(t, servertest.WithSocket(), servertest.WithConfig(func(c *server.Config) { c.Main.NamingPattern = "c{}" }))
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", h.Socket)
	}}}
	resp, err := client.Get("http://head/api/v1/whoami")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	client.CloseIdleConnections()
	if resp.StatusCode != http.StatusUnauthorized { // nobody has made an account for who runs the test
		t.Errorf("status %d", resp.StatusCode)
	}
}

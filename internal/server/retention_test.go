package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	head "github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// A job may take longer than samples are kept. It is archived with all of them.
func TestSamplesStayUntilTheirJobIsArchived(t *testing.T) {
	t.Parallel()
	c, err := cluster.Parse([]byte(`{"name": "alpha", "metricConfig": [{"name": "cpu_load", "unit": {"base": ""}, "scope": "node", "timestep": 600}],
		"subClusters": [{"name": "main", "nodes": "*", "topology": {"node": [0], "socket": [[0]], "memoryDomain": [[0]], "core": [[0]]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Unix(1_795_463_400, 0)
	clk := clock.NewManual(begin)
	h := servertest.New(t, servertest.WithClock(clk), servertest.WithClusters(*c), servertest.WithConfig(func(c *head.Config) {
		c.MetricStore.RetentionInMemory = head.Duration(time.Hour)
	}))
	do := func(method, path, body string, want int) string {
		t.Helper()
		r := h.Do(servertest.Call{Method: method, Path: path, Body: body, Token: h.Token(identity.RoleAPI)})
		if r.Status != want {
			t.Fatalf("%s %s: %d %s", method, path, r.Status, r.Body)
		}
		return r.Body
	}
	samples := func(host string) int {
		body := do("POST", "/api/query/", fmt.Sprintf(`{"cluster":"alpha","from":%d,"to":%d,"with-padding":false,"queries":[{"metric":"cpu_load","host":%q}]}`,
			begin.Unix(), clk.Now().Unix()+600, host), http.StatusOK)
		return strings.Count(body, ".000")
	}
	do("POST", "/api/jobs/start_job/", fmt.Sprintf(`{"jobId":1,"cluster":"alpha","user":"bob","project":"p","numNodes":1,"startTime":%d,"resources":[{"hostname":"n1"}]}`, begin.Unix()), http.StatusCreated)
	for range 6 {
		do("POST", "/api/write/?cluster=alpha", "cpu_load,hostname=n1 value=1\ncpu_load,hostname=n2 value=1", http.StatusOK)
		clk.Advance(10 * time.Minute)
	}
	clk.Advance(3 * time.Hour)
	eventually(t, func() error { // the store has seen that hours have passed
		clk.Advance(time.Second)
		if n := samples("n2"); n > 0 {
			return fmt.Errorf("%d samples of a host without jobs are still there", n)
		}
		return nil
	})
	if n := samples("n1"); n != 6 {
		t.Errorf("%d samples of the job's host are there, want 6", n)
	}
	do("POST", "/api/jobs/stop_job/", fmt.Sprintf(`{"jobId":1,"cluster":"alpha","stopTime":%d}`, begin.Add(4*time.Hour).Unix()), http.StatusOK)
	eventually(t, func() error {
		clk.Advance(time.Second)
		return contains(do("GET", "/api/jobs/", "", http.StatusOK), `"monitoringStatus":3`)
	})
	if body := do("GET", "/api/jobs/metrics/1?metric=cpu_load", "", http.StatusOK); !strings.Contains(body, `"data":[1,1,1,1,1,1,null`) {
		t.Errorf("archived: %s", body)
	}
}

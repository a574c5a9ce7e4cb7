package job_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// TestAJobFromItsStartToTheArchive runs on the real metric store: samples come in as lines, and what the job page shows
// while the job runs is what the archive shows when it has ended.
func TestAJobFromItsStartToTheArchive(t *testing.T) {
	var metrics *metric.Service
	h := newHarness(t, func(c *job.Config) {
		db, err := metricstore.Open(t.TempDir(), metricstore.Options{Clock: c.Clock})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		metrics = metric.NewService(metric.ServiceConfig{Engine: db, Clock: c.Clock, Catalogue: func(name string) (metric.Catalogue, bool) {
			cl, ok := c.Clusters.Get(name)
			if !ok {
				return nil, false
			}
			return cl.Catalogue(), true
		}})
		c.Live = metrics
	})
	id := h.start(t, newJob(1, "n01", "n02"))
	for minute := range 5 {
		sendSamples(t, metrics, start.Truncate(time.Minute).Add(time.Duration(minute)*time.Minute))
		h.clock.Advance(time.Minute)
	}
	h.stop(t, id, 4*time.Minute)

	sel := job.Selection{Scopes: []metric.Scope{metric.ScopeNode, metric.ScopeCore}}
	live := h.data(t, id, sel)
	want := map[string][]float64{"n01:": {1, 1, 1, 1, 1}, "n02:": {2, 2, 2, 2, 2}}
	if diff := diffValues(want, values(live["load"][metric.ScopeNode])); diff != "" {
		t.Errorf("load (-want +got):\n%s", diff)
	}
	want = map[string][]float64{
		"n01:0": {4, 4, 4, 4, 4}, "n01:1": {6, 6, 6, 6, 6}, "n01:2": {8, 8, 8, 8, 8}, "n01:3": {10, 10, 10, 10, 10},
		"n02:0": {8, 8, 8, 8, 8}, "n02:1": {12, 12, 12, 12, 12}, "n02:2": {16, 16, 16, 16, 16}, "n02:3": {20, 20, 20, 20, 20},
	}
	if diff := diffValues(want, values(live["flops"][metric.ScopeCore])); diff != "" {
		t.Errorf("flops by core (-want +got):\n%s", diff)
	}
	want = map[string][]float64{"n01:": {28, 28, 28, 28, 28}, "n02:": {56, 56, 56, 56, 56}}
	if diff := diffValues(want, values(live["flops"][metric.ScopeNode])); diff != "" {
		t.Errorf("flops by node (-want +got):\n%s", diff)
	}

	h.drain(t)
	if j := h.get(t, id); j.Monitoring != job.MonitoringArchived || j.Footprint["load_avg"] != 1.5 || j.Footprint["flops_min"] != 28 {
		t.Errorf("monitoring status %d, footprint %v", j.Monitoring, j.Footprint)
	}
	if diff := cmp.Diff(live, h.data(t, id, sel), cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("data (-live +archived):\n%s", diff)
	}
}

// sendSamples sends what a collector sends of both nodes once a minute: thread k of node n does n*k.
func sendSamples(t *testing.T, metrics *metric.Service, at time.Time) {
	t.Helper()
	var lines strings.Builder
	for n := 1; n <= 2; n++ {
		fmt.Fprintf(&lines, "load,hostname=n%02d,type=node value=%d %d\n", n, n, at.Unix())
		for k := range 8 {
			fmt.Fprintf(&lines, "flops,hostname=n%02d,type=hwthread,type-id=%d value=%d %d\n", n, k, n*k, at.Unix())
		}
	}
	r, err := metrics.Write(t.Context(), "alpha", strings.NewReader(lines.String()))
	if err != nil || r.Taken != 18 {
		t.Fatalf("%+v, %v", r, err)
	}
}

package job_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/archive"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
)

// alpha is a cluster with nodes of two sockets, four cores and eight threads, and one sub-cluster with accelerators.
const alpha = `{
  "name": "alpha",
  "metricConfig": [
    {"name": "load", "unit": {"base": ""}, "scope": "node", "timestep": 60, "aggregation": "avg", "footprint": "avg"},
    {"name": "mem", "unit": {"base": "B", "prefix": "G"}, "scope": "node", "timestep": 60, "aggregation": "sum", "footprint": "max"},
    {"name": "flops", "unit": {"base": "F/s", "prefix": "G"}, "scope": "hwthread", "timestep": 60, "aggregation": "sum", "footprint": "min"},
    {"name": "bw", "unit": {"base": "B/s", "prefix": "G"}, "scope": "socket", "timestep": 60, "aggregation": "sum"},
    {"name": "temp", "unit": {"base": "°C"}, "scope": "core", "timestep": 60, "aggregation": "avg", "restrict": true},
    {"name": "power", "unit": {"base": "W", "prefix": "K"}, "scope": "node", "timestep": 60, "aggregation": "sum", "energy": "power"},
    {"name": "joule", "unit": {"base": "J"}, "scope": "node", "timestep": 60, "aggregation": "sum", "energy": "energy"},
    {"name": "gpu", "unit": {"base": ""}, "scope": "accelerator", "timestep": 60, "aggregation": "avg",
     "subClusters": [{"name": "main", "remove": true}]}
  ],
  "subClusters": [
    {"name": "main", "nodes": "n[01-99]", "processorType": "x", "socketsPerNode": 2, "coresPerSocket": 2, "threadsPerCore": 2,
     "topology": {"node": [0,1,2,3,4,5,6,7], "socket": [[0,1,4,5],[2,3,6,7]], "memoryDomain": [[0,1,4,5],[2,3,6,7]],
       "core": [[0,4],[1,5],[2,6],[3,7]]}},
    {"name": "gpu", "nodes": "g[1-4]", "processorType": "x", "socketsPerNode": 1, "coresPerSocket": 2, "threadsPerCore": 1,
     "topology": {"node": [0,1], "socket": [[0,1]], "memoryDomain": [[0,1]], "core": [[0],[1]],
       "accelerators": [{"id": "01:00.0", "type": "Nvidia GPU", "model": "A"}, {"id": "02:00.0", "type": "Nvidia GPU", "model": "A"}]}}
  ]
}`

// start is when the jobs of the tests begin. Like most jobs, they do not begin when a sample is due.
var start = time.Date(2026, 3, 1, 12, 0, 20, 0, time.UTC)

type harness struct {
	*job.Service
	store job.Store
	clock *clock.Manual
	live  *fakeLive
	dir   *archive.Dir
	log   *lines
}

// newHarness returns a service on a real database and a real archive. The clock shows the start of the jobs.
func newHarness(tb testing.TB, change ...func(*job.Config)) *harness {
	tb.Helper()
	c, err := cluster.Parse([]byte(alpha))
	if err != nil {
		tb.Fatal(err)
	}
	clusters, err := cluster.NewRegistry(c)
	if err != nil {
		tb.Fatal(err)
	}
	dir, err := archive.OpenDir(filepath.Join(tb.TempDir(), "archive"), archive.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := dir.Close(); err != nil {
			tb.Error(err)
		}
	})
	h := &harness{
		store: storetest.Open(tb).Jobs(), clock: clock.NewManual(start), dir: dir, log: &lines{},
		live: &fakeLive{catalogue: c.Catalogue(), series: map[seriesKey]func(time.Time) float64{}},
	}
	config := job.Config{
		Store: h.store, Clusters: clusters, Live: h.live, Archive: dir, Clock: h.clock, Log: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	for _, f := range change {
		f(&config)
	}
	h.Service = job.New(config)
	return h
}

// lines is a log to look into.
type lines struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// as returns a caller with the given roles.
func as(name string, roles ...identity.Role) identity.Caller {
	has, handsOn := identity.DefaultRoles().Effective(roles)
	c := identity.Caller{User: identity.User{Name: name, Roles: roles}, Via: identity.ViaToken, Permissions: has, HandsOn: handsOn}
	if c.HasRole(identity.RoleManager) {
		c.User.Projects = []string{"p1"}
	}
	return c
}

func api() identity.Caller { return as("adapter", identity.RoleAPI) }

// newJob is a job as the scheduler reports it, on the given hosts.
func newJob(id int64, hosts ...string) job.Job {
	j := job.Job{
		JobID: id, Cluster: "alpha", User: "bob", Project: "p1", NumNodes: len(hosts), Start: start,
		Monitoring: job.MonitoringPending, Walltime: time.Hour, MetaData: map[string]string{"jobName": "x"},
	}
	for _, h := range hosts {
		j.Resources = append(j.Resources, job.Resource{Hostname: h})
	}
	return j
}

func (h *harness) start(tb testing.TB, j job.Job) job.ID {
	tb.Helper()
	id, err := h.Start(tb.Context(), api(), j)
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

// stop ends a job after d and leaves the clock there.
func (h *harness) stop(tb testing.TB, id job.ID, d time.Duration) {
	tb.Helper()
	h.clock.Advance(start.Add(d).Sub(h.clock.Now()))
	if _, err := h.Stop(tb.Context(), api(), job.StopRequest{ID: id, At: start.Add(d)}); err != nil {
		tb.Fatal(err)
	}
}

func (h *harness) get(tb testing.TB, id job.ID) job.Job {
	tb.Helper()
	j, err := h.store.GetJob(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

func (h *harness) data(tb testing.TB, id job.ID, sel job.Selection) job.Data {
	tb.Helper()
	_, d, err := h.Data(tb.Context(), api(), id, sel)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

type seriesKey struct{ host, metric, device string }

// fakeLive answers queries from functions of time, as the contract says the metric store does: samples lie on multiples
// of the frequency, and a level without own samples combines its devices.
type fakeLive struct {
	mu        sync.Mutex // guards all below
	catalogue metric.Catalogue
	series    map[seriesKey]func(time.Time) float64
	err       error
	queries   int
}

// set gives a device of a host samples; device is "" for the node or type and id in one word.
func (f *fakeLive) set(host, name, device string, at func(time.Time) float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.series[seriesKey{host, name, device}] = at
}

func constant(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }

// minutes is the number of whole minutes since noon: 0 in the slot of the jobs' start.
func minutes(t time.Time) float64 { return math.Floor(t.Sub(start.Truncate(time.Hour)).Minutes()) }

func (f *fakeLive) Query(_ context.Context, r metric.Request) (metric.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queries += len(r.Queries)
	if f.err != nil {
		return metric.Answer{}, f.err
	}
	if !r.From.Before(r.To) {
		return metric.Answer{}, fault.New(fault.Invalid, "from is not before to")
	}
	a := metric.Answer{Queries: r.Queries}
	for _, q := range r.Queries {
		a.Results = append(a.Results, f.results(r, q))
	}
	return a, nil
}

func (f *fakeLive) results(r metric.Request, q metric.Query) []metric.Result {
	if len(f.children(q)) == 0 {
		return nil // the host does not have the metric
	}
	devices := make([]string, 0, len(q.TypeIDs))
	for _, id := range q.TypeIDs {
		devices = append(devices, q.Type+id)
	}
	if q.Type == "" {
		devices = []string{""}
		if f.series[seriesKey{q.Host, q.Metric, ""}] == nil {
			devices, q.Aggregate = f.children(q), true
		}
	}
	var found []metric.Result
	var err error
	for _, d := range devices {
		if at := f.series[seriesKey{q.Host, q.Metric, d}]; at != nil {
			found = append(found, f.sample(r, q, at))
		} else if q.Type != "" {
			err = fmt.Errorf("device %s is unknown", d)
			found = append(found, metric.Result{Err: err})
		}
	}
	if q.Aggregate && len(found) > 0 && err == nil {
		return []metric.Result{f.combine(q, found)}
	}
	if q.Aggregate && err != nil {
		return []metric.Result{{Err: err}}
	}
	return found
}

func (f *fakeLive) children(q metric.Query) (devices []string) {
	for k := range f.series {
		if k.host == q.Host && k.metric == q.Metric {
			devices = append(devices, k.device)
		}
	}
	return devices
}

func (f *fakeLive) sample(r metric.Request, q metric.Query, at func(time.Time) float64) metric.Result {
	step := f.catalogue[q.Metric].Frequency
	from := r.From.Truncate(step)
	s := metric.Series{From: from, Step: step}
	for t := from; t.Before(r.To); t = t.Add(step) {
		s.Data = append(s.Data, at(t))
	}
	return metric.Result{Series: s, To: r.To}
}

func (f *fakeLive) combine(q metric.Query, parts []metric.Result) metric.Result {
	sum := parts[0]
	for _, p := range parts[1:] {
		for i, v := range p.Data {
			sum.Data[i] += v
		}
	}
	if f.catalogue[q.Metric].Aggregation == metric.AggregateAvg {
		for i := range sum.Data {
			sum.Data[i] /= float64(len(parts))
		}
	}
	return sum
}

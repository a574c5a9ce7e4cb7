package job_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

func (h *harness) drain(tb testing.TB) {
	tb.Helper()
	if err := h.Drain(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

func TestArchivingFillsStatisticsFootprintAndEnergy(t *testing.T) {
	h := newHarness(t)
	h.live.set("n01", "load", "", minutes) // 0..10
	h.live.set("n02", "load", "", func(at time.Time) float64 {
		if minutes(at) > 1 {
			return math.NaN() // the node died: what it did counts as much as the other's
		}
		return 1
	})
	h.live.set("n01", "mem", "", constant(3))
	h.live.set("n02", "mem", "", constant(4.567))
	h.threads("n01", "flops")
	h.live.set("n01", "power", "", constant(0.3)) // kW
	h.live.set("n02", "power", "", constant(0.5))
	h.live.set("n01", "joule", "", constant(36000)) // J a minute
	h.live.set("n02", "joule", "", constant(36000))
	id := h.start(t, newJob(1, "n01", "n02"))
	h.stop(t, id, 10*time.Minute)
	h.drain(t)

	got := h.get(t, id)
	want := job.Outcome{
		Statistics: map[string]job.JobStatistics{
			"load":  {Statistics: metric.Statistics{Min: 0, Avg: 3, Max: 10}},
			"mem":   {Unit: metric.Unit{Base: "B", Prefix: "G"}, Statistics: metric.Statistics{Min: 3, Avg: 3.78, Max: 4.57}},
			"flops": {Unit: metric.Unit{Base: "F/s", Prefix: "G"}, Statistics: metric.Statistics{Min: 11111111, Avg: 11111111, Max: 11111111}},
			"power": {Unit: metric.Unit{Base: "W", Prefix: "K"}, Statistics: metric.Statistics{Min: 0.3, Avg: 0.4, Max: 0.5}},
			"joule": {Unit: metric.Unit{Base: "J"}, Statistics: metric.Statistics{Min: 36000, Avg: 36000, Max: 36000}},
		},
		Footprint: map[string]float64{"load_avg": 3, "mem_max": 4.57, "flops_min": 11111111},
		// 0.4 kW on each of 2 nodes for 1/6 h; 10 times 36 kJ on each of 2 nodes
		EnergyFootprint: map[string]float64{"power": 0.13, "joule": 0.2},
		Energy:          0.33,
	}
	if diff := cmp.Diff(want, job.Outcome{
		Statistics: got.Statistics, Footprint: got.Footprint, EnergyFootprint: got.EnergyFootprint, Energy: got.Energy,
	}); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	if got.Monitoring != job.MonitoringArchived {
		t.Errorf("monitoring status is %d", got.Monitoring)
	}
	archived, err := h.dir.ReadJob(job.Key{JobID: 1, Cluster: "alpha", Start: start})
	if err != nil {
		t.Fatal(err)
	}
	got.ID, got.ArchiveAttempts = 0, 0 // the archive does not keep them
	if diff := cmp.Diff(got, archived); diff != "" {
		t.Errorf("archived job (-database +archive):\n%s", diff)
	}
}

func TestWhichScopesAreArchived(t *testing.T) {
	h := newHarness(t)
	var hosts []string
	for i := range 9 {
		host := fmt.Sprintf("n%02d", i+1)
		hosts = append(hosts, host)
		h.threads(host, "flops")
		h.live.set(host, "bw", "socket0", constant(1))
		h.live.set(host, "bw", "socket1", constant(1))
		h.live.set(host, "load", "", constant(1))
	}
	h.live.set("g1", "gpu", "accelerator01:00.0", constant(10))
	gpu := newJob(3, "g1")
	gpu.NumAcc, gpu.Resources[0].Accelerators = 1, []string{"01:00.0"}
	tests := []struct {
		job  job.Job
		want map[string]int // metric and scope -> series
	}{
		{newJob(1, hosts[:8]...), map[string]int{"flops node": 8, "flops core": 32, "bw node": 8, "bw socket": 16, "load node": 8}},
		{newJob(2, hosts...), map[string]int{"flops node": 9, "bw node": 9, "load node": 9}},
		{gpu, map[string]int{"gpu node": 1, "gpu accelerator": 1}},
	}
	for _, test := range tests {
		id := h.start(t, test.job)
		h.stop(t, id, time.Minute)
		h.drain(t)
		d, err := h.dir.ReadData(t.Context(), h.get(t, id))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for name, scopes := range d {
			for scope, md := range scopes {
				got[name+" "+string(scope)] = len(md.Series)
				if (md.Bands != nil) != (len(md.Series) >= 8) {
					t.Errorf("%s %s has %d series and bands %v", name, scope, len(md.Series), md.Bands)
				}
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("job %d (-want +got):\n%s", test.job.JobID, diff)
		}
	}
}

func TestAJobWithoutSamplesIsTriedAgainWhileTheyLast(t *testing.T) {
	h := newHarness(t, func(c *job.Config) { c.Retention = 3 * time.Minute })
	id := h.start(t, newJob(1, "n01"))
	h.stop(t, id, time.Minute)
	attempts := func(want int, again time.Duration) {
		t.Helper()
		h.drain(t)
		j := h.get(t, id)
		if j.Monitoring != job.MonitoringFailed || j.ArchiveAttempts != want {
			t.Errorf("monitoring status %d after %d attempts, want %d", j.Monitoring, j.ArchiveAttempts, want)
		}
		if got := j.NextArchiveAfter; again == 0 && !got.IsZero() || again > 0 && !got.Equal(h.clock.Now().Add(again)) {
			t.Errorf("next attempt at %v, want %v from %v", got, again, h.clock.Now())
		}
	}
	attempts(1, 30*time.Second)
	h.drain(t) // too early: nothing happens
	h.clock.Advance(30 * time.Second)
	attempts(2, time.Minute)
	h.clock.Advance(time.Minute)
	attempts(3, 0) // two minutes from now the samples are gone
	if log := h.log.String(); strings.Count(log, "job could not be archived") != 3 || !strings.Contains(log, "gives_up=true") {
		t.Errorf("log:\n%s", log)
	}

	h.live.set("n01", "load", "", constant(1))
	h.clock.Advance(time.Hour)
	h.drain(t)
	if j := h.get(t, id); j.Monitoring != job.MonitoringFailed {
		t.Errorf("a job that was given up has monitoring status %d", j.Monitoring)
	}
}

func TestALaterAttemptSucceeds(t *testing.T) {
	h := newHarness(t)
	h.live.set("n01", "load", "", constant(1))
	h.live.err = errors.New("connection refused")
	id := h.start(t, newJob(1, "n01"))
	h.stop(t, id, time.Minute)
	h.drain(t)
	h.live.err = nil
	h.clock.Advance(30 * time.Second)
	h.drain(t)
	if j := h.get(t, id); j.Monitoring != job.MonitoringArchived {
		t.Errorf("monitoring status %d", j.Monitoring)
	}
}

func TestDisabledMonitoringIsNotArchived(t *testing.T) {
	h := newHarness(t)
	j := newJob(1, "n01")
	j.Monitoring = job.MonitoringDisabled
	id := h.start(t, j)
	h.stop(t, id, time.Minute)
	h.drain(t)
	if j := h.get(t, id); j.Monitoring != job.MonitoringDisabled || h.live.queries != 0 {
		t.Errorf("monitoring status %d after %d queries", j.Monitoring, h.live.queries)
	}
}

func TestGraceWaitsForTheLastSamples(t *testing.T) {
	h := newHarness(t, func(c *job.Config) { c.Grace = 10 * time.Second })
	h.live.set("n01", "load", "", constant(1))
	id := h.start(t, newJob(1, "n01"))
	h.stop(t, id, time.Minute)
	h.drain(t)
	if h.live.queries != 0 {
		t.Error("the job was archived at once")
	}
	h.clock.Advance(10 * time.Second)
	h.drain(t)
	if j := h.get(t, id); j.Monitoring != job.MonitoringArchived {
		t.Errorf("monitoring status %d", j.Monitoring)
	}
}

// gate is an archive whose writes can be watched and held up.
type gate struct {
	job.Archive
	begun chan int64    // the jobs that are being written
	open  chan struct{} // closed: writes go on
}

func (g *gate) WriteJob(ctx context.Context, j job.Job, d job.Data) error {
	g.begun <- j.JobID
	<-g.open
	if j.JobID == 13 {
		panic("unlucky")
	}
	return g.Archive.WriteJob(ctx, j, d)
}

func newGate(t *testing.T) (*harness, *gate) {
	t.Helper()
	g := &gate{begun: make(chan int64, 10), open: make(chan struct{})}
	h := newHarness(t, func(c *job.Config) { g.Archive, c.Archive = c.Archive, g })
	h.live.set("n01", "load", "", constant(1))
	return h, g
}

func TestStopWakesTheArchiverWhichEndsWithItsWorkDone(t *testing.T) {
	h, g := newGate(t)
	var ids []job.ID
	for n := range int64(4) {
		ids = append(ids, h.start(t, newJob(n+1, "n01")))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.RunArchiver(ctx) }()
	h.stop(t, ids[0], time.Minute)
	if n := <-g.begun; n != 1 { // the clock stands still: it was the stop that woke it
		t.Errorf("archives job %d", n)
	}
	for _, id := range ids[1:] {
		h.stop(t, id, time.Minute)
	}
	cancel()
	close(g.open)
	if err := <-ended; err != nil {
		t.Errorf("RunArchiver returned %v", err)
	}
	if j := h.get(t, ids[0]); j.Monitoring != job.MonitoringArchived {
		t.Errorf("the job that was in hand has monitoring status %d", j.Monitoring)
	}
	h.drain(t) // what was not begun is still in the queue
	for _, id := range ids {
		if j := h.get(t, id); j.Monitoring != job.MonitoringArchived {
			t.Errorf("job %d has monitoring status %d", j.JobID, j.Monitoring)
		}
	}
	if n := len(g.begun); n != 3 {
		t.Errorf("%d further jobs were written, want each once", n)
	}
}

func TestAPanicFailsOneJobOnly(t *testing.T) {
	h, g := newGate(t)
	close(g.open)
	var ids []job.ID
	for n := int64(13); n < 18; n++ {
		ids = append(ids, h.start(t, newJob(n, "n01")))
		h.stop(t, ids[len(ids)-1], time.Minute)
	}
	h.drain(t)
	for i, id := range ids {
		want := job.MonitoringArchived
		if i == 0 {
			want = job.MonitoringFailed
		}
		if j := h.get(t, id); j.Monitoring != want {
			t.Errorf("job %d has monitoring status %d, want %d", j.JobID, j.Monitoring, want)
		}
	}
}

func TestAJobDeletedWhileItIsArchivedDoesNoHarm(t *testing.T) {
	h, g := newGate(t)
	id := h.start(t, newJob(1, "n01"))
	h.stop(t, id, time.Minute)
	ended := make(chan error)
	go func() { ended <- h.Drain(t.Context()) }()
	<-g.begun
	if err := h.Delete(t.Context(), api(), id); err != nil {
		t.Fatal(err)
	}
	close(g.open)
	if err := <-ended; err != nil {
		t.Errorf("Drain returned %v", err)
	}
	if _, err := h.store.GetJob(t.Context(), id); !fault.Is(err, fault.NotFound) {
		t.Errorf("the job is back: %v", err)
	}
}

// forgetful is a store that cannot note how archiving went.
type forgetful struct{ job.Store }

func (forgetful) SetArchived(context.Context, job.ID, job.Outcome) error {
	return errors.New("disk full")
}

func TestDrainEndsWhenTheStoreFails(t *testing.T) {
	h := newHarness(t, func(c *job.Config) { c.Store = forgetful{c.Store} })
	h.live.set("n01", "load", "", constant(1))
	h.stop(t, h.start(t, newJob(1, "n01")), time.Minute)
	if err := h.Drain(t.Context()); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("error is %v", err)
	}
}

func BenchmarkArchive16Nodes(b *testing.B) {
	h := newHarness(b)
	j := newJob(1)
	for i := range 16 {
		host := fmt.Sprintf("n%02d", i+1)
		j.Resources = append(j.Resources, job.Resource{Hostname: host})
		for k, name := range []string{"load", "mem", "power", "joule"} {
			h.live.set(host, name, "", func(at time.Time) float64 { return float64(k) + math.Sin(minutes(at)) })
		}
		h.threads(host, "flops")
	}
	j.NumNodes = len(j.Resources)
	const length = 24 * time.Hour
	h.clock.Advance(length)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		j.JobID++
		id := h.start(b, j)
		if _, err := h.Stop(b.Context(), api(), job.StopRequest{ID: id, At: start.Add(length)}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		h.drain(b)
	}
}

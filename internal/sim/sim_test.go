package sim_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
)

var begin = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func TestSchedulerNeverGivesANodeToTwoJobs(t *testing.T) {
	m := sim.NewMachine("sim", 16, 30*time.Second)
	s := sim.NewScheduler(m, 7, begin, 100)
	var started, ended int
	for tick := begin; tick.Before(begin.Add(12 * time.Hour)); tick = tick.Add(m.Step) {
		e, st := s.Advance(tick)
		started, ended = started+len(st), ended+len(e)
		used := map[int]int64{}
		for _, j := range s.Running() {
			for _, n := range j.Nodes {
				if other, ok := used[n]; ok {
					t.Fatalf("at %s node %d belongs to jobs %d and %d", tick, n, other, j.ID)
				}
				used[n] = j.ID
				if gpu := m.Nodes[n].Accelerators > 0; gpu != j.Profile.GPU {
					t.Fatalf("job %d (%s) runs on node %d, which has accelerators: %v", j.ID, j.Profile.Name, n, gpu)
				}
			}
			if j.Start.After(tick) || j.End.Before(tick) {
				t.Fatalf("at %s job %d runs, which lasts from %s to %s", tick, j.ID, j.Start, j.End)
			}
		}
	}
	if started < 40 || ended < 30 {
		t.Errorf("in 12 hours %d jobs started and %d ended; a believable cluster has more", started, ended)
	}
}

func TestSchedulerIsAFunctionOfItsSeed(t *testing.T) {
	play := func(step time.Duration) string {
		m := sim.NewMachine("sim", 8, 30*time.Second)
		s := sim.NewScheduler(m, 3, begin, 0)
		var b strings.Builder
		for tick := begin; tick.Before(begin.Add(3 * time.Hour)); tick = tick.Add(step) {
			_, started := s.Advance(tick)
			for _, j := range started {
				b.WriteString(j.Start.Format(time.TimeOnly) + j.User + j.Profile.Name + "\n")
			}
		}
		return b.String()
	}
	if fine, coarse := play(30*time.Second), play(5*time.Minute); fine == "" || coarse == "" || !strings.HasPrefix(fine, coarse) && !strings.HasPrefix(coarse, fine) {
		t.Errorf("the same seed played in other steps gives other jobs:\n%s---\n%s", fine, coarse)
	}
}

func TestClusterConfigCoversEveryNodeAndMetric(t *testing.T) {
	c := sim.NewMachine("sim", 16, time.Minute).Cluster()
	if len(c.SubClusters) != 2 || c.SubClusters[0].NodesExpr != "n[0-11]" || c.SubClusters[1].NodesExpr != "n[12-15]" {
		t.Errorf("sub-clusters are %+v", c.SubClusters)
	}
	if got := len(c.SubClusters[1].Topology.Accelerators); got != 4 {
		t.Errorf("accelerators of the second sub-cluster: %d", got)
	}
}

// recorder is a head node that remembers and checks the order of what it is told.
type recorder struct {
	t       *testing.T
	samples int
	running map[int64]time.Time
	stopped int
	newest  time.Time
	fail    int // how many further calls of StartJob fail
	failed  int
}

func (r *recorder) RegisterNodes(context.Context, string, []sim.Node) error { return nil }

func (r *recorder) RunningJobs(context.Context, string) (map[int64]time.Time, int64, error) {
	return map[int64]time.Time{41: begin}, 41, nil
}

func (r *recorder) StartJob(_ context.Context, _ sim.Machine, j *sim.Job) error {
	if r.fail > 0 {
		r.fail--
		r.failed++
		return io.ErrUnexpectedEOF
	}
	if j.ID <= 41 {
		r.t.Errorf("job number %d was used before", j.ID)
	}
	r.running[j.ID] = j.Start
	return nil
}

func (r *recorder) StopJob(_ context.Context, _ string, id int64, _, end time.Time, _ string) error {
	if _, ok := r.running[id]; !ok && id != 41 {
		r.t.Errorf("job %d stops and never started", id)
	}
	if id != 41 && r.newest.Before(end.Add(-time.Minute)) {
		r.t.Errorf("job %d stops at %s; its samples only go to %s", id, end, r.newest)
	}
	delete(r.running, id)
	r.stopped++
	return nil
}

func (r *recorder) ReportNodes(context.Context, sim.Machine, []*sim.Job) error { return nil }

func (r *recorder) WriteSamples(_ context.Context, cluster string, lines []byte) error {
	for line := range bytes.Lines(lines) {
		r.samples++
		if !bytes.Contains(line, []byte(",cluster="+cluster+",hostname=n")) || !bytes.Contains(line, []byte(" value=")) {
			r.t.Fatalf("not a sample: %s", line)
		}
		var stamp int64
		for _, c := range bytes.TrimSpace(line[bytes.LastIndexByte(line, ' ')+1:]) {
			stamp = stamp*10 + int64(c-'0')
		}
		if at := time.Unix(stamp, 0); at.After(r.newest) {
			r.newest = at
		}
	}
	return nil
}

func TestHistorySendsSamplesBeforeTheJobEnds(t *testing.T) {
	m := sim.NewMachine("sim", 4, 30*time.Second)
	r := &recorder{t: t, running: map[int64]time.Time{}}
	d := sim.Driver{Machine: m, Head: r, Clock: clock.NewManual(begin), Backfill: 4 * time.Hour, Once: true}
	if err := d.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.stopped < 3 {
		t.Errorf("only %d jobs ended in four hours", r.stopped)
	}
	perTick := 0
	for _, n := range m.Nodes {
		perTick += 4 + 3*n.Threads() + 2*n.Sockets + 2*n.Accelerators
	}
	if want := perTick * (4*3600/30 + 1); r.samples != want {
		t.Errorf("%d samples, want %d", r.samples, want)
	}
}

func TestLiveRunSurvivesAHeadThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{t: t, running: map[int64]time.Time{}, fail: 3}
		d := sim.Driver{Machine: sim.NewMachine("sim", 4, 30*time.Second), Head: r, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		if err := d.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if r.failed != 3 || len(r.running) == 0 || r.samples == 0 {
			t.Errorf("after %d failures %d jobs run and %d samples have come", r.failed, len(r.running), r.samples)
		}
	})
}

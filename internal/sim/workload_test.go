package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
)

func workload() sim.Workload {
	return sim.Workload{Cluster: "alpha", Nodes: 5, Step: time.Minute, Seed: 7}
}

// taker counts what it is given, by series.
type taker struct {
	t      *testing.T
	mu     sync.Mutex
	counts map[string]int
	fail   error
}

func (k *taker) WriteLines(_ context.Context, cluster string, lines []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var p metric.Parser
	var l metric.Line
	for line := range bytes.Lines(lines) {
		if err := p.Parse(bytes.TrimSuffix(line, []byte("\n")), &l); err != nil || string(l.Cluster) != cluster || !l.HasTime {
			k.t.Errorf("%s: %v", line, err)
			return nil
		}
		k.counts[fmt.Sprintf("%s %s %s %s", l.Host, l.Metric, l.Type, l.TypeID)]++
	}
	return k.fail
}

func TestFillWritesEverySeriesOncePerStep(t *testing.T) {
	t.Parallel()
	k := &taker{t: t, counts: map[string]int{}}
	fill := sim.Fill{Workload: workload(), From: time.Unix(6000, 0), Steps: 3, Connections: 2, NodesEach: 2, Clock: clock.System{}}
	got, err := fill.Run(t.Context(), k)
	if err != nil || got.Samples != 5*sim.WorkloadSeries*3 || len(got.Requests) != 3*(2+1) {
		t.Fatalf("%d samples in %d requests, %v", got.Samples, len(got.Requests), err)
	}
	if len(k.counts) != 5*sim.WorkloadSeries {
		t.Errorf("%d series", len(k.counts))
	}
	for series, n := range k.counts {
		if n != 3 {
			t.Errorf("%s has %d samples", series, n)
		}
	}
}

func TestFillEndsWithTheFirstFailure(t *testing.T) {
	t.Parallel()
	k := &taker{t: t, counts: map[string]int{}, fail: os.ErrDeadlineExceeded}
	fill := sim.Fill{Workload: workload(), From: time.Unix(6000, 0), Steps: 1000, Connections: 2, NodesEach: 1, Clock: clock.System{}}
	if _, err := fill.Run(t.Context(), k); err == nil || !strings.Contains(err.Error(), "step 0") {
		t.Errorf("%v", err)
	}
}

func TestAsksAreAboutWhatFillWrites(t *testing.T) {
	t.Parallel()
	w := workload()
	config := w.StoreConfig()
	for _, a := range w.Asks(time.Unix(1e9, 0), 3, time.Hour, 1) {
		var body struct {
			Cluster  string
			From, To int64
			Queries  []struct{ Metric, Host string }
		}
		if err := json.Unmarshal(a.Body, &body); err != nil || body.Cluster != "alpha" || body.To-body.From != 3600 || len(body.Queries) == 0 {
			t.Fatalf("%s: %s, %v", a.Name, a.Body, err)
		}
		for _, q := range body.Queries {
			if config[q.Metric] == nil || !strings.HasPrefix(q.Host, "load000") {
				t.Errorf("%s asks for %+v", a.Name, q)
			}
		}
	}
}

func TestProcessReportsWhatItUses(t *testing.T) {
	t.Parallel()
	p, err := sim.ReadProcess(os.Getpid())
	if err != nil || p.Resident < 1<<20 || p.Private <= 0 || p.Private > p.Resident {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := sim.ReadProcess(0); err == nil {
		t.Error("there is a process 0")
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	times := []time.Duration{1, 2, 3, 4}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 3, 0.99: 4, 1: 4} {
		if got := sim.Quantile(times, q); got != want {
			t.Errorf("%v: %v", q, got)
		}
	}
	if sim.Quantile(nil, 0.5) != 0 {
		t.Error("of nothing")
	}
}

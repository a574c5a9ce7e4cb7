package metric_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

func TestPeaksSurviveThinningOut(t *testing.T) {
	values := make([]float64, 1200)
	for i := range values {
		values[i] = math.Sin(float64(i) / 100)
	}
	values[777] = 50
	got := metric.LargestTriangles(values, 10)
	if len(got) != 120 || got[77] != 50 || got[0] != values[0] || got[119] != values[1199] {
		t.Errorf("%d values: %v ... %v ... %v", len(got), got[0], got[77], got[len(got)-1])
	}
}

// Each value that is kept is one of its own slots', and a gap is only where there is nothing to keep.
func TestThinnedValuesComeFromTheirSlots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Just(math.NaN())), 1, 200).Draw(t, "values")
		n := rapid.IntRange(1, 20).Draw(t, "n")
		for i, v := range metric.LargestTriangles(values, n) {
			slots := values[i*n : min((i+1)*n, len(values))]
			found, absent := false, true
			for _, s := range slots {
				found = found || s == v
				absent = absent && math.IsNaN(s)
			}
			if math.IsNaN(v) != absent || !absent && !found {
				t.Fatalf("slot %d: %v of %v", i, v, slots)
			}
		}
	})
}

func TestResolutionIsUsedWhereItFits(t *testing.T) {
	s, _ := newService(t)
	var lines strings.Builder
	for m := range 1200 {
		fmt.Fprintf(&lines, "cpu_load,hostname=n01 value=%d %d\n", m, minutesAgo(m).Unix())
	}
	if r, err := s.Write(t.Context(), "alpha", strings.NewReader(lines.String())); err != nil || r.Taken != 1200 {
		t.Fatal(r, err)
	}
	for _, c := range []struct {
		from       time.Time
		resolution time.Duration
		want       time.Duration
	}{
		{minutesAgo(1199), 10 * time.Minute, 10 * time.Minute},
		{minutesAgo(1199), 90 * time.Second, time.Minute}, // no multiple
		{minutesAgo(1199), 30 * time.Second, time.Minute}, // finer than stored
		{minutesAgo(900), 10 * time.Minute, time.Minute},  // too short
	} {
		a, err := s.Query(t.Context(), metric.Request{Cluster: "alpha", From: c.from, To: now, Queries: []metric.Query{{Metric: "cpu_load", Host: "n01", Resolution: c.resolution}}})
		if err != nil {
			t.Fatal(err)
		}
		r := a.Results[0][0]
		if r.Step != c.want || r.From != c.from || r.To != r.From.Add(time.Duration(len(r.Data))*r.Step) {
			t.Errorf("%v: step %v, %d samples from %v to %v", c.resolution, r.Step, len(r.Data), r.From, r.To)
		}
		if r.Statistics.Min != 1 {
			t.Errorf("statistics of what was thinned out: %+v", r.Statistics)
		}
	}
}

package metric_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Where nobody says how, the site says how many samples a series has to have.
func TestSitesSayWhatIsThinnedOut(t *testing.T) {
	t.Parallel()
	for minimum, want := range map[int]int{0: 240, 240: 60, 241: 240} {
		s, db := newService(t)
		put(t, s, "cpu_load,hostname=n01 1 1", "cpu_load,hostname=n01 2 240")
		catalogue := metric.Catalogue{"cpu_load": {Frequency: time.Minute}}
		s = metric.NewService(metric.ServiceConfig{
			Engine: db, Clock: clock.NewManual(now), MinimumPoints: minimum,
			Catalogue: func(string) (metric.Catalogue, bool) { return catalogue, true },
		})
		a, err := s.Query(t.Context(), metric.Request{
			Cluster: "alpha", From: minutesAgo(240), To: now,
			Queries: []metric.Query{{Metric: "cpu_load", Host: "n01", Resolution: 4 * time.Minute}},
		})
		if err != nil || len(a.Results[0]) != 1 || len(a.Results[0][0].Data) != want {
			t.Errorf("with %d: %v, %v; not %d points", minimum, a.Results, err, want)
		}
	}
}

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

// curves draws series with gaps and how many slots become one.
func curves(t *rapid.T) (values []float64, n int) {
	values = rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Just(math.NaN())), 1, 200).Draw(t, "values")
	return values, rapid.IntRange(1, 20).Draw(t, "n")
}

func samplesOf(values []float64) (samples []float64) {
	for _, v := range values {
		if !math.IsNaN(v) {
			samples = append(samples, v)
		}
	}
	return samples
}

func TestLargestTrianglesKeepTheFirstAndTheLastSample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, n := curves(t)
		kept, all := samplesOf(metric.LargestTriangles(values, n)), samplesOf(values)
		if len(all) == 0 {
			return
		}
		if kept[0] != all[0] || len(kept) > 1 && kept[len(kept)-1] != all[len(all)-1] {
			t.Fatalf("%v of %v", kept, all)
		}
	})
}

func TestExtremesAreNeverHidden(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, n := curves(t)
		got := metric.Extremes(values, n)
		if len(got)%2 != 0 || len(got) < (len(values)+n-1)/n || len(got) > (len(values)+n-1)/n+1 {
			t.Fatalf("%d slots of %d", len(got), len(values))
		}
		for i := 0; i < len(got); i += 2 {
			was, is := metric.StatisticsOf(values[i*n:min((i+2)*n, len(values))]), metric.StatisticsOf(got[i:i+2])
			if was.Min != is.Min && !math.IsNaN(was.Min) || was.Max != is.Max && !math.IsNaN(was.Max) || math.IsNaN(was.Min) != math.IsNaN(is.Min) {
				t.Fatalf("slots %d and %d: %+v became %+v", i, i+1, was, is)
			}
		}
	})
}

func TestAveragesArePlainMeans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, n := curves(t)
		got := metric.Averages(values, n)
		for i := range got {
			want := metric.StatisticsOf(values[i*n : min((i+1)*n, len(values))]).Avg
			if got[i] != want && !(math.IsNaN(got[i]) && math.IsNaN(want)) {
				t.Fatalf("slot %d: %v, want %v", i, got[i], want)
			}
		}
	})
}

func TestNamedResamplingNeedsNoLongSeries(t *testing.T) {
	s, _ := newService(t)
	put(t, s, "cpu_load,hostname=n01 1 4", "cpu_load,hostname=n01 5 3", "cpu_load,hostname=n01 2 2", "cpu_load,hostname=n01 4 1")
	for _, c := range []struct {
		how  metric.Resampling
		want string
	}{
		{"", "[1 5 2 4]"},
		{"lttb", "[1 4]"},
		{"average", "[3 3]"},
		{"minmax", "[1 5]"},
		{"cubic", `unknown resampling "cubic": it is lttb, average or minmax`},
	} {
		a, err := s.Query(t.Context(), metric.Request{Cluster: "alpha", From: minutesAgo(4), To: now, Queries: []metric.Query{
			{Metric: "cpu_load", Host: "n01", Resolution: 2 * time.Minute, Resampling: c.how},
		}})
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(a.Results[0][0].Data)
		if err := a.Results[0][0].Err; err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.how, got, c.want)
		}
	}
}

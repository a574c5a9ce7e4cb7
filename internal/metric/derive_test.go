package metric_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// newDerivedService returns a service with metrics a, b (summed), bytes (none) and fast (every 20 s), and derived ones,
// each "name how = expression".
func newDerivedService(tb testing.TB, derived ...string) *metric.Service {
	tb.Helper()
	db, err := metricstore.Open(tb.TempDir(), metricstore.Options{Clock: clock.NewManual(now)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	c := metric.Catalogue{
		"a": {Frequency: time.Minute, Aggregation: metric.AggregateSum}, "b": {Frequency: time.Minute, Aggregation: metric.AggregateSum},
		"bytes": {Frequency: time.Minute}, "fast": {Frequency: 20 * time.Second},
	}
	for _, d := range derived {
		head, text, _ := strings.Cut(d, " = ")
		name, how, _ := strings.Cut(head, " ")
		c[name] = metric.Config{Frequency: time.Minute, Aggregation: metric.Aggregation(how), Derived: mustParse(tb, text)}
	}
	for name := range c {
		if err := c.Check(name); err != nil {
			tb.Fatal(err)
		}
	}
	return metric.NewService(metric.ServiceConfig{Engine: db, Clock: clock.NewManual(now), Catalogue: func(string) (metric.Catalogue, bool) { return c, true }})
}

func TestDerivedMetricsAreComputedWhenAsked(t *testing.T) {
	s := newDerivedService(t, "ratio = a / b", "each avg = a / b", "speed = rate(bytes) * 60", "of_derived = ratio * 10 + speed", "mixed = a + fast",
		"worst max = a / b", "apart avg = a / bytes", "negative = -(a - 2) * 1.5e1")
	nan := math.NaN()
	put(t, s,
		"a,hostname=n01,type=core,type-id=0 1 3", "a,hostname=n01,type=core,type-id=1 8 3",
		"b,hostname=n01,type=core,type-id=0 1 3", "b,hostname=n01,type=core,type-id=1 2 3",
		"a,hostname=n01,type=core,type-id=0 1 2", "b,hostname=n01,type=core,type-id=0 0 2",
		"a,hostname=n01,type=core,type-id=1 6 1", "b,hostname=n01,type=core,type-id=1 3 1",
		"bytes,hostname=n01 100 5", "bytes,hostname=n01 160 4", "bytes,hostname=n01 280 3", "bytes,hostname=n01 10 2", "bytes,hostname=n01 20 1",
		"a,hostname=n02 6 4", "b,hostname=n02 3 4", "a,hostname=n02 5 3",
	)
	var thirds strings.Builder // three samples a minute
	for i, v := range []int{1, 2, 6, 4, 5, 9} {
		fmt.Fprintf(&thirds, "fast,hostname=n02 value=%d %d\n", v, minutesAgo(4).Unix()+int64(20*(i-1)))
	}
	if r, err := s.Write(t.Context(), "alpha", strings.NewReader(thirds.String())); err != nil || r.Taken != 6 {
		t.Fatal(r, err)
	}
	for _, c := range []struct {
		name string
		q    metric.Query
		want [][]float64
	}{
		{"own samples of the host", metric.Query{Metric: "ratio", Host: "n02"}, [][]float64{{2, nan, nan, nan}}},
		{"quotient of sums", metric.Query{Metric: "ratio", Host: "n01"}, [][]float64{{nan, 3, nan, nan}}},
		{"mean of quotients", metric.Query{Metric: "each", Host: "n01"}, [][]float64{{nan, 2.5, nan, 2}}},
		{"an aggregation of the query", metric.Query{Metric: "ratio", Host: "n01", Aggregation: "max"}, [][]float64{{nan, 4, nan, 2}}},
		{"greatest of quotients", metric.Query{Metric: "worst", Host: "n01"}, [][]float64{{nan, 4, nan, 2}}},
		{"device by device", metric.Query{Metric: "ratio", Host: "n01", Type: "core"}, [][]float64{{nan, 1, nan, nan}, {nan, 4, nan, 2}}},
		{"one device", metric.Query{Metric: "ratio", Host: "n01", Type: "core", TypeIDs: []string{"1"}, Aggregate: true}, [][]float64{{nan, 4, nan, 2}}},
		{"rate looks before the window and ends with a counter", metric.Query{Metric: "speed", Host: "n01"}, [][]float64{{60, 120, nan, 10}}},
		{"of derived metrics, scaled", metric.Query{Metric: "of_derived", Host: "n01", Scale: 2}, [][]float64{{nan, 300, nan, nan}}},
		{"of finer samples", metric.Query{Metric: "mixed", Host: "n02"}, [][]float64{{9, 11, nan, nan}}},
		{"signs and numbers", metric.Query{Metric: "negative", Host: "n02"}, [][]float64{{-60, -45, nan, nan}}},
		{"an operand is missing", metric.Query{Metric: "speed", Host: "n02"}, nil},
		{"no such device", metric.Query{Metric: "ratio", Host: "n01", Type: "socket"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ask(t, s, c.q), cmpopts.EquateNaNs()); diff != "" {
				t.Error(diff)
			}
		})
	}
	a, err := s.Query(t.Context(), metric.Request{Cluster: "alpha", From: minutesAgo(4), To: now, Queries: []metric.Query{{Metric: "apart", Host: "n01"}}})
	if err != nil || a.Results[0][0].Err == nil || !strings.Contains(a.Results[0][0].Err.Error(), "a and bytes are of different devices of host n01") {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = s.Query(t.Context(), metric.Request{Cluster: "alpha", From: time.Unix(0, 0), To: now, NoPadding: true, Queries: []metric.Query{{Metric: "speed", Host: "n01"}}})
	if r := a.Results[0][0]; err != nil || r.From != minutesAgo(4) || r.To != now || len(r.Data) != 4 {
		t.Errorf("what is covered: %+v, %v", r, err)
	}
}

func TestDerivedMetricsCannotBeWrittenAndArriveAsTheirOperands(t *testing.T) {
	s := newDerivedService(t, "ratio = a / b", "speed = rate(bytes)")
	r, err := s.Write(t.Context(), "alpha", strings.NewReader("ratio,hostname=n01 value=1\na,hostname=n01 value=1\nb,hostname=n01 value=1 "+strconv.FormatInt(minutesAgo(20).Unix(), 10)))
	if err != nil || r.Taken != 2 || r.Rejected != 1 || !strings.Contains(r.Rejects[0].Reason, "metric ratio is derived") {
		t.Errorf("%+v, %v", r, err)
	}
	got := s.Health(t.Context(), "alpha", []string{"n01"}, []string{"ratio", "speed", "a"})["n01"]
	want := metric.Health{State: metric.HealthPartial, Degraded: []string{"ratio"}, Missing: []string{"speed"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if all := s.Health(t.Context(), "alpha", []string{"n01"}, nil)["n01"]; len(all.Missing)+len(all.Degraded) != 3 {
		t.Errorf("without names: %+v", all)
	}
}

func TestDerivedMetricsAreResampledLikeOthers(t *testing.T) {
	s := newDerivedService(t, "double = bytes * 2")
	var lines strings.Builder
	for m := range 60 {
		fmt.Fprintf(&lines, "bytes,hostname=n01 value=%d %d\n", 60-m, minutesAgo(m+1).Unix())
	}
	if _, err := s.Write(t.Context(), "alpha", strings.NewReader(lines.String())); err != nil {
		t.Fatal(err)
	}
	for how, want := range map[metric.Resampling][]float64{
		"average": {21, 61, 101}, "minmax": {2, 80, 82, 120},
	} {
		a, err := s.Query(t.Context(), metric.Request{Cluster: "alpha", From: minutesAgo(60), To: now, Queries: []metric.Query{
			{Metric: "double", Host: "n01", Resolution: 20 * time.Minute, Resampling: how},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, a.Results[0][0].Data, cmpopts.EquateNaNs()); diff != "" || a.Results[0][0].Step != 20*time.Minute {
			t.Errorf("%s: %s", how, diff)
		}
	}
}

// tree is an expression of the test's own making: its text, and what it gives for the samples of slot i.
type tree struct {
	text  string
	value func(i int) float64
}

// trees draws expressions over series x and y.
func trees(x, y []float64) *rapid.Generator[tree] {
	leaf := rapid.Custom(func(t *rapid.T) tree {
		switch rapid.IntRange(0, 2).Draw(t, "leaf") {
		case 0:
			n := rapid.IntRange(0, 9).Draw(t, "n")
			return tree{strconv.Itoa(n), func(int) float64 { return float64(n) }}
		case 1:
			return tree{"a", func(i int) float64 { return x[i] }}
		}
		return tree{"b", func(i int) float64 { return y[i] }}
	})
	var grow func(depth int) *rapid.Generator[tree]
	grow = func(depth int) *rapid.Generator[tree] {
		if depth == 0 {
			return leaf
		}
		return rapid.Custom(func(t *rapid.T) tree {
			l, r := grow(depth-1).Draw(t, "left"), grow(depth-1).Draw(t, "right")
			switch op := rapid.SampledFrom([]string{"+", "-", "*", "/", "leaf", "neg"}).Draw(t, "op"); op {
			case "leaf":
				return l
			case "neg":
				return tree{"-(" + l.text + ")", func(i int) float64 { return -l.value(i) }}
			default:
				return tree{"(" + l.text + ") " + op + " (" + r.text + ")", func(i int) float64 {
					a, b := l.value(i), r.value(i)
					switch {
					case op == "+":
						return a + b
					case op == "-":
						return a - b
					case op == "*":
						return a * b
					case b == 0:
						return math.NaN()
					}
					return a / b
				}}
			}
		})
	}
	return grow(3)
}

// Whatever an expression is, it gives what computing it slot by slot gives.
func TestExpressionsGiveWhatComputingByHandGives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const n = 4
		sample := rapid.OneOf(rapid.Map(rapid.IntRange(-5, 5), func(v int) float64 { return float64(v) }), rapid.Just(math.NaN()))
		x, y := rapid.SliceOfN(sample, n, n).Draw(rt, "a"), rapid.SliceOfN(sample, n, n).Draw(rt, "b")
		x[0], y[0] = 1, 1 // so that there is something of both
		e := trees(x, y).Draw(rt, "expression")
		if _, err := metric.ParseExpression(e.text); err != nil {
			if strings.Contains(err.Error(), "names no metric") {
				return
			}
			rt.Fatal(err)
		}
		s := newDerivedService(t, "d = "+e.text)
		for i := range n {
			for name, v := range map[string]float64{"a": x[i], "b": y[i]} {
				if !math.IsNaN(v) {
					put(t, s, fmt.Sprintf("%s,hostname=n01 %g %d", name, v, n-i))
				}
			}
		}
		want := make([]float64, n)
		for i := range want {
			if want[i] = e.value(i); math.IsInf(want[i], 0) {
				want[i] = math.NaN()
			}
		}
		got := ask(t, s, metric.Query{Metric: "d", Host: "n01"})
		if len(got) == 0 { // no slot has a value
			got = [][]float64{{math.NaN(), math.NaN(), math.NaN(), math.NaN()}}
		}
		if diff := cmp.Diff([][]float64{want}, got, cmpopts.EquateNaNs()); diff != "" {
			rt.Fatalf("%s: %s", e.text, diff)
		}
	})
}

package metric_test

import (
	"bytes"
	"fmt"
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

// Lines as InfluxDB has them: of one series in several ways, of several origins, without a cluster, escaped, and wrong. A field
// x of cpu_load is the same metric as a field load_x of cpu.
var (
	influxHeads = []string{
		"cpu,host=n1", "cpu,host=n1,cluster=alpha", "cpu,cluster=beta,host=n1", "cpu,hostname=n1", "cpu_load,host=n1", "cpu,host=n2", "cpu,host=n1,cpu=cpu0",
		"cpu,host=n1,cpu=cpu1", "cpu,host=n1,cpu=cpu-total", "cpu,host=n1,rack=n1", "cpu,host=n1,rack=r2", "cpu,rack=n1,host=n1", `cpu,host=n1,rack=n1\ 2`,
		"cpu,host=n2,rack=r2", "cpu,host=n2,cpu=cpu0",
		"cpu,host=n1,type=hwthread,type-id=0", "cpu,host=n1,type=node", "cpu,cluster=nosuch,host=n1", "cpu", "cpu,host=../n1", "cpu,host=", "ipc,host=n1,cluster=alpha", "derived,host=n1",
	}
	influxFields = []string{"load=%d", "load=%d", "load_x=%di", "value=%d", "x=%d.5", "nosuch=%d", `text="%d, load=1"`, "y=%dx", "=%d", `lo\=ad=%d`, "any="}
)

// influxLine draws a line, mostly with the fields that its head had before.
func influxLine(rt *rapid.T, head string, usual []string) string {
	fields := usual
	if rapid.IntRange(0, 5).Draw(rt, "unusual") == 0 {
		fields = rapid.SliceOfN(rapid.SampledFrom(influxFields), 1, 4).Draw(rt, "fields")
	}
	var values []string
	for _, f := range fields {
		if strings.Contains(f, "%d") {
			f = fmt.Sprintf(f, rapid.IntRange(-9, 99).Draw(rt, "value"))
		}
		values = append(values, f)
	}
	at := fmt.Sprint(" ", minutesAgo(rapid.IntRange(0, 9).Draw(rt, "ago")).Unix())
	at += rapid.SampledFrom([]string{"", "", "", "\r", "x", "00"}).Draw(rt, "behind")
	return rapid.SampledFrom([]string{"", "", " "}).Draw(rt, "before") + head + " " + strings.Join(values, ",") + rapid.SampledFrom([]string{at, at, at, ""}).Draw(rt, "time")
}

// strangeLine is the same line in a way that is never recognised: its names are too long to be remembered.
func strangeLine(line string) string {
	names, rest, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
	renamed := strings.Replace(names, ",host=", ",hostname=", 1)
	if !strings.Contains(renamed, ",hostname=n") {
		return line // which is wrong, and not remembered either
	}
	measurement, tags, _ := strings.Cut(renamed, ",")
	return measurement + ",host=" + strings.Repeat("x", 255) + "," + tags + " " + rest
}

// Samples of recognised lines of InfluxDB are what they are when every line is taken apart: the same samples, counts and
// refusals, also when collectors of ClusterCockpit write the same series in between, and when origins take turns.
func TestRecognisedFieldsAreWhatTheyWouldBeTakenApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		clk := clock.NewManual(now)
		fast, fastDB := newInfluxService(t, clk)
		slow, slowDB := newInfluxService(t, clk)
		defer func() { _, _ = fastDB.Close(), slowDB.Close() }()
		heads := rapid.SliceOfN(rapid.SampledFrom(influxHeads), 1, 6).Draw(rt, "heads")
		usual := rapid.SliceOfN(rapid.SampledFrom(influxFields[:7]), 1, 4).Draw(rt, "usual")
		for range rapid.IntRange(1, 5).Draw(rt, "batches") {
			from := metric.Source{Cluster: rapid.SampledFrom([]string{"alpha", "alpha", "beta", ""}).Draw(rt, "cluster")}
			if rapid.Bool().Draw(rt, "limited") {
				from.Reaches = func(cluster string) bool { return cluster == "alpha" }
			}
			write := func(s *metric.Service, lines string) (metric.WriteResult, error) {
				return s.WriteInflux(t.Context(), from, time.Second, strings.NewReader(lines))
			}
			if rapid.IntRange(0, 4).Draw(rt, "native") == 0 {
				write = func(s *metric.Service, lines string) (metric.WriteResult, error) {
					return s.WriteFrom(t.Context(), from, strings.NewReader(lines))
				}
			}
			var lines []string
			for i := range rapid.IntRange(1, 40).Draw(rt, "lines") {
				lines = append(lines, influxLine(rt, heads[i%len(heads)], usual))
			}
			sameResults(rt, lines, func(text string) (metric.WriteResult, error) { return write(fast, text) }, func(text string) (metric.WriteResult, error) { return write(slow, text) })
			clk.Advance(time.Duration(rapid.SampledFrom([]int{0, 1, 9, 11}).Draw(rt, "minutes")) * time.Minute)
		}
		if diff := cmp.Diff(everything(slowDB), everything(fastDB), cmpopts.EquateNaNs()); diff != "" {
			rt.Fatalf("(-taken apart +recognised):\n%s", diff)
		}
	})
}

// sameResults writes lines together where they are recognised, and one by one where they are not.
func sameResults(rt *rapid.T, lines []string, fast, slow func(text string) (metric.WriteResult, error)) {
	rt.Helper()
	got, err := fast(strings.Join(lines, "\n"))
	if err != nil {
		rt.Fatal(err)
	}
	want := metric.WriteResult{}
	for i, line := range lines {
		one, err := slow(strangeLine(line))
		if err != nil {
			rt.Fatal(err)
		}
		want.Taken, want.Dropped, want.Rejected = want.Taken+one.Taken, want.Dropped+one.Dropped, want.Rejected+one.Rejected
		for _, r := range one.Rejects {
			want.Rejects = append(want.Rejects, metric.Reject{Line: i + 1, Reason: r.Reason})
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("%s\n(-taken apart +recognised):\n%s", strings.Join(lines, "\n"), diff)
	}
}

func newInfluxService(tb testing.TB, clk clock.Clock) (*metric.Service, *metricstore.DB) {
	tb.Helper()
	db, err := metricstore.Open(tb.TempDir(), metricstore.Options{Clock: clk, Retention: 24 * time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	minute := metric.Config{Frequency: time.Minute}
	catalogue := metric.Catalogue{
		"cpu_load": minute, "cpu_load_x": minute, "ipc": minute, "cpu": {Frequency: time.Second}, "thread_flops": minute, "thread_ipc": minute, "system_load": minute,
		"flops_any": minute,
	}
	derived, err := metric.ParseExpression("ipc / cpu_load")
	if err != nil {
		tb.Fatal(err)
	}
	catalogue["derived"] = metric.Config{Frequency: time.Minute, Derived: derived}
	return metric.NewService(metric.ServiceConfig{Engine: db, Clock: clk, Catalogue: func(cluster string) (metric.Catalogue, bool) {
		return catalogue, cluster != "nosuch"
	}}), db
}

// A batch costs some memory, but a line none.
func TestLinesOfInfluxDBCostNoMemory(t *testing.T) { //nolint:paralleltest // others would be counted
	s, _ := newInfluxService(t, clock.NewManual(now))
	lines, samples := fieldLines("n001", now.Unix())
	allocs := testing.AllocsPerRun(20, func() {
		if r, err := s.WriteInflux(t.Context(), metric.Source{Cluster: "alpha"}, time.Nanosecond, bytes.NewReader(lines)); err != nil || r.Taken != samples {
			t.Fatal(r, err)
		}
	})
	if allocs > 40 {
		t.Errorf("%g allocations for %d samples", allocs, samples)
	}
}

// Recognised lines keep a series from other origins as long as any others do, on each host.
func TestRecognisedLinesHoldTheirSeries(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(now)
	s, _ := newInfluxService(t, clk)
	write := func(lines string) metric.WriteResult {
		t.Helper()
		r, err := s.WriteInflux(t.Context(), metric.Source{Cluster: "alpha"}, time.Second, strings.NewReader(lines))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for range 3 {
		if r := write("cpu,host=n1 load=1\ncpu,host=n1,cpu=cpu1 load=1\ncpu,host=n2 load=1\ncpu,host=n2,cpu=cpu1 load=1"); r.Taken != 4 {
			t.Error(r)
		}
		clk.Advance(9 * time.Minute)
	}
	if r := write("cpu,host=n2,cpu=cpu1,rack=1 load=1\ncpu,host=n1,cpu=cpu1,rack=1 load=1"); r.Rejected != 2 {
		t.Error(r)
	}
	clk.Advance(time.Minute)
	if r := write("cpu,host=n2,cpu=cpu1,rack=1 load=1\ncpu,host=n1,cpu=cpu1,rack=1 load=1"); r.Taken != 2 {
		t.Error(r)
	}
	if r := write("cpu,host=n1 load=1\ncpu,host=n1,cpu=cpu1 load=1"); r.Taken != 1 || r.Rejected != 1 {
		t.Error("a series that is another's now:", r)
	}
}

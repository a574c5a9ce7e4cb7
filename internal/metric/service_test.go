package metric_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// now is the time in the tests: a full minute.
var now = time.Unix(1_795_463_640, 0)

func minutesAgo(n int) time.Time { return now.Add(-time.Duration(n) * time.Minute) }

// newService returns a service on a real engine. Cluster nosuch is not known.
func newService(tb testing.TB) (*metric.Service, *metricstore.DB) {
	tb.Helper()
	db, err := metricstore.Open(tb.TempDir(), metricstore.Options{Clock: clock.NewManual(now)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	minute := func(how metric.Aggregation) metric.Config {
		return metric.Config{Frequency: time.Minute, Aggregation: how}
	}
	catalogue := metric.Catalogue{
		"cpu_load": minute(metric.AggregateNone), "flops_any": minute(metric.AggregateSum), "ipc": minute(metric.AggregateAvg),
		"fast": {Frequency: time.Second},
	}
	return metric.NewService(metric.ServiceConfig{Engine: db, Clock: clock.NewManual(now), Catalogue: func(cluster string) (metric.Catalogue, bool) {
		return catalogue, cluster != "nosuch"
	}}), db
}

// put writes lines, each "metric,tags value minutes-ago", of cluster alpha.
func put(tb testing.TB, s *metric.Service, lines ...string) {
	tb.Helper()
	var b strings.Builder
	for _, line := range lines {
		var tags string
		var value float64
		var ago int
		if _, err := fmt.Sscanf(line, "%s %g %d", &tags, &value, &ago); err != nil {
			tb.Fatal(line, err)
		}
		fmt.Fprintf(&b, "%s value=%g %d\n", tags, value, minutesAgo(ago).Unix())
	}
	r, err := s.Write(tb.Context(), "alpha", strings.NewReader(b.String()))
	if err != nil || r.Taken != len(lines) {
		tb.Fatalf("%+v, %v", r, err)
	}
}

func TestEveryLineStandsAlone(t *testing.T) {
	s, _ := newService(t)
	lines := strings.Join([]string{
		"cpu_load,hostname=n01 value=1",
		"",
		"# a comment",
		"cpu_load,hostname=n01 foo=1",
		"nosuch,hostname=n01 value=1",
		"cpu_load,hostname=n01,cluster=nosuch value=1",
		"cpu_load,hostname=n02 value=2 " + strconv.FormatInt(now.Unix()+86400, 10),
		strings.Repeat("x", metric.MaxLine+10),
		"cpu_load,hostname=n03 value=3",
	}, "\r\n")
	got, err := s.Write(t.Context(), "alpha", strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	want := metric.WriteResult{Taken: 2, Dropped: 1, Rejected: 4, Rejects: []metric.Reject{
		{Line: 4, Reason: "unknown field: 'foo', only 'value' is allowed"},
		{Line: 6, Reason: `unknown cluster "nosuch"`},
		{Line: 7, Reason: "host n02: the time is too far in the future: it may be 2026-11-23T20:54:00Z at most"},
		{Line: 8, Reason: "the line is longer than 65536 bytes"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"n01", "n03"}, s.Hosts("alpha")); diff != "" {
		t.Error(diff)
	}
	if c := s.Counters(); c != (metric.Counters{Taken: 2, Dropped: 1, Rejected: 4}) {
		t.Errorf("counters %+v", c)
	}
}

func TestLineWithoutAnyClusterIsRejected(t *testing.T) {
	s, _ := newService(t)
	got, err := s.Write(t.Context(), "", strings.NewReader("cpu_load,hostname=n01 value=1"))
	if err != nil || got.Rejected != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// The cluster of an address is held to the rules of those in lines: it could lead out of a folder of checkpoints as well.
func TestClusterOfTheSourceIsHeldToTheRules(t *testing.T) {
	s, _ := newService(t)
	for cluster, want := range map[string]string{
		"a/b": "contains a slash", `a\b`: "a backslash", "..": "two dots", "a\nb": "control character 0x0a", "\xff": "not valid UTF-8", strings.Repeat("x", 256): "longer than 255 bytes",
	} {
		r, err := s.Write(t.Context(), cluster, strings.NewReader("cpu_load,hostname=n01 value=1\ncpu_load,hostname=n01,cluster=alpha value=2\n"))
		if err != nil || r.Taken != 1 || r.Rejected != 1 || !strings.Contains(r.Reasons("line"), want) {
			t.Errorf("%q: %+v, %v", cluster, r, err)
		}
	}
}

func TestSamplesOutsideTheWindowAreToldItsBounds(t *testing.T) {
	db, err := metricstore.Open(t.TempDir(), metricstore.Options{Clock: clock.NewManual(now), Retention: 48 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := metric.NewService(metric.ServiceConfig{Engine: db, Clock: clock.NewManual(now), Catalogue: func(string) (metric.Catalogue, bool) {
		return metric.Catalogue{"cpu_load": {Frequency: time.Minute}}, true
	}})
	r, err := s.Write(t.Context(), "alpha", strings.NewReader("cpu_load,hostname=n01 value=1 1000\ncpu_load,hostname=n01 value=1 2000\n"))
	want := "lines 1 and 2: host n01: the time is before the store's retention, which begins at 2026-11-21T19:54:00Z"
	if err != nil || r.Reasons("line") != want {
		t.Errorf("%v, %v", r.Reasons("line"), err)
	}
}

func TestLongListsOfRejectsAreCounted(t *testing.T) {
	s, _ := newService(t)
	got, err := s.Write(t.Context(), "alpha", strings.NewReader(strings.Repeat("bad\n", 1000)))
	if err != nil || got.Rejected != 1000 || len(got.Rejects) != 100 {
		t.Errorf("%d, %d listed, %v", got.Rejected, len(got.Rejects), err)
	}
}

func TestHalfALineIsNotTaken(t *testing.T) {
	s, _ := newService(t)
	broken := errors.New("connection reset")
	lines := io.MultiReader(strings.NewReader("cpu_load,hostname=n01 value=1\ncpu_load,hostname=n02 value=12"), iotest.ErrReader(broken))
	got, err := s.Write(t.Context(), "alpha", lines)
	if !errors.Is(err, broken) || got.Taken != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"n01"}, s.Hosts("alpha")); diff != "" {
		t.Error(diff)
	}
}

func TestStoreThatCannotStoreIsUnavailable(t *testing.T) {
	s, db := newService(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := s.Write(t.Context(), "alpha", strings.NewReader("cpu_load,hostname=n01 value=1"))
	if !fault.Is(err, fault.Unavailable) || got.Taken != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFreeForgetsBelowAPath(t *testing.T) {
	s, _ := newService(t)
	put(t, s, "cpu_load,hostname=n01 1 5", "cpu_load,hostname=n02 1 5")
	for _, path := range [][]string{{}, {"a", "b", "c", "d", "e"}, {"alpha", ""}} {
		if _, err := s.Free(t.Context(), [][]string{path}, now); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if n, err := s.Free(t.Context(), [][]string{{"alpha", "n01"}, {"beta"}}, now); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if diff := cmp.Diff([]string{"n02"}, s.Hosts("alpha")); diff != "" {
		t.Error(diff)
	}
}

func TestInspectShowsThePathsInOrder(t *testing.T) {
	s, _ := newService(t)
	put(t, s, "cpu_load,hostname=n02 1 5", "ipc,hostname=n01,type=core,type-id=3 1 5", "cpu_load,hostname=n01 1 5")
	held, err := s.Inspect(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, h := range held {
		paths = append(paths, strings.Join(h.Path, "/")+" "+h.Metric)
	}
	if diff := cmp.Diff([]string{"alpha/n01 cpu_load", "alpha/n01/core3 ipc", "alpha/n02 cpu_load"}, paths); diff != "" {
		t.Error(diff)
	}
	if _, err := s.Inspect(t.Context(), []string{"beta"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("unknown path: %v", err)
	}
}

func TestHealthTellsWhatArrives(t *testing.T) {
	s, db := newService(t)
	put(t, s, "cpu_load,hostname=n01 1 1", "ipc,hostname=n01,type=core,type-id=3 1 5", "cpu_load,hostname=n02 1 6", "ipc,hostname=n02 1 1", "cpu_load,hostname=n03 1 100")
	got := s.Health(t.Context(), "alpha", []string{"n01", "n02", "n03", "n04"}, []string{"cpu_load", "ipc"})
	want := map[string]metric.Health{
		"n01": {State: metric.HealthFull},
		"n02": {State: metric.HealthPartial, Degraded: []string{"cpu_load"}},
		"n03": {State: metric.HealthFailed, Degraded: []string{"cpu_load"}, Missing: []string{"ipc"}},
		"n04": {State: metric.HealthFailed, Missing: []string{"cpu_load", "ipc"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	all := s.Health(t.Context(), "alpha", []string{"n01"}, nil)["n01"]
	if !slices.Equal(all.Missing, []string{"fast", "flops_any"}) {
		t.Errorf("without names: %+v", all)
	}
	// A metric that a host's hardware does not have is not missing there.
	few := metric.NewService(metric.ServiceConfig{
		Engine: db, Clock: clock.NewManual(now), Catalogue: func(string) (metric.Catalogue, bool) { return nil, true },
		Expected: func(cluster, host string) []string {
			return map[string][]string{"alpha n01": {"cpu_load", "ipc"}}[cluster+" "+host]
		},
	})
	if got := few.Health(t.Context(), "alpha", []string{"n01"}, nil)["n01"]; got.State != metric.HealthFull {
		t.Errorf("of what is expected: %+v", got)
	}
}

// ask returns what one query over the last ten minutes gives, samples only.
func ask(t *testing.T, s *metric.Service, q metric.Query) [][]float64 {
	t.Helper()
	a, err := s.Query(t.Context(), metric.Request{Cluster: "alpha", From: minutesAgo(4), To: now, Queries: []metric.Query{q}})
	if err != nil {
		t.Fatal(err)
	}
	var all [][]float64
	for _, r := range a.Results[0] {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		if r.From != minutesAgo(4) || r.To != now || r.Step != time.Minute {
			t.Errorf("%+v covers %v to %v in steps of %v", q, r.From, r.To, r.Step)
		}
		all = append(all, r.Data)
	}
	return all
}

func TestQueriesFindTheirSeries(t *testing.T) {
	s, _ := newService(t)
	nan := math.NaN()
	put(t, s,
		"cpu_load,hostname=n01 4 4", "cpu_load,hostname=n01 2 2",
		"flops_any,hostname=n01,type=hwthread,type-id=0 1 3", "flops_any,hostname=n01,type=hwthread,type-id=1 10 3",
		"flops_any,hostname=n01,type=hwthread,type-id=0 2 2",
		"ipc,hostname=n01,type=hwthread,type-id=0 1 3", "ipc,hostname=n01,type=hwthread,type-id=1 3 3",
		"ipc,hostname=n01,type=hwthread,type-id=1 5 1",
		"ipc,hostname=n02,type=socket,type-id=0 7 1", "ipc,hostname=n02,type=hwthread,type-id=0 100 1",
		"flops_any,hostname=n03,stype=fs,stype-id=/home 1 1", "flops_any,hostname=n03,stype=fs,stype-id=/tmp 2 1",
		"flops_any,hostname=n04,type=gpu,type-id=0,stype=mig,stype-id=0 1 1", "flops_any,hostname=n04,type=gpu,type-id=0,stype=mig,stype-id=1 2 1",
		"flops_any,hostname=n04,type=gpu,type-id=1 5 1",
	)
	for _, c := range []struct {
		name string
		q    metric.Query
		want [][]float64
	}{
		{"own samples", metric.Query{Metric: "cpu_load", Host: "n01"}, [][]float64{{4, nan, 2, nan}}},
		{"type node", metric.Query{Metric: "cpu_load", Host: "n01", Type: "node", TypeIDs: []string{"0"}}, [][]float64{{4, nan, 2, nan}}},
		{"scaled", metric.Query{Metric: "cpu_load", Host: "n01", Scale: 0.5}, [][]float64{{2, nan, 1, nan}}},
		{"unknown host", metric.Query{Metric: "cpu_load", Host: "n99"}, nil},
		{"no samples of the metric", metric.Query{Metric: "fast", Host: "n01"}, nil},
		{"no samples of the device", metric.Query{Metric: "cpu_load", Host: "n01", Type: "socket", TypeIDs: []string{"0"}}, nil},
		{"devices", metric.Query{Metric: "flops_any", Host: "n01", Type: "hwthread", TypeIDs: []string{"1", "0"}}, [][]float64{{nan, 10, nan, nan}, {nan, 1, 2, nan}}},
		{"the same device twice", metric.Query{Metric: "flops_any", Host: "n01", Type: "hwthread", TypeIDs: []string{"1", "1"}, Scale: 2}, [][]float64{{nan, 20, nan, nan}, {nan, 20, nan, nan}}},
		{"a device that is not there keeps its place", metric.Query{Metric: "flops_any", Host: "n01", Type: "hwthread", TypeIDs: []string{"9", "0"}}, [][]float64{{nan, nan, nan, nan}, {nan, 1, 2, nan}}},
		{"every device", metric.Query{Metric: "flops_any", Host: "n01", Type: "hwthread"}, [][]float64{{nan, 1, 2, nan}, {nan, 10, nan, nan}}},
		{"sum of devices", metric.Query{Metric: "flops_any", Host: "n01", Type: "hwthread", TypeIDs: []string{"0", "1", "9"}, Aggregate: true}, [][]float64{{nan, 11, nan, nan}}},
		{"sum of the host", metric.Query{Metric: "flops_any", Host: "n01"}, [][]float64{{nan, 11, nan, nan}}},
		{"average of the host", metric.Query{Metric: "ipc", Host: "n01"}, [][]float64{{nan, 2, nan, 5}}},
		{"the coarsest type stands for the host", metric.Query{Metric: "ipc", Host: "n02"}, [][]float64{{nan, nan, nan, 7}}},
		{"parts of the host", metric.Query{Metric: "flops_any", Host: "n03"}, [][]float64{{nan, nan, nan, 3}}},
		{"a part of the host", metric.Query{Metric: "flops_any", Host: "n03", SubType: "fs", SubTypeIDs: []string{"/tmp"}}, [][]float64{{nan, nan, nan, 2}}},
		{"a device made of parts", metric.Query{Metric: "flops_any", Host: "n04", Type: "gpu", TypeIDs: []string{"0"}, Aggregate: true}, [][]float64{{nan, nan, nan, 3}}},
		{"a part of a device", metric.Query{Metric: "flops_any", Host: "n04", Type: "gpu", TypeIDs: []string{"0"}, SubType: "mig", SubTypeIDs: []string{"1", "0"}}, [][]float64{{nan, nan, nan, 2}, {nan, nan, nan, 1}}},
		{"a host of devices of which one has parts", metric.Query{Metric: "flops_any", Host: "n04"}, [][]float64{{nan, nan, nan, 8}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ask(t, s, c.q), cmpopts.EquateNaNs()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeviceMadeOfPartsIsCombinedWithoutAggregate(t *testing.T) {
	s, _ := newService(t)
	put(t, s, "flops_any,hostname=n04,type=gpu,type-id=0,stype=mig,stype-id=0 1 1", "flops_any,hostname=n04,type=gpu,type-id=0,stype=mig,stype-id=1 2 1")
	got := ask(t, s, metric.Query{Metric: "flops_any", Host: "n04", Type: "gpu", TypeIDs: []string{"0"}})
	if len(got) != 1 || got[0][3] != 3 {
		t.Errorf("%v", got)
	}
}

func TestQueriesThatCannotBeAnsweredSaySo(t *testing.T) {
	s, _ := newService(t)
	put(t, s, "cpu_load,hostname=n01,type=core,type-id=0 1 1", "cpu_load,hostname=n01,type=core,type-id=1 1 1")
	a, err := s.Query(t.Context(), metric.Request{Cluster: "alpha", From: minutesAgo(4), To: now, Queries: []metric.Query{
		{Metric: "nosuch", Host: "n01"}, {Metric: "cpu_load", Host: "n01"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"unknown metric: nosuch", "has no aggregation"} {
		r := a.Results[i]
		if len(r) != 1 || r[0].Err == nil || !strings.Contains(r[0].Err.Error(), want) {
			t.Errorf("%+v, and not %q", r, want)
		}
	}
	for _, r := range []metric.Request{{From: minutesAgo(4), To: now}, {Cluster: "alpha", From: now, To: minutesAgo(4)}} {
		if _, err := s.Query(t.Context(), r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestForAllNodesAsksEveryHost(t *testing.T) {
	s, _ := newService(t)
	put(t, s, "cpu_load,hostname=n01 1 1", "cpu_load,hostname=n02 2 1", "ipc,hostname=n02 3 1")
	a, err := s.Query(t.Context(), metric.Request{
		Cluster: "alpha", From: minutesAgo(1), To: now, ForAllNodes: []string{"cpu_load", "ipc"},
		Queries: []metric.Query{{Metric: "ipc", Host: "n02", Scale: 10}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, q := range a.Queries {
		got = append(got, fmt.Sprint(q.Host, " ", q.Metric, " ", len(a.Results[i])))
	}
	if diff := cmp.Diff([]string{"n02 ipc 1", "n01 cpu_load 1", "n01 ipc 0", "n02 cpu_load 1", "n02 ipc 1"}, got); diff != "" {
		t.Error(diff)
	}
	if a.Results[0][0].Data[0] != 30 || a.Results[4][0].Data[0] != 3 {
		t.Errorf("%v, %v", a.Results[0], a.Results[4])
	}
}

func TestAnswersContainWhatWasAskedFor(t *testing.T) {
	s, _ := newService(t)
	put(t, s, "cpu_load,hostname=n01 4 3", "cpu_load,hostname=n01 1 2")
	query := []metric.Query{{Metric: "cpu_load", Host: "n01"}}
	one := func(r metric.Request) metric.Result {
		t.Helper()
		r.Cluster, r.Queries = "alpha", query
		a, err := s.Query(t.Context(), r)
		if err != nil || len(a.Results[0]) != 1 {
			t.Fatalf("%+v, %v", a, err)
		}
		return a.Results[0][0]
	}
	r := one(metric.Request{From: minutesAgo(10), To: now, NoPadding: true})
	if len(r.Data) != 2 || r.From != minutesAgo(3) || r.To != minutesAgo(1) || r.Statistics != (metric.Statistics{Min: 1, Avg: 2.5, Max: 4}) {
		t.Errorf("without padding: %+v", r)
	}
	r = one(metric.Request{From: minutesAgo(10), To: now, NoData: true})
	if r.Data != nil || r.From != minutesAgo(10) || r.To != now || r.Statistics.Avg != 2.5 {
		t.Errorf("without data: %+v", r)
	}
	r = one(metric.Request{From: minutesAgo(10), To: now, NoStats: true})
	if len(r.Data) != 10 || !math.IsNaN(r.Statistics.Avg) {
		t.Errorf("without statistics: %+v", r)
	}
	r = one(metric.Request{From: time.Unix(0, 0), To: now})
	if len(r.Data) != 2 || r.From != minutesAgo(3) {
		t.Errorf("a window that is too long to be filled: %d samples from %v", len(r.Data), r.From)
	}
	r = one(metric.Request{From: time.Unix(-1<<55, 0), To: time.Unix(1<<55, 0)})
	if len(r.Data) != 2 {
		t.Errorf("all time: %d samples", len(r.Data))
	}
}

func TestDevicesOutOfStepAreAligned(t *testing.T) {
	s, _ := newService(t)
	var lines strings.Builder
	for m := 1; m <= 4; m++ { // the second thread's samples come 20 s later, the third one's 25 s earlier
		for id, shift := range []int64{0, 20, -25} {
			fmt.Fprintf(&lines, "flops_any,hostname=n01,type=hwthread,type-id=%d value=%d %d\n", id, m, minutesAgo(m).Unix()+shift)
		}
	}
	if r, err := s.Write(t.Context(), "alpha", strings.NewReader(lines.String())); err != nil || r.Taken != 12 {
		t.Fatal(r, err)
	}
	got := ask(t, s, metric.Query{Metric: "flops_any", Host: "n01"})
	if diff := cmp.Diff([][]float64{{12, 9, 6, 3}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestChangedStepKeepsTheOldSamplesReadable(t *testing.T) {
	s, db := newService(t)
	a := db.Appender()
	defer a.Close()
	l := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: "cpu_load"}.Labels()
	if err := a.Append(&l, 10, minutesAgo(3).Unix(), 1); err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	request := metric.Request{Cluster: "alpha", From: minutesAgo(4), To: now, Queries: []metric.Query{{Metric: "cpu_load", Host: "n01"}}}
	answer, err := s.Query(t.Context(), request)
	if err != nil || answer.Results[0][0].Step != 10*time.Second {
		t.Fatalf("%+v, %v", answer, err)
	}
	put(t, s, "cpu_load,hostname=n01 2 1")
	answer, err = s.Query(t.Context(), request)
	if err != nil || answer.Results[0][0].Step != time.Minute || answer.Results[0][0].Data[3] != 2 {
		t.Fatalf("%+v, %v", answer, err)
	}
}

func TestHugeAnswersAreRefused(t *testing.T) {
	s, _ := newService(t)
	put(t, s, "cpu_load,hostname=n01 1 1")
	queries := make([]metric.Query, 100)
	for i := range queries {
		queries[i] = metric.Query{Metric: "cpu_load", Host: "n01"}
	}
	_, err := s.Query(t.Context(), metric.Request{Cluster: "alpha", From: now.Add(-1e6 * time.Minute), To: now, Queries: queries})
	if !fault.Is(err, fault.TooLarge) {
		t.Error(err)
	}
}

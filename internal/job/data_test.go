package job_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// values are the samples of a metric at a scope: "host:device" -> samples.
func values(md job.MetricData) map[string][]float64 {
	m := map[string][]float64{}
	for _, s := range md.Series {
		m[s.Hostname+":"+s.ID] = s.Data
	}
	return m
}

func diffValues(want, got map[string][]float64) string {
	return cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-9))
}

// threads gives each hardware thread of a main node its own number as samples.
func (h *harness) threads(host, name string) {
	for i := range 8 {
		h.live.set(host, name, fmt.Sprintf("hwthread%d", i), constant(math.Pow(10, float64(i))))
	}
}

func TestDataOfARunningJobBeginsAtItsStart(t *testing.T) {
	h := newHarness(t)
	h.live.set("n01", "load", "", minutes)
	h.live.set("n02", "load", "", func(at time.Time) float64 {
		if minutes(at) == 1 {
			return math.NaN()
		}
		return 10
	})
	id := h.start(t, newJob(1, "n01", "n02", "n03"))
	h.clock.Advance(3 * time.Minute)

	j, d, err := h.Data(t.Context(), api(), id, job.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if j.Duration != 3*time.Minute {
		t.Errorf("duration is %v", j.Duration)
	}
	if len(d) != 1 || len(d["load"]) != 1 {
		t.Fatalf("data is %v, want load at node scope alone", d)
	}
	load := d["load"][metric.ScopeNode]
	want := map[string][]float64{"n01:": {0, 1, 2, 3}, "n02:": {10, math.NaN(), 10, 10}} // n03 has no samples
	if diff := diffValues(want, values(load)); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	if load.Step != time.Minute || load.Bands != nil {
		t.Errorf("step %v, bands %v", load.Step, load.Bands)
	}
	if want := (metric.Statistics{Min: 0, Avg: 1.5, Max: 3}); load.Series[0].Statistics != want {
		t.Errorf("statistics %v, want %v", load.Series[0].Statistics, want)
	}
}

func TestDataEndsWithTheJob(t *testing.T) {
	h := newHarness(t)
	h.live.set("n01", "load", "", minutes)
	for i, test := range []struct {
		begin, length time.Duration // after noon
		want          []float64
	}{
		{20 * time.Second, 95 * time.Second, []float64{0, 1}},
		{20 * time.Second, 100 * time.Second, []float64{0, 1, 2}},
		{20 * time.Second, 0, []float64{0}},
		{40 * time.Second, 95 * time.Second, []float64{1, 2}}, // 12:01 is nearest to the start
		{40 * time.Second, 5 * time.Second, []float64{1}},
		{60 * time.Second, 120 * time.Second, []float64{1, 2, 3}},
	} {
		j := newJob(int64(i+1), "n01")
		j.Start = start.Truncate(time.Hour).Add(test.begin)
		id := h.start(t, j)
		if _, err := h.Stop(t.Context(), api(), job.StopRequest{ID: id, At: j.Start.Add(test.length)}); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(time.Hour)
		if got := h.data(t, id, job.Selection{})["load"][metric.ScopeNode].Series[0].Data; !cmp.Equal(got, test.want) {
			t.Errorf("%v from %v: samples are %v, want %v", test.length, test.begin, got, test.want)
		}
	}
}

func TestScopesOfAMetricThatIsStoredByThread(t *testing.T) {
	h := newHarness(t)
	h.threads("n01", "flops")
	id := h.start(t, newJob(1, "n01"))
	tests := map[metric.Scope]struct {
		scope metric.Scope
		want  map[string]float64
	}{
		metric.ScopeNode:         {metric.ScopeNode, map[string]float64{"": 11111111}},
		metric.ScopeSocket:       {metric.ScopeSocket, map[string]float64{"0": 110011, "1": 11001100}},
		metric.ScopeMemoryDomain: {metric.ScopeMemoryDomain, map[string]float64{"0": 110011, "1": 11001100}},
		metric.ScopeCore:         {metric.ScopeCore, map[string]float64{"0": 10001, "1": 100010, "2": 1000100, "3": 10001000}},
		metric.ScopeHWThread: {metric.ScopeHWThread, map[string]float64{
			"0": 1, "1": 10, "2": 100, "3": 1000, "4": 1e4, "5": 1e5, "6": 1e6, "7": 1e7,
		}},
	}
	for wanted, test := range tests {
		t.Run(string(wanted), func(t *testing.T) {
			d := h.data(t, id, job.Selection{Metrics: []string{"flops"}, Scopes: []metric.Scope{wanted}})
			checkFirst(t, d["flops"], test.scope, test.want)
		})
	}
	if d := h.data(t, id, job.Selection{Scopes: []metric.Scope{metric.ScopeAccelerator}}); len(d) != 0 {
		t.Errorf("accelerators have %v", d)
	}
}

// checkFirst compares the first samples at one scope, by device, and that there is no other scope.
func checkFirst(t *testing.T, scopes map[metric.Scope]job.MetricData, scope metric.Scope, want map[string]float64) {
	t.Helper()
	got := map[string]float64{}
	for _, s := range scopes[scope].Series {
		got[s.ID] = s.Data[0]
	}
	if diff := cmp.Diff(want, got); diff != "" || len(scopes) != 1 {
		t.Errorf("%d scopes; %s (-want +got):\n%s", len(scopes), scope, diff)
	}
}

func TestAFinerScopeThanStoredIsAnsweredAsStored(t *testing.T) {
	h := newHarness(t)
	h.live.set("n01", "bw", "socket0", constant(1))
	h.live.set("n01", "bw", "socket1", constant(2))
	h.live.set("n01", "temp", "core2", constant(40))
	for _, core := range []string{"core0", "core1", "core3"} {
		h.live.set("n01", "temp", core, constant(20))
	}
	id := h.start(t, newJob(1, "n01"))
	d := h.data(t, id, job.Selection{Scopes: []metric.Scope{metric.ScopeHWThread, metric.ScopeCore}})
	checkFirst(t, d["bw"], metric.ScopeSocket, map[string]float64{"0": 1, "1": 2})
	checkFirst(t, d["temp"], metric.ScopeCore, map[string]float64{"0": 20, "1": 20, "2": 40, "3": 20})
	d = h.data(t, id, job.Selection{Scopes: []metric.Scope{metric.ScopeSocket}})
	checkFirst(t, d["temp"], metric.ScopeSocket, map[string]float64{"0": 20, "1": 30}) // means
}

func TestSharedJobsSeeOnlyTheirThreads(t *testing.T) {
	h := newHarness(t)
	h.threads("n01", "flops")
	h.live.set("n01", "bw", "socket0", constant(1))
	h.live.set("n01", "bw", "socket1", constant(2))
	j := newJob(1, "n01")
	j.Shared, j.NumHWThreads = job.SharedMultiUser, 3
	j.Resources[0].HWThreads = []int{0, 1, 4}
	id := h.start(t, j)
	for scope, want := range map[metric.Scope]map[string]float64{
		metric.ScopeNode:     {"": 10011},
		metric.ScopeSocket:   {"0": 10011},
		metric.ScopeCore:     {"0": 10001, "1": 10},
		metric.ScopeHWThread: {"0": 1, "1": 10, "4": 10000},
	} {
		d := h.data(t, id, job.Selection{Metrics: []string{"flops"}, Scopes: []metric.Scope{scope}})
		checkFirst(t, d["flops"], scope, want)
	}
	d := h.data(t, id, job.Selection{Metrics: []string{"bw"}})
	checkFirst(t, d["bw"], metric.ScopeNode, map[string]float64{"": 1}) // the socket that it runs on

	j.JobID, j.Shared = 2, job.SharedNone // bound to threads, but alone: the node is its own
	id = h.start(t, j)
	d = h.data(t, id, job.Selection{Metrics: []string{"flops"}})
	checkFirst(t, d["flops"], metric.ScopeNode, map[string]float64{"": 11111111})
}

func TestAcceleratorsOfAJob(t *testing.T) {
	h := newHarness(t)
	h.live.set("g1", "gpu", "accelerator01:00.0", constant(10))
	h.live.set("g1", "gpu", "accelerator02:00.0", constant(20))
	tests := []struct {
		name         string
		numAcc       int
		accelerators []string
		node, acc    map[string]float64
	}{
		{"both by number", 2, nil, map[string]float64{"": 15}, map[string]float64{"01:00.0": 10, "02:00.0": 20}},
		{"one by name", 1, []string{"02:00.0"}, map[string]float64{"": 20}, map[string]float64{"02:00.0": 20}},
		{"none", 0, nil, nil, nil},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			j := newJob(int64(i+1), "g1")
			j.NumAcc, j.Resources[0].Accelerators = test.numAcc, test.accelerators
			id := h.start(t, j)
			both := h.data(t, id, job.Selection{Scopes: []metric.Scope{metric.ScopeNode, metric.ScopeAccelerator, metric.ScopeCore}})["gpu"]
			if test.acc == nil {
				if both != nil {
					t.Errorf("a job without accelerators has %v", both)
				}
				return
			}
			for scope, want := range map[metric.Scope]map[string]float64{metric.ScopeNode: test.node, metric.ScopeAccelerator: test.acc} {
				checkFirst(t, map[metric.Scope]job.MetricData{scope: both[scope]}, scope, want)
			}
		})
	}
}

func TestRestrictedMetricsAreForStaff(t *testing.T) {
	h := newHarness(t)
	h.live.set("n01", "temp", "", constant(40))
	h.live.set("n01", "load", "", constant(1))
	id := h.start(t, newJob(1, "n01"))
	for stopped := range 2 {
		for role, want := range map[identity.Role]bool{identity.RoleUser: false, identity.RoleManager: false, identity.RoleSupport: true} {
			_, d, err := h.Data(t.Context(), as("bob", role), id, job.Selection{Metrics: []string{"temp", "load"}})
			if err != nil {
				t.Fatal(err)
			}
			if _, got := d["temp"]; got != want || d["load"] == nil {
				t.Errorf("%s (stopped: %d) sees %d metrics, temp: %v, want %v", role, stopped, len(d), got, want)
			}
		}
		if stopped == 0 {
			h.stop(t, id, time.Hour)
			if err := h.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestEightSeriesHaveBands(t *testing.T) {
	h := newHarness(t)
	h.threads("n01", "flops")
	h.live.set("n01", "flops", "hwthread7", constant(math.NaN()))
	id := h.start(t, newJob(1, "n01"))
	sel := job.Selection{Metrics: []string{"flops"}, Scopes: []metric.Scope{metric.ScopeHWThread}}
	if d := h.data(t, id, sel); d["flops"][metric.ScopeHWThread].Bands != nil {
		t.Error("seven series have bands")
	}
	h.live.set("n01", "flops", "hwthread7", func(at time.Time) float64 {
		if minutes(at) == 0 {
			return 0
		}
		return math.NaN()
	})
	h.clock.Advance(time.Minute)
	want := &job.Bands{Min: []float64{0, 1}, Max: []float64{1e6, 1e6}, Mean: []float64{1111111. / 8, 1111111. / 7}, Median: []float64{550, 1000}}
	if diff := cmp.Diff(want, h.data(t, id, sel)["flops"][metric.ScopeHWThread].Bands); diff != "" {
		t.Errorf("bands (-want +got):\n%s", diff)
	}
}

func TestPointsAndResolutionThinOut(t *testing.T) {
	h := newHarness(t)
	h.live.set("n01", "load", "", func(at time.Time) float64 {
		switch m := minutes(at); {
		case m == 33:
			return 100 // a peak
		case m >= 60 && m < 90:
			return math.NaN()
		default:
			return 1
		}
	})
	id := h.start(t, newJob(1, "n01"))
	h.clock.Advance(119 * time.Minute) // 120 samples
	tests := []struct {
		sel  job.Selection
		step time.Duration
		n    int
	}{
		{job.Selection{}, time.Minute, 120},
		{job.Selection{Points: 1000}, time.Minute, 120},
		{job.Selection{Points: 12}, 10 * time.Minute, 12},
		{job.Selection{Points: 50}, 3 * time.Minute, 40},
		{job.Selection{Resolution: 10 * time.Minute}, 10 * time.Minute, 12},
		{job.Selection{Resolution: 90 * time.Second}, 2 * time.Minute, 60},
		{job.Selection{Resolution: time.Second}, time.Minute, 120},
		{job.Selection{Resolution: 2 * time.Minute, Points: 12}, 10 * time.Minute, 12},
	}
	for _, test := range tests {
		md := h.data(t, id, test.sel)["load"][metric.ScopeNode]
		s := md.Series[0]
		if md.Step != test.step || len(s.Data) != test.n {
			t.Errorf("%+v: %d samples of %v, want %d of %v", test.sel, len(s.Data), md.Step, test.n, test.step)
		}
		per := int(md.Step / time.Minute)
		if s.Data[33/per] != 100 {
			t.Errorf("%+v: the peak is lost", test.sel)
		}
		if !math.IsNaN(s.Data[75/per]) || math.IsNaN(s.Data[95/per]) {
			t.Errorf("%+v: the gap is lost", test.sel)
		}
		if want := (metric.Statistics{Min: 1, Avg: 189. / 90, Max: 100}); !cmp.Equal(want, s.Statistics, cmpopts.EquateApprox(0, 1e-9)) {
			t.Errorf("%+v: statistics %v, want those of all samples %v", test.sel, s.Statistics, want)
		}
	}
}

func TestDataLargerThanTheLimitIsRefused(t *testing.T) {
	h := newHarness(t)
	j := newJob(1, "n01")
	j.Start = time.Unix(1, 0) // runs since 1970
	for i := range 60 {
		j.Resources = append(j.Resources, job.Resource{Hostname: fmt.Sprintf("n%02d", i+10)})
	}
	j.NumNodes = len(j.Resources)
	id := h.start(t, j)
	if _, _, err := h.Data(t.Context(), api(), id, job.Selection{Points: 10}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("error is %v, want too large", err)
	}
	if h.live.queries != 0 {
		t.Error("the metric store was asked all the same")
	}
}

func TestDataPassesOnWhatIsWrong(t *testing.T) {
	h := newHarness(t)
	id := h.start(t, newJob(1, "n01"))
	h.live.err = fault.New(fault.Unavailable, "the metric store is starting")
	if _, _, err := h.Data(t.Context(), api(), id, job.Selection{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("error is %v", err)
	}
	if _, _, err := h.Data(t.Context(), as("eve", identity.RoleUser), id, job.Selection{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stranger gets %v", err)
	}
	h.live.err = nil
	h.live.set("n01", "flops", "hwthread0", constant(1)) // the other threads are unknown
	sel := job.Selection{Metrics: []string{"flops"}, Scopes: []metric.Scope{metric.ScopeCore}}
	if _, _, err := h.Data(t.Context(), api(), id, sel); err == nil || !strings.Contains(err.Error(), "metric flops of host n01: device hwthread") {
		t.Errorf("nothing could be read, but the error is %v", err)
	}
	h.live.set("n01", "load", "", constant(1))
	sel.Metrics = nil
	if d := h.data(t, id, sel); len(d) != 1 || d["load"] == nil {
		t.Errorf("one metric that cannot be read hides the others: %v", d)
	}
}

func TestArchivedDataIsWhatWasLive(t *testing.T) {
	h := newHarness(t)
	h.threads("n01", "flops")
	h.live.set("n01", "load", "", minutes)
	id := h.start(t, newJob(1, "n01"))
	h.stop(t, id, 10*time.Minute)
	selections := []job.Selection{
		{},
		{Metrics: []string{"flops"}, Scopes: []metric.Scope{metric.ScopeCore, metric.ScopeNode}},
		{Metrics: []string{"load"}, Scopes: []metric.Scope{metric.ScopeHWThread}, Points: 3},
	}
	var before []job.Data
	for _, sel := range selections {
		before = append(before, h.data(t, id, sel))
	}
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.live.err = errors.New("the metric store must not be asked any more")
	for i, sel := range selections {
		if diff := cmp.Diff(before[i], h.data(t, id, sel), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%+v (-live +archived):\n%s", sel, diff)
		}
	}
	// sockets are not archived: the node is the finest that is coarser
	d := h.data(t, id, job.Selection{Metrics: []string{"flops"}, Scopes: []metric.Scope{metric.ScopeSocket}})
	checkFirst(t, d["flops"], metric.ScopeNode, map[string]float64{"": 11111111})
}

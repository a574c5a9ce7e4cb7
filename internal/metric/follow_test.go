package metric_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Names as senders write them: of the same series in several ways, without a cluster, escaped, and wrong.
var (
	heads = []string{
		"cpu_load,cluster=alpha,hostname=n1", "cpu_load,hostname=n1,cluster=alpha", "cpu_load,hostname=n1", "cpu_load,cluster=beta,hostname=n1",
		"cpu_load,cluster=alpha,hostname=n1,extra=x", `cpu_load,cluster=alpha,hostname=n1,extra=x\ y`, "cpu_load,cluster=alpha,hostname=n2",
		"flops_any,cluster=alpha,hostname=n1,type=hwthread,type-id=0", "flops_any,cluster=alpha,hostname=n1,type=hwthread,type-id=1",
		"flops_any,hostname=n1,type=hwthread,type-id=0", "flops_any,cluster=beta,hostname=n1,type=hwthread,type-id=0", "fast,cluster=alpha,hostname=n1",
		"missing,cluster=alpha,hostname=n1", "cpu_load,cluster=nosuch,hostname=n1", "cpu_load,cluster=alpha", `cpu\_load,cluster=alpha,hostname=n1`, "",
	}
	tails = []string{
		" value=%d %d", " value=%d %d", " value=%d %d", " value=%d %d\r", "  value=%d %d", " value=%d.5 %d ", " value=%d", " value=x%d %d", " value=%d x%d",
		" value=%d,more=1 %d", " other=%d %d", " value=%di %d", " value=%d 1%d",
	}
)

// Lines whose names are recognised give what they give when every one is taken apart: the same samples, counts and refusals.
func TestRecognisedLinesAreWhatTheyWouldBeTakenApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		fast, fastDB := newService(t)
		slow, slowDB := newService(t)
		for range rapid.IntRange(1, 4).Draw(rt, "batches") {
			from := metric.Source{Cluster: rapid.SampledFrom([]string{"alpha", "beta", ""}).Draw(rt, "cluster")}
			if rapid.Bool().Draw(rt, "limited") {
				from.Reaches = func(cluster string) bool { return cluster == "alpha" }
			}
			order := rapid.SliceOfN(rapid.SampledFrom(heads), 1, 6).Draw(rt, "heads") // again and again, as collectors send
			var lines []string
			for i := range rapid.IntRange(1, 40).Draw(rt, "lines") {
				tail := rapid.SampledFrom(tails).Draw(rt, "tail")
				line := order[i%len(order)] + tail
				args := []any{rapid.IntRange(-9, 99).Draw(rt, "value"), minutesAgo(rapid.IntRange(0, 9).Draw(rt, "ago")).Unix()}
				lines = append(lines, fmt.Sprintf(line, args[:strings.Count(line, "%d")]...))
			}
			got, err := fast.WriteFrom(t.Context(), from, strings.NewReader(strings.Join(lines, "\n")))
			if err != nil {
				rt.Fatal(err)
			}
			want := metric.WriteResult{}
			for i, line := range lines {
				one, err := slow.WriteFrom(t.Context(), from, strings.NewReader(line))
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
		if diff := cmp.Diff(everything(slowDB), everything(fastDB), cmpopts.EquateNaNs()); diff != "" {
			rt.Fatalf("(-taken apart +recognised):\n%s", diff)
		}
	})
}

// everything returns all samples of a store.
func everything(db *metricstore.DB) []metricstore.Samples {
	var all []metricstore.Samples
	for _, cluster := range []string{"alpha", "beta", "nosuch"} {
		for _, host := range db.Hosts(cluster) {
			for _, name := range []string{"cpu_load", "flops_any", "fast", "missing", "cpu", "cpu_load_x", "ipc"} {
				w := metricstore.Window{Cluster: cluster, Host: host, Metric: name, From: 0, To: now.Unix() + 3600}
				all = append(all, db.Read(nil, w, nil)...)
			}
		}
	}
	return all
}

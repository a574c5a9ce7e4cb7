package promql_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
	"github.com/bridgehead-hpc/bridgehead/internal/benchtest"
)

// fillHosts writes two hours of hosts of which each has a weakness of its own, of two clusters.
func (w *world) fillHosts(tb testing.TB, rnd *rand.Rand, seal bool) {
	tb.Helper()
	for _, cluster := range []string{"alpha", "beta"} {
		var lines strings.Builder
		hosts := map[string]func(device, minute int) bool{ // whether there is a sample
			"whole":  func(int, int) bool { return true },
			"paused": func(_, minute int) bool { return minute < 40 || minute > 50 },
			"gaps":   func(int, int) bool { return rnd.IntN(9) > 0 },
			"lost":   func(device, minute int) bool { return device < 3 || minute > 60 }, // a device that is gone for an hour
			"uneven": func(device, minute int) bool { return minute%4 == device },
			"small":  func(device, _ int) bool { return device == 0 },
			"larger": func(int, int) bool { return true },
		}
		for host, has := range hosts {
			devices := 4
			if host == "larger" {
				devices = 20
			}
			for device := range devices {
				for minute := range 120 {
					if has(device, minute) {
						fmt.Fprintf(&lines, "flops_any,cluster=%s,hostname=%s,type=hwthread,type-id=%d value=%v %d\n",
							cluster, host, device, float64(rnd.IntN(100_000))/8, now.Unix()-60*int64(minute))
					}
				}
			}
		}
		if r, err := w.service.Write(tb.Context(), cluster, strings.NewReader(lines.String())); err != nil || r.Rejected+r.Dropped > 0 {
			tb.Fatal(r, err)
		}
	}
	if seal {
		if err := w.db.Checkpoint(); err != nil {
			tb.Fatal(err)
		}
	}
}

// What the store takes together gives what the engine takes together. It does so itself where a zero is added first.
func TestDevicesTakenTogetherByTheStoreGiveTheSame(t *testing.T) {
	t.Parallel()
	for _, seal := range []bool{false, true} {
		w := newWorld(t)
		w.fillHosts(t, rand.New(rand.NewPCG(5, 9)), seal)
		for _, q := range []string{
			"sum(%s)", "avg(%s)", "min(%s)", "max(%s)", "count(%s)", "stddev(%s)", "sum by (hostname) (%s)", "avg by (hostname) (%s)", "min by (hostname) (%s)",
			"max by (cluster) (%s)", "avg by (cluster) (%s)", "avg by (cluster, hostname) (%s)", "sum by (type) (%s)", "sum by (type_id) (%s)",
			"sum by (hostname, type_id) (%s)", "sum without (type_id) (%s)", "avg without (type_id) (%s)", "avg without (type_id, cluster) (%s)",
			"sum without (hostname) (%s)", "sum((%s))", "sum(-(%s))", "sum by (hostname) (%s) / 2", "max_over_time(sum by (hostname) (%s)[10m:2m])",
			"topk(2, sum by (hostname, cluster) (%s))", "sum by (none) (%s)", "sum by (__name__, hostname) (%s)",
		} {
			for _, selector := range []string{
				"flops_any", `flops_any{cluster="alpha"}`, `flops_any{type_id="1"}`, `flops_any{type_id=~".*"}`, `flops_any{type="hwthread",hostname=~"whole|lost"}`,
				"flops_any offset 7m", fmt.Sprintf("flops_any @ %d", now.Unix()-1800), `{__name__=~"flops.*"}`, `flops_any{type="socket"}`, `flops_any{type="node",hostname="whole"}`,
			} {
				form := url.Values{"start": {unix(-6900)}, "end": {unix(0)}, "step": {"97"}}
				form.Set("query", fmt.Sprintf(q, selector))
				got := results(t, w.ask(t, "everything", "/prometheus/api/v1/query_range", form))
				form.Set("query", fmt.Sprintf(strings.Replace(q, "__name__, ", "", 1), selector+" + 0"))
				want := results(t, w.ask(t, "everything", "/prometheus/api/v1/query_range", form))
				if strings.Contains(q, "__name__") {
					got = nameless(got)
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
					t.Errorf("sealed %v, %s of %s: %s", seal, q, selector, diff)
				}
			}
		}
	}
}

// nameless returns the series without the names of metrics.
func nameless(all map[string]stream) map[string]stream {
	some := map[string]stream{}
	for _, s := range all {
		delete(s.Metric, "__name__")
		some[text(s.Metric)] = s
	}
	return some
}

// What the store takes together is one series to the limits, and its samples count.
func TestDevicesTakenTogetherCountAsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *promql.Config) { c.MaxSeries, c.MaxSamples = 4, 800 })
	w.fillHosts(t, rand.New(rand.NewPCG(5, 9)), false)
	for query, refused := range map[string]string{
		`sum(flops_any{hostname=~"whole|paused"})`:                                                                 "",
		`count(flops_any{hostname=~"whole|paused"})`:                                                               "more than 4 series",
		`sum(flops_any{hostname=~"whole|gaps"})`:                                                                   "more than 4 series",
		`sum(flops_any{hostname=~"whole|paused|larger"})`:                                                          "more than 4 series",
		`sum(flops_any{cluster="alpha",hostname=~"whole|larger"})`:                                                 "",
		`sum(sum_over_time(flops_any{hostname="whole"}[2h]))`:                                                      "more than 4 series",
		`sum(flops_any{hostname="whole"}) + sum(flops_any{hostname="paused"}) + sum(flops_any{hostname="larger"})`: "more than 800 samples",
	} {
		form := url.Values{"start": {unix(-6900)}, "end": {unix(0)}, "step": {"300"}, "query": {query}}
		reply := w.ask(t, "everything", "/prometheus/api/v1/query_range", form)
		if got := reply.Body.String(); refused == "" && reply.Code != 200 || !strings.Contains(got, refused) {
			t.Errorf("%s: %d %s", query, reply.Code, got)
		}
	}
}

// BenchmarkDevicesTogether adds up the 72 threads of 8 hosts over 12 h, as the store has them and, as the baseline, one by one.
func BenchmarkDevicesTogether(b *testing.B) {
	w := newWorld(b)
	for host := range 8 {
		var lines strings.Builder
		for minute := range 720 {
			for device := range 72 {
				fmt.Fprintf(&lines, "flops_any,hostname=n%d,type=hwthread,type-id=%d value=%d %d\n", host, device, device+minute%50, now.Unix()-43200+60*int64(minute))
			}
		}
		if r, err := w.service.Write(b.Context(), "alpha", strings.NewReader(lines.String())); err != nil || r.Rejected > 0 {
			b.Fatal(r, err)
		}
	}
	if err := w.db.Checkpoint(); err != nil {
		b.Fatal(err)
	}
	form := url.Values{"start": {unix(-43200)}, "end": {unix(0)}, "step": {"60"}}
	ask := func(query string) func() {
		return func() {
			form.Set("query", query)
			if reply := w.ask(b, "MetricsRead", "/prometheus/api/v1/query_range", form); reply.Code != 200 {
				b.Fatal(reply.Body)
			}
		}
	}
	benchtest.Against(b, 8*72*720, ask("sum by (hostname) (flops_any)"), benchtest.Limit{Name: "single", Run: ask("sum by (hostname) (flops_any + 0)")})
}

// unix is a time so many seconds from now, as questions have it.
func unix(seconds int64) string { return strconv.FormatInt(now.Unix()+seconds, 10) }

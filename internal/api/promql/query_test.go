package promql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// answer is what Prometheus' clients read.
type answer struct {
	Status, ErrorType, Error string
	Data                     struct {
		ResultType string
		Result     json.RawMessage
	}
}

// stream is one series of a result, by time; an instant is a series with one time.
type stream struct {
	Metric map[string]string
	Values map[int64]float64
}

// ask sends a question as Grafana does: as a form.
func (w *world) ask(tb testing.TB, who, path string, form url.Values) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), "POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("X-Test-May", who)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	reply := httptest.NewRecorder()
	w.door.ServeHTTP(reply, r)
	return reply
}

// results returns the series of an answer by their labels.
func results(tb testing.TB, reply *httptest.ResponseRecorder) map[string]stream {
	tb.Helper()
	var a answer
	if err := json.Unmarshal(reply.Body.Bytes(), &a); err != nil || reply.Code != http.StatusOK || a.Status != "success" {
		tb.Fatalf("%d %s: %v", reply.Code, reply.Body, err)
	}
	var list []struct {
		Metric map[string]string
		Value  [2]any
		Values [][2]any
	}
	if err := json.Unmarshal(a.Data.Result, &list); err != nil {
		tb.Fatal(err, string(a.Data.Result))
	}
	all := map[string]stream{}
	for _, s := range list {
		if a.Data.ResultType == "vector" {
			s.Values = [][2]any{s.Value}
		}
		got := stream{s.Metric, map[int64]float64{}}
		for _, v := range s.Values {
			value, err := strconv.ParseFloat(v[1].(string), 64)
			if err != nil {
				tb.Fatal(err)
			}
			got.Values[int64(v[0].(float64))] = value
		}
		all[text(s.Metric)] = got
	}
	return all
}

// text writes labels as people do.
func text(labels map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		list = append(list, name+"="+labels[name])
	}
	return strings.Join(list, ",")
}

const step = 60

// record is every sample that was written, by series and time: what a naive computation needs.
type record map[string]stream

// fill writes a day's worth of samples with gaps, of two clusters.
func (w *world) fill(tb testing.TB, rnd *rand.Rand) record {
	tb.Helper()
	all := record{}
	for _, cluster := range []string{"alpha", "beta"} {
		var lines strings.Builder
		for host := range 4 {
			for device := range 5 {
				tags := map[string]string{"cluster": cluster, "hostname": fmt.Sprintf("n%d", host), "type": "hwthread", "type_id": strconv.Itoa(device)}
				name := "flops_any"
				if device == 4 {
					name = "cpu_load"
					tags["type"] = "node"
					delete(tags, "type_id")
				}
				tags["__name__"] = name
				s := stream{tags, map[int64]float64{}}
				for i := range int64(180) {
					if rnd.IntN(8) == 0 || host == 2 && i > 60 && i < 90 {
						continue
					}
					at := now.Unix() - step*i
					s.Values[at] = float64(rnd.IntN(10_000)) / 8
					fmt.Fprintf(&lines, "%s,cluster=%s,hostname=%s,type=%s", name, cluster, tags["hostname"], tags["type"])
					if id := tags["type_id"]; id != "" {
						fmt.Fprintf(&lines, ",type-id=%s", id)
					}
					fmt.Fprintf(&lines, " value=%v %d\n", s.Values[at], at)
				}
				all[text(tags)] = s
			}
		}
		if r, err := w.service.Write(tb.Context(), cluster, strings.NewReader(lines.String())); err != nil || r.Rejected+r.Dropped > 0 {
			tb.Fatal(r, err)
		}
	}
	return all
}

// naive computes an expression as a reader of its definition would: sample by sample.
type naive struct {
	query string
	match func(labels map[string]string) bool
	by    []string // nil: every series for itself, without its name
	name  bool     // the name is kept
	value func(s stream, at int64) (float64, bool)
	add   func(a, b float64) float64
}

// instant is the newest sample of the last three steps.
func instant(s stream, at int64) (float64, bool) {
	for t := at; t > at-3*step; t-- {
		if v, ok := s.Values[t]; ok {
			return v, true
		}
	}
	return 0, false
}

// mean is that of the samples of the last ten minutes.
func mean(s stream, at int64) (float64, bool) {
	sum, n := 0.0, 0
	for t := at - 599; t <= at; t++ {
		if v, ok := s.Values[t]; ok {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n), n > 0
}

func (n naive) evaluate(all record, at int64, into map[string]stream) {
	groups := map[string]float64{}
	labels := map[string]map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		s := all[key]
		v, ok := n.value(s, at)
		if !ok || !n.match(s.Metric) {
			continue
		}
		group := maps.Clone(s.Metric)
		maps.DeleteFunc(group, func(name, _ string) bool {
			return n.by != nil && !slices.Contains(n.by, name) || !n.name && name == "__name__"
		})
		k := text(group)
		labels[k] = group
		if was, ok := groups[k]; ok {
			v = n.add(was, v)
		}
		groups[k] = v
	}
	for k, v := range groups {
		if _, ok := into[k]; !ok {
			into[k] = stream{labels[k], map[int64]float64{}}
		}
		into[k].Values[at] = v
	}
}

func add(a, b float64) float64 { return a + b }

func is(want map[string]string) func(map[string]string) bool {
	return func(labels map[string]string) bool {
		for name, value := range want {
			if labels[name] != value {
				return false
			}
		}
		return true
	}
}

// expressions are questions with their naive answers.
func expressions() []naive {
	load, flops := is(map[string]string{"__name__": "cpu_load"}), is(map[string]string{"__name__": "flops_any"})
	return []naive{
		{query: `cpu_load`, match: load, name: true, value: instant},
		{query: `{__name__="cpu_load",cluster="alpha"}`, match: is(map[string]string{"__name__": "cpu_load", "cluster": "alpha"}), name: true, value: instant},
		{query: `{cluster="beta",hostname="n1",__name__=~"cpu.*|flops.*"}`, match: is(map[string]string{"cluster": "beta", "hostname": "n1"}), name: true, value: instant},
		{query: `flops_any{hostname="n3",type_id="2"}`, match: is(map[string]string{"__name__": "flops_any", "hostname": "n3", "type_id": "2"}), name: true, value: instant},
		{query: `sum by (hostname) (flops_any)`, match: flops, by: []string{"hostname"}, value: instant, add: add},
		{query: `sum(flops_any{cluster="alpha",type="hwthread"})`, match: is(map[string]string{"__name__": "flops_any", "cluster": "alpha"}), by: []string{}, value: instant, add: add},
		{query: `max by (cluster) (cpu_load)`, match: load, by: []string{"cluster"}, value: instant, add: math.Max},
		{query: `avg_over_time(cpu_load[10m])`, match: load, value: mean},
		{query: `sum by (cluster, type_id) (avg_over_time(flops_any[10m]))`, match: flops, by: []string{"cluster", "type_id"}, value: mean, add: add},
		{query: `cpu_load{hostname=~"n[02]",cluster!="beta"}`, name: true, value: instant, match: func(l map[string]string) bool {
			return l["__name__"] == "cpu_load" && l["cluster"] != "beta" && (l["hostname"] == "n0" || l["hostname"] == "n2")
		}},
		{query: `{__name__=~".*_load|nosuch",hostname!~"n[1-9]",rack="",type=~"node|hwthread"}`, name: true, value: instant, match: is(map[string]string{"__name__": "cpu_load", "hostname": "n0"})},
		{query: `flops_any offset 5m`, match: flops, name: true, value: func(s stream, at int64) (float64, bool) { return instant(s, at-300) }},
		{query: `cpu_load{rack="r1"}`, match: func(map[string]string) bool { return false }, value: instant},
		{query: `cpu_load{type="node"}`, match: load, name: true, value: instant},
	}
}

func TestAnswersAreThoseOfANaiveComputation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.fill(t, rand.New(rand.NewPCG(1, 2)))
	near := cmpopts.EquateApprox(1e-9, 0)
	for _, n := range expressions() {
		for _, every := range []int64{15, 60, 420} {
			start, end := now.Unix()-9000, now.Unix()
			want := map[string]stream{}
			for at := start; at <= end; at += every {
				n.evaluate(all, at, want)
			}
			got := results(t, w.ask(t, "MetricsRead", "/prometheus/api/v1/query_range", url.Values{
				"query": {n.query}, "start": {strconv.FormatInt(start, 10)}, "end": {strconv.FormatInt(end, 10)}, "step": {strconv.FormatInt(every, 10)},
			}))
			if diff := cmp.Diff(want, got, near); diff != "" {
				t.Errorf("%s every %d s: %.3000s", n.query, every, diff)
			}
		}
		at := now.Unix() - 100
		want := map[string]stream{}
		n.evaluate(all, at, want)
		got := results(t, w.ask(t, "MetricsRead", "/prometheus/api/v1/query", url.Values{"query": {n.query}, "time": {strconv.FormatInt(at, 10)}}))
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Errorf("%s at one time: %s", n.query, diff)
		}
	}
}

// The devices of a host together are the sum where all of them have a sample, as everywhere else.
func TestTypeNodeIsTheHostTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.fill(t, rand.New(rand.NewPCG(3, 4)))
	got := results(t, w.ask(t, "MetricsRead", "/prometheus/api/v1/query_range", url.Values{
		"query": {`flops_any{type="node",cluster="alpha"}`}, "start": {strconv.FormatInt(now.Unix()-9000, 10)}, "end": {strconv.FormatInt(now.Unix(), 10)},
		"step": {"60"}, "lookback_delta": {"1s"},
	}))
	want := map[string]stream{}
	for host := range 4 {
		labels := map[string]string{"__name__": "flops_any", "cluster": "alpha", "hostname": fmt.Sprintf("n%d", host), "type": "node"}
		s := stream{labels, map[int64]float64{}}
		for at := now.Unix() - 9000; at <= now.Unix(); at += 60 {
			sum, n := 0.0, 0
			for device := range 4 {
				of := map[string]string{"__name__": "flops_any", "cluster": "alpha", "hostname": labels["hostname"], "type": "hwthread", "type_id": strconv.Itoa(device)}
				if v, ok := all[text(of)].Values[at]; ok {
					sum, n = sum+v, n+1
				}
			}
			if n == 4 {
				s.Values[at] = sum
			}
		}
		want[text(labels)] = s
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("%.3000s", diff)
	}
}

// A sample of a metric with long steps stands for longer.
func TestLookbackFitsTheStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := now.Unix() / 600 * 600
	lines := fmt.Sprintf("slow,hostname=n1 value=1 %d\nib_bytes,hostname=n1 value=2 %d\n", at-1200, at-1200)
	if r, err := w.service.Write(t.Context(), "alpha", strings.NewReader(lines)); err != nil || r.Taken != 2 {
		t.Fatal(r, err)
	}
	for query, last := range map[string]int64{"slow": 1799, "ib_bytes": 59} {
		for after, want := range map[int64]int{0: 1, last: 1, last + 1: 0} {
			got := results(t, w.ask(t, "MetricsRead", "/prometheus/api/v1/query", url.Values{"query": {query}, "time": {strconv.FormatInt(at-1200+after, 10)}}))
			if len(got) != want {
				t.Errorf("%s after %d s: %v", query, after, got)
			}
		}
	}
}

func TestNarrowCallersSeeWhatTheyMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, rand.New(rand.NewPCG(5, 6)))
	for who, want := range map[string][]string{
		"everything": {"alpha n0", "alpha n1", "alpha n2", "alpha n3", "beta n0", "beta n1", "beta n2", "beta n3"},
		"alpha":      {"alpha n0", "alpha n1", "alpha n2", "alpha n3"},
		"n1":         {"alpha n1", "beta n1"},
	} {
		for _, query := range []string{"cpu_load", `{__name__=~"flops.*"}`, `flops_any{type="node"}`, `max by (cluster, hostname) ({cluster=~".+"})`} {
			got := map[string]bool{}
			for _, s := range results(t, w.ask(t, who, "/prometheus/api/v1/query", url.Values{"query": {query}, "time": {strconv.FormatInt(now.Unix()-60, 10)}, "lookback_delta": {"1h"}})) {
				got[s.Metric["cluster"]+" "+s.Metric["hostname"]] = true
			}
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("%s, %s: %s", who, query, diff)
			}
		}
		for path, list := range map[string][]string{
			"/prometheus/api/v1/label/cluster/values":                     firsts(want, 0),
			"/prometheus/api/v1/label/hostname/values":                    firsts(want, 1),
			"/prometheus/api/v1/label/hostname/values?match[]=cpu_load":   firsts(want, 1),
			"/prometheus/api/v1/label/cluster/values?match[]=flops_any":   firsts(want, 0),
			"/prometheus/api/v1/label/type/values":                        {"hwthread", "node"},
			"/prometheus/api/v1/label/__name__/values?match[]={type!=''}": {"cpu_load", "flops_any"},
			"/prometheus/api/v1/label/__name__/values":                    {"cpu_load", "flops_any", "ib_bytes", "slow"},
		} {
			if got := w.list(t, who, path); !slices.Equal(got, list) {
				t.Errorf("%s, %s: %v", who, path, got)
			}
		}
	}
}

// firsts returns the different words at a place.
func firsts(list []string, place int) []string {
	found := map[string]bool{}
	for _, s := range list {
		found[strings.Fields(s)[place]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func (w *world) list(tb testing.TB, who, path string) []string {
	tb.Helper()
	reply := w.get(tb, who, path)
	var got struct{ Data []string }
	if err := json.Unmarshal(reply.Body.Bytes(), &got); err != nil || reply.Code != http.StatusOK {
		tb.Fatalf("%s: %d %s", path, reply.Code, reply.Body)
	}
	return got.Data
}

func (w *world) get(tb testing.TB, who, path string) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), "GET", path, http.NoBody)
	r.Header.Set("X-Test-May", who)
	reply := httptest.NewRecorder()
	w.door.ServeHTTP(reply, r)
	return reply
}

func TestListsSayWhatThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lines := fmt.Sprintf("cpu_load,hostname=n1 value=1 %[1]d\nflops_any,hostname=n1,type=socket,type-id=0,stype=numa,stype-id=1 value=1 %[1]d\n", now.Unix())
	if r, err := w.service.Write(t.Context(), "alpha", strings.NewReader(lines)); err != nil || r.Taken != 2 {
		t.Fatal(r, err)
	}
	for path, want := range map[string]string{
		"/prometheus/api/v1/series?match[]=cpu_load&match[]={hostname='n1'}": `{"status":"success","data":[{"__name__":"cpu_load","cluster":"alpha","hostname":"n1","type":"node"},` +
			`{"__name__":"flops_any","cluster":"alpha","hostname":"n1","stype":"numa","stype_id":"1","type":"socket","type_id":"0"}]}`,
		"/prometheus/api/v1/series?match[]=nosuch":             `{"status":"success","data":[]}`,
		"/prometheus/api/v1/labels":                            `{"status":"success","data":["__name__","cluster","hostname","stype","stype_id","type","type_id"]}`,
		"/prometheus/api/v1/labels?match[]=cpu_load":           `{"status":"success","data":["__name__","cluster","hostname","type"]}`,
		"/prometheus/api/v1/label/stype_id/values":             `{"status":"success","data":["1"]}`,
		"/prometheus/api/v1/label/job/values":                  `{"status":"success","data":[]}`,
		"/prometheus/api/v1/metadata?metric=slow&limit=1":      `{"status":"success","data":{"slow":[{"type":"gauge","help":"measured every 10m0s, aggregated by avg","unit":""}]}}`,
		"/prometheus/api/v1/query?query=1%2b1&time=1795463820": `{"status":"success","data":{"resultType":"scalar","result":[1795463820,"2"]}}`,
		"/prometheus/api/v1/query?query=%22a%22&time=1.5":      `{"status":"success","data":{"resultType":"string","result":[1.5,"a"]}}`,
		"/prometheus/api/v1/query?query=cpu_load[1m]":          `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"cpu_load","cluster":"alpha","hostname":"n1","type":"node"},"values":[[1795463820,"1"]]}]}}`,
		"/prometheus/api/v1/query?query=cpu_load/0":            `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"cluster":"alpha","hostname":"n1","type":"node"},"value":[1795463820,"+Inf"]}]}}`,
	} {
		if reply := w.get(t, "MetricsRead", path); strings.TrimSpace(reply.Body.String()) != want {
			t.Errorf("%s: %d %s", path, reply.Code, reply.Body)
		}
	}
	if reply := w.get(t, "MetricsRead", "/prometheus/api/v1/status/buildinfo"); !strings.Contains(reply.Body.String(), `"version":"3.`) {
		t.Error(reply.Body)
	}
}

func TestBadQuestionsAreRefusedInTheFormOfPrometheus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, rand.New(rand.NewPCG(7, 8)))
	const v1 = "/prometheus/api/v1"
	for path, tt := range map[string]struct {
		who, kind string
		status    int
		says      string
	}{
		v1 + "/query":                                               {"MetricsRead", "bad_data", 400, "the expression is missing"},
		v1 + "/query?query=sum(":                                    {"MetricsRead", "bad_data", 400, "cannot be read: 1:5: parse error"},
		v1 + "/query?query=1&time=noon":                             {"MetricsRead", "bad_data", 400, `parameter time: "noon" is no time`},
		v1 + "/query?query=1&timeout=long":                          {"MetricsRead", "bad_data", 400, `parameter timeout: "long" is no length of time`},
		v1 + "/query_range?query=1":                                 {"MetricsRead", "bad_data", 400, "start, end and a step"},
		v1 + "/query_range?query=1&start=2&end=1&step=1":            {"MetricsRead", "bad_data", 400, "ends before it starts"},
		v1 + "/query_range?query=1&start=1&end=99999&step=1":        {"MetricsRead", "bad_data", 400, "more than 11000 steps"},
		v1 + "/query_range?query=cpu_load[1m]&start=1&end=2&step=1": {"MetricsRead", "bad_data", 400, "invalid expression type"},
		v1 + "/query_range?query=1&start=1&end=2&step=0.0001":       {"MetricsRead", "bad_data", 400, "shorter than a millisecond"},
		v1 + "/query_range?query=1&start=-9e11&end=9e11&step=1e8":   {"MetricsRead", "bad_data", 400, "more than 11000 steps"},
		v1 + "/series?match[]=cpu_load&start=noon":                  {"MetricsRead", "bad_data", 400, `parameter start: "noon" is no time`},
		v1 + "/labels?end=noon":                                     {"MetricsRead", "bad_data", 400, `parameter end: "noon" is no time`},
		v1 + "/label/type/values?start=noon":                        {"MetricsRead", "bad_data", 400, `parameter start: "noon" is no time`},
		v1 + "/query?query=flops_any*on(hostname)cpu_load":          {"MetricsRead", "execution", 422, "many-to-many"},
		v1 + "/series":                                   {"MetricsRead", "bad_data", 400, "parameter match[]"},
		v1 + "/series?match[]={":                         {"MetricsRead", "bad_data", 400, "cannot be read"},
		v1 + "/labels?match[]=sum(x)":                    {"MetricsRead", "bad_data", 400, "cannot be read"},
		v1 + "/targets":                                  {"MetricsRead", "not_found", 404, "does not exist"},
		v1 + "/labels?limit=many":                        {"MetricsRead", "bad_data", 400, `parameter limit: "many" is no whole number`},
		v1 + "/metadata?limit=-1":                        {"MetricsRead", "bad_data", 400, "no whole number"},
		v1 + "/query?query=1&limit=1.5":                  {"MetricsRead", "bad_data", 400, "no whole number"},
		v1 + "/format_query?query=(":                     {"MetricsRead", "bad_data", 400, "cannot be read"},
		v1 + "/rules?x=1":                                {"MetricsWrite", "forbidden", 403, "MetricsRead"},
		v1 + "/query?query=2":                            {"MetricsWrite", "forbidden", 403, "MetricsRead"},
		v1 + "/query?query=3":                            {"", "unauthorized", 401, "who are you"},
		v1 + "/query_range?query=1&start=x&end=1&step=1": {"MetricsRead", "bad_data", 400, `parameter start: "x"`},
	} {
		reply := w.get(t, tt.who, path)
		var got answer
		if err := json.Unmarshal(reply.Body.Bytes(), &got); err != nil {
			t.Fatal(err, reply.Body)
		}
		if reply.Code != tt.status || got.Status != "error" || got.ErrorType != tt.kind || !strings.Contains(got.Error, tt.says) {
			t.Errorf("%s: %d %s", path, reply.Code, reply.Body)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", v1+"/labels", strings.NewReader(`{"broken`))
	r.Header.Set("X-Test-May", "MetricsRead")
	reply := httptest.NewRecorder()
	if w.door.ServeHTTP(reply, r); reply.Code != http.StatusBadRequest {
		t.Errorf("no form: %d %s", reply.Code, reply.Body)
	}
}

func TestQuestionsHaveLimits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		limit  func(*promql.Config)
		query  string
		status int
		says   string
	}{
		"series":                  {func(c *promql.Config) { c.MaxSeries = 10 }, "flops_any", 422, "more than 10 series"},
		"samples of the result":   {func(c *promql.Config) { c.MaxSamples = 200 }, "cpu_load", 422, "more than 200 samples at a time"},
		"samples that are made":   {func(c *promql.Config) { c.MaxSamples = 1000 }, "vector(1)", 200, ""},
		"samples of the engine":   {func(c *promql.Config) { c.MaxSamples = 100 }, "vector(1)", 422, "too many samples"},
		"time":                    {func(c *promql.Config) { c.Timeout = time.Nanosecond }, "cpu_load", 503, "took too long"},
		"steps":                   {func(c *promql.Config) { c.MaxSteps = 100 }, "cpu_load", 400, "more than 100 steps"},
		"all is well":             {func(*promql.Config) {}, "flops_any", 200, ""},
		"one question after then": {func(c *promql.Config) { c.Concurrency = 1 }, "flops_any", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.limit)
			w.fill(t, rand.New(rand.NewPCG(9, 10)))
			for range 2 {
				reply := w.ask(t, "MetricsRead", "/prometheus/api/v1/query_range", url.Values{
					"query": {tt.query}, "start": {strconv.FormatInt(now.Unix()-9000, 10)}, "end": {strconv.FormatInt(now.Unix(), 10)}, "step": {"60"},
				})
				if reply.Code != tt.status || !strings.Contains(reply.Body.String(), tt.says) {
					t.Errorf("%d %.200s", reply.Code, reply.Body)
				}
			}
		})
	}
}

// Whoever no longer waits gets no answer, and what he had asked ends. That is no failure of ours, and not logged as one.
func TestQuestionsEndWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	w := newWorld(t, func(c *promql.Config) { c.Log = slog.New(slog.NewTextHandler(&logged, nil)) })
	w.fill(t, rand.New(rand.NewPCG(11, 12)))
	ctx, leave := context.WithCancel(t.Context())
	leave()
	for _, path := range []string{"/query?query=cpu_load", "/series?match[]=cpu_load", "/label/type/values"} {
		r := httptest.NewRequestWithContext(ctx, "GET", "/prometheus/api/v1"+path, http.NoBody)
		r.Header.Set("X-Test-May", "MetricsRead")
		reply := httptest.NewRecorder()
		if w.door.ServeHTTP(reply, r); reply.Code != 499 || !strings.Contains(reply.Body.String(), `"errorType":"canceled"`) {
			t.Errorf("%s: %d %s", path, reply.Code, reply.Body)
		}
	}
	if logged.Len() > 0 {
		t.Error(logged.String())
	}
}

// Who wants a few of many series gets a few, though there are more than may be listed.
func TestAListWithALimitIsNeverTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *promql.Config) { c.MaxSeries = 3 })
	w.fill(t, rand.New(rand.NewPCG(15, 16)))
	for limit, want := range map[string]int{"1": 200, "3": 200, "4": 422, "0": 422} {
		reply := w.get(t, "MetricsRead", "/prometheus/api/v1/series?match[]=flops_any&match[]=cpu_load&limit="+limit)
		if reply.Code != want {
			t.Errorf("%s: %d %s", limit, reply.Code, reply.Body)
		}
		if n := strings.Count(reply.Body.String(), "__name__"); want == 200 && strconv.Itoa(n) != limit {
			t.Errorf("%s: %s", limit, reply.Body)
		}
	}
}

// Of two times far apart, what lies between them is not read.
func TestSelectorsReadTheirOwnTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *promql.Config) { c.MaxSamples = 100 })
	var lines strings.Builder
	for i := range int64(1440) {
		fmt.Fprintf(&lines, "cpu_load,hostname=n1 value=%d %d\n", i, now.Unix()-60*i)
	}
	if r, err := w.service.Write(t.Context(), "alpha", strings.NewReader(lines.String())); err != nil || r.Taken != 1440 {
		t.Fatal(r, err)
	}
	got := results(t, w.ask(t, "MetricsRead", "/prometheus/api/v1/query", url.Values{"query": {"sum(cpu_load offset 20h - avg_over_time(cpu_load[10m]))"}}))
	if diff := cmp.Diff(map[string]stream{"": {map[string]string{}, map[int64]float64{now.Unix(): 1200 - 4.5}}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRemarksSayWhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t, rand.New(rand.NewPCG(13, 14)))
	reply := w.ask(t, "MetricsRead", "/prometheus/api/v1/query", url.Values{"query": {"sum(rate(cpu_load[5m])) + quantile(2, cpu_load)"}})
	for _, want := range []string{`"warnings":["PromQL warning: quantile value should be between 0 and 1, got 2 (1:36)"]`, `\"cpu_load\" (1:10)"]`} {
		if !strings.Contains(reply.Body.String(), want) {
			t.Errorf("%s is not in %s", want, reply.Body)
		}
	}
}

// A derived metric is there for hosts, whatever type is asked for.
func TestDerivedMetricsAreThereForHosts(t *testing.T) {
	t.Parallel()
	derived, err := metric.ParseExpression("flops_any / cpu_load")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.catalogue["intensity"] = metric.Config{Frequency: time.Minute, Derived: derived}
	twice, err := metric.ParseExpression("2 * intensity")
	if err != nil {
		t.Fatal(err)
	}
	w.catalogue["twice"] = metric.Config{Frequency: time.Minute, Derived: twice}
	if r, err := w.service.Write(t.Context(), "alpha", strings.NewReader("cpu_load,hostname=n2 value=1")); err != nil || r.Taken != 1 {
		t.Fatal(r, err) // a host that lacks an operand
	}
	lines := fmt.Sprintf("cpu_load,hostname=n1 value=2 %[1]d\nflops_any,hostname=n1,type=socket,type-id=0 value=1 %[1]d\nflops_any,hostname=n1,type=socket,type-id=1 value=4 %[1]d\n", now.Unix())
	if r, err := w.service.Write(t.Context(), "alpha", strings.NewReader(lines)); err != nil || r.Taken != 3 {
		t.Fatal(r, err)
	}
	for _, query := range []string{"intensity", `intensity{type="node"}`, `{__name__=~"int.*",hostname="n1"}`} {
		got := results(t, w.ask(t, "MetricsRead", "/prometheus/api/v1/query", url.Values{"query": {query}}))
		want := map[string]stream{"__name__=intensity,cluster=alpha,hostname=n1,type=node": {
			map[string]string{"__name__": "intensity", "cluster": "alpha", "hostname": "n1", "type": "node"}, map[int64]float64{now.Unix(): 2.5},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	for _, name := range []string{"intensity", "twice"} {
		if got := w.list(t, "MetricsRead", "/prometheus/api/v1/label/hostname/values?match[]="+name); !slices.Equal(got, []string{"n1"}) {
			t.Errorf("%s is listed for %v", name, got)
		}
	}
}

// A day of node metrics of 64 hosts, drawn with 1440 points each.
func BenchmarkQueryRange(b *testing.B) {
	w := newWorld(b)
	var lines strings.Builder
	for host := range 64 {
		for i := range int64(1440) {
			fmt.Fprintf(&lines, "cpu_load,hostname=n%d value=%d %d\n", host, i%100, now.Unix()-60*i)
		}
	}
	if r, err := w.service.Write(b.Context(), "alpha", strings.NewReader(lines.String())); err != nil || r.Rejected > 0 {
		b.Fatal(r, err)
	}
	for _, query := range []string{"cpu_load", "sum(cpu_load)", "avg_over_time(cpu_load[10m])"} {
		b.Run(query, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				reply := w.ask(b, "MetricsRead", "/prometheus/api/v1/query_range", url.Values{
					"query": {query}, "start": {strconv.FormatInt(now.Unix()-86340, 10)}, "end": {strconv.FormatInt(now.Unix(), 10)}, "step": {"60"},
				})
				if reply.Code != http.StatusOK {
					b.Fatal(reply.Body)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*64*1440), "ns/sample")
		})
	}
}

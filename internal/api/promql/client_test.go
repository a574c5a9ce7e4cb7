package promql_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
)

// three writes one sample of three hosts.
func (w *world) three(tb testing.TB) {
	tb.Helper()
	var lines strings.Builder
	for host := range 3 {
		fmt.Fprintf(&lines, "cpu_load,hostname=n%d value=%d %d\n", host, host, now.Unix())
	}
	if r, err := w.service.Write(tb.Context(), "alpha", strings.NewReader(lines.String())); err != nil || r.Taken != 3 {
		tb.Fatal(r, err)
	}
}

// These are the requests of Grafana's data source, of promtool and of Prometheus' client for Go, byte for byte but for host
// and credentials.
func TestClientsGetWhatTheyAskFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.three(t)
	const v1 = "/prometheus/api/v1"
	for name, tt := range map[string]struct{ method, path, form, want string }{
		"Grafana tests the data source":    {"POST", "/query", "query=1%2B1&time=4", `{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}`},
		"Grafana looks for rules":          {"GET", "/rules", "", `{"status":"success","data":{"groups":[]}}`},
		"Grafana looks for exemplars":      {"POST", "/query_exemplars", "query=cpu_load&start=1795463760&end=1795463820", `{"status":"success","data":[]}`},
		"Grafana draws":                    {"POST", "/query_range", "end=1795463820&query=cpu_load%7Bhostname%3D%22n1%22%7D&start=1795463820&step=15", `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"cpu_load","cluster":"alpha","hostname":"n1","type":"node"},"values":[[1795463820,"1"]]}]}}`},
		"Grafana fills a menu":             {"GET", "/label/hostname/values?start=1795460220&end=1795463820&match%5B%5D=cpu_load&limit=40000", "", `{"status":"success","data":["n0","n1","n2"]}`},
		"Grafana lists metrics":            {"GET", "/label/__name__/values?end=1795463820&start=1795460220&limit=1", "", `{"status":"success","data":["cpu_load"],"warnings":["there is more than the limit that was asked for; the rest is left out"]}`},
		"promtool asks for labels":         {"GET", "/label/cluster/values", "", `{"status":"success","data":["alpha"]}`},
		"the client for Go, series":        {"POST", "/series", "end=1795463820&limit=1&match%5B%5D=cpu_load&start=1795460220", `{"status":"success","data":[{"__name__":"cpu_load","cluster":"alpha","hostname":"n0","type":"node"}],"warnings":["there is more than the limit that was asked for; the rest is left out"]}`},
		"the client for Go, labels":        {"POST", "/labels", "end=1795463820&limit=2&start=1795460220", `{"status":"success","data":["__name__","cluster"],"warnings":["there is more than the limit that was asked for; the rest is left out"]}`},
		"the client for Go, limit":         {"POST", "/query", "limit=2&lookback_delta=1m0s&query=cpu_load&time=1795463820&timeout=5s", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"cpu_load","cluster":"alpha","hostname":"n0","type":"node"},"value":[1795463820,"0"]},{"metric":{"__name__":"cpu_load","cluster":"alpha","hostname":"n1","type":"node"},"value":[1795463820,"1"]}]},"warnings":["there is more than the limit that was asked for; the rest is left out"]}`},
		"the client for Go, large limit":   {"POST", "/query", "limit=3&query=count(cpu_load)&time=1795463820", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795463820,"3"]}]}}`},
		"the client for Go, a range":       {"POST", "/query_range", "end=1795463820&limit=1&query=cpu_load&start=1795463820&step=60", `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"cpu_load","cluster":"alpha","hostname":"n0","type":"node"},"values":[[1795463820,"0"]]}]},"warnings":["there is more than the limit that was asked for; the rest is left out"]}`},
		"Prometheus' pages, an expression": {"GET", "/format_query?query=sum+by%28hostname%29%28cpu_load%29", "", `{"status":"success","data":"sum by (hostname) (cpu_load)"}`},
		"promtool means all of time":       {"GET", "/label/cluster/values?start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z", "", `{"status":"success","data":["alpha"]}`},
		"the client for Go, all of time":   {"POST", "/labels", "start=-9223309901257974.807&end=9223372036854775.807&limit=1&match[]=cpu_load", `{"status":"success","data":["__name__"],"warnings":["there is more than the limit that was asked for; the rest is left out"]}`},
		"Grafana reads what is known":      {"GET", "/metadata?limit=1&metric=", "", `{"status":"success","data":{"cpu_load":[{"type":"gauge","help":"measured every 1m0s","unit":""}]}}`},
		"Grafana lists alerts":             {"GET", "/alerts", "", `{"status":"success","data":{"alerts":[]}}`},
	} {
		var reply *httptest.ResponseRecorder
		if tt.method == "GET" {
			reply = w.get(t, "MetricsRead", v1+tt.path)
		} else {
			form, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			reply = w.ask(t, "MetricsRead", v1+tt.path, form)
		}
		if got := strings.TrimSpace(reply.Body.String()); reply.Code != 200 || got != tt.want {
			t.Errorf("%s: %d %s", name, reply.Code, got)
		}
	}
}

// promtool check healthy and ready ask without a token.
func TestEverybodyMayAskWhetherItIsWell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/prometheus/-/healthy", "/prometheus/-/ready"} {
		if reply := w.get(t, "", path); reply.Code != 200 || reply.Body.String() != "Bridgehead answers.\n" {
			t.Errorf("%s: %d %s", path, reply.Code, reply.Body)
		}
	}
}

// In the document, a list that can be cut off is a list.
func TestDocumentShowsLists(t *testing.T) {
	t.Parallel()
	text, err := promql.New(promql.Config{}).Document()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "Cut") || !strings.Contains(string(text), `"/prometheus/api/v1/labels"`) {
		t.Errorf("%s", text)
	}
}

package ingest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// now is the time in the tests: a full minute.
var now = time.Unix(1_795_463_820, 0)

// callers lets in whoever names a permission in the header X-Test-May, or how far he is limited: alpha is the one
// cluster, n01 the one node.
type callers struct{}

func (callers) Authenticate(r *http.Request, _ http.Header) (identity.Caller, error) {
	name := r.Header.Get("X-Test-May")
	p, ok := identity.ParsePermission(name)
	switch {
	case name == "everything":
		return identity.Caller{Permissions: identity.All()}, nil
	case name == "alpha":
		return identity.Caller{Permissions: identity.All(), Clusters: []string{"alpha"}}, nil
	case name == "n01":
		nodes, err := identity.ParseNodeSet("n01")
		limit := identity.NodeLimit{Permissions: identity.SetOf(identity.MetricsRead, identity.MetricsAdmin), Nodes: nodes}
		return identity.Caller{Permissions: identity.All(), Limits: []identity.NodeLimit{limit}}, err
	case ok:
		return identity.Caller{Permissions: identity.SetOf(p)}, nil
	default:
		return identity.Caller{}, fault.New(fault.Unauthenticated, "who are you")
	}
}

func newDoor(t *testing.T, standAlone bool) http.Handler {
	t.Helper()
	clk := clock.NewManual(now)
	db, err := metricstore.Open(t.TempDir(), metricstore.Options{Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	catalogue := metric.Catalogue{
		"cpu_load":  {Frequency: time.Minute},
		"flops_any": {Frequency: time.Minute, Aggregation: metric.AggregateSum},
	}
	service := metric.NewService(metric.ServiceConfig{Engine: db, Clock: clk, Catalogue: func(string) (metric.Catalogue, bool) { return catalogue, true }})
	d := ingest.New(ingest.Config{Metrics: service, Log: slog.New(slog.DiscardHandler), StandAlone: standAlone})
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return d.Mux(api.Guard{Auth: callers{}})
}

// call sends a request by somebody who may do everything.
func call(t *testing.T, door http.Handler, method, url, body string) *httptest.ResponseRecorder {
	t.Helper()
	return callAs(t, door, "everything", method, url, body)
}

func callAs(t *testing.T, door http.Handler, who, method, url, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	r.Header.Set("X-Test-May", who)
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	return w
}

func ago(minutes int64) int64 { return now.Unix() - 60*minutes }

func fill(t *testing.T, door http.Handler) {
	t.Helper()
	lines := fmt.Sprintf(`flops_any,hostname=n01,type=hwthread,type-id=0 value=10 %[1]d
flops_any,hostname=n01,type=hwthread,type-id=1 value=0.5 %[1]d
flops_any,hostname=n01,type=hwthread,type-id=0 value=11 %[2]d
cpu_load,hostname=n01 value=1.23456 %[2]d
cpu_load,hostname=n02 value=-2 %[2]d
`, ago(3), ago(2))
	if w := call(t, door, "POST", "/api/write/?cluster=alpha", lines); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

func TestGoodBatchIsAnsweredWithNothing(t *testing.T) {
	for _, path := range []string{"/api/write", "/api/write/", "/metricstore/write/", "/api/write?precision=s&db=x&org=y&bucket=z"} {
		door := newDoor(t, false)
		w := call(t, door, "POST", path, "cpu_load,cluster=alpha,hostname=n01 value=1\n")
		if w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestBadLinesAreReportedAndTheOthersTaken(t *testing.T) {
	door := newDoor(t, false)
	w := call(t, door, "POST", "/api/write?cluster=alpha", "cpu_load,hostname=n01 value=1\ncpu_load,hostname=n01 foo=1\nnosuch,hostname=n01 value=1\n")
	const want = `{"taken":1,"dropped":1,"rejected":1,"lines":[{"line":2,"error":"unknown field: 'foo', only 'value' is allowed"}]}` + "\n"
	if w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBatchWithoutAGoodLineIsRefused(t *testing.T) {
	door := newDoor(t, false)
	w := call(t, door, "POST", "/api/write?cluster=alpha", strings.Repeat("cpu_load,hostname=n01 foo=1\n", 7))
	var body struct{ Status, Error string }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusBadRequest || body.Status != "Bad Request" ||
		!strings.HasPrefix(body.Error, "no line was taken: lines 1, 2, 3, 4, 5 and 2 more: unknown field: 'foo'") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestCompressedBatchIsRead(t *testing.T) {
	door := newDoor(t, false)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, "cpu_load,cluster=alpha,hostname=n01 value=1\n")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body []byte
		want int
	}{"whole": {b.Bytes(), 200}, "cut off": {b.Bytes()[:b.Len()-6], 400}, "not gzip": {[]byte("plain text, and long enough"), 400}} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/write", bytes.NewReader(c.body))
		r.Header.Set("X-Test-May", "everything")
		r.Header.Set("Content-Encoding", "gzip")
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestFreeSaysHowMany(t *testing.T) {
	door := newDoor(t, false)
	fill(t, door)
	for _, c := range []struct {
		url, body, want string
		code            int
	}{
		{"/api/free/", `[["alpha"]]`, "parameter to is required", 400},
		{"/api/free/?to=1", `{"cluster":"alpha"}`, "an array expected", 400},
		{"/api/free/?to=1", `[[]]`, "selector", 400},
		{fmt.Sprintf("/api/free/?to=%d", now.Unix()), `[["alpha","n01"],["beta"]]`, "buffers freed: 3", 200},
		{fmt.Sprintf("/api/free?to=%d", now.Unix()), `[["alpha"]]`, "buffers freed: 1", 200},
	} {
		if w := call(t, door, "POST", c.url, c.body); w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %d %s", c.url, c.body, w.Code, w.Body)
		}
	}
}

func TestDebugIsJSON(t *testing.T) {
	door := newDoor(t, false)
	fill(t, door)
	w := call(t, door, "GET", "/api/debug/?selector=alpha:n01", "")
	var got, want any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err, w.Body)
	}
	text := fmt.Sprintf(`{"data":{"cpu_load":[{"start":%[2]d,"len":1,"end":%[3]d}],
		"hwthread0":{"flops_any":[{"start":%[1]d,"len":2,"end":%[3]d}]},"hwthread1":{"flops_any":[{"start":%[1]d,"len":1,"end":%[2]d}]}}}`,
		ago(3), ago(2), ago(1))
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if w := call(t, door, "GET", "/api/debug?selector=beta", ""); w.Code != http.StatusBadRequest {
		t.Errorf("unknown selector: %d", w.Code)
	}
	if w := call(t, door, "GET", "/api/debug?selector=alpha:n01:hwthread1", ""); !strings.Contains(w.Body.String(), `{"data":{"flops_any":[`) {
		t.Errorf("a device: %s", w.Body)
	}
}

func TestHealthIsAskedForInTwoWays(t *testing.T) {
	door := newDoor(t, false)
	fill(t, door)
	const full = `{"n01":{"State":"full","HealthMetrics":"{\"degraded\":[],\"missing\":[]}"}}` + "\n"
	w := call(t, door, "GET", "/api/healthcheck/", `{"cluster":"alpha","nodes":["n01"],"metric-names":["cpu_load","flops_any"]}`)
	if w.Code != http.StatusOK || w.Body.String() != full {
		t.Errorf("body: %d %s", w.Code, w.Body)
	}
	w = call(t, door, "GET", "/api/healthcheck?cluster=alpha&node=n02", "")
	if !strings.Contains(w.Body.String(), `{"n02":{"State":"partial","HealthMetrics":"{\"degraded\":[],\"missing\":[\"flops_any\"]}"}}`) {
		t.Errorf("query: %d %s", w.Code, w.Body)
	}
	if w := call(t, door, "GET", "/api/healthcheck", ""); w.Code != http.StatusBadRequest {
		t.Errorf("nothing named: %d %s", w.Code, w.Body)
	}
}

// Each route has its permission, and nobody without it gets through.
func TestRoutesNeedTheirPermissions(t *testing.T) {
	door := newDoor(t, false)
	fill(t, door)
	for route, need := range map[string]identity.Permission{
		"POST /api/write": identity.MetricsWrite, "POST /api/free?to=1": identity.MetricsAdmin, "GET /api/debug": identity.MetricsAdmin,
		"GET /api/query": identity.MetricsRead, "POST /api/query": identity.MetricsRead, "GET /api/healthcheck": identity.MetricsRead,
	} {
		method, url, _ := strings.Cut(route, " ")
		for _, may := range []string{"", "MetricsWrite", "MetricsAdmin", "MetricsRead", "JobsRead"} {
			r := httptest.NewRequestWithContext(t.Context(), method, url, strings.NewReader(`{"cluster":"alpha"}`))
			r.Header.Set("X-Test-May", may)
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			if passed := w.Code != http.StatusUnauthorized; passed != (may == need.String()) {
				t.Errorf("%s by %q: %d %s", route, may, w.Code, w.Body)
			}
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/debug", nil)
	r.Header.Set("X-Test-May", "MetricsRead")
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	if want := `{"status":"Unauthorized","error":"unauthorized","missing":"MetricsAdmin"}` + "\n"; w.Body.String() != want {
		t.Errorf("refusal: %s", w.Body)
	}
}

func TestStandAloneSpeaksPlainlyOfCredentialsAndPaths(t *testing.T) {
	for _, standAlone := range []bool{false, true} {
		door := newDoor(t, standAlone)
		w := httptest.NewRecorder()
		door.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/api/debug", nil))
		if plain := w.Body.String() == "who are you\n"; w.Code != http.StatusUnauthorized || plain != standAlone || w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("stand-alone %v: %d %s", standAlone, w.Code, w.Body)
		}
		w = call(t, door, "GET", "/nosuch", "")
		if isJSON := strings.HasPrefix(w.Body.String(), "{"); w.Code != http.StatusNotFound || isJSON == standAlone {
			t.Errorf("stand-alone %v: %d %s", standAlone, w.Code, w.Body)
		}
		if w := call(t, door, "GET", "/api/write", ""); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("wrong method: %d", w.Code)
		}
	}
}

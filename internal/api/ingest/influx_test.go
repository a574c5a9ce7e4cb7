package ingest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

func newInflux(t *testing.T) (http.Handler, *metricstore.DB) {
	t.Helper()
	clk := clock.NewManual(now)
	db, err := metricstore.Open(t.TempDir(), metricstore.Options{Clock: clk, Retention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	catalogue := metric.Catalogue{"cpu_usage_user": {Frequency: 10 * time.Second}, "mem_used": {Frequency: 10 * time.Second}}
	service := metric.NewService(metric.ServiceConfig{Engine: db, Clock: clk, Catalogue: func(cluster string) (metric.Catalogue, bool) {
		if cluster != "alpha" {
			return nil, false
		}
		return catalogue, true
	}})
	d := ingest.NewInflux(service, slog.New(slog.DiscardHandler))
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return d.Mux(api.Guard{Auth: callers{}}), db
}

// What Telegraf's outputs.influxdb_v2 sends with its usual settings, of inputs.cpu and inputs.mem.
func TestTelegrafWrites(t *testing.T) {
	t.Parallel()
	door, db := newInflux(t)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = fmt.Fprintf(z, `cpu,cpu=cpu0,host=n01 usage_user=1.5,usage_system=0.25,usage_idle=98.25 %[1]d
cpu,cpu=cpu1,host=n01 usage_user=2.5,usage_system=0.25,usage_idle=97.25 %[1]d
cpu,cpu=cpu-total,host=n01 usage_user=2,usage_system=0.25,usage_idle=97.75 %[1]d
mem,host=n01 used=4096i,total=16384i,used_percent=25 %[1]d
system,host=n01 uptime_format="1 day,  2:03" %[1]d
`, now.UnixNano())
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v2/write?bucket=alpha&org=site", &b)
	r.Header.Set("X-Test-May", "MetricsWrite")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	if w.Code != http.StatusNoContent || w.Body.Len() > 0 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	window := metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "cpu_usage_user", From: ago(1), To: now.Unix() + 60}
	if got := db.Read(nil, window, nil); len(got) != 3 || got[0].Key.Type != "" || got[0].Values[0] != 2 || got[2].Key.TypeID != "1" || got[2].Values[0] != 2.5 {
		t.Errorf("%+v", got)
	}
	window.Metric = "mem_used"
	if got := db.Read(nil, window, nil); len(got) != 1 || got[0].Values[0] != 4096 {
		t.Errorf("%+v", got)
	}
}

func TestInfluxAnswersAsClientsExpect(t *testing.T) {
	t.Parallel()
	good := fmt.Sprintf("mem,host=n01 used=1 %d", now.Unix())
	for name, tt := range map[string]struct {
		method, url, who, body string
		status                 int
		code, message          string
	}{
		"seconds":                 {"POST", "/api/v2/write?bucket=alpha&precision=s", "everything", good, 204, "", ""},
		"a slash more":            {"POST", "/api/v2/write/?bucket=alpha&precision=s", "everything", good, 204, "", ""},
		"metrics that nobody has": {"POST", "/api/v2/write?bucket=alpha", "everything", "x,host=n01 y=1", 204, "", ""},
		"a unit that is empty":    {"POST", "/api/v2/write?bucket=alpha&precision=", "everything", fmt.Sprintf("mem,host=n01 used=1 %d", now.UnixNano()), 204, "", ""},
		"a bucket of 1.8":         {"POST", "/api/v2/write?bucket=alpha/autogen&precision=s", "alpha", good, 204, "", ""},
		"a bucket that leads out": {"POST", "/api/v2/write?bucket=..&precision=s", "everything", good, 400, "invalid", `cluster or host ".." contains`},
		"a bucket of two lines":   {"POST", "/api/v2/write?bucket=a%0Ab&precision=s", "everything", good, 400, "invalid", "the cluster's name: control character 0x0a"},
		"a bucket of bytes":       {"POST", "/api/v2/write?bucket=%FF&precision=s", "everything", good, 400, "invalid", "is not valid UTF-8"},
		"a bucket without an end": {"POST", "/api/v2/write?precision=s&bucket=" + strings.Repeat("x", 256), "everything", good, 400, "invalid", "longer than 255 bytes"},
		"another unit":            {"POST", "/api/v2/write?bucket=alpha&precision=h", "everything", good, 400, "invalid", "it is ns, us, ms or s"},
		"no line is good":         {"POST", "/api/v2/write?bucket=alpha", "everything", "mem,host=n01 used", 400, "invalid", "no line was taken: line 1: a field is missing"},
		"some lines are good":     {"POST", "/api/v2/write?bucket=alpha&precision=s", "everything", "mem used=1\n" + good, 400, "invalid", "partial write: 1 samples were stored, 1 lines were not: line 1: tag hostname is missing"},
		"too old":                 {"POST", "/api/v2/write?bucket=alpha&precision=s", "everything", "mem,host=n01 used=1 1000", 400, "invalid", "before the store's retention"},
		"no cluster":              {"POST", "/api/v2/write?precision=s", "everything", good, 400, "invalid", "no cluster is named"},
		"another cluster":         {"POST", "/api/v2/write?bucket=beta&precision=s", "alpha", good, 400, "invalid", "your token does not reach the cluster"},
		"nobody":                  {"POST", "/api/v2/write?bucket=alpha", "", good, 401, "unauthorized", "who are you"},
		"a reader":                {"POST", "/api/v2/write?bucket=alpha", "MetricsRead", good, 403, "forbidden", "permission MetricsWrite is required"},
		"elsewhere":               {"POST", "/api/v2/delete", "everything", good, 404, "not found", "does not exist"},
		"a ping":                  {"GET", "/ping?verbose=true", "", "", 204, "", ""},
		"the headers of a ping":   {"HEAD", "/ping", "", "", 204, "", ""},
		"health":                  {"GET", "/health", "", "", 200, "", "ready for writes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			door, _ := newInflux(t)
			w := callAs(t, door, tt.who, tt.method, tt.url, tt.body)
			var got struct{ Code, Message string }
			if w.Body.Len() > 0 {
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
					t.Fatal(err, w.Body)
				}
			}
			if w.Code != tt.status || got.Code != tt.code || !strings.Contains(got.Message, tt.message) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// A body that breaks off, or is too large, does not undo what stands before; the reply says so.
func TestInfluxSaysWhatWasStoredBeforeABodyEnded(t *testing.T) {
	t.Parallel()
	door, _ := newInflux(t)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(strings.Repeat("mem,host=n01 used=1\n", 20_000)))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v2/write?bucket=alpha", bytes.NewReader(b.Bytes()[:b.Len()-8]))
	r.Header.Set("X-Test-May", "MetricsWrite")
	r.Header.Set("Content-Encoding", "GZip") // names of encodings are in any case
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "the body could not be read: it ends too early; 20000 samples before were stored") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

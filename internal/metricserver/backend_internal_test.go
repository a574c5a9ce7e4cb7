package metricserver

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// backendThat answers as it is told to, and notes what it was asked.
func backendThat(t *testing.T, status int, body string, asked *[]string) (*backend, *bytes.Buffer) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, fmt.Sprint(r.Method, " ", r.URL, " ", r.Header.Get("Authorization")))
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	var log bytes.Buffer
	c := Config{BackendURL: s.URL, BackendToken: "tok"}
	return newBackend(c, clock.NewManual(time.Unix(1_795_463_640, 0)), slog.New(slog.NewTextHandler(&log, nil))), &log
}

func TestTheBackendSaysWhereSamplesAreKept(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		log    string // "" when n02's samples are forgotten
	}{
		"bare":             {200, `{"alpha":["n01"],"beta":[]}`, ""},
		"enveloped":        {200, `{"usedNodes":{"alpha":["n01"]}}`, ""},
		"both":             {200, `{"usedNodes":{"alpha":["n01"]},"alpha":["n01"]}`, ""},
		"no token":         {401, `{"error":"no user for secured check"}`, "BACKEND_TOKEN has to hold a token with the role api"},
		"another server":   {404, "", "it answers 404 Not Found"},
		"a page":           {200, "<html>", "its answer is not a list of hosts"},
		"something else":   {200, `{"alpha":5}`, "its answer is not a list of hosts"},
		"sends elsewhere":  {302, "", "main.backend-url has to be where cc-backend itself is"},
		"an envelope only": {200, `{"usedNodes":[]}`, "its answer is not a list of hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			b, log := backendThat(t, c.status, c.body, &asked)
			keep := b.keep()
			if want := "GET /api/jobs/used_nodes?ts=1795463640 Bearer tok"; len(asked) != 1 || asked[0] != want {
				t.Errorf("asked %q, want %q", asked, want)
			}
			if !keep("alpha", "n01") {
				t.Error("samples of a host in use are forgotten")
			}
			if keep("alpha", "n02") != (c.log != "") || keep("beta", "n01") != (c.log != "") {
				t.Error("samples of other hosts are kept, or forgotten although nobody knows")
			}
			if !strings.Contains(log.String(), c.log) || (c.log == "") != (log.Len() == 0) || strings.Contains(log.String(), "Bearer") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

func TestWithoutABackendNothingIsKept(t *testing.T) {
	b := newBackend(Config{}, clock.System{}, slog.New(slog.DiscardHandler))
	if b.keep()("alpha", "n01") || b.keepAfterFirst()()("alpha", "n01") {
		t.Error("samples are kept")
	}
}

// The store does not wait for the backend to start, and forgets nothing before it has answered.
func TestStartDoesNotAskTheBackend(t *testing.T) {
	dir := t.TempDir()
	clk := clock.NewManual(time.Unix(1_795_463_640, 0))
	open := func(keep func() func(cluster, host string) bool) *metricstore.DB {
		db, err := metricstore.Open(dir, metricstore.Options{Clock: clk, Retention: time.Hour, Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	db := open(nil)
	a := db.Appender()
	for _, host := range []string{"n01", "n02"} {
		l := metricstore.Labels{Cluster: []byte("alpha"), Host: []byte(host), Metric: []byte("cpu_load")}
		if err := a.Append(&l, 60, clk.Now().Unix(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	a.Close()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	clk.Advance(5 * time.Hour)
	var asked []string
	b, _ := backendThat(t, 200, `{"alpha":["n01"]}`, &asked)
	db = open(b.keepAfterFirst())
	defer db.Close()
	if hosts := db.Hosts("alpha"); len(hosts) != 2 || len(asked) != 0 {
		t.Errorf("after the start: %q, asked %q", hosts, asked)
	}
	db.Retain(clk.Now().Add(-time.Hour))
	if hosts := db.Hosts("alpha"); len(hosts) != 1 || hosts[0] != "n01" || len(asked) != 1 {
		t.Errorf("later: %q, asked %q", hosts, asked)
	}
}

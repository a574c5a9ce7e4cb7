package server_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
)

// BenchmarkHTTP measures whole requests over loopback, client and server in one process: requests a second, and the 99th
// percentile of the latency. "nothing" is the floor: a public route, without a token, that only answers.
func BenchmarkHTTP(b *testing.B) {
	srv, token := benchServer(b)
	var jobs atomic.Int64
	job := func() *http.Request {
		n := jobs.Add(1)
		body := fmt.Sprintf(`{"jobId":%d,"cluster":"sim","user":"u%d","project":"p","numNodes":1,"startTime":1795000000,"resources":[{"hostname":"n1"}]}`, n, n%50)
		return request(b, http.MethodPost, srv.URL+"/api/jobs/start_job/", token, body)
	}
	get := func(path, token string) func() *http.Request {
		return func() *http.Request { return request(b, http.MethodGet, srv.URL+path, token, "") }
	}
	for _, bm := range []struct {
		name string
		make func() *http.Request
		want int
	}{
		{"nothing", get("/healthz", ""), http.StatusOK},
		{"whoami", get("/api/v1/whoami", token), http.StatusOK},
		{"start_job", job, http.StatusCreated},
		{"list_25_jobs", get("/api/jobs/", token), http.StatusOK},
	} {
		b.Run(bm.name, func(b *testing.B) { load(b, srv.Client(), bm.make, bm.want) })
	}
}

func benchServer(b *testing.B) (srv *httptest.Server, token string) {
	b.Helper()
	b.Chdir(b.TempDir())
	if code, _, stderr := backend(b.Context(), "-init"); code != 0 {
		b.Fatal(stderr)
	}
	c := sim.NewMachine("sim", 16, time.Minute).Cluster()
	if err := cluster.WriteDir("var/job-archive", &c); err != nil {
		b.Fatal(err)
	}
	_, stdout, stderr := backend(b.Context(), "-add-user", "bot:api:", "-jwt", "bot")
	line, _, _ := strings.Cut(stdout, "\n")
	token = line[strings.LastIndexByte(line, ' ')+1:]
	if strings.Count(token, ".") != 2 {
		b.Fatalf("no token: %q %q", stdout, stderr)
	}
	config, _, err := server.ReadConfig("config.json")
	if err != nil {
		b.Fatal(err)
	}
	secrets, err := server.ReadSecrets(".env", os.Getenv)
	if err != nil {
		b.Fatal(err)
	}
	s, err := server.New(b.Context(), config, secrets, server.Options{Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	srv = httptest.NewServer(s.Handler())
	b.Cleanup(func() {
		srv.Close()
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return srv, token
}

func request(b *testing.B, method, url, token, body string) *http.Request {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		b.Error(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func load(b *testing.B, client *http.Client, next func() *http.Request, want int) {
	b.Helper()
	b.ReportAllocs()
	var mu sync.Mutex // guards took
	var took []time.Duration
	var clk clock.System
	begin := clk.Now()
	b.RunParallel(func(pb *testing.PB) {
		var mine []time.Duration
		for pb.Next() {
			r := next()
			sent := clk.Now()
			resp, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || resp.StatusCode != want {
				b.Errorf("status %d, %s, %v", resp.StatusCode, body, err)
				return
			}
			mine = append(mine, clk.Now().Sub(sent))
		}
		mu.Lock()
		took = append(took, mine...)
		mu.Unlock()
	})
	b.ReportMetric(float64(len(took))/clk.Now().Sub(begin).Seconds(), "req/s")
	slices.Sort(took)
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}

package sim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// VictoriaMetrics is written to and asked at these two paths.
func TestLoadSpeaksToStoresOfTheInfluxFamily(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	lines, asked := 0, []string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil || r.Header.Get("Authorization") != "Bearer secret":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/api/v2/write" && r.URL.RawQuery == "bucket=sim&precision=s":
			lines += bytes.Count(body, []byte("\n"))
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/prometheus/api/v1/query_range":
			asked = append(asked, string(body))
			_, _ = io.WriteString(w, "{}")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(`{"access_token": "secret"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(url string, args ...string) (int, string, string) {
		return clustersim(t, append([]string{"load"}, append(args, "--speak", "influx", "--url", url, "--token-file", file, "--nodes", "2", "--step", "60s", "--span", "2m", "--to", "6000", "--json")...)...)
	}
	code, stdout, stderr := load(server.URL, "fill")
	var filled struct{ Samples int }
	if err := json.Unmarshal([]byte(stdout), &filled); err != nil || code != 0 || filled.Samples != 2*456*2 || lines != filled.Samples {
		t.Errorf("exit code %d, %d lines: %s%s", code, lines, stdout, stderr)
	}
	if code, stdout, stderr = load(server.URL, "ask", "--times", "1"); code != 0 || strings.Count(stdout, `"bytes":2`) != 3 {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	const want = "end=6000&nocache=1&query=%7B__name__%3D~%22hwthread_metric4%22%2Chostname%3D~%22load0000%7Cload0001%22%7D&start=5880&step=60"
	if len(asked) != 3 || asked[2] != want {
		t.Errorf("%q", asked)
	}
	if code, _, stderr = load(server.URL+"/elsewhere", "fill"); code != 1 || !strings.Contains(stderr, "answers 404 Not Found") {
		t.Error(code, stderr)
	}
	if code, _, stderr = load("http://127.0.0.1:1", "ask"); code != 1 || !strings.Contains(stderr, "ask the store") {
		t.Error(code, stderr)
	}
}

func TestReportsAreForPeople(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(`{"access_token": "secret"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(args ...string) (int, string, string) {
		return clustersim(t, append([]string{"load"}, append(args, "--url", server.URL, "--token-file", file, "--nodes", "2", "--step", "60s", "--to", "1795545540")...)...)
	}
	if code, stdout, stderr := load("fill", "--span", "2m"); code != 0 || !strings.Contains(stdout, " 1795545540\n") {
		t.Error(code, stdout, stderr)
	}
	if code, stdout, stderr := load("ask", "--span", "2m", "--times", "1"); code != 0 || !strings.Contains(stdout, "node8/2n/2m0s\n") {
		t.Error(code, stdout, stderr)
	}
	if code, _, stderr := load("fill", "--span", "-1h"); code != 2 || !strings.Contains(stderr, "--span is -1h0m0s; it must be at least --step, which is 1m0s") {
		t.Error(code, stderr)
	}
}

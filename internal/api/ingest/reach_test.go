package ingest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// both fills the clusters alpha and beta.
func both(t *testing.T) http.Handler {
	t.Helper()
	door := newDoor(t, false)
	fill(t, door)
	if w := call(t, door, "POST", "/api/write/?cluster=beta", fmt.Sprintf("cpu_load,hostname=n01 value=4711 %d\n", ago(2))); w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	return door
}

func TestLinesForAnotherClusterAreRejectedOneByOne(t *testing.T) {
	t.Parallel()
	door := newDoor(t, false)
	lines := "cpu_load,cluster=alpha,hostname=n01 value=1\ncpu_load,cluster=beta,hostname=n01 value=1\ncpu_load,cluster=alpha,hostname=n02 value=1\n"
	w := callAs(t, door, "alpha", "POST", "/api/write/", lines)
	want := `{"taken":2,"dropped":0,"rejected":1,"lines":[{"line":2,"error":"your token does not reach the cluster \"beta\""}]}`
	if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusOK || got != want {
		t.Errorf("%d %s, want %s", w.Code, got, want)
	}
	if w := callAs(t, door, "alpha", "POST", "/api/write/?cluster=beta", "cpu_load,hostname=n01 value=1\n"); w.Code != http.StatusBadRequest {
		t.Errorf("by default: %d %s", w.Code, w.Body)
	}
	if w := call(t, door, "GET", "/api/debug/", ""); strings.Contains(w.Body.String(), "beta") {
		t.Errorf("stored: %s", w.Body)
	}
}

func TestOtherClustersAreOutOfReach(t *testing.T) {
	t.Parallel()
	door := both(t)
	query := func(cluster string) string {
		return fmt.Sprintf(`{"cluster": %q, "from": %d, "to": %d, "queries": [{"metric": "cpu_load", "host": "n01"}], "for-all-nodes": ["cpu_load"]}`, cluster, ago(5), ago(0))
	}
	for _, c := range []struct {
		method, url, body string
		status            int
	}{
		{"POST", "/api/query/", query("alpha"), http.StatusOK},
		{"POST", "/api/query/", query("beta"), http.StatusUnauthorized},
		{"POST", "/api/query/", query("nowhere"), http.StatusUnauthorized},
		{"POST", "/api/query/", query(""), http.StatusBadRequest},
		{"GET", "/api/healthcheck/?cluster=alpha&node=n01", "", http.StatusOK},
		{"GET", "/api/healthcheck/?cluster=beta&node=n01", "", http.StatusUnauthorized},
		{"GET", "/api/debug/", "", http.StatusOK},
		{"GET", "/api/debug/?selector=alpha", "", http.StatusOK},
		{"GET", "/api/debug/?selector=beta", "", http.StatusUnauthorized},
		{"POST", "/api/free/?to=1900000000", `[["alpha", "n02"]]`, http.StatusOK},
		{"POST", "/api/free/?to=1900000000", `[["alpha"], ["beta"]]`, http.StatusUnauthorized},
		{"POST", "/api/free/?to=1900000000", `[[]]`, http.StatusBadRequest},
	} {
		w := callAs(t, door, "alpha", c.method, c.url, c.body)
		if w.Code != c.status || strings.Contains(w.Body.String(), "4711") || strings.Contains(w.Body.String(), "beta") {
			t.Errorf("%s %s %s: %d %s", c.method, c.url, c.body, w.Code, w.Body)
		}
	}
	if w := call(t, door, "POST", "/api/query/", query("beta")); !strings.Contains(w.Body.String(), "4711") {
		t.Errorf("what was not reached is gone: %s", w.Body)
	}
}

func TestOtherNodesAreOutOfSight(t *testing.T) {
	t.Parallel()
	door := both(t)
	body := fmt.Sprintf(`{"cluster": "alpha", "from": %d, "to": %d, "queries": [{"metric": "cpu_load", "host": "n02"}], "for-all-nodes": ["cpu_load"]}`, ago(5), ago(0))
	w := callAs(t, door, "n01", "POST", "/api/query/", body)
	if text := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(text, "1.23") || strings.Contains(text, "-2") || strings.Contains(text, `"n02","resolution":0,"aggreg":false},{"metric":"cpu_load","host":"n02"`) {
		t.Errorf("query: %d %s", w.Code, text)
	}
	if w := callAs(t, door, "n01", "GET", "/api/debug/", ""); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "n02") || !strings.Contains(w.Body.String(), "n01") {
		t.Errorf("debug: %d %s", w.Code, w.Body)
	}
	if w := callAs(t, door, "n01", "GET", "/api/healthcheck/", `{"cluster": "alpha", "nodes": ["n01", "n02"]}`); strings.Contains(w.Body.String(), "n02") {
		t.Errorf("health: %d %s", w.Code, w.Body)
	}
	for path, status := range map[string]int{`[["alpha"]]`: 401, `[["alpha", "n02"]]`: 401, `[["alpha", "n01"]]`: 200} {
		if w := callAs(t, door, "n01", "POST", "/api/free/?to=1900000000", path); w.Code != status {
			t.Errorf("free %s: %d %s", path, w.Code, w.Body)
		}
	}
}

package ingest_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Real clients compare these answers with what they know; a change here is a change for them.
func TestQueryAnswersAreGolden(t *testing.T) {
	for name, body := range map[string]string{
		"node":          `"queries":[{"metric":"cpu_load","host":"n01"}]`,
		"devices":       `"queries":[{"metric":"flops_any","host":"n01","type":"hwthread","type-ids":["0","1"],"aggreg":false}]`,
		"aggregated":    `"queries":[{"metric":"flops_any","host":"n01","type":"hwthread","type-ids":["0","1"],"aggreg":true},{"metric":"flops_any","host":"n01"}]`,
		"for-all-nodes": `"for-all-nodes":["cpu_load"],"queries":[{"metric":"flops_any","host":"n01","type":"hwthread","type-ids":["0"],"scale-by":0.001}]`,
		"nothing-there": `"queries":[{"metric":"cpu_load","host":"n99"},{"metric":"nosuch","host":"n01"}]`,
		"without-data":  `"with-data":false,"queries":[{"metric":"cpu_load","host":"n01"}]`,
		"without-stats": `"with-stats":false,"queries":[{"metric":"cpu_load","host":"n01"}]`,
		"no-padding":    `"with-padding":false,"queries":[{"metric":"flops_any","host":"n01","type":"hwthread","type-ids":["1","7"]}]`,
		"ours":          `"queries":[{"metric":"flops_any","host":"n01","aggregation":"p90"},{"metric":"flops_any","host":"n01","type":"hwthread","aggregation":"mean"},{"metric":"cpu_load","host":"n01","resolution":120,"resample-algo":"average"},{"metric":"cpu_load","host":"n01","resolution":120,"resample-algo":"minmax"},{"metric":"cpu_load","host":"n01","resample-algo":"x"}]`,
		"empty":         `"queries":[]`,
		"nobody-there":  `"cluster":"beta","for-all-nodes":["cpu_load"]`,
	} {
		t.Run(name, func(t *testing.T) {
			door := newDoor(t, true)
			fill(t, door)
			request := fmt.Sprintf(`{"cluster":"alpha","from":%d,"to":%d,%s}`, ago(4), ago(0), body)
			w := call(t, door, "GET", "/api/query/?version=v2", request)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if post := call(t, door, "POST", "/api/query", request); post.Body.String() != w.Body.String() {
				t.Errorf("POST answers %s", post.Body)
			}
			golden(t, name, w.Body.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "query-"+name+".json")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestBadQueriesAreRefused(t *testing.T) {
	door := newDoor(t, true)
	for body, want := range map[string]string{
		``:                                    "a JSON body is required",
		`{"cluster":`:                         "not the JSON that is expected",
		`{"cluster":"alpha","from":"x"}`:      "member from: a whole number expected",
		`{}`:                                  "the cluster is missing",
		`{"cluster":"alpha","from":2,"to":1}`: "the window ends at 1",
	} {
		w := call(t, door, "GET", "/api/query", body)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	fill(t, door)
	all := `{"cluster":"alpha","from":-9223372036854775808,"to":9223372036854775807,"queries":[{"metric":"cpu_load","host":"n01"}]}`
	if w := call(t, door, "GET", "/api/query", all); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"data":[`) {
		t.Errorf("all times: %d %s", w.Code, w.Body)
	}
	if w := call(t, door, "GET", "/api/query?version=v3", `{"cluster":"alpha"}`); w.Code != http.StatusBadRequest {
		t.Errorf("version: %d", w.Code)
	}
	if w := call(t, door, "GET", "/api/query", `{"cluster":"alpha","something":"new"}`); w.Code != http.StatusOK {
		t.Errorf("unknown member: %d %s", w.Code, w.Body)
	}
}

package ingest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTopTellsWhoTakesUpHowMuch(t *testing.T) {
	door := newDoor(t, false)
	fill(t, door)
	call(t, door, "POST", "/api/write?cluster=beta", "cpu_load,hostname=m01 value=1\ncpu_load,hostname=m01 foo=1\nbad\n")
	type reply struct {
		Total          struct{ Series, Slots int }
		Metrics, Hosts []struct{ Cluster, Name string }
		Rejected       []struct {
			Time, Error string
			Line        int
		}
	}
	get := func(who, query string) (out reply) {
		t.Helper()
		w := callAs(t, door, who, "GET", "/api/metrics/top/"+query, "")
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s %s: %d %s", who, query, w.Code, w.Body)
		}
		return out
	}
	all := get("everything", "")
	if all.Total.Series != 5 || all.Total.Slots != 6 {
		t.Errorf("%+v", all.Total)
	}
	want := []struct{ Cluster, Name string }{{"alpha", "n01"}, {"alpha", "n02"}, {"beta", "m01"}}
	if diff := cmp.Diff(want, all.Hosts); diff != "" {
		t.Error(diff)
	}
	if len(all.Rejected) != 2 || all.Rejected[1].Line != 2 || all.Rejected[1].Error != "unknown field: 'foo', only 'value' is allowed" || all.Rejected[0].Time != "2026-11-23T19:57:00Z" {
		t.Errorf("rejected: %+v", all.Rejected)
	}
	// A credential that reaches less sees less, and no lines of others.
	for who, hosts := range map[string]int{"alpha": 2, "n01": 1, "MetricsAdmin": 3} {
		got := get(who, "")
		if len(got.Hosts) != hosts || (len(got.Rejected) > 0) != (who == "MetricsAdmin") {
			t.Errorf("%s: %+v", who, got)
		}
	}
	if one := get("everything", "?cluster=alpha&limit=1"); one.Total.Series != 4 || len(one.Hosts) != 1 || len(one.Metrics) != 1 {
		t.Errorf("limited: %+v", one)
	}
	for query, status := range map[string]int{"?limit=-2": http.StatusBadRequest, "?limit=x": http.StatusBadRequest} {
		if w := call(t, door, "GET", "/metricstore/top/"+query, ""); w.Code != status {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	for who, status := range map[string]int{"alpha": http.StatusUnauthorized, "MetricsRead": http.StatusUnauthorized} {
		if w := callAs(t, door, who, "GET", "/api/metrics/top?cluster=beta", ""); w.Code != status {
			t.Errorf("%s: %d %s", who, w.Code, w.Body)
		}
	}
}

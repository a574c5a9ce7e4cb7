package ware_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// seen is what matters of a record here.
type seen struct {
	Seq            int64
	Time           string `json:"ts"`
	Actor, Subject string
	Action, Object string
	Hash           string
}

func places(records []seen) []int64 {
	var all []int64
	for _, r := range records {
		all = append(all, r.Seq)
	}
	return all
}

func TestRecordsOnTheWireAreLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want[any](w, 200, call{"PATCH", "/api/v1/admin/reader", "boss", `{"description": "<b>&\u2028\u0001\u202e \"quoted\""}`, ""})
	records, err := w.store.Audit().List(t.Context(), audit.Filter{Limit: 1000, Ascending: true})
	if err != nil || len(records) < 10 {
		t.Fatal(len(records), err)
	}
	var lines [][]byte
	for _, r := range records {
		lines = append(lines, audit.Line(r))
	}
	a := w.do(call{"GET", "/api/v1/audit?after=0&limit=1000", "boss", "", ""})
	if got := `{"success":true,"data":[` + string(bytes.Join(lines, []byte(","))) + "]}\n"; string(a.text) != got {
		t.Errorf("the envelope does not hold the lines: %s", a.text)
	}
	export := w.do(call{"GET", "/api/v1/audit?format=ndjson", "boss", "", ""})
	if got := string(bytes.Join(lines, []byte("\n"))) + "\n"; string(export.text) != got || export.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("the export, %s, is not the lines: %s", export.header.Get("Content-Type"), export.text)
	}
}

func TestTrailIsReadInPagesBothWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	end := want[struct{ Seq int64 }](w, 200, call{"GET", "/api/v1/audit/head", "boss", "", ""}).Data.Seq
	var down, up []int64
	for before := end + 1; ; {
		page := want[[]seen](w, 200, call{"GET", fmt.Sprintf("/api/v1/audit?limit=4&before=%d", before), "boss", "", ""}).Data
		if len(page) == 0 {
			break
		}
		down = append(down, places(page)...)
		before = page[len(page)-1].Seq
	}
	for after := int64(0); ; {
		page := want[[]seen](w, 200, call{"GET", fmt.Sprintf("/api/v1/audit?limit=4&after=%d", after), "boss", "", ""}).Data
		if len(page) == 0 {
			break
		}
		up = append(up, places(page)...)
		after = page[len(page)-1].Seq
	}
	slices.Reverse(down)
	if !slices.Equal(up, down) || int64(len(up)) != end || up[0] != 1 {
		t.Errorf("up %v, down %v, %d records", up, down, end)
	}
}

func TestImpersonationNamesBoth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tok := want[struct {
		Text string `json:"access_token"`
		ID   string `json:"jti"`
	}](w, 200, call{"POST", "/api/v1/admin/production/token", "manager", `{"lifetime": "1h"}`, ""}).Data
	want[any](w, 200, call{"PATCH", "/api/v1/node/n0/attributes", "token " + tok.Text, `{"rack": "r9"}`, ""})
	for query, actor := range map[string]string{
		"who=manager&action=node.": "manager", "who=production": "manager", "actor=manager&subject=production": "manager", "token_id=" + tok.ID: "manager",
		"text=RACK": "manager", "subject=production&until=" + w.clock.Now().Add(time.Second).Format(time.RFC3339): "manager",
	} {
		records := want[[]seen](w, 200, call{"GET", "/api/v1/audit?" + query, "boss", "", ""}).Data
		if len(records) == 0 || records[0].Actor != actor || records[0].Subject != "production" || !strings.HasPrefix(records[0].Action, "node.") {
			t.Errorf("%s: %+v", query, records)
		}
	}
	// Both see it without AuditRead: who was acted as learns who it was.
	for _, name := range []string{"manager", "production"} {
		records := want[[]seen](w, 200, call{"GET", "/api/v1/audit?limit=1", name, "", ""}).Data
		if len(records) != 1 || records[0].Actor != "manager" || records[0].Subject != "production" {
			t.Errorf("%s sees %+v", name, records)
		}
	}
	if records := want[[]seen](w, 200, call{"GET", "/api/v1/audit", "onsite", "", ""}).Data; len(records) != 0 {
		t.Errorf("somebody else sees %+v", records)
	}
}

func TestTimesAreWrittenInSeveralWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for since, found := range map[string]bool{
		"2h": true, "1d": true, "2026-03-01T12:00:00Z": true, "2026-03-01T13:00:00%2B01:00": true, "1772366400": true, "1772366400.5": false,
		"2026-03-01T12:00:01Z": false,
	} {
		if got := want[[]seen](w, 200, call{"GET", "/api/v1/audit?since=" + since, "boss", "", ""}).Data; (len(got) > 0) != found {
			t.Errorf("since %s: %d records", since, len(got))
		}
	}
	for _, since := range []string{"-2h", "1e20", "NaN", "yesterday", "2026-03-01"} {
		want[any](w, 400, call{"GET", "/api/v1/audit?since=" + since, "boss", "", ""})
	}
}

func TestExportOfNothingIsEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do(call{"GET", "/api/v1/audit?format=ndjson&who=nobody", "boss", "", ""})
	if a.status != http.StatusOK || len(a.text) != 0 || a.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%d %s: %q", a.status, a.header.Get("Content-Type"), a.text)
	}
	a = w.do(call{"GET", "/api/v1/audit?format=ndjson&who=boss", "reader", "", ""})
	if a.status != http.StatusForbidden || !strings.Contains(string(a.text), "AuditRead") {
		t.Errorf("%d: %s", a.status, a.text)
	}
	if own := w.do(call{"GET", "/api/v1/audit?format=ndjson", "reader", "", ""}); own.status != http.StatusOK {
		t.Errorf("%d: %s", own.status, own.text)
	}
}

func TestNotedHeadIsCompared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	type report struct {
		Good   bool
		Broken *int64 `json:"broken_seq"`
		Break  string
		Reason string
	}
	head := want[seen](w, 200, call{"GET", "/api/v1/audit/head", "boss", "", ""}).Data
	want[any](w, 200, call{"PATCH", "/api/v1/admin/reader", "boss", `{"description": "later"}`, ""})
	for query, what := range map[string]string{
		"": "", fmt.Sprintf("?seq=%d&hash=%s", head.Seq, head.Hash): "",
		fmt.Sprintf("?seq=%d&hash=%s", head.Seq-1, head.Hash): "head", fmt.Sprintf("?seq=%d&hash=%s", head.Seq+100, head.Hash): "end",
	} {
		r := want[report](w, 200, call{"GET", "/api/v1/audit/verify" + query, "boss", "", ""}).Data
		if r.Good != (what == "") || r.Break != what || r.Good != (r.Broken == nil) || r.Good != (r.Reason == "") {
			t.Errorf("%s: %+v", query, r)
		}
	}
}

func TestWhoFollowsIsToldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	head := want[seen](w, 200, call{"GET", "/api/v1/audit/head", "boss", "", ""}).Data
	got := make(chan answer, 1)
	go func() {
		got <- w.do(call{"GET", fmt.Sprintf("/api/v1/audit?after=%d&wait=30s", head.Seq), "boss", "", ""})
	}()
	want[any](w, 200, call{"PATCH", "/api/v1/admin/reader", "boss", `{"description": "new"}`, ""})
	var wall clock.System
	for deadline := wall.Now().Add(20 * time.Second); len(got) == 0 && wall.Now().Before(deadline); <-wall.After(5 * time.Millisecond) {
		w.clock.Advance(time.Second) // it stands still, and what is new is let gather for a moment of it
	}
	if a := <-got; a.status != 200 || !strings.Contains(string(a.text), `"action":"user.update"`) {
		t.Errorf("%d: %s", a.status, a.text)
	}
}

// TestEveryChangeLeavesARecord takes the tour once more: what is not a GET and succeeds is in the trail.
func TestEveryChangeLeavesARecord(t *testing.T) {
	t.Parallel()
	unrecorded := map[string]string{
		"cluster-default-group": "it is the default already", "sessions-end": "there is none", "sessions-end-of": "there is none",
		"login-ssh-challenge": "it only asks",
	}
	w := newWorld(t)
	last := func() int64 {
		records, err := w.store.Audit().List(t.Context(), audit.Filter{Limit: 1})
		if err != nil || len(records) != 1 {
			t.Fatal(records, err)
		}
		return records[0].Seq
	}
	for _, s := range tour {
		before := last()
		a := w.do(s.call)
		if s.method == http.MethodGet || a.status >= 300 || unrecorded[s.name] != "" || strings.Contains(s.path+s.body, "dry_run") || s.path == "/api/v1/tokens/inspect" {
			continue
		}
		if last() == before {
			t.Errorf("%s: %s %s %s has left no record", s.name, s.method, s.path, s.body)
		}
	}
}

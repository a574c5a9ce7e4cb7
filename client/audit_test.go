package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// trailHead serves a trail of n records, page by page, and remembers what it was asked.
func trailHead(t *testing.T, n int64) (*client.Client, *[]string) {
	t.Helper()
	asked := &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RawQuery)
		q := r.URL.Query()
		after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
		limit, _ := strconv.ParseInt(q.Get("limit"), 10, 64)
		if after >= n && q.Get("wait") != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"success": false, "reason": "stopping"}`)
			return
		}
		var lines []string
		for seq := after + 1; seq <= min(after+limit, n); seq++ {
			lines = append(lines, fmt.Sprintf(`{"ts":"2026-03-01T12:00:00.000001Z","seq":%d,"actor":"a<b>","details":{"k":"v"},"hash":"h"}`, seq))
		}
		fmt.Fprintf(w, `{"success":true,"data":[%s]}`, strings.Join(lines, ","))
	}))
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c, asked
}

func TestTrailIsWalkedPageByPage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		filter      client.AuditFilter
		first, last int64
		asked       []string
	}{
		"all":    {client.AuditFilter{}, 1, 2500, []string{"after=0&limit=1000", "after=1000&limit=1000", "after=2000&limit=1000"}},
		"behind": {client.AuditFilter{After: 1500, Who: "ann"}, 1501, 2500, []string{"after=1500&limit=1000&who=ann", "after=2500&limit=1000&who=ann"}},
		"some":   {client.AuditFilter{Limit: 1200, Action: "user."}, 1, 1200, []string{"action=user.&after=0&limit=1000", "action=user.&after=1000&limit=200"}},
	} {
		cl, asked := trailHead(t, 2500)
		next := c.first
		err := cl.WalkAudit(t.Context(), c.filter, func(r client.AuditRecord) error {
			if r.Seq != next {
				t.Fatalf("%s: record %d, want %d", name, r.Seq, next)
			}
			next++
			return nil
		})
		if err != nil || next != c.last+1 {
			t.Errorf("%s: ended before %d, %v", name, next, err)
		}
		if diff := cmp.Diff(c.asked, *asked); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestRecordKeepsItsText(t *testing.T) {
	t.Parallel()
	cl, _ := trailHead(t, 1)
	page, err := cl.ListAudit(t.Context(), client.AuditFilter{Ascending: true, Limit: 5})
	if err != nil || len(page) != 1 {
		t.Fatal(page, err)
	}
	if got := string(page[0].Line); got != `{"ts":"2026-03-01T12:00:00.000001Z","seq":1,"actor":"a<b>","details":{"k":"v"},"hash":"h"}` {
		t.Errorf("line %s", got)
	}
	if page[0].Actor != "a<b>" || page[0].Time.Nanosecond() != 1000 || page[0].Details["k"] != "v" {
		t.Errorf("record %+v", page[0])
	}
	if again, err := json.Marshal(page[0]); err != nil || !strings.Contains(string(again), `"seq":1`) {
		t.Errorf("%s, %v", again, err)
	}
}

func TestFollowingGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	cl, asked := trailHead(t, 3)
	var got []int64
	err := cl.FollowAudit(t.Context(), client.AuditFilter{After: 1}, func(r client.AuditRecord) error {
		got = append(got, r.Seq)
		return nil
	})
	if !errors.Is(err, client.ErrServer) || len(got) != 2 || got[0] != 2 || (*asked)[1] != "after=3&limit=1000&wait=20s" {
		t.Errorf("%v, %v, asked %v", got, err, *asked)
	}
	enough := errors.New("enough")
	if err := cl.FollowAudit(t.Context(), client.AuditFilter{}, func(client.AuditRecord) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := cl.FollowAudit(ctx, client.AuditFilter{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFiltersOnTheWire(t *testing.T) {
	t.Parallel()
	h := newHead(t, map[string]reply{
		"GET /api/v1/audit":        data([]any{}),
		"GET /api/v1/audit/head":   data(map[string]any{"seq": 7, "hash": "h", "ts": "t"}),
		"GET /api/v1/audit/verify": data(map[string]any{"good": false, "walked": 4, "broken_seq": 5, "break": "hash", "reason": "why", "head": map[string]any{"seq": 4}}),
	})
	c := h.connect(t, client.Config{})
	f := client.AuditFilter{
		Who: "w", Actor: "a", Subject: "s", Action: "x.", Object: "o/", Outcome: "refused", TokenID: "t", RequestID: "r", Text: "a b",
		Since: "2h", Until: "1h", Before: 9, Limit: 3,
	}
	if _, err := c.ListAudit(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	head, err := c.AuditHead(t.Context())
	if err != nil || head.Seq != 7 || head.Hash != "h" {
		t.Errorf("%+v, %v", head, err)
	}
	report, err := c.VerifyAudit(t.Context(), head)
	if err != nil || report.Good || report.BrokenSeq != 5 || report.Head.Seq != 4 || report.Reason != "why" {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := c.VerifyAudit(t.Context(), client.AuditHead{}); err != nil {
		t.Error(err)
	}
	want := []string{
		"GET /api/v1/audit?action=x.&actor=a&before=9&limit=3&object=o%2F&outcome=refused&request_id=r&since=2h&subject=s&text=a+b&token_id=t&until=1h&who=w [] ",
		"GET /api/v1/audit/head [] ", "GET /api/v1/audit/verify?hash=h&seq=7 [] ", "GET /api/v1/audit/verify [] ",
	}
	if diff := cmp.Diff(want, h.asked); diff != "" {
		t.Error(diff)
	}
}

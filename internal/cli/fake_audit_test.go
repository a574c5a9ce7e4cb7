package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// theTrail is five chained records. The fourth has an object that would steer a terminal, and the fifth one that would
// turn what follows around.
func theTrail() []audit.Record {
	records := []audit.Record{
		{Actor: "root", Action: "user.create", Object: "user/ann"},
		{Actor: "ann", Action: "user.login", Object: "user/ann"},
		{Actor: "ann", Subject: "ProdEng", Action: "node.update", Object: "node/n1", TokenID: "t1", Details: map[string]string{"attributes": "rack"}},
		{Actor: "eve", Action: "request.refuse", Object: "GET /\x1b[2J\x1b]0;owned\x07", Outcome: audit.Refused, Reason: "permission AuditRead is required"},
		{Actor: "eve", Action: "user.update", Object: "user/\u202eresu", Outcome: audit.Done},
	}
	prev := ""
	for i := range records {
		r := &records[i]
		r.Seq, r.Time = int64(i+1), time.Date(2026, 3, 1, 12, i, 0, 0, time.UTC)
		if r.Subject == "" {
			r.Subject = r.Actor
		}
		if r.Outcome == "" {
			r.Outcome = audit.Done
		}
		prev, _ = audit.Chain(prev, *r)
		r.Hash = prev
	}
	return records
}

// auditRoutes serve theTrail. ann sees her own only. Who asks for the trail of "forged" gets one whose record 3 was altered,
// and who asks for that of "hidden" one that lacks its end.
func auditRoutes(route func(string, func(*http.Request, string, map[string]any) any)) {
	denied := failure{403, "permission AuditRead is required"}
	route("GET /api/v1/audit/head", func(_ *http.Request, user string, _ map[string]any) any {
		if user == "ann" {
			return denied
		}
		all := theTrail()
		return map[string]any{"seq": len(all), "hash": all[len(all)-1].Hash, "ts": "2026-03-01T12:04:00.000000Z"}
	})
	route("GET /api/v1/audit", func(r *http.Request, user string, _ map[string]any) any {
		q := r.URL.Query()
		who := q.Get("who")
		if user == "ann" && who != "" && who != user {
			return denied
		}
		if user == "ann" {
			who = user
		}
		lines := []json.RawMessage{}
		for _, rec := range theTrail() {
			if user == "forged" && rec.Seq == 3 {
				rec.Actor = "nobody"
			}
			if user == "hidden" && rec.Seq == 5 || !matches(rec, who, q.Get("action"), q.Get("after"), q.Get("before")) {
				continue
			}
			lines = append(lines, audit.Line(rec))
		}
		if q.Get("after") == "" {
			slices.Reverse(lines)
		}
		limit := 100
		if n, err := strconv.Atoi(q.Get("limit")); err == nil {
			limit = n
		}
		if q.Get("wait") != "" && len(lines) == 0 {
			return failure{503, "this head does not wait"}
		}
		return lines[:min(limit, len(lines))]
	})
}

func matches(r audit.Record, who, action, after, before string) bool {
	number := func(text string, otherwise int64) int64 {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		return otherwise
	}
	return (who == "" || r.Actor == who || r.Subject == who) &&
		(action == "" || r.Action == action || strings.HasSuffix(action, ".") && strings.HasPrefix(r.Action, action)) &&
		r.Seq > number(after, 0) && r.Seq < number(before, 1<<60)
}

// headOf is the trail's head as --head takes it.
func headOf(r audit.Record) string { return fmt.Sprintf("%d:%s", r.Seq, r.Hash) }

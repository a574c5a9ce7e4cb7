package ware

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
	"github.com/bridgehead-hpc/bridgehead/internal/trail"
)

// Trail reads and checks the audit trail. *trail.Service is one.
type Trail interface {
	// List returns a page of the matching records that the caller may see; fault.Denied, fault.Invalid.
	List(ctx context.Context, c identity.Caller, f audit.Filter) ([]audit.Record, error)
	// Wait is List, and waits for records when there are none.
	Wait(ctx context.Context, c identity.Caller, f audit.Filter, d time.Duration) ([]audit.Record, error)
	// Walk calls do with page after page of the matching records, oldest first; fault.Denied, fault.Invalid.
	Walk(ctx context.Context, c identity.Caller, f audit.Filter, do func([]audit.Record) error) error
	// Verify walks the whole trail; fault.Denied, fault.TooMany.
	Verify(ctx context.Context, c identity.Caller, noted audit.Head) (trail.Report, error)
	// Head returns where the trail ends; fault.Denied.
	Head(ctx context.Context, c identity.Caller) (audit.Head, error)
}

func (d *door) auditRoutes() []api.Route {
	own, all := api.Needs(identity.AuditRead, identity.AdminsWriteSelf), api.Needs(identity.AuditRead)
	return []api.Route{
		api.Row("GET", base+"/audit", own, "Read the audit trail: all of it with AuditRead, else what the caller did and what others did as him. "+
			"Newest first, or with after oldest first. With Accept: application/x-ndjson or format=ndjson the whole selection is exported, a line for each record.", d.listAudit),
		api.Row("GET", base+"/audit/head", all, "Where the trail ends, to be noted down elsewhere and compared later.", d.auditHead),
		api.Row("GET", base+"/audit/verify", all, "Walk the whole trail and report the first record that does not follow from the one before it.", d.verifyAudit),
	}
}

// auditRecord is a record as everywhere outside the head: the bytes of audit.Line.
type auditRecord struct {
	Time      string            `json:"ts" doc:"When, UTC, with six decimals." example:"2026-03-01T12:00:00.000000Z"`
	Seq       int64             `json:"seq" doc:"Place in the trail, from 1, without gaps."`
	Actor     string            `json:"actor" doc:"Who really acted."`
	Subject   string            `json:"subject" doc:"As whom. It differs from actor under impersonation."`
	TokenID   string            `json:"token_id" doc:"jti of the token, empty without one."`
	Via       string            `json:"via" doc:"token, session, socket, command or password."`
	Addr      string            `json:"addr" doc:"The client's address."`
	RequestID string            `json:"request_id" doc:"Joins the record with the request log."`
	Action    string            `json:"action" doc:"noun.verb, as in user.create."`
	Object    string            `json:"object" doc:"What it was done to, as in user/ProdEng."`
	Outcome   string            `json:"outcome" doc:"done, refused or failed." enum:"done,refused,failed"`
	Reason    string            `json:"reason" doc:"Why it was refused or failed."`
	Details   map[string]string `json:"details" doc:"What changed; null for nothing."`
	Hash      string            `json:"hash" doc:"SHA-256 over the hash before and this record, in hexadecimal."`
}

func newAuditRecord(r audit.Record) auditRecord {
	return auditRecord{
		Time: r.Time.UTC().Format(audit.TimeForm), Seq: r.Seq, Actor: r.Actor, Subject: r.Subject, TokenID: r.TokenID, Via: r.Via, Addr: r.Addr,
		RequestID: r.RequestID, Action: r.Action, Object: r.Object, Outcome: string(r.Outcome), Reason: r.Reason, Details: r.Details, Hash: r.Hash,
	}
}

type auditParams struct {
	Who       string `query:"who" doc:"Only records with this actor or subject."`
	User      string `query:"user" doc:"The same as who."`
	Actor     string `query:"actor" doc:"Only records with this actor."`
	Subject   string `query:"subject" doc:"Only records with this subject."`
	Action    string `query:"action" doc:"Only this action; with a dot at its end, all that begin with it, as in token."`
	Object    string `query:"object" doc:"Only this object; with a slash at its end, all that begin with it, as in node/"`
	Outcome   string `query:"outcome" doc:"Only this outcome: done, refused or failed."`
	TokenID   string `query:"token_id" doc:"Only what was done with this token."`
	RequestID string `query:"request_id" doc:"Only what this request did."`
	Text      string `query:"text" doc:"Only records that have this text in action, object, reason or details."`
	Since     string `query:"since" doc:"Not before this time: RFC 3339, Unix seconds, or how long ago, as in 2h."`
	Until     string `query:"until" doc:"Not after this time, written in the same ways."`
	After     *int64 `query:"after" doc:"Oldest first, those behind this place in the trail; 0 begins at its beginning."`
	Before    int64  `query:"before" doc:"Those before this place in the trail."`
	Limit     int    `query:"limit" doc:"How many at most: 100 when absent, 1000 at most; an export has no limit unless this says one."`
	Wait      string `query:"wait" doc:"With after: wait so long for a record when there is none yet, as in 30s; a minute at most."`
	Format    string `query:"format" doc:"ndjson exports the whole selection." enum:"json,ndjson"`
	Accept    string `header:"Accept" doc:"application/x-ndjson is format=ndjson."`
}

func (p auditParams) filter(now time.Time) (f audit.Filter, err error) {
	if p.Who != "" && p.User != "" && p.Who != p.User {
		return f, fault.New(fault.Invalid, "who and user are the same parameter and contradict each other")
	}
	f = audit.Filter{
		Who: cmp.Or(p.Who, p.User), Actor: p.Actor, Subject: p.Subject, Action: p.Action, Object: p.Object, Outcome: audit.Outcome(p.Outcome),
		TokenID: p.TokenID, RequestID: p.RequestID, Text: p.Text, Before: p.Before, Limit: p.Limit,
	}
	if p.After != nil {
		f.After, f.Ascending = *p.After, true
	}
	if f.Since, err = parseMoment("since", p.Since, now); err != nil {
		return f, err
	}
	f.Until, err = parseMoment("until", p.Until, now)
	return f, err
}

// parseMoment reads a time in one of the ways in which people write one; "" is no time.
func parseMoment(name, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 && seconds < 1e11 {
		return time.UnixMicro(int64(seconds * 1e6)), nil
	}
	if ago, err := token.ParseLifetime(text); err == nil {
		return now.Add(-ago), nil
	}
	return time.Time{}, fault.New(fault.Invalid, "invalid value %q for parameter %s: a time such as 2026-03-01T12:00:00Z, Unix seconds, or how long ago, as in 2h", text, name)
}

// wait returns how long to wait for records.
func (p auditParams) wait() (time.Duration, error) {
	if p.Wait == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(p.Wait)
	switch {
	case err != nil || d < 0:
		return 0, fault.New(fault.Invalid, "invalid value %q for parameter wait: a duration such as 30s expected", p.Wait)
	case p.After == nil:
		return 0, fault.New(fault.Invalid, "wait needs after: the place in the trail behind which something new is waited for")
	}
	return min(d, time.Minute), nil
}

func (d *door) listAudit(ctx context.Context, r api.Request[auditParams, api.None]) (auditList, error) {
	f, err := r.Params.filter(d.Clock.Now())
	if err != nil {
		return auditList{}, err
	}
	switch r.Params.form() {
	case "ndjson":
		return auditList{walk: func(do func([]audit.Record) error) error { return d.Audit.Walk(ctx, r.Caller, f, do) }}, nil
	case "json":
	default:
		return auditList{}, fault.New(fault.Invalid, "invalid value %q for parameter format: json or ndjson expected", r.Params.Format)
	}
	wait, err := r.Params.wait()
	if err != nil {
		return auditList{}, err
	}
	records, err := d.Audit.Wait(ctx, r.Caller, f, wait)
	page := auditList{Success: true, Data: make([]auditRecord, len(records))}
	for i, rec := range records {
		page.Data[i] = newAuditRecord(rec)
	}
	return page, err
}

// auditHead is where the trail ends.
type auditHead struct {
	Seq  int64  `json:"seq" doc:"Place of the last record; 0 for an empty trail."`
	Hash string `json:"hash" doc:"Its hash."`
	Time string `json:"ts" doc:"When it was written; empty for an empty trail."`
}

func newAuditHead(h audit.Head) auditHead {
	head := auditHead{Seq: h.Seq, Hash: h.Hash}
	if h.Seq > 0 {
		head.Time = h.Time.UTC().Format(audit.TimeForm)
	}
	return head
}

func (d *door) auditHead(ctx context.Context, r api.Request[api.None, api.None]) (reply[auditHead], error) {
	h, err := d.Audit.Head(ctx, r.Caller)
	return ok(newAuditHead(h)), err
}

type verifyParams struct {
	Seq  int64  `query:"seq" doc:"Place of a head that was noted down earlier; the trail has to contain it."`
	Hash string `query:"hash" doc:"That head's hash."`
}

// auditReport is what a walk through the trail has found.
type auditReport struct {
	Good      bool      `json:"good" doc:"Whether every record follows from the one before it."`
	Walked    int64     `json:"walked" doc:"How many records follow."`
	Head      auditHead `json:"head" doc:"The last one of them."`
	BrokenSeq *int64    `json:"broken_seq" doc:"The first record that does not follow; null when all do."`
	Break     string    `json:"break" doc:"What is wrong with it: hash (altered), gap (records before it are missing), order, head (not what was noted down), end (the trail is shorter than what was noted down)."`
	Reason    string    `json:"reason" doc:"The same for people."`
}

func (d *door) verifyAudit(ctx context.Context, r api.Request[verifyParams, api.None]) (reply[auditReport], error) {
	if (r.Params.Seq > 0) != (r.Params.Hash != "") || r.Params.Seq < 0 {
		return reply[auditReport]{}, fault.New(fault.Invalid, "seq and hash belong together: they are the head that was noted down")
	}
	found, err := d.Audit.Verify(ctx, r.Caller, audit.Head{Seq: r.Params.Seq, Hash: r.Params.Hash})
	if err != nil {
		return reply[auditReport]{}, err
	}
	report := auditReport{Good: found.Broken == nil, Walked: found.Walked, Head: newAuditHead(found.Head)}
	if b := found.Broken; b != nil {
		report.BrokenSeq, report.Break, report.Reason = &b.Seq, string(b.Break), b.Error()
	}
	return ok(report), nil
}

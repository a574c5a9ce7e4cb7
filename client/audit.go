package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// AuditRecord is one entry of the head's audit trail.
type AuditRecord struct {
	Time      time.Time         `json:"ts"`
	Seq       int64             `json:"seq"`
	Actor     string            `json:"actor"`
	Subject   string            `json:"subject"`
	TokenID   string            `json:"token_id"`
	Via       string            `json:"via"`
	Addr      string            `json:"addr"`
	RequestID string            `json:"request_id"`
	Action    string            `json:"action"`
	Object    string            `json:"object"`
	Outcome   string            `json:"outcome"`
	Reason    string            `json:"reason"`
	Details   map[string]string `json:"details"`
	Hash      string            `json:"hash"`
	// Line is the record as the head sent it, byte by byte: what its hash can be verified from.
	Line []byte `json:"-"`
}

// UnmarshalJSON decodes a record and keeps its text.
func (r *AuditRecord) UnmarshalJSON(data []byte) error {
	type plain AuditRecord
	if err := json.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	r.Line = bytes.Clone(data)
	return nil
}

// AuditFilter selects records. Zero fields do not select.
type AuditFilter struct {
	Who, Actor, Subject string // Who is actor or subject
	Action              string // exact, or a beginning that ends in a dot
	Object              string // exact, or a beginning that ends in a slash
	Outcome             string // done, refused, failed
	TokenID, RequestID  string
	Text                string // somewhere in action, object, reason or details
	Since, Until        string // RFC 3339, Unix seconds, or how long ago, as in 2h
	// Ascending lists the oldest first, those behind After. Otherwise it is the newest first, those before Before.
	Ascending     bool
	After, Before int64
	Limit         int // 0 leaves it to the head
}

func (f AuditFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"who": f.Who, "actor": f.Actor, "subject": f.Subject, "action": f.Action, "object": f.Object, "outcome": f.Outcome,
		"token_id": f.TokenID, "request_id": f.RequestID, "text": f.Text, "since": f.Since, "until": f.Until,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Ascending {
		q.Set("after", strconv.FormatInt(f.After, 10))
	}
	if f.Before > 0 {
		q.Set("before", strconv.FormatInt(f.Before, 10))
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return q
}

// ListAudit returns one page of the audit trail; ErrDenied for what others did, without the right.
func (c *Client) ListAudit(ctx context.Context, f AuditFilter) ([]AuditRecord, error) {
	return get[[]AuditRecord](ctx, c, "/audit", f.query())
}

// auditPage is how many records are asked for at once.
const auditPage = 1000

// WalkAudit calls do with every record that matches, oldest first, up to f.Limit of them; 0 is all.
func (c *Client) WalkAudit(ctx context.Context, f AuditFilter, do func(AuditRecord) error) error {
	left := f.Limit
	f.Ascending = true
	for {
		f.Limit = auditPage
		if left > 0 {
			f.Limit = min(left, auditPage)
		}
		page, err := c.ListAudit(ctx, f)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := do(r); err != nil {
				return err
			}
			f.After = r.Seq
		}
		if left > 0 {
			if left -= len(page); left <= 0 {
				return nil
			}
		}
		if len(page) < f.Limit {
			return nil
		}
	}
}

// auditWait is how long the head is asked to wait for something new; it must be less than a request may take.
const auditWait = 20 * time.Second

// FollowAudit calls do with every record that matches and is behind f.After, as it is written, until ctx ends or do
// fails.
func (c *Client) FollowAudit(ctx context.Context, f AuditFilter, do func(AuditRecord) error) error {
	f.Ascending, f.Limit = true, auditPage
	for {
		q := f.query()
		q.Set("wait", auditWait.String())
		page, err := get[[]AuditRecord](ctx, c, "/audit", q)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := do(r); err != nil {
				return err
			}
			f.After = r.Seq
		}
	}
}

// AuditHead is where the audit trail ends. Kept elsewhere, it shows later that the trail up to there is still the same.
type AuditHead struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
	Time string `json:"ts"`
}

// AuditHead returns where the audit trail ends; ErrDenied.
func (c *Client) AuditHead(ctx context.Context) (AuditHead, error) {
	return get[AuditHead](ctx, c, "/audit/head", nil)
}

// AuditReport is what the head finds when it walks its whole trail.
type AuditReport struct {
	Good      bool      `json:"good"`
	Walked    int64     `json:"walked"`
	Head      AuditHead `json:"head"`
	BrokenSeq int64     `json:"broken_seq"` // the first record that does not follow from the one before it
	Break     string    `json:"break"`
	Reason    string    `json:"reason"`
}

// VerifyAudit lets the head walk its whole trail; noted, unless it is zero, is a head that the trail has to contain.
// ErrDenied. Whoever does not want to believe the head walks the trail himself with WalkAudit.
func (c *Client) VerifyAudit(ctx context.Context, noted AuditHead) (AuditReport, error) {
	q := url.Values{}
	if noted.Seq > 0 {
		q.Set("seq", strconv.FormatInt(noted.Seq, 10))
		q.Set("hash", noted.Hash)
	}
	var report AuditReport
	err := c.ware(ctx, request{method: http.MethodGet, path: "/audit/verify", query: q}, &report)
	return report, err
}

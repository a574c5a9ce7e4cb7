// Package audit defines the record of who did what, to what, as whom, and how it ended.
//
// Records are append-only and hash-chained: each carries the hash of the one before it, so that a removed or altered
// record breaks the chain for everybody who walks it. A store writes a record in the same transaction as the change
// that it records; refusals are written on their own. A record never holds a secret.
package audit

import (
	"context"
	"time"
)

// Outcome says how an action ended.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused"
	Failed  Outcome = "failed"
)

// Record is one entry of the audit trail.
type Record struct {
	Seq       int64     // position in the trail, from 1; set by the store
	Time      time.Time // when, to the microsecond, UTC
	Actor     string    // who really acted: the person, script or service behind the credential
	Subject   string    // as whom: differs from Actor under impersonation
	TokenID   string    // jti of the credential, "" for sessions, sockets and the command line
	Via       string    // kind of credential: "token", "session", "socket", "command", "password"
	Addr      string    // client address without port, "" for local calls
	RequestID string    // joins the record with the request log
	Action    string    // noun.verb, e.g. "user.create"
	Object    string    // what it was done to, e.g. "user/ProdEng"
	Outcome   Outcome
	Reason    string            // why it was refused or failed
	Details   map[string]string // what changed, never a secret
	Hash      string            // see Chain; set by the store
}

// Filter selects records. Zero fields do not select.
type Filter struct {
	Since, Until time.Time
	Who          string // actor or subject
	Mine         string // actor or subject as well: what somebody may see at most, whatever he asks for
	Actor        string
	Subject      string
	Action       string // exact, or a prefix when it ends in "."
	Object       string // exact, or a prefix when it ends in "/"
	Outcome      Outcome
	TokenID      string
	RequestID    string
	Text         string // somewhere in action, object, reason or details, whatever its case
	After        int64  // records with a Seq above this
	Before       int64  // records with a Seq below this; 0 does not select
	Limit        int    // 0 means 100
	// Ascending lists the oldest first. With the Seq of the last record as After, page by page, this is the whole trail in
	// the order in which a Verifier takes it. Newest first, the Seq of the last record as Before gives the next page. Pages
	// are stable: what is written meanwhile moves nothing.
	Ascending bool
}

// Head is where a trail ends. Whoever keeps one elsewhere can tell later that the trail up to there is still the same:
// records that are cut off at the end leave no gap in a chain.
type Head struct {
	Seq  int64 // 0 for an empty trail
	Hash string
	Time time.Time
}

// Log is the trail as its writers see it.
type Log interface {
	// Append writes a record that belongs to no other change, such as a refusal. It sets Seq and Hash.
	Append(ctx context.Context, r Record) error
	// List returns the matching records, newest first unless the filter says otherwise.
	List(ctx context.Context, f Filter) ([]Record, error)
}

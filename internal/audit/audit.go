// Package audit defines the record of who did what, to what, as whom, and how it ended.
//
// Records are append-only and hash-chained: each carries the hash of the one before it, so that a removed or altered
// record breaks the chain for everybody who walks it. A store writes a record in the same transaction as the change
// that it records; refusals are written on their own. A record never holds a secret.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
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
	Hash      string            // hex SHA-256 over the previous record's hash and this record; set by the store
}

// Chain returns the hash of r when it follows a record with hash prev ("" for the first record). All fields but Hash
// are covered.
func Chain(prev string, r Record) (string, error) {
	body, err := json.Marshal([]any{
		prev, r.Seq, r.Time.UTC().UnixMicro(), r.Actor, r.Subject, r.TokenID, r.Via, r.Addr, r.RequestID,
		r.Action, r.Object, string(r.Outcome), r.Reason, r.Details,
	})
	if err != nil {
		return "", fmt.Errorf("encode audit record: %w", err)
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// Filter selects records. Zero fields do not select.
type Filter struct {
	Since, Until time.Time
	Who          string // actor or subject
	Action       string // exact, or a prefix when it ends in "."
	Object       string
	Outcome      Outcome
	After        int64 // records with a Seq above this
	Limit        int   // 0 means 100
	// Ascending lists the oldest first. With the Seq of the last record as After, page by page, this is the whole trail in
	// the order in which Verify takes it.
	Ascending bool
}

// Log is the trail as its writers see it.
type Log interface {
	// Append writes a record that belongs to no other change, such as a refusal. It sets Seq and Hash.
	Append(ctx context.Context, r Record) error
	// List returns the matching records, newest first unless the filter says otherwise.
	List(ctx context.Context, f Filter) ([]Record, error)
}

// Verify walks records in ascending order and returns the first one whose hash does not follow from its predecessor,
// or 0 when the chain holds. prev is the hash of the record before the first one.
func Verify(prev string, records []Record) (brokenSeq int64, err error) {
	for _, r := range records {
		want, err := Chain(prev, r)
		if err != nil {
			return 0, err
		}
		if r.Hash != want {
			return r.Seq, nil
		}
		prev = r.Hash
	}
	return 0, nil
}

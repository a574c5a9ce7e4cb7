package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// line is a record as JSON text: the form in which it is exported, passed on and verified elsewhere.
type line struct {
	Time      string            `json:"ts"`
	Seq       int64             `json:"seq"`
	Actor     string            `json:"actor"`
	Subject   string            `json:"subject"`
	TokenID   string            `json:"token_id"`
	Via       string            `json:"via"`
	Addr      string            `json:"addr"`
	RequestID string            `json:"request_id"`
	Action    string            `json:"action"`
	Object    string            `json:"object"`
	Outcome   Outcome           `json:"outcome"`
	Reason    string            `json:"reason"`
	Details   map[string]string `json:"details"`
	Hash      string            `json:"hash"`
}

// TimeForm is how a line writes its time, always in UTC and with six decimals.
const TimeForm = "2006-01-02T15:04:05.000000Z"

// Line returns the record as one line of JSON, without a line break at its end. The same record always gives the same
// bytes, and every field is there, so that an exported trail can be verified by anybody.
func Line(r Record) []byte {
	text, err := compact(line{
		r.Time.UTC().Format(TimeForm), r.Seq, r.Actor, r.Subject, r.TokenID, r.Via, r.Addr, r.RequestID,
		r.Action, r.Object, r.Outcome, r.Reason, r.Details, r.Hash,
	})
	if err != nil { // strings, a number and a map of strings always encode
		return nil
	}
	return text
}

// maxLine is how long a line may be. Records are bounded when they are stored; see Bounded.
const maxLine = 1 << 20

// ParseLine returns the record of a line. It is strict: only the very bytes that Line writes are accepted, so that no two
// programs can read a line in two ways.
func ParseLine(text []byte) (Record, error) {
	if len(text) > maxLine {
		return Record{}, fmt.Errorf("the line is longer than %d bytes", maxLine)
	}
	var l line
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return Record{}, fmt.Errorf("no audit record: %w", err)
	}
	at, err := time.Parse(TimeForm, l.Time)
	if err != nil {
		return Record{}, fmt.Errorf("no audit record: ts %.40q is not a time such as 2026-03-01T12:00:00.000000Z", l.Time)
	}
	r := Record{
		Seq: l.Seq, Time: at, Actor: l.Actor, Subject: l.Subject, TokenID: l.TokenID, Via: l.Via, Addr: l.Addr, RequestID: l.RequestID,
		Action: l.Action, Object: l.Object, Outcome: l.Outcome, Reason: l.Reason, Details: l.Details, Hash: l.Hash,
	}
	if !bytes.Equal(Line(r), text) {
		return Record{}, errors.New("no audit record: a field is missing, or it is not written as the head writes it")
	}
	return r, nil
}

// compact is JSON on one line, without blanks, in which <, > and & are what they are.
func compact(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

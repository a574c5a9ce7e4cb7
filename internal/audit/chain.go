package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Chain returns the hash of r when it follows a record with hash prev ("" for the first record): hex SHA-256 over the
// JSON array of prev and all fields but Hash, in their order, the time in microseconds of Unix time. There are no blanks
// in it, <, > and & are written as they are, and details are sorted, null when there are none; so a few lines in any
// language make the same (docs/audit.md).
func Chain(prev string, r Record) (string, error) {
	body, err := compact([]any{
		prev, r.Seq, r.Time.UTC().UnixMicro(), r.Actor, r.Subject, r.TokenID, r.Via, r.Addr, r.RequestID,
		r.Action, r.Object, string(r.Outcome), r.Reason, r.Details,
	})
	if err != nil {
		return "", fmt.Errorf("encode audit record: %w", err)
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// Verify walks records in ascending order and returns the first one whose hash does not follow from its predecessor,
// or 0 when the chain holds. prev is the hash of the record before the first one. A Verifier says what is wrong as well.
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

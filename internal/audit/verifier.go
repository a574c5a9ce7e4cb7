package audit

import (
	"fmt"
)

// Break is what can be wrong with a trail.
type Break string

// The kinds of break.
const (
	BrokenHash  Break = "hash"  // the record, or the hash of the one before it, was altered
	BrokenGap   Break = "gap"   // records before it are missing
	BrokenOrder Break = "order" // it does not come after the one before it
	BrokenHead  Break = "head"  // it is not the record that was there when the head was noted down
	BrokenEnd   Break = "end"   // the trail ends before the head that was noted down
)

// BrokenError says which record is the first that does not follow from what is before it, and why.
type BrokenError struct {
	Seq   int64 // the record
	Break Break
	Last  int64 // the record before it, 0 for the beginning
}

// Error names the record and what is wrong.
func (e *BrokenError) Error() string {
	switch e.Break {
	case BrokenGap:
		return fmt.Sprintf("records %d to %d are missing: record %d follows record %d", e.Last+1, e.Seq-1, e.Seq, e.Last)
	case BrokenOrder:
		return fmt.Sprintf("record %d comes after record %d", e.Seq, e.Last)
	case BrokenHead:
		return fmt.Sprintf("record %d is not the one that was noted down: the trail has been written anew up to there", e.Seq)
	case BrokenEnd:
		return fmt.Sprintf("the trail ends with record %d, but record %d was noted down: its end has been cut off", e.Last, e.Seq)
	case BrokenHash:
	}
	return fmt.Sprintf("record %d does not match its hash: it, or the hash of the record before it, has been altered", e.Seq)
}

// Verifier checks a trail record by record, in the order of Seq. It keeps nothing but the last record's place and hash.
type Verifier struct {
	// Noted is a head that was noted down earlier; zero when there is none. The trail has to contain it.
	Noted Head

	last    Head
	walked  int64
	trusted bool
}

// NewVerifier returns a verifier for what comes after a head: its zero value for a trail from its beginning.
func NewVerifier(after Head) *Verifier { return &Verifier{last: after} }

// TrustFirst lets the trail begin anywhere: the first record is taken on trust, since what came before it is not there.
func (v *Verifier) TrustFirst() { v.trusted = true }

// Add takes the next record and returns a *BrokenError when it does not follow. After that the verifier has no use.
func (v *Verifier) Add(r Record) error {
	first := v.trusted && v.walked == 0
	switch {
	case !first && r.Seq <= v.last.Seq, r.Seq < 1:
		return &BrokenError{r.Seq, BrokenOrder, v.last.Seq}
	case !first && r.Seq != v.last.Seq+1:
		return &BrokenError{r.Seq, BrokenGap, v.last.Seq}
	}
	if !first || r.Seq == 1 {
		want, err := Chain(v.last.Hash, r)
		if err != nil {
			return err
		}
		if r.Hash != want {
			return &BrokenError{r.Seq, BrokenHash, v.last.Seq}
		}
	}
	if v.Noted.Seq == r.Seq && v.Noted.Hash != r.Hash {
		return &BrokenError{r.Seq, BrokenHead, v.last.Seq}
	}
	v.last = Head{r.Seq, r.Hash, r.Time}
	v.walked++
	return nil
}

// End returns a *BrokenError when the trail has ended before the head that was noted down.
func (v *Verifier) End() error {
	if v.Noted.Seq > v.last.Seq {
		return &BrokenError{v.Noted.Seq, BrokenEnd, v.last.Seq}
	}
	return nil
}

// Head returns the last record that followed.
func (v *Verifier) Head() Head { return v.last }

// Walked returns how many records followed.
func (v *Verifier) Walked() int64 { return v.walked }

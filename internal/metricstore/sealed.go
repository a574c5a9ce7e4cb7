package metricstore

import (
	"math"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
)

// sealed is what a series knows of its samples in segments.
type sealed struct {
	any bool  // there are some
	end int64 // the slot behind the last one
	// seen is the newest segment for which the series has been asked for what it holds. What is freed from now on, that
	// segment may still have.
	seen   uint64
	floors []floor
}

// floor says that a series' samples in slots before slot are freed in all segments up to the one with that number.
type floor struct {
	slot    int64
	segment uint64
}

// note notes that samples up to a slot are in a segment.
func (s *sealed) note(end int64) {
	if !s.any || end > s.end {
		s.any, s.end = true, end
	}
}

// free notes that the samples before the slot are freed.
func (s *sealed) free(slot int64) {
	if s.seen == 0 {
		return // in no segment
	}
	s.floors = slices.DeleteFunc(s.floors, func(f floor) bool { return f.slot <= slot }) // what they say, the new one says
	s.floors = append(s.floors, floor{slot, s.seen})
	if s.any && slot >= s.end {
		s.any, s.end = false, 0
	}
}

// first returns the first slot that is not freed in the segment with that number.
func (s *sealed) first(number uint64) int64 {
	first := int64(math.MinInt64)
	for _, f := range s.floors {
		if number <= f.segment {
			first = max(first, f.slot)
		}
	}
	return first
}

// numbered is an open segment and its number.
type numbered struct {
	*segment.Segment
	number uint64
}

// mayHave reports whether the segment may have samples of a series with that step in [from, to), in Unix seconds.
func (n numbered) mayHave(from, to, step int64) bool {
	first, end := n.Span()
	return first < to+step && from-step < end
}

// published returns the segments that are read, oldest first. The caller holds segments.mu for reading as long as it uses
// them.
func (db *DB) published() []numbered { return db.segments.list }

// part is what one segment has of a series in a window, from slot first on.
type part struct {
	block       segment.Block
	first, last int64
}

// parts appends the parts of a series in slots [from, to), oldest segment first, and returns the slots between which they
// lie. What is damaged is counted and left out. The caller holds segments.mu for reading.
func (s *series) parts(db *DB, dst []part, from, to int64) (found []part, first, end int64) {
	first, end = math.MaxInt64, math.MinInt64
	if to = min(to, s.sealed.end); !s.sealed.any || from >= to {
		return dst, first, end
	}
	for _, seg := range db.published() {
		if !seg.mayHave(s.time(from), s.time(to), s.step) {
			continue
		}
		p := part{first: max(from, s.sealed.first(seg.number)), last: to}
		if p.first >= p.last {
			continue
		}
		var err error
		if p.block, err = seg.Find(s.number, segment.Range{From: p.first, To: p.last}); err != nil {
			db.unreadable(err)
		}
		span := p.block.Span()
		first, end = min(first, span.From), max(end, span.To)
		if !p.block.Empty() {
			dst = append(dst, p)
		}
	}
	return dst, first, end
}

// unreadable counts what is damaged in a segment, and says so once.
func (db *DB) unreadable(err error) {
	if db.unread.Add(1) == 1 {
		db.opt.Log.Error("a metric segment is damaged; its readable samples are still used", "error", err)
	}
}

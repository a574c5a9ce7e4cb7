package metricstore

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
)

// host is one host of a cluster with its series.
type host struct {
	id            string
	cluster, name string
	shard         *shard
	series        map[string]*series
	byMetric      map[string][]*series
	rollups       map[string]*rollup // by metric; nil until there is one

	gathering sync.Mutex                // guards gathered among readers; those who change samples hold shard.mu anyway
	gathered  map[gatheredKey]*gathered // nil until there is one
	gone      bool                      // no longer in its shard's map
}

// series is the samples of one key. Slot n is the time n*step+phase: the phase is that of the first sample, so that a
// collector whose beat lies between two full steps does not lose samples to rounding.
type series struct {
	// next is the series whose sample came after this one's last time: a good guess for the next time.
	next atomic.Pointer[series]
	// head is how a sender writes the series, see Appender.Remember; nil while nobody has said.
	head atomic.Pointer[spelling]

	host   *host
	key    *kind
	chunks []chunk.Chunk // by number; what is in segments as well is the newer of the two; guarded by shard.mu
	step   int64         // seconds
	phase  int64         // 0 <= phase < step

	// Guarded by shard.commit.
	segment uint64 // the log segment in which the series is defined
	ref     uint32 // what it is called there

	// number is what segments call the series. It is never used again for another one.
	number uint32

	// Guarded by shard.mu.
	sealed sealed
	gone   bool // no longer in its host's maps
}

// empty reports whether the series has no samples.
func (s *series) empty() bool { return len(s.chunks) == 0 && !s.sealed.any }

// end returns the slot behind the last sample; ok is false when there is none.
func (s *series) end() (slot int64, ok bool) {
	if n := len(s.chunks); n > 0 {
		slot, ok = s.chunks[n-1].End(), true
	}
	if s.sealed.any && (!ok || s.sealed.end > slot) {
		slot, ok = s.sealed.end, true
	}
	return slot, ok
}

// slot returns the slot that is nearest to the time.
func (s *series) slot(t int64) int64 { return floorDiv(t-s.phase+s.step/2, s.step) }

// time returns when the slot is.
func (s *series) time(slot int64) int64 { return slot*s.step + s.phase }

// earliest is a slot before all samples.
func (s *series) earliest() int64 { return s.slot(clampTime(math.MinInt64)) }

// tally is what storing samples has come to.
type tally struct {
	grown    int // bytes of memory
	late     int // samples that were not later than all that their series had
	replaced int // those of them that took the place of another in memory
}

// set stores a sample.
func (s *series) set(db *DB, t int64, v float64, sum *tally) {
	slot := s.slot(t)
	number := chunk.Number(slot)
	if n := len(s.chunks); n > 0 && s.chunks[n-1].Number() == number { // without a call, which would cost a thirtieth of Append
		c := &s.chunks[n-1]
		if slot < c.End() {
			sum.replace(c, slot)
		}
		sum.grown += c.Set(slot, v)
		return
	}
	i, found := s.find(number)
	if found {
		sum.replace(&s.chunks[i], slot)
		sum.grown += s.chunks[i].Set(slot, v)
		return
	}
	if end, some := s.end(); some && slot < end {
		sum.late++
	}
	s.chunks = slices.Insert(s.chunks, i, chunk.New(slot, v))
	s.spoil(number, number+1)
	if len(s.chunks) > 1 {
		db.complete.Add(1)
	}
	sum.grown += s.chunks[i].Bytes()
}

// replace counts a late sample that is about to be stored in the chunk.
func (n *tally) replace(c *chunk.Chunk, slot int64) {
	n.late++
	if c.Has(slot) {
		n.replaced++
	}
}

// chunk returns the chunk with that number, nil when it is not in memory.
func (s *series) chunk(number int64) *chunk.Chunk {
	if n := len(s.chunks); n > 0 && s.chunks[n-1].Number() == number { // as it nearly always is
		return &s.chunks[n-1]
	}
	if i, found := s.find(number); found {
		return &s.chunks[i]
	}
	return nil
}

func (s *series) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(s.chunks, number, func(c chunk.Chunk, n int64) int {
		return int(c.Number() - n)
	})
}

// restore adds a chunk from a checkpoint and returns by how many bytes the series has grown.
func (s *series) restore(c chunk.Chunk) int {
	i, found := s.find(c.Number())
	if found { // two halves of a damaged checkpoint; the later record wins
		grown := c.Bytes() - s.chunks[i].Bytes()
		s.chunks[i] = c
		return grown
	}
	s.chunks = slices.Insert(s.chunks, i, c)
	return c.Bytes()
}

// clearBefore forgets the samples in slots before slot. It returns how many chunks are gone and how many bytes.
func (s *series) clearBefore(slot int64) (dropped, bytes int) {
	keep := s.chunks[:0]
	for i := range s.chunks {
		c := s.chunks[i]
		bytes += c.Bytes()
		if c.First() < slot && c.ClearBefore(slot) {
			dropped++
			continue
		}
		bytes -= c.Bytes()
		keep = append(keep, c)
	}
	clear(s.chunks[len(keep):])
	s.chunks = keep
	return dropped, bytes
}

// dropBefore forgets the chunks that lie wholly before the time, and returns how many and how many bytes.
func (s *series) dropBefore(t int64) (dropped, bytes int) {
	for dropped < len(s.chunks) && s.time(s.chunks[dropped].End()) <= t {
		bytes += s.chunks[dropped].Bytes()
		dropped++
	}
	s.chunks = slices.Delete(s.chunks, 0, dropped)
	return dropped, bytes
}

// floorDiv is a/b rounded down; b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// floorMod is what floorDiv leaves; b > 0.
func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

package metricstore

import (
	"maps"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
)

// Stats are figures about the store.
type Stats struct {
	Hosts, Series  int64
	Bytes          int64 // of memory that samples take up
	Segments       int64 // files of sealed samples
	SegmentBytes   int64 // that they take up on disk
	Sealed         int64 // slots that they hold
	Unreadable     int64 // times that something in a segment was found damaged since Open
	LogBytes       int64 // of log that a restart would have to read
	Samples        int64 // stored since Open
	Late           int64 // of those, not later than all that their series had: out of order, or a second one for its slot
	Replaced       int64 // of the late ones, in the place of another that was in memory; in segments it is not looked
	Refused        int64 // not stored since Open: too old, too new, beyond limits
	Failures       int64 // syncs and checkpoints that failed since Open
	LastCheckpoint time.Time
	CheckpointTook time.Duration
}

// Stats returns figures about the store.
func (db *DB) Stats() Stats {
	st := Stats{
		Hosts: db.hosts.Load(), Series: db.series.Load(), Bytes: db.bytes.Load(), LogBytes: db.logBytes.Load(),
		Samples: db.samples.Load(), Refused: db.refused.Load(), Late: db.late.Load(), Replaced: db.replaced.Load(), Failures: db.failures.Load(),
		Unreadable: db.unread.Load(), CheckpointTook: time.Duration(db.checkpointMillis.Load()) * time.Millisecond,
	}
	if t := db.lastCheckpoint.Load(); t != 0 {
		st.LastCheckpoint = time.Unix(t, 0)
	}
	db.segments.mu.RLock()
	defer db.segments.mu.RUnlock()
	for _, seg := range db.segments.list {
		st.Segments++
		st.SegmentBytes += seg.Size()
		st.Sealed += int64(seg.Samples())
	}
	return st
}

// Extent is a stretch of samples, in memory or in a segment.
type Extent struct {
	From, To int64 // Unix seconds of the first sample and behind the last one
	Slots    int
}

// Inspect calls visit for every series below path, with what it holds, host by host in order. An empty path means all. It
// holds up the writers of a shard only while it looks at one host.
// visit must not call the store and not keep the extents.
func (db *DB) Inspect(path []string, visit func(k Key, held []Extent)) {
	var held []Extent
	for _, sh := range db.shards {
		sh.mu.RLock()
		hosts := sh.sorted()
		sh.mu.RUnlock()
		for _, h := range hosts {
			sh.mu.RLock()
			held = h.inspect(db, path, held, visit)
			sh.mu.RUnlock()
		}
	}
}

// inspect calls visit for the host's series below path. It returns held, to be used again. The caller holds the shard's mu.
func (h *host) inspect(db *DB, path []string, held []Extent, visit func(k Key, held []Extent)) []Extent {
	for _, metric := range slices.Sorted(maps.Keys(h.byMetric)) {
		for _, s := range h.byMetric[metric] {
			if !s.below(path) {
				continue
			}
			held = s.sealedExtents(db, held[:0])
			for i := range s.chunks {
				c := &s.chunks[i]
				held = append(held, Extent{s.time(c.First()), s.time(c.End()), c.Len()})
			}
			visit(s.fullKey(), held)
		}
	}
	return held
}

// sealedExtents appends the stretches that segments hold, the oldest segment's first. The caller holds the shard's mu.
func (s *series) sealedExtents(db *DB, dst []Extent) []Extent {
	if !s.sealed.any {
		return dst
	}
	db.segments.mu.RLock()
	defer db.segments.mu.RUnlock()
	parts, _, _ := s.parts(db, nil, s.earliest(), s.sealed.end)
	for i := range parts {
		err := parts[i].block.Stretches(func(st segment.Stretch) {
			if first := max(st.First, parts[i].first); first < st.End() {
				dst = append(dst, Extent{s.time(first), s.time(st.End()), int(st.End() - first)})
			}
		})
		if err != nil {
			db.unreadable(err)
		}
	}
	return dst
}

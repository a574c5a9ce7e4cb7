package metricstore

import (
	"maps"
	"slices"
	"time"
)

// Stats are figures about the store.
type Stats struct {
	Hosts, Series  int64
	Bytes          int64 // of memory that samples take up
	LogBytes       int64 // of log that a restart would have to read
	Samples        int64 // stored since Open
	Refused        int64 // not stored since Open: too old, too new, beyond limits
	Failures       int64 // syncs and checkpoints that failed since Open
	LastCheckpoint time.Time
	CheckpointTook time.Duration
}

// Stats returns figures about the store.
func (db *DB) Stats() Stats {
	st := Stats{
		Hosts: db.hosts.Load(), Series: db.series.Load(), Bytes: db.bytes.Load(), LogBytes: db.logBytes.Load(),
		Samples: db.samples.Load(), Refused: db.refused.Load(), Failures: db.failures.Load(),
		CheckpointTook: time.Duration(db.checkpointMillis.Load()) * time.Millisecond,
	}
	if t := db.lastCheckpoint.Load(); t != 0 {
		st.LastCheckpoint = time.Unix(t, 0)
	}
	return st
}

// Extent is a stretch of samples in memory.
type Extent struct {
	From, To int64 // Unix seconds of the first sample and behind the last one
	Slots    int
}

// Inspect calls visit for every series below path, with what it holds, host by host in order. An empty path means all.
// visit must not call the store and not keep the extents.
func (db *DB) Inspect(path []string, visit func(k Key, held []Extent)) {
	var held []Extent
	for _, sh := range db.shards {
		sh.mu.RLock()
		for _, h := range sh.sorted() {
			for _, metric := range slices.Sorted(maps.Keys(h.byMetric)) {
				for _, s := range h.byMetric[metric] {
					if !s.key.below(path) {
						continue
					}
					held = held[:0]
					for i := range s.chunks {
						c := &s.chunks[i]
						held = append(held, Extent{s.time(c.First()), s.time(c.End()), len(c.Values())})
					}
					visit(s.key, held)
				}
			}
		}
		sh.mu.RUnlock()
	}
}

package metricstore

// Usage is what a series takes up.
type Usage struct {
	// Slots are those from the first sample of each stretch to its last one, gaps included. What is laid over each other
	// counts as often as it is there, until segments are merged.
	Slots  int64
	Memory int64 // bytes of samples in memory
	Disk   int64 // bytes in segments
}

// Usage calls visit for every series. It holds up the writers of a shard only while it looks at one host, but looks at the
// whole index of the segments, so it is for people who ask now and then. visit must not call the store.
func (db *DB) Usage(visit func(k *Key, u Usage)) {
	var k Key
	for _, sh := range db.shards {
		sh.mu.RLock()
		hosts := sh.sorted()
		sh.mu.RUnlock()
		for _, h := range hosts {
			sh.mu.RLock()
			db.segments.mu.RLock()
			for _, s := range h.series {
				k = s.fullKey()
				visit(&k, s.usage(db))
			}
			db.segments.mu.RUnlock()
			sh.mu.RUnlock()
		}
	}
}

// usage returns what the series takes up. The caller holds the shard's mu and segments.mu for reading.
func (s *series) usage(db *DB) (u Usage) {
	for i := range s.chunks {
		u.Slots += int64(s.chunks[i].Len())
		u.Memory += int64(s.chunks[i].Bytes())
	}
	if !s.sealed.any {
		return u
	}
	parts, _, _ := s.parts(db, nil, s.earliest(), s.sealed.end)
	for i := range parts {
		slots, bytes, err := parts[i].block.Held(parts[i].first)
		if err != nil {
			db.unreadable(err)
		}
		u.Slots += slots
		u.Disk += bytes
	}
	return u
}

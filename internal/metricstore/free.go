package metricstore

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxPath is the number of names in the longest path: cluster, host, device, part of a device.
const maxPath = 4

// ErrPath is the error for a path with no name or too many.
var ErrPath = errors.New("a path has between one and four names: cluster, host, device, part of a device")

// Free forgets all samples before a time of the series below path, and returns how many chunks of memory are gone. Like
// a sample, it is not forgotten by a restart.
func (db *DB) Free(path []string, before time.Time) (int, error) {
	if len(path) == 0 || len(path) > maxPath {
		return 0, ErrPath
	}
	freed := 0
	for _, sh := range db.shards {
		n, err := sh.free(db, path, before.Unix())
		if err != nil {
			return freed, fmt.Errorf("free samples: %w", err)
		}
		freed += n
	}
	return freed, nil
}

func (sh *shard) free(db *DB, path []string, before int64) (int, error) {
	sh.commit.Lock()
	defer sh.commit.Unlock()
	if !sh.has(path) {
		return 0, nil
	}
	log, err := sh.openLog(db)
	if err != nil {
		return 0, err
	}
	of := division{uint64(sh.number), uint64(len(db.shards))}
	if err := db.endRecord(log, appendFree(log.Begin(), of, path, before)); err != nil {
		return 0, err
	}
	return sh.clear(db, of, path, before), nil
}

// has reports whether any series hangs below path.
func (sh *shard) has(path []string) bool {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, h := range sh.hosts {
		for _, s := range h.series {
			if s.key.below(path) {
				return true
			}
		}
	}
	return false
}

// clear forgets the samples before a time of the series below path whose hosts belong to a division. The caller holds
// commit.
func (sh *shard) clear(db *DB, of division, path []string, before int64) int {
	return sh.shrink(db, func(s *series) (dropped, bytes int) {
		if !s.key.below(path) || !of.has(s.host.id) {
			return 0, 0
		}
		slot := floorDiv(clampTime(before)-s.phase+s.step-1, s.step) // the first one that is not before
		return s.clearBefore(slot)
	})
}

// Retain forgets the chunks that lie wholly before a time, except those of hosts that Options.Keep protects, and the
// series that have none. It returns how many chunks are gone.
func (db *DB) Retain(before time.Time) int {
	dropped := 0
	for _, sh := range db.shards {
		sh.commit.Lock()
		dropped += sh.shrink(db, func(s *series) (int, int) {
			if db.opt.Keep(s.key.Cluster, s.key.Host) {
				return 0, 0
			}
			return s.dropBefore(before.Unix())
		})
		sh.prune(db)
		sh.commit.Unlock()
	}
	return dropped
}

// shed forgets the oldest chunks of all hosts until the memory cap holds.
func (db *DB) shed() int {
	surplus := db.bytes.Load() - db.opt.MemoryCap
	if db.opt.MemoryCap <= 0 || surplus <= 0 {
		return 0
	}
	before := db.oldest(surplus)
	dropped := 0
	for _, sh := range db.shards {
		sh.commit.Lock()
		dropped += sh.shrink(db, func(s *series) (int, int) { return s.dropBefore(before) })
		sh.commit.Unlock()
	}
	return dropped
}

// oldest returns a time such that the chunks that lie before it make up at least so many bytes.
func (db *DB) oldest(bytes int64) int64 {
	const hour = 3600
	sizes := map[int64]int64{} // by the hour in which a chunk ends
	for _, sh := range db.shards {
		sh.mu.RLock()
		for _, h := range sh.hosts {
			for _, s := range h.series {
				for i := range s.chunks {
					sizes[floorDiv(s.time(s.chunks[i].End()), hour)+1] += int64(s.chunks[i].Bytes())
				}
			}
		}
		sh.mu.RUnlock()
	}
	hours := make([]int64, 0, len(sizes))
	for h := range sizes {
		hours = append(hours, h)
	}
	slices.Sort(hours)
	for _, h := range hours {
		if bytes -= sizes[h]; bytes <= 0 {
			return h * hour
		}
	}
	return 0
}

// shrink lets drop take chunks from every series. Series stay, even without samples, and with them their phases. The
// caller holds commit.
func (sh *shard) shrink(db *DB, drop func(*series) (dropped, bytes int)) int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	total := 0
	for _, h := range sh.hosts {
		for _, s := range h.series {
			dropped, bytes := drop(s)
			total += dropped
			db.bytes.Add(-int64(bytes))
		}
	}
	return total
}

// prune removes the series that have no samples. The caller holds commit.
func (sh *shard) prune(db *DB) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, h := range sh.hosts {
		for _, s := range h.series {
			if len(s.chunks) == 0 {
				sh.detach(db, s)
			}
		}
	}
}

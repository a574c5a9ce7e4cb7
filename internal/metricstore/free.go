package metricstore

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
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
			if s.below(path) {
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
		if !s.below(path) || !of.has(s.host.id) {
			return 0, 0
		}
		slot := floorDiv(clampTime(before)-s.phase+s.step-1, s.step) // the first one that is not before
		dropped = s.sealedBefore(db, slot)
		s.sealed.free(slot)
		s.spoil(math.MinInt64, chunk.Number(slot)+1)
		cleared, bytes := s.clearBefore(slot)
		return dropped + cleared, bytes
	})
}

// sealedBefore returns how many stretches in segments end before the slot and are not freed yet.
func (s *series) sealedBefore(db *DB, slot int64) int {
	if !s.sealed.any {
		return 0
	}
	db.segments.mu.RLock()
	defer db.segments.mu.RUnlock()
	n := 0
	parts, _, _ := s.parts(db, nil, s.earliest(), slot)
	for i := range parts {
		err := parts[i].block.Stretches(func(st segment.Stretch) {
			if st.End() <= slot && st.End() > parts[i].first {
				n++
			}
		})
		if err != nil {
			db.unreadable(err)
		}
	}
	return n
}

// Retain forgets the chunks and segments that lie wholly before a time, except those with samples of hosts that
// Options.Keep protects, and the series that have none. It returns how many chunks and segments are gone.
func (db *DB) Retain(before time.Time) int {
	keep := db.opt.Keep() // before any lock: who answers may take his time
	db.checkpoint.Lock()  // what a checkpoint is about to move, and a host that is kept has, must not be removed in between
	defer db.checkpoint.Unlock()
	dropped := db.retainSegments(before.Unix(), keep)
	var asked *host // the last one; its series come one after the other
	kept := false
	for _, sh := range db.shards {
		sh.commit.Lock()
		dropped += sh.shrink(db, func(s *series) (int, int) {
			if s.host != asked {
				asked, kept = s.host, keep(s.host.cluster, s.host.name)
			}
			if kept {
				return 0, 0
			}
			if s.sealed.any && s.time(s.sealed.end) <= before.Unix() {
				s.spoil(math.MinInt64, chunk.Number(s.sealed.end)+1)
				s.sealed.free(s.sealed.end) // a segment that stays may have them: they must not come back with the next sample
			}
			return s.dropBefore(before.Unix())
		})
		sh.prune(db)
		sh.commit.Unlock()
	}
	return dropped
}

// retainSegments removes the segments that lie wholly before a time, and returns how many. The caller holds checkpoint.
func (db *DB) retainSegments(before int64, keep func(cluster, host string) bool) int {
	kept := db.keptNumbers(keep)
	db.merging.Lock()
	defer db.merging.Unlock()
	var stay, drop []numbered
	for _, seg := range db.segments.list { // nobody else changes it: checkpoint and merging are held
		if _, end := seg.Span(); end > before || slices.ContainsFunc(kept, seg.holds) {
			stay = append(stay, seg)
		} else {
			drop = append(drop, seg)
		}
	}
	db.segments.mu.Lock()
	defer db.segments.mu.Unlock()
	db.segments.list = stay
	for _, seg := range drop {
		if err := errors.Join(os.Remove(seg.Path()), seg.Close()); err != nil {
			db.failures.Add(1)
			db.opt.Log.Error("an old metric segment could not be removed", "error", err)
		}
	}
	return len(drop)
}

// holds reports whether the segment has samples of the series with that number.
func (n numbered) holds(series uint32) bool {
	b, err := n.Block(series)
	return err == nil && !b.Empty()
}

// keptNumbers returns the numbers of the series whose samples are kept.
func (db *DB) keptNumbers(keep func(cluster, host string) bool) []uint32 {
	var numbers []uint32
	for _, sh := range db.shards {
		sh.mu.RLock()
		for _, h := range sh.hosts {
			if !keep(h.cluster, h.name) {
				continue
			}
			for _, s := range h.series {
				if s.sealed.any {
					numbers = append(numbers, s.number)
				}
			}
		}
		sh.mu.RUnlock()
	}
	return numbers
}

// shed moves everything to disk when memory holds more than it may.
func (db *DB) shed() error {
	if db.opt.MemoryCap <= 0 || db.bytes.Load() <= db.opt.MemoryCap {
		return nil
	}
	return db.checkpointSealing(sealAll)
}

// shrink lets drop take chunks from every series. Series stay, even without samples, and with them their phases. The
// caller holds commit.
func (sh *shard) shrink(db *DB, drop func(*series) (dropped, bytes int)) int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	total := 0
	for _, h := range sh.hosts {
		clear(h.gathered)
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
			if s.empty() {
				sh.detach(db, s)
			}
		}
	}
}

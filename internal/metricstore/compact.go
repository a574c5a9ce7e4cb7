package metricstore

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/wal"
)

const (
	// mergeCount is how many segments of about the same size make one of the next size.
	mergeCount = 8
	// maxMerged is how large a segment is made by merging, in bytes.
	maxMerged = 1 << 30
	// mergeAgain is how long segments are left alone that the disk did not let be merged: to try takes room and time.
	mergeAgain = time.Hour
	// maxBlock is how many of these a series has on average. A question reads what a segment has of a series as a whole,
	// so it must not become more and more with the days that are stored.
	maxBlock = 8 << 10
	// fullCount is how many segments are enough when one more would be too much.
	fullCount = 4
)

// never is later than any time.
func never() time.Time { return time.Unix(1<<40, 0) }

// Compact merges segments, so that there are few of them: each costs every query for its time a look, and each begins with
// some bytes for every series. It returns how many have been merged.
func (db *DB) Compact() (int, error) {
	db.merging.Lock()
	defer db.merging.Unlock()
	total := 0
	for {
		list := db.mergeable()
		if len(list) == 0 {
			return total, nil
		}
		if err := db.merge(list); err != nil {
			again := db.opt.Clock.Now().Add(mergeAgain)
			if errors.Is(err, segment.ErrDamaged) {
				again = never()
			}
			for _, seg := range list {
				db.unmergeable[seg.number] = again
			}
			return total, fmt.Errorf("merge %d metric segments: %w", len(list), err)
		}
		total += len(list)
	}
}

// tierOf is the order of magnitude of a segment of that size, in steps of eight.
func tierOf(size int64) int { return bits.Len64(uint64(size)>>16) / 3 }

// mergeable returns neighbours of about the same size, nil when there are not enough. The caller holds merging, so that
// they stay.
func (db *DB) mergeable() []numbered {
	db.segments.mu.RLock()
	defer db.segments.mu.RUnlock()
	for tier := range 1 + tierOf(maxMerged) {
		if list := db.neighbours(tier); list != nil {
			return list
		}
	}
	return nil
}

// neighbours returns segments, none of which is larger than those of a tier. Smaller ones may be among them: where large
// and small ones take turns, there would be no end of segments otherwise. But together they are twice as large as the
// largest, so that no sample is written again and again only because small segments come behind it.
func (db *DB) neighbours(tier int) []numbered {
	now := db.opt.Clock.Now()
	var r neighbourhood
	for _, seg := range db.segments.list {
		if db.unmergeable[seg.number].After(now) || tierOf(seg.Size()) > tier {
			r = neighbourhood{}
			continue
		}
		if !r.hasRoomFor(seg) || len(r.list) > 0 && !db.fit(r.list[0], seg) {
			if r.worth(fullCount) {
				return r.list
			}
			r = neighbourhood{}
		}
		if r.add(seg); r.worth(mergeCount) {
			return r.list
		}
	}
	return nil
}

// neighbourhood is segments that could become one.
type neighbourhood struct {
	list          []numbered
	size, largest int64
	series        int // of the one with most
}

func (r *neighbourhood) hasRoomFor(seg numbered) bool {
	size := r.size + seg.Size()
	return size <= maxMerged && size <= maxBlock*int64(max(r.series, seg.Series()))
}

func (r *neighbourhood) add(seg numbered) {
	r.list = append(r.list, seg)
	r.size, r.largest, r.series = r.size+seg.Size(), max(r.largest, seg.Size()), max(r.series, seg.Series())
}

func (r *neighbourhood) worth(count int) bool { return len(r.list) >= count && r.size >= 2*r.largest }

// fit reports whether one segment may span the times of both. Retention removes whole ones, so they must not become too long.
func (db *DB) fit(a, b numbered) bool {
	if db.opt.Retention <= 0 {
		return true
	}
	from, _ := a.Span()
	_, to := b.Span()
	return to-from <= int64(db.opt.Retention.Seconds())/8
}

// merge makes one segment of neighbours. It takes the place, the number and the name of the last of them: a death in between
// leaves the others, which then hold nothing that it does not.
func (db *DB) merge(list []numbered) error {
	parts := make([]*segment.Segment, len(list))
	for i, seg := range list {
		parts[i] = seg.Segment
	}
	wanted := db.wanted()
	last := list[len(list)-1].number
	path := db.sealedPath(last)
	err := segment.Merge(path+mergedSuffix, parts, func(series uint32, place int) int64 { return wanted.from(series, list[place].number) })
	if err == nil {
		err = os.Rename(path+mergedSuffix, path)
	}
	if err == nil {
		err = wal.SyncDir(db.dir)
	}
	if err != nil {
		_ = os.Remove(path + mergedSuffix) // whatever of it there is
		return err
	}
	merged, err := segment.Open(path)
	if err != nil {
		return err
	}
	errs := db.replace(list, numbered{merged, last})
	for _, seg := range list[:len(list)-1] {
		errs = append(errs, os.Remove(seg.Path()))
	}
	return errors.Join(errs...)
}

// replace puts a segment in the place of those that it was made of.
func (db *DB) replace(list []numbered, merged numbered) (errs []error) {
	db.segments.mu.Lock()
	defer db.segments.mu.Unlock()
	i := slices.IndexFunc(db.segments.list, func(n numbered) bool { return n.number == list[0].number })
	db.segments.list = slices.Replace(slices.Clone(db.segments.list), i, i+len(list), merged)
	for _, seg := range list {
		errs = append(errs, seg.Close())
	}
	return errs
}

// wanted is what of segments is still wanted.
type wanted struct {
	last   uint32          // numbers behind it were given out later
	live   map[uint32]bool // numbers of series and of what rollups hold
	floors map[uint32][]floor
}

func (db *DB) wanted() wanted {
	w := wanted{last: db.lastNumber.Load(), live: map[uint32]bool{}, floors: map[uint32][]floor{}}
	for _, sh := range db.shards {
		sh.mu.RLock()
		for _, h := range sh.hosts {
			for _, s := range h.series {
				w.live[s.number] = true
				if len(s.sealed.floors) > 0 {
					w.floors[s.number] = slices.Clone(s.sealed.floors)
				}
			}
			for _, r := range h.rollups {
				for part := range uint32(rolledSeries) {
					w.live[r.number+part] = true
				}
			}
		}
		sh.mu.RUnlock()
	}
	return w
}

// from returns from which slot on a series' samples in the segment with a number are wanted.
func (w *wanted) from(series uint32, number uint64) int64 {
	if series <= w.last && !w.live[series] {
		return math.MaxInt64
	}
	s := sealed{floors: w.floors[series]}
	return s.first(number)
}

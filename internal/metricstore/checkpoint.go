package metricstore

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/wal"
)

// Checkpoint writes everything to disk and then removes the log that this makes superfluous. Chunks that are complete go
// into a segment, and leave memory. Writers go on meanwhile: their records go to new segments of the log, and to replay
// those over a checkpoint that already has some of their samples changes nothing.
func (db *DB) Checkpoint() error {
	// What is in the future does not end the series that are not: a sender's clock may be ahead, or ours have been.
	return db.checkpointSealing(min(db.newest.Load(), db.opt.Clock.Now().Unix()) - idleAfter)
}

// idleAfter is how much older than the store's newest sample, in seconds, that of a series must be for its last chunk to leave
// memory.
const idleAfter = 3600

// checkpointSealing is Checkpoint, for which the series without samples since a time have ended.
func (db *DB) checkpointSealing(idleSince int64) error {
	db.checkpoint.Lock()
	defer db.checkpoint.Unlock()
	if db.closed {
		return nil
	}
	began := db.opt.Clock.Now()
	db.segment++
	damaged := db.damaged.Swap(false) // what fails from now on is not what this checkpoint repairs
	db.complete.Store(0)
	var errs []error
	for _, sh := range db.shards {
		if log := sh.rotate(db.segment); log != nil {
			errs = append(errs, log.Close())
		}
	}
	// What an old segment could not be synced of is in memory, and so in the checkpoint.
	unsynced := errors.Join(errs...)
	if err := db.writeCheckpoint(db.segment, idleSince); err != nil {
		db.failures.Add(1)
		if damaged || unsynced != nil {
			db.damaged.Store(true)
		}
		return errors.Join(unsynced, err)
	}
	db.lastCheckpoint.Store(began.Unix())
	db.checkpointMillis.Store(db.opt.Clock.Now().Sub(began).Milliseconds())
	return db.removeBefore(db.segment)
}

// writeCheckpoint writes the files under other names first: each is there as a whole or not at all. The checkpoint comes
// last; without it, a segment counts for nothing. When only the last step fails, to make the new names survive a power
// cut, the checkpoint counts and so does the log before it, which has to stay.
func (db *DB) writeCheckpoint(number uint64, idleSince int64) (err error) {
	path := db.checkpointPath(number)
	part := path + partSuffix
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // in the store's own folder
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	d := newDump(number, idleSince, f)
	err = d.write(db)
	if db.dumped != nil {
		db.dumped()
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	var seg *segment.Segment
	if err == nil {
		seg, err = db.writeSegment(d)
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", errors.Join(err, db.withdraw(number, part, seg)))
	}
	if seg != nil {
		db.publish(numbered{seg, number})
	}
	db.forget(d.moved)
	db.settle(d.rolled)
	if err := wal.SyncDir(db.dir); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

// withdraw removes what an attempt has left that failed.
func (db *DB) withdraw(number uint64, part string, seg *segment.Segment) error {
	_ = os.Remove(part)                  // whatever of it there is
	_ = os.Remove(db.sealedPath(number)) // likewise; at the next start it would be one without checkpoint
	if seg == nil {
		return nil
	}
	return seg.Close()
}

// writeSegment writes the segment, if there is anything in it, and opens it.
func (db *DB) writeSegment(d *dump) (*segment.Segment, error) {
	if d.segment.Len() == 0 {
		return nil, nil //nolint:nilnil // nothing was complete
	}
	path := db.sealedPath(d.number)
	if err := d.segment.WriteFile(path + partSuffix); err != nil {
		return nil, err
	}
	if err := os.Rename(path+partSuffix, path); err != nil {
		return nil, err
	}
	if err := wal.SyncDir(db.dir); err != nil { // no power cut may leave the checkpoint and not this
		return nil, err
	}
	return segment.Open(path)
}

// publish lets readers have a segment.
func (db *DB) publish(seg numbered) {
	db.segments.mu.Lock()
	defer db.segments.mu.Unlock()
	db.segments.list = append(slices.Clip(db.segments.list), seg)
}

// forget takes the chunks that are in a segment now out of memory, unless they have changed since.
func (db *DB) forget(list []moved) {
	for len(list) > 0 {
		h := list[0].series.host
		n := 1
		for n < len(list) && list[n].series.host == h {
			n++
		}
		h.shard.mu.Lock()
		for _, m := range list[:n] {
			db.bytes.Add(-int64(m.series.forget(m)))
		}
		clear(h.gathered)
		h.shard.mu.Unlock()
		list = list[n:]
	}
}

// settle makes rollups known that have been written.
func (db *DB) settle(list []rolledChunk) {
	for i := range list {
		sh := list[i].host.shard
		sh.mu.Lock()
		list[i].settle()
		sh.mu.Unlock()
	}
}

// forget takes a chunk out and returns how many bytes that were. The caller holds mu.
func (s *series) forget(m moved) int {
	if m.end > s.sealed.first(s.sealed.seen) { // otherwise it has been freed meanwhile, all of it
		s.sealed.note(m.end)
	}
	i, found := s.find(m.number)
	if !found || s.chunks[i].State() != m.state {
		return 0
	}
	bytes := s.chunks[i].Bytes()
	s.chunks = slices.Delete(s.chunks, i, i+1)
	return bytes
}

// removeBefore removes the files that the checkpoint with that number makes superfluous. Those in which damage was found
// are kept under another name.
func (db *DB) removeBefore(number uint64) error {
	files, err := db.list()
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range append(files.checkpoints, files.logs...) {
		if f.number >= number {
			continue
		}
		if db.damagedFiles[f.path] {
			errs = append(errs, os.Rename(f.path, f.path+".damaged"))
		} else {
			errs = append(errs, os.Remove(f.path))
		}
	}
	for _, part := range files.parts {
		errs = append(errs, os.Remove(part))
	}
	db.countLog()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove superfluous metric files: %w", err)
	}
	return nil
}

// sealAll is an idleSince for which every series has ended.
const sealAll = math.MaxInt64

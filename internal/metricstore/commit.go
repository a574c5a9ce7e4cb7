package metricstore

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"sync"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/wal"
)

// ErrClosed is the error for writing to a store that has been closed.
var ErrClosed = errors.New("the metric store is closed")

// maxRecord is how many samples go into one record of the log: even if each of them introduces its series, the record
// stays below the largest that a reader accepts.
const maxRecord = 4096

// store writes the samples to the log and then to memory.
func (sh *shard) store(db *DB, samples []sample) error {
	sh.commit.Lock()
	defer sh.commit.Unlock()
	for i := range samples {
		if gone := samples[i].series; gone.gone { // written under commit, which is held
			s, err := sh.revive(db, gone)
			if err != nil {
				return err
			}
			if samples[i].series = s; i > 0 { // or it would be guessed, and revived, with every batch
				samples[i-1].series.next.CompareAndSwap(gone, s)
			}
		}
	}
	for len(samples) > 0 {
		n := min(len(samples), maxRecord)
		if err := sh.logSamples(db, samples[:n]); err != nil {
			return err
		}
		sh.apply(db, samples[:n])
		samples = samples[n:]
	}
	if db.opt.SyncEvery < 0 {
		return sh.log.Load().Sync()
	}
	return nil
}

// logSamples writes one record with the samples and with those of their series that the segment does not know yet. The
// caller holds commit.
func (sh *shard) logSamples(db *DB, samples []sample) error {
	log, err := sh.openLog(db)
	if err != nil {
		return err
	}
	known := sh.nextRef
	record := log.Begin()
	for i := range samples {
		if s := samples[i].series; s.segment != sh.segment {
			s.segment, s.ref = sh.segment, sh.nextRef
			sh.nextRef++
			record = appendDefine(record, s)
		}
	}
	if err := db.endRecord(log, appendSamples(record, samples)); err != nil {
		for i := range samples { // the introductions have not been written either
			if s := samples[i].series; s.segment == sh.segment && s.ref >= known {
				s.segment = 0
			}
		}
		sh.nextRef = known
		return err
	}
	return nil
}

// openLog returns the log segment, which it creates when there is none yet. The caller holds commit.
func (sh *shard) openLog(db *DB) (*wal.Segment, error) {
	if sh.closed {
		return nil, ErrClosed
	}
	if log := sh.log.Load(); log != nil {
		return log, nil
	}
	path := db.segmentPath(sh.segment, sh.number)
	log, err := wal.Create(path, logKind())
	if errors.Is(err, fs.ErrExist) && removeEmptyLog(path) {
		log, err = wal.Create(path, logKind())
	}
	if err != nil {
		return nil, err
	}
	sh.log.Store(log)
	return log, nil
}

// removeEmptyLog removes a log without records, which an attempt has left that failed when the disk did not even let the file
// be removed. It reports whether it has.
func removeEmptyLog(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() <= frame.HeaderSize && os.Remove(path) == nil
}

// endRecord writes the record.
func (db *DB) endRecord(log *wal.Segment, record []byte) error {
	if err := log.End(record); err != nil {
		return err
	}
	if db.logBytes.Add(int64(len(record))) > db.logLimit() {
		db.wakeUp()
	}
	return nil
}

// apply puts the samples into memory.
func (sh *shard) apply(db *DB, samples []sample) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.seen += approach(samples)
	var sum tally
	newest := int64(math.MinInt64)
	for i := range samples {
		samples[i].series.set(db, samples[i].time, samples[i].value, &sum)
		newest = max(newest, samples[i].time)
	}
	if db.ripe() {
		db.wakeUp()
	}
	db.raiseNewest(newest)
	db.bytes.Add(int64(sum.grown))
	db.samples.Add(int64(len(samples)))
	if sum.late > 0 {
		db.late.Add(int64(sum.late))
		db.replaced.Add(int64(sum.replaced))
	}
}

// approach looks at where the samples will be put. With many series that is far from the processor; looked at without
// anything to do in between, many places come at the same time. It returns something of what it has seen.
func approach(samples []sample) (seen byte) {
	for i := range samples {
		if chunks := samples[i].series.chunks; len(chunks) > 0 {
			seen += chunks[len(chunks)-1].Peek()
		}
	}
	return seen
}

// raiseNewest notes the time of a sample.
func (db *DB) raiseNewest(t int64) {
	for {
		newest := db.newest.Load()
		if t <= newest || db.newest.CompareAndSwap(newest, t) {
			return
		}
	}
}

// rotate makes the next record begin a new segment, and returns the old one, nil when nothing was written to it.
func (sh *shard) rotate(segment uint64) *wal.Segment {
	sh.commit.Lock()
	defer sh.commit.Unlock()
	old := sh.log.Swap(nil)
	sh.segment, sh.nextRef = segment, 0
	return old
}

// Sync makes everything that was acknowledged survive a power cut. The logs are synced at the same time: a disk writes
// several in about the time of one.
func (db *DB) Sync() error {
	errs := make([]error, len(db.shards))
	var wg sync.WaitGroup
	for i, sh := range db.shards {
		log := sh.log.Load()
		if log == nil {
			continue
		}
		wg.Go(func() {
			if err := log.Sync(); err != nil {
				errs[i] = fmt.Errorf("shard %d: %w", sh.number, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// logKind is how a segment of the log begins.
func logKind() frame.Kind { return frame.Kind([]byte("BHWAL\x00\x00\x01")) }

// checkpointKind is how a checkpoint begins.
func checkpointKind() frame.Kind { return frame.Kind([]byte("BHCKP\x00\x00\x02")) }

package metricstore

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/wal"
)

// chunksPerRecord keeps records of long series far below the largest that a reader accepts.
const chunksPerRecord = 64

// Checkpoint writes everything to a new file and then removes the log that it makes superfluous. Writers go on
// meanwhile: their records go to new segments, and to replay those over a checkpoint that already has some of their
// samples changes nothing.
func (db *DB) Checkpoint() error {
	db.checkpoint.Lock()
	defer db.checkpoint.Unlock()
	if db.closed {
		return nil
	}
	began := db.opt.Clock.Now()
	db.segment++
	var errs []error
	for _, sh := range db.shards {
		if log := sh.rotate(db.segment); log != nil {
			errs = append(errs, log.Close())
		}
	}
	// What an old segment could not be synced of is in memory, and so in the checkpoint.
	if err := db.writeCheckpoint(db.segment); err != nil {
		db.failures.Add(1)
		return errors.Join(append(errs, err)...)
	}
	db.lastCheckpoint.Store(began.Unix())
	db.checkpointMillis.Store(db.opt.Clock.Now().Sub(began).Milliseconds())
	db.damaged.Store(false)
	return db.removeBefore(db.segment)
}

// writeCheckpoint writes the file under another name first: it is there as a whole or not at all.
func (db *DB) writeCheckpoint(number uint64) (err error) {
	path := db.checkpointPath(number)
	part := path + partSuffix
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // in the store's own folder
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	err = db.dump(f)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err == nil {
		err = wal.SyncDir(db.dir)
	}
	if err != nil {
		_ = os.Remove(part) // whatever of it there is; the error to report is the first
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

// dump writes the content of a checkpoint. It holds up the writers of a shard only while it copies one host.
func (db *DB) dump(f *os.File) error {
	var salt [8]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return err
	}
	w := &checkpointWriter{file: f, salt: binary.LittleEndian.Uint64(salt[:])}
	w.buf = frame.AppendHeader(w.buf, checkpointKind(), w.salt)
	for _, sh := range db.shards {
		sh.mu.RLock()
		hosts := sh.sorted()
		sh.mu.RUnlock()
		for _, h := range hosts {
			sh.mu.RLock()
			for _, s := range h.series {
				w.series(s)
			}
			sh.mu.RUnlock()
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	w.end()
	return w.flush()
}

// checkpointWriter collects records and writes them to the file.
type checkpointWriter struct {
	file    *os.File
	salt    uint64
	buf     []byte
	records uint64
}

// series appends the records of a series. One without samples has none.
func (w *checkpointWriter) series(s *series) {
	for rest := s.chunks; len(rest) > 0; {
		n := min(len(rest), chunksPerRecord)
		start := len(w.buf)
		w.buf = append(frame.Begin(w.buf), entrySeries)
		w.buf = appendIdentity(w.buf, s)
		w.buf = binary.AppendUvarint(w.buf, uint64(n))
		for i := range rest[:n] {
			w.buf = appendChunk(w.buf, &rest[i])
		}
		frame.End(w.buf, start, w.salt)
		w.records++
		rest = rest[n:]
	}
}

func appendChunk(dst []byte, c *chunk.Chunk) []byte {
	dst = binary.AppendVarint(dst, c.First())
	dst = binary.AppendUvarint(dst, uint64(len(c.Values())))
	for _, v := range c.Values() {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// end appends the record that tells a complete checkpoint.
func (w *checkpointWriter) end() {
	start := len(w.buf)
	w.buf = binary.AppendUvarint(append(frame.Begin(w.buf), entryEnd), w.records)
	frame.End(w.buf, start, w.salt)
}

func (w *checkpointWriter) flush() error {
	_, err := w.file.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// readCheckpoint fills the empty store from the file.
func (db *DB) readCheckpoint(path string) error {
	var records, promised uint64
	complete := false
	end, err := db.readRecords(path, checkpointKind(), func(payload []byte, _ int64) error {
		d := decoder{rest: payload}
		switch d.byte() {
		case entrySeries:
			records++
			if err := db.restoreChunks(&d); err != nil {
				return err
			}
		case entryEnd:
			promised, complete = d.uvarint(), true
		default:
			d.fail()
		}
		if d.failed || len(d.rest) > 0 {
			return errEntry
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !complete || records != promised || end.torn != end.size {
		db.damage(path, "the checkpoint is not complete")
	}
	return nil
}

func (db *DB) restoreChunks(d *decoder) error {
	l, step, phase := d.identity()
	n := d.uvarint()
	if d.failed {
		return errEntry
	}
	s, err := db.restoreSeries(&l, step, phase)
	if err != nil {
		return err
	}
	for range n {
		first := d.varint()
		count := d.uvarint()
		if d.failed || count > chunk.Slots {
			return errEntry
		}
		c, ok := chunk.Restore(first, decodeValues(d.bytes(8*count)))
		if !ok {
			return errEntry
		}
		db.bytes.Add(int64(s.restore(c)))
		db.recovery.Checkpoint += int64(count)
	}
	return nil
}

func decodeValues(raw []byte) []float64 {
	values := make([]float64, len(raw)/8)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return values
}

// removeBefore removes the files that the checkpoint with that number makes superfluous. Those in which damage was found
// are kept under another name.
func (db *DB) removeBefore(number uint64) error {
	files, err := db.list()
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range append(files.checkpoints, files.segments...) {
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

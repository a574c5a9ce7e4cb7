package metricstore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
)

// Recovery tells what Open has found on disk.
type Recovery struct {
	Checkpoint int64 // samples and gaps between them that came from the checkpoint
	Log        int64 // samples that came from the log
	TornBytes  int64 // cut off from the ends of log segments: writes that were never acknowledged
	// Damage says, in words for the operator, what could not be read. It is empty unless files were damaged.
	Damage []string
	Took   time.Duration
}

// Recovered tells what Open has found on disk.
func (db *DB) Recovered() Recovery { return db.recovery }

// recover reads the newest checkpoint and then the log segments that it does not cover.
func (db *DB) recover() error {
	began := db.opt.Clock.Now()
	files, err := db.list()
	if err != nil {
		return err
	}
	for _, left := range files.merged { // by a death; those that it was to be made of are there
		if err := os.Remove(left); err != nil {
			return fmt.Errorf("remove half a segment: %w", err)
		}
	}
	covered := uint64(0)
	if n := len(files.checkpoints); n > 0 {
		newest := files.checkpoints[n-1]
		covered = newest.number
		if err := db.openSegments(files.sealed, covered); err != nil {
			return err
		}
		if err := db.readCheckpoint(newest.path); err != nil {
			return err
		}
	} else if err := db.openSegments(files.sealed, 0); err != nil {
		return err
	}
	db.raiseNumbers()
	// Logs below are left over from a death between checkpoint and clean-up.
	first := slices.IndexFunc(files.logs, func(f file) bool { return f.number >= covered })
	if first >= 0 {
		if err := db.replayAll(files.logs[first:]); err != nil {
			return err
		}
	}
	slices.Sort(db.recovery.Damage)
	db.segment = files.newest() + 1
	db.countLog()
	db.damaged.Store(len(db.recovery.Damage) > 0)
	if db.opt.Retention > 0 {
		db.Retain(db.tooOld(began))
	}
	db.recovery.Took = db.opt.Clock.Now().Sub(began)
	return nil
}

// replayAll reads log segments, oldest first. Those of one number are about different hosts, so they are read at the same
// time.
func (db *DB) replayAll(logs []file) error {
	for len(logs) > 0 {
		n := 1
		for n < len(logs) && logs[n].number == logs[0].number {
			n++
		}
		var wg sync.WaitGroup
		errs := make([]error, n)
		for i, f := range logs[:n] {
			wg.Go(func() { errs[i] = db.replay(f.path) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		logs = logs[n:]
	}
	return nil
}

// replay reads a log segment and cuts off what a death in the middle of a write has left at its end.
func (db *DB) replay(path string) error {
	r := replayer{db: db}
	end, err := db.readRecords(path, logKind(), r.record)
	db.found.Lock()
	db.recovery.Log += r.restored
	db.found.Unlock()
	if r.lost > 0 {
		db.damage(path, fmt.Sprintf("%d samples cannot be attributed, since the records that introduced their series are damaged", r.lost))
	}
	if err != nil || end.torn == end.size {
		return err
	}
	db.found.Lock()
	db.recovery.TornBytes += end.size - end.torn
	db.found.Unlock()
	if err := os.Truncate(path, end.torn); err != nil {
		return fmt.Errorf("cut torn end of log: %w", err)
	}
	return nil
}

// restoreSeries returns the series, which it creates when there is none. number is what it gets then, 0 for a new one.
func (db *DB) restoreSeries(l *Labels, step, phase int64, number uint32) (*series, error) {
	id := appendHostID(nil, l.Cluster, l.Host)
	sh := db.shardOf(id)
	h, err := sh.addHost(db, id, l)
	if err != nil {
		return nil, err
	}
	return sh.addSeries(db, h, appendSeriesID(nil, l, step), step, phase, number)
}

// extent is where the readable part of a file ends and where the file does.
type extent struct{ torn, size int64 }

// readRecords calls use with the payload of each readable record and the size of the file, and notes damage. A file that is not of the kind at
// all is damage as well: it is noted and left alone. The error is one of reading the disk.
func (db *DB) readRecords(path string, kind frame.Kind, use func(payload []byte, size int64) error) (extent, error) {
	f, err := os.Open(path) //nolint:gosec // in the store's own folder
	if err != nil {
		return extent{}, fmt.Errorf("read metrics: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return extent{}, fmt.Errorf("read metrics: %w", err)
	}
	size := info.Size()
	whole := extent{size, size}
	if size < frame.HeaderSize { // death while the file was made
		return whole, nil
	}
	sc, err := frame.NewScanner(f, size, kind)
	if errors.Is(err, frame.ErrKind) {
		db.damage(path, err.Error())
		return whole, nil
	}
	for err == nil {
		var payload []byte
		if payload, err = sc.Next(); err == nil {
			if uerr := use(payload, size); uerr != nil {
				db.damage(path, uerr.Error())
			}
		}
	}
	for _, g := range sc.Gaps() {
		db.damage(path, fmt.Sprintf("bytes %d to %d are damaged and were skipped", g.From, g.To))
	}
	if !errors.Is(err, io.EOF) {
		return whole, fmt.Errorf("read metrics from %s: %w", path, err)
	}
	return extent{sc.Torn(), size}, nil
}

func (db *DB) damage(path, what string) {
	db.found.Lock()
	defer db.found.Unlock()
	db.recovery.Damage = append(db.recovery.Damage, filepath.Base(path)+": "+what)
	db.damagedFiles[path] = true
}

package metricstore

import (
	"errors"
	"fmt"
	"os"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/wal"
)

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

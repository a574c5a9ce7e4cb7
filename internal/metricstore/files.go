package metricstore

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// ErrLocked is the error for a folder that another process has open.
var ErrLocked = errors.New("another process uses this folder")

// The files of a store. A checkpoint with number n, together with the segments of sealed samples with numbers up to n, holds
// everything that the log segments with smaller numbers hold.
const (
	lockName       = "LOCK"
	segmentName    = "wal-%016x-%02x.bhw" // number, shard
	checkpointName = "checkpoint-%016x.bhc"
	sealedName     = "segment-%016x.bhs" // number of the checkpoint with which it was written
	partSuffix     = ".part"             // a file that a checkpoint is writing
	mergedSuffix   = ".merged"           // a segment that is being made of others, while checkpoints may be written
)

func (db *DB) segmentPath(number uint64, shard int) string {
	return filepath.Join(db.dir, fmt.Sprintf(segmentName, number, shard))
}

func (db *DB) checkpointPath(number uint64) string {
	return filepath.Join(db.dir, fmt.Sprintf(checkpointName, number))
}

func (db *DB) sealedPath(number uint64) string {
	return filepath.Join(db.dir, fmt.Sprintf(sealedName, number))
}

// lockDir makes sure that no other process has the folder open. The lock ends with the process.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // in the store's own folder
	if err != nil {
		return nil, fmt.Errorf("lock folder for metrics: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", dir, ErrLocked)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// file is a checkpoint or log segment on disk.
type file struct {
	path   string
	number uint64
	shard  int
}

// listing is what a folder holds.
type listing struct {
	checkpoints, logs, sealed []file // by number and shard
	parts                     []string
	merged                    []string
}

// newest returns the largest number of all.
func (l listing) newest() uint64 {
	var n uint64
	for _, f := range slices.Concat(l.checkpoints, l.logs, l.sealed) {
		n = max(n, f.number)
	}
	return n
}

func (db *DB) list() (listing, error) {
	var l listing
	entries, err := os.ReadDir(db.dir)
	if err != nil {
		return l, fmt.Errorf("list folder for metrics: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		f := file{path: filepath.Join(db.dir, name)}
		switch {
		case filepath.Ext(name) == partSuffix:
			l.parts = append(l.parts, f.path)
		case filepath.Ext(name) == mergedSuffix:
			l.merged = append(l.merged, f.path)
		case scan(name, segmentName, &f.number, &f.shard):
			l.logs = append(l.logs, f)
		case scan(name, checkpointName, &f.number):
			l.checkpoints = append(l.checkpoints, f)
		case scan(name, sealedName, &f.number):
			l.sealed = append(l.sealed, f)
		}
	}
	order := func(a, b file) int { return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.shard, b.shard)) }
	slices.SortFunc(l.checkpoints, order)
	slices.SortFunc(l.logs, order)
	slices.SortFunc(l.sealed, order)
	return l, nil
}

// countLog notes how large the log is.
func (db *DB) countLog() {
	files, err := db.list()
	if err != nil {
		return // the figure only says when a checkpoint is worth it
	}
	var bytes int64
	for _, f := range files.logs {
		if info, err := os.Stat(f.path); err == nil {
			bytes += info.Size()
		}
	}
	db.logBytes.Store(bytes)
}

// scan reports whether name is exactly what format makes of the values that it finds in it.
func scan(name, format string, into ...any) bool {
	n, err := fmt.Sscanf(name, format, into...)
	if err != nil || n != len(into) {
		return false
	}
	values := make([]any, len(into))
	for i, p := range into {
		switch v := p.(type) {
		case *uint64:
			values[i] = *v
		case *int:
			values[i] = *v
		}
	}
	return fmt.Sprintf(format, values...) == name
}

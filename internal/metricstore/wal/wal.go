// Package wal is one segment of a write-ahead log: records go to the end of a file and are handed to the operating
// system before End returns.
//
// That alone makes them survive the death of the process. Sync makes those that came before it survive a power cut.
package wal

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
)

// Segment is a log file that is being written. One writes at a time, from Begin to End; Sync may be called at any
// time.
type Segment struct {
	path  string
	file  *os.File
	salt  uint64
	size  int64
	buf   []byte
	dirty atomic.Bool
	sync  sync.Mutex // held while the file is synced, so that Close waits for it
}

// Create makes a new segment file. There must be no file at path.
func Create(path string, kind frame.Kind) (*Segment, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in the store's own folder
	if err != nil {
		return nil, fmt.Errorf("create log segment: %w", err)
	}
	s := &Segment{path: path, file: f}
	if err := s.begin(kind); err != nil {
		_ = f.Close()
		_ = os.Remove(path) // an empty segment holds nothing; the error to report is the first
		return nil, fmt.Errorf("create log segment %s: %w", path, err)
	}
	return s, nil
}

// begin writes the header and makes the file's name survive a power cut.
func (s *Segment) begin(kind frame.Kind) error {
	var salt [8]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return err
	}
	s.salt = binary.LittleEndian.Uint64(salt[:])
	header := frame.AppendHeader(nil, kind, s.salt)
	if _, err := s.file.Write(header); err != nil {
		return err
	}
	s.size = int64(len(header))
	s.dirty.Store(true)
	return SyncDir(filepath.Dir(s.path))
}

// Begin returns a buffer to which the payload of one record is to be appended, and which is then given to End.
func (s *Segment) Begin() []byte { return frame.Begin(s.buf[:0]) }

// End writes the record that Begin has begun. When it fails, nothing has been written that a reader would see.
func (s *Segment) End(record []byte) error {
	s.buf = record
	if n := len(record) - frame.Overhead; n > frame.MaxPayload {
		return fmt.Errorf("append to log %s: record of %d bytes is larger than %d", s.path, n, frame.MaxPayload)
	}
	frame.End(record, 0, s.salt)
	// The size only moves on success: the next record overwrites what half a write has left behind.
	if _, err := s.file.WriteAt(record, s.size); err != nil {
		return fmt.Errorf("append to log: %w", err)
	}
	s.size += int64(len(record))
	s.dirty.Store(true)
	return nil
}

// Size returns the length of the file.
func (s *Segment) Size() int64 { return s.size }

// Sync makes all records that were appended before the call survive a power cut.
func (s *Segment) Sync() error {
	s.sync.Lock()
	defer s.sync.Unlock()
	if !s.dirty.Swap(false) {
		return nil
	}
	if err := s.file.Sync(); err != nil {
		s.dirty.Store(true)
		return fmt.Errorf("sync log: %w", err)
	}
	return nil
}

// Close syncs and closes the file. Nobody may write at the same time or later; a later Sync does nothing.
func (s *Segment) Close() error {
	err := s.Sync()
	if cerr := s.file.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("close log: %w", cerr)
	}
	return err
}

// SyncDir makes the names in a folder survive a power cut.
func SyncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // in the store's own folder
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

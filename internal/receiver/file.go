// Package receiver takes the audit trail out of the house: into a file, to a log server, to a NATS server.
//
// Each receiver gets batches of records in their order. What it gets again after a failure it may have already; readers
// recognise that by the record's seq.
package receiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// File appends each record as a JSON line to a file that only its owner may read. When the file has been moved away or
// deleted, as logrotate does, it goes on in a new one. It is not safe for concurrent use.
type File struct {
	path string
	file *os.File // nil until the first batch
	last audit.Record
}

// NewFile returns a receiver. The file, and the folder that it is in, are made with the first records.
func NewFile(path string) *File { return &File{path: path} }

// Send implements trail.Receiver. The lines are on the disk when it returns.
func (f *File) Send(_ context.Context, records []audit.Record) (err error) {
	if err := f.follow(); err != nil {
		return err
	}
	var buf bytes.Buffer
	for _, r := range f.missing(records) {
		buf.Write(audit.Line(r))
		buf.WriteByte('\n')
	}
	_, err = f.file.Write(buf.Bytes())
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil { // how much has been written, the next batch finds out
		return errors.Join(fmt.Errorf("write %s: %w", f.path, err), f.Close())
	}
	f.last = records[len(records)-1]
	return nil
}

// missing leaves out what the file has already: records of a batch whose end was not noted before a crash.
func (f *File) missing(records []audit.Record) []audit.Record {
	for i, r := range records {
		if r.Seq == f.last.Seq && r.Hash == f.last.Hash {
			return records[i+1:]
		}
	}
	return records
}

// follow sees to it that the open file is the one that has the name now.
func (f *File) follow() error {
	if f.file == nil {
		return f.open()
	}
	named, err := os.Stat(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for %s: %w", f.path, err)
	}
	open, openErr := f.file.Stat()
	if openErr != nil {
		return fmt.Errorf("look at %s: %w", f.path, openErr)
	}
	if err == nil && os.SameFile(named, open) {
		return nil
	}
	if err := f.Close(); err != nil {
		return err
	}
	return f.open()
}

func (f *File) open() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o750); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if f.last, err = mend(file); err != nil {
		return errors.Join(fmt.Errorf("read the end of %s: %w", f.path, err), file.Close())
	}
	f.file = file
	return nil
}

// tail is how much of a file is read to find its last line.
const tail = 1 << 20

// mend returns the last whole record of a file, and cuts off what a crash has left of a line behind it. A file that may
// only grow (chattr +a) keeps the torn line, on a line of its own.
func mend(file *os.File) (last audit.Record, err error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return last, err
	}
	from := max(0, size-tail)
	text := make([]byte, size-from)
	if _, err := file.ReadAt(text, from); err != nil {
		return last, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if whole < len(text) {
		if file.Truncate(from+int64(whole)) != nil {
			if _, err := file.WriteString("\n"); err != nil {
				return last, err
			}
		}
	}
	lines := bytes.TrimSuffix(text[:whole], []byte("\n"))
	if r, err := audit.ParseLine(lines[bytes.LastIndexByte(lines, '\n')+1:]); err == nil {
		last = r
	}
	return last, nil // without a last record, all that comes is new
}

// Close closes the file. The next batch opens it again.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	if err != nil {
		return fmt.Errorf("close %s: %w", f.path, err)
	}
	return nil
}

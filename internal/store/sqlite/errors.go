package sqlite

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
)

// VersionError refuses a database whose schema is not the program's.
type VersionError struct {
	Path         string
	Found, Known int64 // version of the database, and the highest that the program knows
}

// Error says which versions meet and what to do.
func (e *VersionError) Error() string {
	if e.Found > e.Known {
		return fmt.Sprintf("database %s has schema version %d, but this program knows only versions up to %d: install the newer program, or restore the backup made before the upgrade",
			e.Path, e.Found, e.Known)
	}
	return fmt.Sprintf("database %s has schema version %d, but this program needs version %d: make a backup, then run it once with -migrate-db",
		e.Path, e.Found, e.Known)
}

// FileError refuses a file that is no database of ours, or a damaged one.
type FileError struct {
	Path  string
	Cause error
}

// Error says what is the matter and what to do.
func (e *FileError) Error() string {
	switch {
	case errors.Is(e.Cause, errForeign):
		return e.Path + " is a database of another program: give the path of a Bridgehead database, or of a file that does not exist yet"
	case code(e.Cause) == codeNotADB:
		return e.Path + " is not a database: give another path, or restore it from a backup"
	default:
		return fmt.Sprintf("database %s is damaged: restore it from a backup (%s)", e.Path, e.Cause)
	}
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Cause }

var (
	errForeign = errors.New("no table of schema versions")
	errCorrupt = errors.New("the check found an error")
)

// SQLite's codes for files, and disks, that it cannot use.
const (
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeNotADB   = 26
)

// code returns SQLite's primary code of an error, 0 when the error is not SQLite's.
func code(err error) int {
	var e *driver.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// explain makes errors of the file itself readable. Others get the path.
func explain(path string, err error) error {
	var version *VersionError
	switch {
	case err == nil || errors.As(err, &version):
		return err
	case code(err) == codeCorrupt, code(err) == codeNotADB, errors.Is(err, errForeign), errors.Is(err, errCorrupt):
		return &FileError{Path: path, Cause: err}
	case code(err) == codeIO, code(err) == codeFull, code(err) == codeReadOnly:
		return fmt.Errorf("open database %s: see whether its disk is full, read-only or broken: %w", path, err)
	default:
		return fmt.Errorf("open database %s: %w", path, err)
	}
}

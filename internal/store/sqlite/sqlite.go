// Package sqlite opens the embedded database: one SQLite file beside its write-ahead log.
//
// Commits are on the disk before they return (synchronous=FULL). One connection writes, in transactions that exclude
// each other from their beginning; a pool of connections that cannot write reads beside it, without waiting for it.
// The schema is a list of numbered migrations inside the program.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	driver "modernc.org/sqlite"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

// Options are the choices of Open. The zero value is good.
type Options struct {
	// Migrate brings an older database to the version of the program. Without it, an older database is an error, unless it
	// is empty. A new database is always made in the program's version, also when somebody died while he made it.
	Migrate bool
	// Readers is how many queries run at the same time. 0 means 4.
	Readers int
	// BusyTimeout is how long to wait for another process that writes. 0 means 10 s.
	BusyTimeout time.Duration
}

// Open opens the database at path, and makes it when there is none. The error of a database that is not ours, or not of
// this version, is a *FileError or a *VersionError: one line that says what is the matter and what to do.
func Open(ctx context.Context, path string, o Options) (*sqlstore.Store, error) {
	if o.Readers <= 0 {
		o.Readers = 4
	}
	writer, err := openWriter(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, writer, path, o, migrations()); err != nil {
		return nil, errors.Join(explain(path, err), writer.Close())
	}
	reader, err := openPool(path, o, true)
	if err != nil {
		return nil, errors.Join(explain(path, err), writer.Close())
	}
	reader.SetMaxOpenConns(o.Readers)
	reader.SetMaxIdleConns(o.Readers)
	reader.SetConnMaxLifetime(time.Hour) // a connection reads the statistics for its plans once
	store := sqlstore.New(sqlstore.SQLite(), writer, reader)
	err = store.Refresh(ctx)
	if fault.Is(err, fault.Unavailable) {
		err = nil // another process writes; its statistics will do
	}
	if err := errors.Join(err, reader.PingContext(ctx)); err != nil {
		return nil, errors.Join(explain(path, err), store.Close())
	}
	return store, nil
}

// prepare sees to it that the database has the version of the program, or returns why it does not.
func prepare(ctx context.Context, db *sql.DB, path string, o Options, files fs.FS) error {
	s, err := readSchema(ctx, db, files)
	switch {
	case err != nil:
		return err
	case s.foreign:
		return errForeign
	case s.found > s.known, s.found < s.known && s.found > 0 && !s.empty && !o.Migrate:
		return &VersionError{Path: path, Found: s.found, Known: s.known}
	}
	// The mode is kept in the file, which is therefore left alone until it is known to be ours.
	if _, err := db.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	return migrateUp(ctx, db, files)
}

// openWriter opens the one connection that writes.
func openWriter(ctx context.Context, path string, o Options) (*sql.DB, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db, err := openPool(path, o, false)
	if err != nil {
		return nil, explain(path, err)
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(explain(path, err), db.Close())
	}
	return db, nil
}

// create makes an empty file that only its owner may read, since it will hold the hashes of passwords; SQLite gives the
// files beside it the same mode. A file that exists is not even opened: closing it would take away the locks that this
// process may have on it.
func create(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// openPool returns a pool of connections that are set up alike. It does not connect yet.
func openPool(path string, o Options, readOnly bool) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 10 * time.Second
	}
	q := url.Values{
		"_busy_timeout": {strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10)},
		"_dqs":          {"0"}, // a misspelt column is an error, not a string
		"_defensive":    {"1"},
		"_error_rc":     {"1"},
		"_foreign_keys": {"1"},
		"_synchronous":  {"FULL"},
		"_pragma":       {"cache_size(-16384)", "trusted_schema(0)"},
	}
	if readOnly {
		q.Set("mode", "ro")
		q.Set("_query_only", "1")
	} else {
		q.Set("mode", "rw") // create makes the file
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "journal_size_limit(67108864)") // give the disk back after a long read held the log
	}
	connector, err := driver.NewConnector((&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

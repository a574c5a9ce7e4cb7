package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations returns the program's migrations, NNNN_name.sql each.
func migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return sub
}

// versionTable is where goose notes which migrations have been applied.
const versionTable = "schema_version"

// schema is how far a database's schema is.
type schema struct {
	found   int64 // 0: nothing has been applied
	known   int64 // the highest migration of the program
	foreign bool  // it holds tables, but not ours
	empty   bool  // there is no row in it: somebody has just made it, or died while he did
}

// readSchema finds out about the schema without writing anything.
func readSchema(ctx context.Context, db *sql.DB, files fs.FS) (s schema, err error) {
	var tables, ours int
	err = db.QueryRowContext(ctx, `
		SELECT COUNT(*), COALESCE(SUM(name = ?), 0)
		FROM sqlite_schema
		WHERE type = 'table'`, versionTable).Scan(&tables, &ours)
	if err != nil {
		return s, err
	}
	s.foreign = tables > 0 && ours == 0
	if ours > 0 {
		err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM `+versionTable).Scan(&s.found)
		if err != nil {
			return s, err
		}
		if s.empty, err = isEmpty(ctx, db); err != nil {
			return s, err
		}
	}
	s.known = latest(files)
	return s, nil
}

// isEmpty reports whether there is no row in any table but that of the versions.
func isEmpty(ctx context.Context, db *sql.DB) (bool, error) {
	names, err := dataTables(ctx, db)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		var filled bool
		if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM "`+name+`")`).Scan(&filled); err != nil || filled { // our own names
			return false, err
		}
	}
	return true, nil
}

// dataTables returns the tables but that of the versions.
func dataTables(ctx context.Context, db *sql.DB) (names []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name <> ?`, versionTable)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what went wrong is in rows.Err
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// LatestVersion returns the version of the schema that the program makes.
func LatestVersion() int64 { return latest(migrations()) }

func latest(files fs.FS) (version int64) {
	names, _ := fs.Glob(files, "*.sql") // it fails of bad patterns only
	for _, name := range names {
		n, _ := goose.NumericComponent(name) // 0 for files that are no migrations, which goose passes over as well
		version = max(version, n)
	}
	return version
}

func provider(db *sql.DB, files fs.FS) (*goose.Provider, error) {
	return goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
}

// migrateUp applies what is missing, each migration in a transaction of its own.
func migrateUp(ctx context.Context, db *sql.DB, files fs.FS) error {
	p, err := provider(db, files)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	return nil
}

// Version returns the version of the database at path, 0 when there is nothing in it. A file that does not exist is made.
func Version(ctx context.Context, path string) (version int64, err error) {
	err = maintain(ctx, path, func(db *sql.DB) error {
		s, err := readSchema(ctx, db, migrations())
		if s.foreign {
			return errForeign
		}
		version = s.found
		return err
	})
	return version, err
}

// Migrate brings the database at path to the version of the program, and returns it. Nothing else may have the database
// open.
func Migrate(ctx context.Context, path string) (version int64, err error) {
	err = maintain(ctx, path, func(db *sql.DB) error {
		return prepare(ctx, db, path, Options{Migrate: true}, migrations())
	})
	return LatestVersion(), err
}

// Revert takes the last migration of the database at path back, with the data that it made room for, and returns the
// version after it. The first version cannot be taken back.
func Revert(ctx context.Context, path string) (version int64, err error) {
	err = maintain(ctx, path, func(db *sql.DB) error {
		version, err = revert(ctx, db, path, migrations())
		return err
	})
	return version, err
}

func revert(ctx context.Context, db *sql.DB, path string, files fs.FS) (version int64, err error) {
	s, err := readSchema(ctx, db, files)
	switch {
	case err != nil:
		return 0, err
	case s.foreign:
		return 0, errForeign
	case s.found > s.known:
		return s.found, &VersionError{Path: path, Found: s.found, Known: s.known}
	}
	p, err := provider(db, files)
	if err != nil {
		return s.found, err
	}
	if s.found <= p.ListSources()[0].Version {
		return s.found, fmt.Errorf("schema version %d is the first one: there is nothing to go back to", s.found)
	}
	if _, err := p.Down(ctx); err != nil {
		return s.found, fmt.Errorf("revert schema: %w", err)
	}
	after, err := readSchema(ctx, db, files)
	return after.found, err
}

// Optimize checks the database at path, rewrites it without gaps and renews the statistics that plans are made by. It
// needs as much free disk space as the database is large.
func Optimize(ctx context.Context, path string) error {
	return maintain(ctx, path, func(db *sql.DB) error {
		var verdict string
		if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
			return err
		}
		if verdict != "ok" {
			return fmt.Errorf("%w: %s", errCorrupt, verdict)
		}
		for _, statement := range []string{`VACUUM`, `ANALYZE`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

// maintain runs f on the one connection that writes.
func maintain(ctx context.Context, path string, f func(db *sql.DB) error) error {
	db, err := openWriter(ctx, path, Options{})
	if err != nil {
		return err
	}
	return errors.Join(explain(path, f(db)), db.Close())
}

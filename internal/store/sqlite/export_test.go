package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
)

// Connections returns the handles that Open makes for a new database.
func Connections(ctx context.Context, path string) (writer, reader *sql.DB, err error) {
	writer, err = openWriter(ctx, path, Options{})
	if err != nil {
		return nil, nil, err
	}
	err = prepare(ctx, writer, path, Options{}, migrations())
	reader, err2 := openPool(path, Options{}, true)
	return writer, reader, errors.Join(err, err2)
}

// OpenWith opens and closes the database with other migrations.
func OpenWith(ctx context.Context, path string, o Options, files fs.FS) error {
	return maintain(ctx, path, func(db *sql.DB) error { return prepare(ctx, db, path, o, files) })
}

// RevertWith is Revert with other migrations.
func RevertWith(ctx context.Context, path string, files fs.FS) (version int64, err error) {
	err = maintain(ctx, path, func(db *sql.DB) error {
		version, err = revert(ctx, db, path, files)
		return err
	})
	return version, err
}

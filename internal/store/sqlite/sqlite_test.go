package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
)

// open opens the database and closes it when the test ends.
func open(t *testing.T, path string) *sqlstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

// raw runs f on a connection of its own, past the store.
func raw(t *testing.T, path string, f func(db *sql.DB)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	f(db)
}

func execute(t *testing.T, path, statement string) (err error) {
	t.Helper()
	raw(t, path, func(db *sql.DB) { _, err = db.ExecContext(t.Context(), statement) })
	return err
}

func TestSQLiteIsAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Database {
		t.Helper()
		path := filepath.Join(t.TempDir(), "store.db")
		s := open(t, path)
		return storetest.Database{
			Store: s,
			Reopen: func() *sqlstore.Store {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				return open(t, path)
			},
			Exec: func(statement string) error { return execute(t, path, statement) },
			Unguard: func() {
				if err := execute(t, path, `DROP TRIGGER audit_records_update`); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

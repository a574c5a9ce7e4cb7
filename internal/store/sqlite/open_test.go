package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
)

// refused opens the database and returns the error, which must be one line.
func refused(t *testing.T, path string) error {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err == nil {
		s.Close()
		t.Fatal("the database was opened")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines:\n%v", err)
	}
	return err
}

func wantText(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

// made returns the path of a database that has been opened and closed.
func made(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// setVersion makes the database one of that schema version.
func setVersion(t *testing.T, path string, version int64) {
	t.Helper()
	if err := execute(t, path, fmt.Sprintf(`INSERT INTO schema_version (version_id, is_applied) VALUES (%d, 1)`, version)); err != nil {
		t.Fatal(err)
	}
}

func TestDatabaseFromTheFutureIsRefused(t *testing.T) {
	path := made(t)
	setVersion(t, path, 99)
	err := refused(t, path)
	var version *sqlite.VersionError
	if !errors.As(err, &version) || version.Found != 99 || version.Known == 0 {
		t.Errorf("error is %#v", err)
	}
	wantText(t, err, path, "schema version 99", "only versions up to", "install the newer program", "backup")
	if _, err := sqlite.Migrate(t.Context(), path); !errors.As(err, &version) {
		t.Errorf("migrate: %v", err)
	}
	if _, err := sqlite.Revert(t.Context(), path); !errors.As(err, &version) {
		t.Errorf("revert: %v", err)
	}
	if found, err := sqlite.Version(t.Context(), path); err != nil || found != 99 {
		t.Errorf("version %d, %v", found, err)
	}
}

func TestFileThatIsNoDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(strings.Repeat(`{"this is": "no database"}`, 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	err = refused(t, path)
	var file *sqlite.FileError
	if !errors.As(err, &file) {
		t.Errorf("error is %#v", err)
	}
	wantText(t, err, path, "is not a database", "another path")
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
}

func TestDatabaseOfAnotherProgramIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job.db")
	if err := execute(t, path, `CREATE TABLE schema_migrations (version INTEGER, dirty INTEGER)`); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, refused(t, path), path, "another program")
	if _, err := sqlite.Migrate(t.Context(), path); err == nil {
		t.Error("it was migrated")
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
}

func TestDamagedDatabaseIsRefused(t *testing.T) {
	for name, damage := range map[string]func(file []byte) []byte{
		"cut off":            func(file []byte) []byte { return file[:len(file)/2] },
		"first page garbled": func(file []byte) []byte { return garble(file, 100, 4096) },
		"header garbled":     func(file []byte) []byte { return garble(file, 0, 100) },
	} {
		t.Run(name, func(t *testing.T) {
			path := made(t)
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(file), 0o600); err != nil {
				t.Fatal(err)
			}
			err = refused(t, path)
			var file2 *sqlite.FileError
			if !errors.As(err, &file2) {
				t.Errorf("error is %#v", err)
			}
			wantText(t, err, path, "restore it from a backup")
		})
	}
}

func TestOptimizeFindsDamageThatOpenDoesNot(t *testing.T) {
	path := made(t)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, garble(file, len(file)-4096, len(file)), 0o600); err != nil {
		t.Fatal(err)
	}
	err = sqlite.Optimize(t.Context(), path)
	if err == nil {
		t.Fatal("the damage was not found")
	}
	wantText(t, err, path, "damaged", "restore it from a backup")
}

func garble(file []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		file[i] ^= 0xa5
	}
	return file
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	open(t, path)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestOddPathsAreOnlyPaths(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory&x=%41#f.db")
	open(t, path)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}

func TestMissingFolderIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "var", "store.db")
	wantText(t, refused(t, path), path)
}

func TestCommitsAreOnTheDisk(t *testing.T) {
	writer, reader, err := sqlite.Connections(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	defer reader.Close()
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000"} {
		for name, db := range map[string]*sql.DB{"writer": writer, "reader": reader} {
			var got string
			if err := db.QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s has %s=%s, want %s", name, pragma, got, want)
			}
		}
	}
	if _, err := reader.ExecContext(t.Context(), `DELETE FROM users`); err == nil {
		t.Error("the reader can write")
	}
}

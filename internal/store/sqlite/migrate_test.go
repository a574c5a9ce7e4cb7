package sqlite_test

import (
	"database/sql"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
)

var update = flag.Bool("update", false, "write the golden files anew")

// two are the migrations of a program that came to its second version.
func two() fstest.MapFS {
	return fstest.MapFS{
		"0001_init.sql":  {Data: []byte("-- +goose Up\nCREATE TABLE a (x INTEGER);\n")},
		"0002_added.sql": {Data: []byte("-- +goose Up\nCREATE TABLE b (x INTEGER);\n-- +goose Down\nDROP TABLE b;\n")},
	}
}

func one() fstest.MapFS {
	files := two()
	delete(files, "0002_added.sql")
	return files
}

func TestOldDatabaseIsMigratedOnlyWhenTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if err := sqlite.OpenWith(t.Context(), path, sqlite.Options{}, one()); err != nil {
		t.Fatal(err)
	}
	if err := execute(t, path, `INSERT INTO a VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	err := sqlite.OpenWith(t.Context(), path, sqlite.Options{}, two())
	var version *sqlite.VersionError
	if !errors.As(err, &version) || version.Found != 1 || version.Known != 2 {
		t.Fatalf("error is %#v", err)
	}
	wantText(t, err, path, "schema version 1", "needs version 2", "-migrate-db", "backup")
	if err := execute(t, path, `SELECT x FROM b`); err == nil {
		t.Fatal("the refused database was migrated")
	}
	if err := sqlite.OpenWith(t.Context(), path, sqlite.Options{Migrate: true}, two()); err != nil {
		t.Fatal(err)
	}
	if err := execute(t, path, `SELECT x FROM b`); err != nil {
		t.Fatal(err)
	}
}

// Whoever died while he made a new database has left one of an older version. There is nothing in it that a backup could
// save.
func TestEmptyDatabaseIsMigratedUntold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	for _, files := range []fstest.MapFS{one(), two()} {
		if err := sqlite.OpenWith(t.Context(), path, sqlite.Options{}, files); err != nil {
			t.Fatal(err)
		}
	}
	if err := execute(t, path, `SELECT x FROM b`); err != nil {
		t.Fatal(err)
	}
}

func TestRevertGoesBackOneStepButNotBehindTheFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if err := sqlite.OpenWith(t.Context(), path, sqlite.Options{}, two()); err != nil {
		t.Fatal(err)
	}
	version, err := sqlite.RevertWith(t.Context(), path, two())
	if err != nil || version != 1 {
		t.Fatalf("version %d: %v", version, err)
	}
	if _, err = sqlite.RevertWith(t.Context(), path, two()); err == nil {
		t.Fatal("the first version was reverted")
	}
	wantText(t, err, "first one")
	if err := execute(t, path, `SELECT x FROM a`); err != nil {
		t.Fatal(err)
	}
}

func TestFailedMigrationLeavesTheVersionBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if err := sqlite.OpenWith(t.Context(), path, sqlite.Options{}, one()); err != nil {
		t.Fatal(err)
	}
	broken := two()
	broken["0002_added.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE b (x INTEGER);\nINSERT INTO nothing VALUES (1);\n")}
	if err := sqlite.OpenWith(t.Context(), path, sqlite.Options{Migrate: true}, broken); err == nil {
		t.Fatal("the migration succeeded")
	}
	if err := execute(t, path, `SELECT x FROM b`); err == nil {
		t.Fatal("half of the migration is there")
	}
	if err := sqlite.OpenWith(t.Context(), path, sqlite.Options{}, one()); err != nil {
		t.Fatal(err)
	}
}

func TestMigrateMakesANewDatabaseAndThenNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if version, err := sqlite.Version(t.Context(), path); err != nil || version != 0 {
		t.Fatalf("version %d: %v", version, err)
	}
	for range 2 {
		version, err := sqlite.Migrate(t.Context(), path)
		if err != nil || version != sqlite.LatestVersion() || version == 0 {
			t.Fatalf("version %d: %v", version, err)
		}
	}
	open(t, path)
	if version, err := sqlite.Version(t.Context(), path); err != nil || version != sqlite.LatestVersion() {
		t.Fatalf("version %d: %v", version, err)
	}
}

func TestOptimizeKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	if err := s.Audit().Append(t.Context(), audit.Record{Action: "x.y"}); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Optimize(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	records, err := s.Audit().List(t.Context(), audit.Filter{})
	if err != nil || len(records) != 1 {
		t.Fatalf("%d records: %v", len(records), err)
	}
}

// TestSchemaIsAsReviewed compares what all migrations make with a file that people read. Run with -update to write it.
func TestSchemaIsAsReviewed(t *testing.T) {
	var statements []string
	path := made(t)
	raw(t, path, func(db *sql.DB) {
		rows, err := db.QueryContext(t.Context(), `
			SELECT sql
			FROM sqlite_schema
			WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND tbl_name <> 'schema_version'
			ORDER BY tbl_name, type = 'table' DESC, name`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var statement string
			if err := rows.Scan(&statement); err != nil {
				t.Fatal(err)
			}
			statements = append(statements, statement+";\n")
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	})
	got := strings.Join(statements, "\n")
	const golden = "testdata/schema.golden.sql"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the schema has changed; run the test with -update and review the file (-want +got):\n%s", diff)
	}
}

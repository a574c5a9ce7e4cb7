package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func TestOtherProcessThatWritesMakesItUnavailableForWritersOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{BusyTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	raw(t, path, func(db *sql.DB) {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
			t.Fatal(err)
		}
		if err := s.Audit().Append(t.Context(), audit.Record{Action: "x.y"}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("write: %v", err)
		}
		if _, err := s.Audit().List(t.Context(), audit.Filter{}); err != nil {
			t.Errorf("read: %v", err)
		}
		other, err := sqlite.Open(t.Context(), path, sqlite.Options{BusyTimeout: 20 * time.Millisecond})
		if err != nil {
			t.Fatalf("open beside it: %v", err)
		}
		if err := other.Close(); err != nil {
			t.Errorf("close beside it: %v", err)
		}
	})
	if err := s.Audit().Append(t.Context(), audit.Record{Action: "x.y"}); err != nil {
		t.Errorf("write afterwards: %v", err)
	}
}

func TestTwoProcessesWriteOneChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	first, second := open(t, path), open(t, path)
	for i := range 40 {
		s := first
		if i%2 == 1 {
			s = second
		}
		if err := s.Audit().Append(t.Context(), audit.Record{Action: "x.y", Object: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
	}
	checkTrail(t, first, 40)
}

func TestFullDiskIsUnavailableAndHarmless(t *testing.T) {
	writer, reader, err := sqlite.Connections(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	s := sqlstore.New(sqlstore.SQLite(), writer, reader)
	defer s.Close()
	var pages int
	if err := writer.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.ExecContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count=%d`, pages+10)); err != nil {
		t.Fatal(err)
	}
	written := 0
	for err == nil {
		if err = s.Audit().Append(t.Context(), audit.Record{Action: "x.y", Details: map[string]string{"a": fmt.Sprintf("%2000d", written)}}); err == nil {
			written++
		}
	}
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("error is %v", err)
	}
	if _, err := writer.ExecContext(t.Context(), `PRAGMA max_page_count=100000`); err != nil {
		t.Fatal(err)
	}
	if err := s.Audit().Append(t.Context(), audit.Record{Action: "x.y"}); err != nil {
		t.Errorf("write afterwards: %v", err)
	}
	checkTrail(t, s, written+1)
}

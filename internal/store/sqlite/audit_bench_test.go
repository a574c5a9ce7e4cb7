package sqlite_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/trail"
)

const manyRecords = 1_000_000

// busyRecord is the n-th record of a site with 500 people, one of whom does half of everything, where one request in fifty is
// refused and keys are rotated a few times.
func busyRecord(n int64) audit.Record {
	r := audit.Record{
		Seq: n, Time: time.UnixMicro(1.7e15 + 30e6*n), Actor: fmt.Sprint("user", n%500), TokenID: fmt.Sprintf("%032x", n%10_000), Via: "token",
		Addr: "192.0.2.1", RequestID: fmt.Sprintf("%016x", n), Action: "node.update", Object: fmt.Sprintf("node/n%d", n%5000), Outcome: audit.Done,
		Details: map[string]string{"attributes": "rack=r7", "by": "a script"},
	}
	if n%2 == 0 {
		r.Actor = "scheduler"
	}
	r.Subject = r.Actor
	switch {
	case n%250_000 == 0:
		r.Action, r.Object = "key.rotate", "key/k1"
	case n%50 == 0:
		r.Action, r.Object, r.Outcome, r.Reason = "request.refuse", "GET /api/v1/nodes", audit.Refused, "permission NodesRead is required"
	case n%3 == 0:
		r.Action, r.Object = "token.create", fmt.Sprintf("token/%032x", n)
	}
	return r
}

// millionRecords opens a database with a real chain of records, written past the store in one transaction.
func millionRecords(b *testing.B) *sqlstore.Store {
	b.Helper()
	path := filepath.Join(b.TempDir(), "store.db")
	db, reader, err := sqlite.Connections(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	tx, err := db.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	insert, err := tx.PrepareContext(b.Context(), `INSERT INTO audit_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		b.Fatal(err)
	}
	defer insert.Close()
	hash := ""
	for n := int64(1); n <= manyRecords; n++ {
		r := busyRecord(n)
		if hash, err = audit.Chain(hash, r); err != nil {
			b.Fatal(err)
		}
		details, _ := json.Marshal(r.Details)
		if _, err := insert.ExecContext(b.Context(), r.Seq, r.Time.UnixMicro(), r.Actor, r.Subject, r.TokenID, r.Via, r.Addr, r.RequestID,
			r.Action, r.Object, string(r.Outcome), r.Reason, string(details), hash); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(tx.Commit(), reader.Close(), db.Close()); err != nil {
		b.Fatal(err)
	}
	if info, err := os.Stat(path); err == nil {
		b.Logf("%d MB on disk", info.Size()>>20)
	}
	return benchOpen(b, path)
}

// BenchmarkMillionRecords lists pages of 100 of a trail of a million records, and verifies all of it.
func BenchmarkMillionRecords(b *testing.B) {
	s := millionRecords(b)
	at := func(n int64) time.Time { return busyRecord(n).Time }
	for _, c := range []struct {
		name   string
		filter audit.Filter
		want   int
	}{
		{"first page", audit.Filter{}, 100},
		{"deep page", audit.Filter{Before: 400_000}, 100},
		{"ascending page", audit.Filter{Ascending: true, After: 600_000}, 100},
		{"who does much", audit.Filter{Who: "scheduler"}, 100},
		{"who does little", audit.Filter{Who: "user7"}, 100},
		{"who does little, deep", audit.Filter{Who: "user7", Before: 30_000}, 60},
		{"nobody", audit.Filter{Who: "nobody"}, 0},
		{"one's own of somebody", audit.Filter{Who: "user7", Mine: "user7"}, 100},
		{"common prefix", audit.Filter{Action: "token."}, 100},
		{"common prefix, deep", audit.Filter{Action: "token.", Before: 400_000}, 100},
		{"rare prefix", audit.Filter{Action: "key."}, 4},
		{"action", audit.Filter{Action: "node.update", Before: 500_000}, 100},
		{"object", audit.Filter{Object: "node/n77"}, 100},
		{"objects", audit.Filter{Object: "key/"}, 4},
		{"refused", audit.Filter{Outcome: audit.Refused}, 100},
		{"failed", audit.Filter{Outcome: audit.Failed}, 0},
		{"done by one, of tokens", audit.Filter{Who: "user7", Outcome: audit.Done, Action: "token."}, 100},
		{"token", audit.Filter{TokenID: fmt.Sprintf("%032x", 77)}, 100},
		{"request", audit.Filter{RequestID: fmt.Sprintf("%016x", 77)}, 1},
		{"last two hours", audit.Filter{Since: at(manyRecords - 239)}, 100},
		{"two hours long ago", audit.Filter{Since: at(500_000), Until: at(500_050)}, 51},
		{"since the beginning", audit.Filter{Since: at(1)}, 100},
		{"rare in a month", audit.Filter{Since: at(600_000), Until: at(690_000), Action: "key."}, 0},
		{"text that is there", audit.Filter{Text: "NodesRead"}, 100},
		{"text that is not", audit.Filter{Text: "nowhere"}, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				page, err := s.Trail().List(b.Context(), c.filter)
				if err != nil || len(page) != c.want {
					b.Fatalf("%d records, want %d, %v", len(page), c.want, err)
				}
			}
		})
	}
	b.Run("verify", func(b *testing.B) {
		service := trail.New(trail.Config{Log: s.Trail(), Clock: clock.System{}})
		for b.Loop() {
			report, err := service.Verify(b.Context(), identity.Local("root"), audit.Head{})
			if err != nil || report.Broken != nil || report.Walked != manyRecords {
				b.Fatal(report, err)
			}
		}
		b.ReportMetric(float64(b.N)*manyRecords/b.Elapsed().Seconds(), "records/s")
	})
}

// Package storetest holds what a store has to do, as tests that every database runs, and opens stores for other tests.
package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

// Database is one empty database under test.
type Database struct {
	Store *sqlstore.Store
	// Reopen closes the store and opens the same database again.
	Reopen func() *sqlstore.Store
	// Exec runs a statement past the store and returns its error.
	Exec func(statement string) error
	// Unguard lifts what protects audit records from changes, as somebody who has the database in his hands can.
	Unguard func()

	t *testing.T
}

// Run runs the whole suite; open makes a fresh database for each test.
func Run(t *testing.T, open func(t *testing.T) Database) {
	t.Helper()
	groups := []struct {
		name  string
		tests map[string]func(db Database)
	}{
		{"User", userTests()},
		{"Role", roleTests()},
		{"Token", tokenTests()},
		{"SigningKey", signingKeyTests()},
		{"Session", sessionTests()},
		{"Binding", bindingTests()},
		{"Factor", factorTests()},
		{"Audit", auditTests()},
		{"Job", jobTests()},
		{"JobList", jobListTests()},
		{"Node", nodeTests()},
		{"Group", groupTests()},
		{"Whole", wholeTests()},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for name, test := range g.tests {
				t.Run(name, func(t *testing.T) {
					db := open(t)
					db.t = t
					test(db)
				})
			}
		})
	}
}

// noon is when everything in these tests happens, give or take. It has microseconds, as stores keep them.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC) }

// record begins the audit record of a change.
func record(action, object string) audit.Record {
	return audit.Record{
		Time: noon(), Actor: "root", Subject: "root", Via: "command", RequestID: "req-1",
		Action: action, Object: object, Outcome: audit.Done,
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one of kind %q", kind)
	}
	if got := fault.KindOf(err); got != kind {
		t.Fatalf("error has kind %q, want %q: %v", got, kind, err)
	}
}

// same compares what was read with what was written. NaN equals NaN.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Fatalf("%s differ (-want +got):\n%s", what, diff)
	}
}

// trailOf returns the whole audit trail, oldest first, and fails when its chain is broken.
func trailOf(t *testing.T, s *sqlstore.Store) []audit.Record {
	t.Helper()
	newest, err := s.Audit().List(t.Context(), audit.Filter{Limit: 1 << 20})
	must(t, err)
	records := make([]audit.Record, 0, len(newest))
	for i := len(newest) - 1; i >= 0; i-- {
		records = append(records, newest[i])
	}
	broken, err := audit.Verify("", records)
	must(t, err)
	if broken != 0 {
		t.Fatalf("the audit chain is broken at record %d of %d", broken, len(records))
	}
	return records
}

// wantLast fails unless the trail's last record is of that action.
func wantLast(t *testing.T, s *sqlstore.Store, action string) audit.Record {
	t.Helper()
	records := trailOf(t, s)
	if len(records) == 0 {
		t.Fatalf("the audit trail is empty, want %s", action)
	}
	last := records[len(records)-1]
	if last.Action != action {
		t.Fatalf("the last audit record is %s, want %s", last.Action, action)
	}
	return last
}

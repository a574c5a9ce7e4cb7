package sqlstore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func TestPlaceholdersAreNumberedOutsideOfQuotes(t *testing.T) {
	numbered := sqlstore.Dialect{Numbered: true}
	for query, want := range map[string]string{
		`SELECT 1`:                          `SELECT 1`,
		`a = ? AND b IN (?, ?)`:             `a = $1 AND b IN ($2, $3)`,
		`a = '?' AND b = ?`:                 `a = '?' AND b = $1`,
		`a = 'it''s ?' AND b = ?`:           `a = 'it''s ?' AND b = $1`,
		`LIKE ? ESCAPE '\' AND å = ?`:       `LIKE $1 ESCAPE '\' AND å = $2`,
		`?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`:   `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11`,
		`x = CASE WHEN '' = ? THEN ? END--`: `x = CASE WHEN '' = $1 THEN $2 END--`,
	} {
		if got := numbered.Rebind(query); got != want {
			t.Errorf("%q became %q, want %q", query, got, want)
		}
		if got := sqlstore.SQLite().Rebind(query); got != query {
			t.Errorf("SQLite's %q became %q", query, got)
		}
	}
}

// coded is an error as SQLite's driver makes them.
type coded int

func (c coded) Error() string {
	return fmt.Sprintf("UNIQUE constraint failed: users.name (%d)", int(c))
}
func (c coded) Code() int { return int(c) }

func TestKindsComeFromCodesNotTexts(t *testing.T) {
	d := sqlstore.SQLite()
	for code, want := range map[coded]fault.Kind{
		2067:         fault.Conflict,    // unique
		1555:         fault.Conflict,    // primary key
		787:          fault.Conflict,    // foreign key
		5:            fault.Unavailable, // busy
		5 | 1<<8:     fault.Unavailable, // busy, recovery
		5 | 2<<8:     fault.Unavailable, // busy, snapshot
		13:           fault.Unavailable, // full
		1:            fault.Internal,
		11:           fault.Internal, // corrupt
		1299:         fault.Internal, // not null
		1811:         fault.Internal, // trigger
		10 | 13<<8:   fault.Internal, // an I/O error whose extension looks like full
		2067 | 1<<16: fault.Internal,
	} {
		err := d.Fault(fmt.Errorf("wrapped: %w", code))
		if got := fault.KindOf(err); got != want {
			t.Errorf("code %d is %q, want %q", int(code), got, want)
		}
		if !errors.Is(err, code) {
			t.Errorf("code %d: the cause is lost", int(code))
		}
		if want != fault.Internal && fault.Message(err) == code.Error() {
			t.Errorf("code %d: the driver's text is public", int(code))
		}
	}
	if d.Fault(nil) != nil {
		t.Error("no error became one")
	}
	plain := errors.New("UNIQUE constraint failed")
	if got := d.Fault(plain); !errors.Is(got, plain) || fault.KindOf(got) != fault.Internal {
		t.Errorf("an error without a code became %v", got)
	}
}

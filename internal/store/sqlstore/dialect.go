package sqlstore

import (
	"errors"
	"strconv"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// Dialect is what differs between the databases. Everything else in this package is SQL that they share: upserts by ON
// CONFLICT, RETURNING, row values, NULLS LAST and ->> for a member of a JSON value.
type Dialect struct {
	// Name is what messages call the database.
	Name string
	// Numbered says that the placeholders are $1, $2 and so on. Statements are written with question marks.
	Numbered bool
	// Code returns the database's own code of an error, "" when the error is not the database's. Drivers' texts change
	// between releases; codes do not.
	Code func(err error) string
	// Analyze renews the statistics that query plans are made by, in little time.
	Analyze string
	// Kinds says what the codes mean. A code that is not there is fault.Internal.
	Kinds map[string]Meaning
}

// Meaning is what a database's error code means to a caller.
type Meaning struct {
	Kind    fault.Kind
	Message string
}

// The codes of SQLite that have a meaning here (https://sqlite.org/rescode.html).
const (
	sqliteBusy       = 5
	sqliteFull       = 13
	sqliteForeignKey = 787
	sqlitePrimaryKey = 1555
	sqliteUnique     = 2067
)

// SQLite is the dialect of SQLite.
func SQLite() Dialect {
	taken := Meaning{fault.Conflict, "it exists already"}
	return Dialect{
		Name:    "SQLite",
		Analyze: `PRAGMA optimize = 0x10002`, // all tables that need it, a limited number of rows each
		Code: func(err error) string {
			var coded interface{ Code() int }
			if !errors.As(err, &coded) {
				return ""
			}
			code := coded.Code()
			if code&0xff == sqliteBusy { // with any extension
				code = sqliteBusy
			}
			return strconv.Itoa(code)
		},
		Kinds: map[string]Meaning{
			strconv.Itoa(sqliteUnique):     taken,
			strconv.Itoa(sqlitePrimaryKey): taken,
			strconv.Itoa(sqliteForeignKey): {fault.Conflict, "it refers to something that does not exist, or is referred to"},
			strconv.Itoa(sqliteBusy):       {fault.Unavailable, "the database is busy; try again"},
			strconv.Itoa(sqliteFull):       {fault.Unavailable, "the database has no space left"},
		},
	}
}

// fault gives an error of the driver its kind. Others, and nil, pass as they are.
func (d Dialect) fault(err error) error {
	if err == nil {
		return nil
	}
	if m, ok := d.Kinds[d.Code(err)]; ok {
		return fault.Because(m.Kind, err, "%s", m.Message)
	}
	return err
}

// rebind puts the database's placeholders in place of question marks. A question mark inside quotes stays.
func (d Dialect) rebind(query string) string {
	if !d.Numbered {
		return query
	}
	var b strings.Builder
	n, quoted := 0, false
	for _, r := range query {
		if r == '\'' {
			quoted = !quoted
		}
		if r != '?' || quoted {
			b.WriteRune(r)
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	return b.String()
}

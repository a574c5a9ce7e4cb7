package storetest

import (
	"strconv"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// testAuditPages walks the trail as a verifier does that keeps one page in memory, before and after a forgery.
func testAuditPages(db Database) {
	t := db.t
	for i := range 25 {
		appendAudit(t, db.Store, record("x.y", strconv.Itoa(i)))
	}
	walk := func() (seen int, broken int64) {
		var last audit.Record
		for {
			page, err := db.Store.Audit().List(t.Context(), audit.Filter{Ascending: true, After: last.Seq, Limit: 7})
			must(t, err)
			if len(page) == 0 {
				return seen, 0
			}
			if broken, err = audit.Verify(last.Hash, page); broken != 0 || err != nil {
				must(t, err)
				return seen, broken
			}
			seen, last = seen+len(page), page[len(page)-1]
		}
	}
	if seen, broken := walk(); seen != 25 || broken != 0 {
		t.Fatalf("of 25 records %d were seen, broken at %d", seen, broken)
	}
	db.Unguard()
	must(t, db.Exec(`UPDATE audit_records SET actor = 'forged' WHERE seq = 15`)) // the first of a page
	if _, broken := walk(); broken != 15 {
		t.Errorf("the chain breaks at %d, want 15", broken)
	}
}

func testAuditAppendOnly(db Database) {
	t := db.t
	appendAudit(t, db.Store, record("x.y", "z"))
	for _, statement := range []string{
		`UPDATE audit_records SET reason = 'x'`,
		`DELETE FROM audit_records`,
		`INSERT INTO audit_records SELECT seq + 7, time, actor, subject, token_id, via, addr, request_id, action, object, outcome, reason, details, hash FROM audit_records`,
	} {
		if err := db.Exec(statement); err == nil {
			t.Errorf("%q was accepted", statement)
		}
	}
	if n := len(trailOf(t, db.Store)); n != 1 {
		t.Fatalf("%d records, want 1", n)
	}
}

func testAuditTamper(db Database) {
	t := db.t
	for _, object := range []string{"a", "b", "c"} {
		appendAudit(t, db.Store, record("x.y", object))
	}
	db.Unguard()
	must(t, db.Exec(`UPDATE audit_records SET object = 'forged' WHERE seq = 2`))
	records, err := db.Store.Audit().List(t.Context(), audit.Filter{})
	must(t, err)
	broken, err := audit.Verify("", []audit.Record{records[2], records[1], records[0]})
	must(t, err)
	if broken != 2 {
		t.Fatalf("the chain breaks at %d, want 2", broken)
	}
}

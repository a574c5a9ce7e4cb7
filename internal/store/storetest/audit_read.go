package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

func testAuditBounded(db Database) {
	t := db.t
	r := record("x.y", strings.Repeat("x", 1_000_000))
	r.Details = map[string]string{"k": strings.Repeat("é", 1_000_000)}
	for i := range 1000 {
		r.Details[strconv.Itoa(i)] = strings.Repeat("x", 1000)
	}
	appendAudit(t, db.Store, r)
	got := trailOf(t, db.Store)[0]
	if size := len(audit.Line(got)); size > 200_000 {
		t.Errorf("the record has %d bytes", size)
	}
	same(t, "record", got.Bounded(), got)
}

func testAuditHead(db Database) {
	t := db.t
	h, err := db.Store.Trail().Head(t.Context())
	must(t, err)
	same(t, "head of nothing", h, audit.Head{})
	for range 3 {
		appendAudit(t, db.Store, record("x.y", "z"))
	}
	last := wantLast(t, db.Store, "x.y")
	h, err = db.Store.Trail().Head(t.Context())
	must(t, err)
	same(t, "head", h, audit.Head{Seq: 3, Hash: last.Hash, Time: last.Time})
}

func testAuditCursors(db Database) {
	t := db.t
	s := db.Store.Trail()
	want := func(receiver string, seq int64) {
		t.Helper()
		got, err := s.GetCursor(t.Context(), receiver)
		must(t, err)
		if got != seq {
			t.Errorf("%s is at %d, want %d", receiver, got, seq)
		}
	}
	want("file", 0)
	must(t, s.SetCursor(t.Context(), "file", 7))
	must(t, s.SetCursor(t.Context(), "syslog", 9))
	must(t, s.SetCursor(t.Context(), "file", 8))
	want("file", 8)
	s = db.Reopen().Trail()
	want("file", 8)
	want("syslog", 9)
}

// testAuditAppended: what is committed wakes, what is undone or leaves no record does not.
func testAuditAppended(db Database) {
	t := db.t
	s := db.Store
	woken := func(do func() error) bool {
		t.Helper()
		bell := s.Trail().Appended()
		must(t, do())
		select {
		case <-bell:
			return true
		default:
			return false
		}
	}
	if !woken(func() error { return s.Audit().Append(t.Context(), record("x.y", "z")) }) {
		t.Error("a record did not wake")
	}
	if !woken(func() error {
		return s.Users().CreateUser(t.Context(), sampleUser("alice"), record("user.create", "user/alice"))
	}) {
		t.Error("a change with a record did not wake")
	}
	if woken(func() error {
		if err := s.Users().CreateUser(t.Context(), sampleUser("alice"), record("user.create", "user/alice")); err == nil {
			t.Error("the same user was made twice")
		}
		return nil
	}) {
		t.Error("a change that was undone woke")
	}
	if woken(func() error { return s.Trail().SetCursor(t.Context(), "file", 1) }) {
		t.Error("a change without a record woke")
	}
}

// testAuditBothWays: whatever is selected, the pages of one direction are those of the other one, turned around.
func testAuditBothWays(db Database) {
	t := db.t
	for i := range 40 {
		r := record([]string{"user.login", "node.update", "token.create"}[i%3], fmt.Sprintf("node/n%d", i%7))
		r.Actor, r.Subject = fmt.Sprint("u", i%4), fmt.Sprint("u", i%5)
		r.Time = noon().Add(time.Duration(i) * time.Minute)
		if i%6 == 0 {
			r.Outcome = audit.Refused
		}
		appendAudit(t, db.Store, r)
	}
	for name, f := range map[string]audit.Filter{
		"all": {}, "who": {Who: "u1"}, "prefix": {Action: "token."}, "objects": {Object: "node/"}, "refused": {Outcome: audit.Refused}, "text": {Text: "n3"},
		"mine": {Mine: "u2", Action: "user."}, "times": {Since: noon().Add(10 * time.Minute), Until: noon().Add(30 * time.Minute)},
	} {
		f.Limit = 3
		down := walkAudit(db, f)
		f.Ascending = true
		up := walkAudit(db, f)
		slices.Reverse(down)
		if len(up) == 0 || !slices.Equal(up, down) || !slices.IsSorted(up) {
			t.Errorf("%s: up %v, down %v", name, up, down)
		}
	}
}

// walkAudit returns the places of all records, page by page.
func walkAudit(db Database, f audit.Filter) []int64 {
	db.t.Helper()
	var all []int64
	for {
		page, err := db.Store.Audit().List(db.t.Context(), f)
		must(db.t, err)
		if len(page) == 0 {
			return all
		}
		for _, r := range page {
			all = append(all, r.Seq)
		}
		if last := page[len(page)-1].Seq; f.Ascending {
			f.After = last
		} else {
			f.Before = last
		}
	}
}

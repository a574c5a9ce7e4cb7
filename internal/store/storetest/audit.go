package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func auditTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComesBackAsWritten":           testAuditRoundTrip,
		"ChainHoldsForAnyText":         testAuditText,
		"ListSelectsNewestFirst":       testAuditList,
		"LimitIs100UnlessTold":         testAuditLimit,
		"AscendingPagesCanBeVerified":  testAuditPages,
		"RecordsCannotBeChanged":       testAuditAppendOnly,
		"TamperingBreaksTheChain":      testAuditTamper,
		"EmptyTrailIsEmptyListNoError": testAuditEmpty,
		"LongTextIsCut":                testAuditBounded,
		"HeadIsTheLastRecord":          testAuditHead,
		"CursorsAreKept":               testAuditCursors,
		"WhoWaitsIsWoken":              testAuditAppended,
		"PagesMeetBothWays":            testAuditBothWays,
	}
}

func appendAudit(t *testing.T, s *sqlstore.Store, r audit.Record) {
	t.Helper()
	must(t, s.Audit().Append(t.Context(), r))
}

func testAuditRoundTrip(db Database) {
	t := db.t
	want := audit.Record{
		Time: noon(), Actor: "alice", Subject: "bob", TokenID: "jti", Via: "token", Addr: "192.0.2.1", RequestID: "r",
		Action: "node.update", Object: "node/n1", Outcome: audit.Refused, Reason: "no permission", Details: map[string]string{"a": "b"},
	}
	appendAudit(t, db.Store, want)
	got := wantLast(t, db.Store, "node.update")
	if got.Hash == "" {
		t.Error("the record has no hash")
	}
	want.Seq, want.Hash = 1, got.Hash
	same(t, "records", got, want)
}

func testAuditText(db Database) {
	t := db.t
	for _, text := range []string{"", "plain", "\x00", "bad \xff\xfe utf-8", "\u2028 <&> \"quoted\" '", strings.Repeat("x", 100_000)} {
		r := record("x.y", text)
		r.Reason, r.RequestID, r.Actor = text, text, text
		r.Details = map[string]string{"k" + text: text}
		appendAudit(t, db.Store, r)
	}
	r := record("x.y", "x")
	r.Details = map[string]string{}
	r.Time = time.Date(1969, 1, 1, 0, 0, 0, 999, time.FixedZone("x", 3600))
	appendAudit(t, db.Store, r)
	if n := len(trailOf(t, db.Store)); n != 7 {
		t.Fatalf("%d records, want 7", n)
	}
}

func testAuditList(db Database) {
	t := db.t
	for i, r := range []audit.Record{
		{Actor: "alice", Subject: "alice", Action: "user.create", Object: "user/a", Outcome: audit.Done, RequestID: "r1"},
		{Actor: "bob", Subject: "alice", Action: "user.delete", Object: "user/a", Outcome: audit.Refused, Reason: "No Permission for 100%", TokenID: "t1"},
		{Actor: "bob", Subject: "bob", Action: "users.list", Object: "user/b", Outcome: audit.Done, TokenID: "t1", RequestID: "r2"},
		{Actor: "carol", Subject: "carol", Action: "token.create", Object: "token/t", Outcome: audit.Failed, Details: map[string]string{"Name": "Night_Shift"}},
	} {
		r.Time = noon().Add(time.Duration(i) * time.Minute)
		appendAudit(t, db.Store, r)
	}
	for name, c := range map[string]struct {
		filter audit.Filter
		want   []int64
	}{
		"everything":      {audit.Filter{}, []int64{4, 3, 2, 1}},
		"since":           {audit.Filter{Since: noon().Add(2 * time.Minute)}, []int64{4, 3}},
		"until":           {audit.Filter{Until: noon().Add(time.Minute)}, []int64{2, 1}},
		"who is actor":    {audit.Filter{Who: "bob"}, []int64{3, 2}},
		"who is subject":  {audit.Filter{Who: "alice"}, []int64{2, 1}},
		"exact action":    {audit.Filter{Action: "user.create"}, []int64{1}},
		"prefix":          {audit.Filter{Action: "user."}, []int64{2, 1}},
		"no prefix":       {audit.Filter{Action: "user"}, nil},
		"object":          {audit.Filter{Object: "user/a"}, []int64{2, 1}},
		"outcome":         {audit.Filter{Outcome: audit.Failed}, []int64{4}},
		"after":           {audit.Filter{After: 2}, []int64{4, 3}},
		"limit":           {audit.Filter{Limit: 1}, []int64{4}},
		"ascending":       {audit.Filter{Ascending: true}, []int64{1, 2, 3, 4}},
		"a page of it":    {audit.Filter{Ascending: true, After: 1, Limit: 2}, []int64{2, 3}},
		"some of a page":  {audit.Filter{Ascending: true, After: 1, Limit: 1, Who: "carol"}, []int64{4}},
		"all at once":     {audit.Filter{Who: "bob", Outcome: audit.Done, Action: "users."}, []int64{3}},
		"a % is no joker": {audit.Filter{Action: "%."}, nil},

		"actor":                     {audit.Filter{Actor: "bob"}, []int64{3, 2}},
		"subject":                   {audit.Filter{Subject: "alice"}, []int64{2, 1}},
		"actor as subject":          {audit.Filter{Actor: "bob", Subject: "alice"}, []int64{2}},
		"mine":                      {audit.Filter{Mine: "alice"}, []int64{2, 1}},
		"mine of somebody":          {audit.Filter{Mine: "alice", Who: "bob"}, []int64{2}},
		"mine of myself":            {audit.Filter{Mine: "bob", Who: "bob"}, []int64{3, 2}},
		"mine, refused":             {audit.Filter{Mine: "bob", Outcome: audit.Refused}, []int64{2}},
		"who, one":                  {audit.Filter{Who: "bob", Limit: 1}, []int64{3}},
		"who, the first":            {audit.Filter{Who: "bob", Limit: 1, Ascending: true}, []int64{2}},
		"who, the next":             {audit.Filter{Who: "alice", Limit: 1, Before: 2}, []int64{1}},
		"before":                    {audit.Filter{Before: 3}, []int64{2, 1}},
		"between":                   {audit.Filter{After: 1, Before: 4}, []int64{3, 2}},
		"objects":                   {audit.Filter{Object: "user/"}, []int64{3, 2, 1}},
		"no objects":                {audit.Filter{Object: "use"}, nil},
		"token":                     {audit.Filter{TokenID: "t1"}, []int64{3, 2}},
		"request":                   {audit.Filter{RequestID: "r2"}, []int64{3}},
		"token and request":         {audit.Filter{TokenID: "t1", RequestID: "r1"}, nil},
		"refused":                   {audit.Filter{Outcome: audit.Refused}, []int64{2}},
		"text in the reason":        {audit.Filter{Text: "no permission"}, []int64{2}},
		"text in an object":         {audit.Filter{Text: "USER/"}, []int64{3, 2, 1}},
		"text in the details":       {audit.Filter{Text: "night_shift"}, []int64{4}},
		"no joker in a text":        {audit.Filter{Text: "user%a"}, nil},
		"a text with one":           {audit.Filter{Text: "100%"}, []int64{2}},
		"since and until":           {audit.Filter{Since: noon().Add(time.Minute), Until: noon().Add(2 * time.Minute)}, []int64{3, 2}},
		"since, after all":          {audit.Filter{Since: noon().Add(time.Hour)}, nil},
		"until, before all":         {audit.Filter{Until: noon().Add(-time.Hour)}, nil},
		"since, ascending, one":     {audit.Filter{Since: noon().Add(time.Minute), Ascending: true, Limit: 1}, []int64{2}},
		"everything, and all of it": {audit.Filter{Mine: "bob", Who: "alice", Actor: "bob", Subject: "alice", Action: "user.", Object: "user/", Outcome: audit.Refused, TokenID: "t1", Text: "perm", Since: noon(), Until: noon().Add(time.Hour), After: 1, Before: 3, Limit: 9, Ascending: true}, []int64{2}},
	} {
		t.Run(name, func(t *testing.T) {
			records, err := db.Store.Audit().List(t.Context(), c.filter)
			must(t, err)
			var got []int64
			for _, r := range records {
				got = append(got, r.Seq)
			}
			same(t, "records", got, c.want)
		})
	}
}

func testAuditLimit(db Database) {
	t := db.t
	for range 101 {
		appendAudit(t, db.Store, record("x.y", "z"))
	}
	records, err := db.Store.Audit().List(t.Context(), audit.Filter{})
	must(t, err)
	if len(records) != 100 {
		t.Fatalf("%d records, want 100", len(records))
	}
}

func testAuditEmpty(db Database) {
	t := db.t
	records, err := db.Store.Audit().List(t.Context(), audit.Filter{})
	must(t, err)
	if len(records) != 0 {
		t.Fatalf("%d records in an empty database", len(records))
	}
}

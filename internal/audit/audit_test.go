package audit_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// trail returns n chained records.
func trail(tb testing.TB, n int) []audit.Record {
	tb.Helper()
	prev := ""
	var records []audit.Record
	for i := range n {
		r := audit.Record{
			Seq: int64(i + 1), Time: time.Date(2026, 7, 1, 12, i, 0, 5000, time.UTC), Actor: "admin", Subject: "ProdEng", TokenID: "t1", Via: "token",
			Addr: "192.0.2.1", RequestID: "r1", Action: "node.update", Object: "node/n1", Outcome: audit.Done, Reason: "none",
			Details: map[string]string{"b": "2", "a": "1"},
		}
		hash, err := audit.Chain(prev, r)
		if err != nil {
			tb.Fatal(err)
		}
		r.Hash, prev = hash, hash
		records = append(records, r)
	}
	return records
}

func TestUntouchedChainHolds(t *testing.T) {
	t.Parallel()
	records := trail(t, 10)
	if seq, err := audit.Verify("", records); seq != 0 || err != nil {
		t.Errorf("broken at %d, %v", seq, err)
	}
	if seq, err := audit.Verify(records[3].Hash, records[4:]); seq != 0 || err != nil {
		t.Errorf("the end alone: broken at %d, %v", seq, err)
	}
	// The same moment in another zone, and more exactly than a store keeps it, is the same record.
	records[5].Time = records[5].Time.In(time.FixedZone("", 3600)).Add(999 * time.Nanosecond)
	if seq, err := audit.Verify("", records); seq != 0 || err != nil {
		t.Errorf("other zone: broken at %d, %v", seq, err)
	}
}

// TestEveryFieldIsCovered changes each field of a record, found by reflection, so that a new one cannot be forgotten.
func TestEveryFieldIsCovered(t *testing.T) {
	t.Parallel()
	for i := range reflect.TypeFor[audit.Record]().NumField() {
		records := trail(t, 5)
		f := reflect.ValueOf(&records[2]).Elem().Field(i)
		switch v := f.Addr().Interface().(type) {
		case *int64:
			*v += 100
		case *string:
			*v += "x"
		case *audit.Outcome:
			*v = audit.Failed
		case *time.Time:
			*v = v.Add(time.Microsecond)
		case *map[string]string:
			*v = map[string]string{"a": "1", "b": "3"}
		default:
			t.Fatalf("no test for a field of type %s", f.Type())
		}
		if seq, err := audit.Verify("", records); seq != records[2].Seq || err != nil {
			t.Errorf("changed %s: broken at %d, %v", reflect.TypeFor[audit.Record]().Field(i).Name, seq, err)
		}
	}
}

func TestRemovedAddedAndSwappedRecordsBreakTheChain(t *testing.T) {
	t.Parallel()
	records := trail(t, 10)
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(records)-2).Draw(t, "i")
		var broken []audit.Record
		switch rapid.SampledFrom([]string{"remove", "repeat", "swap"}).Draw(t, "how") {
		case "remove":
			broken = slices.Delete(slices.Clone(records), i, i+1)
		case "repeat":
			broken = slices.Insert(slices.Clone(records), i, records[i])
		case "swap":
			broken = slices.Clone(records)
			broken[i], broken[i+1] = broken[i+1], broken[i]
		}
		if seq, err := audit.Verify("", broken); seq == 0 || err != nil {
			t.Fatalf("holds, %v", err)
		}
	})
}

// TestFieldsDoNotRunIntoEachOther moves text from one field to the next.
func TestFieldsDoNotRunIntoEachOther(t *testing.T) {
	t.Parallel()
	a, errA := audit.Chain("", audit.Record{Actor: "ab", Subject: "c"})
	b, errB := audit.Chain("", audit.Record{Actor: "a", Subject: "bc"})
	if a == b || errA != nil || errB != nil {
		t.Error("two records have one hash")
	}
}

func ExampleVerify() {
	r := audit.Record{Seq: 1, Actor: "admin", Action: "user.delete", Object: "user/eve", Outcome: audit.Done}
	hash, err := audit.Chain("", r)
	if err != nil {
		panic(err)
	}
	r.Hash = hash
	fmt.Println(audit.Verify("", []audit.Record{r}))
	r.Actor = "somebody else"
	fmt.Println(audit.Verify("", []audit.Record{r}))
	// Output:
	// 0 <nil>
	// 1 <nil>
}

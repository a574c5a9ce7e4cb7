package audit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// walk adds records until one does not follow.
func walk(v *audit.Verifier, records []audit.Record) error {
	for _, r := range records {
		if err := v.Add(r); err != nil {
			return err
		}
	}
	return v.End()
}

func TestVerifierSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	whole := trail(t, 10)
	headAt := func(i int) audit.Head { return audit.Head{Seq: whole[i].Seq, Hash: whole[i].Hash, Time: whole[i].Time} }
	altered := func(i int) []audit.Record {
		records := slices.Clone(whole)
		records[i].Reason = "altered"
		return records
	}
	rewritten := rechained(t, altered(3))
	for name, c := range map[string]struct {
		verifier *audit.Verifier
		records  []audit.Record
		seq      int64
		what     audit.Break
		text     string
	}{
		"whole":                    {audit.NewVerifier(audit.Head{}), whole, 0, "", ""},
		"empty":                    {audit.NewVerifier(audit.Head{}), nil, 0, "", ""},
		"its end":                  {audit.NewVerifier(headAt(3)), whole[4:], 0, "", ""},
		"altered":                  {audit.NewVerifier(audit.Head{}), altered(4), 5, audit.BrokenHash, "record 5 does not match its hash"},
		"first altered":            {audit.NewVerifier(audit.Head{}), altered(0), 1, audit.BrokenHash, "record 1 "},
		"last altered":             {audit.NewVerifier(audit.Head{}), altered(9), 10, audit.BrokenHash, "record 10 "},
		"removed":                  {audit.NewVerifier(audit.Head{}), slices.Delete(slices.Clone(whole), 3, 5), 6, audit.BrokenGap, "records 4 to 5 are missing"},
		"beginning removed":        {audit.NewVerifier(audit.Head{}), whole[2:], 3, audit.BrokenGap, "records 1 to 2 are missing"},
		"repeated":                 {audit.NewVerifier(audit.Head{}), slices.Insert(slices.Clone(whole), 4, whole[3]), 4, audit.BrokenOrder, "record 4 comes after record 4"},
		"swapped":                  {audit.NewVerifier(audit.Head{}), swapped(whole, 6), 8, audit.BrokenGap, ""},
		"before the beginning":     {audit.NewVerifier(audit.Head{}), []audit.Record{{Seq: 0}}, 0, audit.BrokenOrder, ""},
		"rewritten":                {audit.NewVerifier(audit.Head{}), rewritten, 0, "", ""},
		"rewritten, head noted":    {noted(headAt(6)), rewritten, 7, audit.BrokenHead, "written anew"},
		"rewritten after the head": {noted(headAt(2)), rewritten, 0, "", ""},
		"cut off":                  {audit.NewVerifier(audit.Head{}), whole[:6], 0, "", ""},
		"cut off, head noted":      {noted(headAt(9)), whole[:6], 10, audit.BrokenEnd, "ends with record 6, but record 10 was noted down"},
		"head noted, longer since": {noted(headAt(5)), whole, 0, "", ""},
		"an export of a part":      {trusting(), whole[4:], 0, "", ""},
		"a part, first altered":    {trusting(), altered(4)[4:], 0, "", ""},
		"a part, second altered":   {trusting(), altered(5)[4:], 6, audit.BrokenHash, ""},
		"a part from the first":    {trusting(), altered(0), 1, audit.BrokenHash, ""},
	} {
		err := walk(c.verifier, c.records)
		var broken *audit.BrokenError
		if c.what == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.As(err, &broken) || broken.Seq != c.seq || broken.Break != c.what || !strings.Contains(broken.Error(), c.text) {
			t.Errorf("%s: %v, want %s of record %d: %s", name, err, c.what, c.seq, c.text)
		}
	}
}

// rechained is what a forger does who can compute hashes.
func rechained(tb testing.TB, records []audit.Record) []audit.Record {
	tb.Helper()
	prev := ""
	for i := range records {
		var err error
		if prev, err = audit.Chain(prev, records[i]); err != nil {
			tb.Fatal(err)
		}
		records[i].Hash = prev
	}
	return records
}

func swapped(records []audit.Record, i int) []audit.Record {
	records = slices.Clone(records)
	records[i], records[i+1] = records[i+1], records[i]
	return records
}

func noted(h audit.Head) *audit.Verifier {
	v := audit.NewVerifier(audit.Head{})
	v.Noted = h
	return v
}

func trusting() *audit.Verifier {
	v := audit.NewVerifier(audit.Head{})
	v.TrustFirst()
	return v
}

func TestVerifierCountsWhatFollows(t *testing.T) {
	t.Parallel()
	records := trail(t, 5)
	records[3].Actor = "forged"
	v := audit.NewVerifier(audit.Head{})
	if err := walk(v, records); err == nil {
		t.Fatal("the forgery passed")
	}
	if v.Walked() != 3 || v.Head().Seq != 3 || v.Head().Hash != records[2].Hash {
		t.Errorf("walked %d, head %+v", v.Walked(), v.Head())
	}
}

// TestVerifierAgreesWithVerify on whatever is done to a trail that keeps its order.
func TestVerifierAgreesWithVerify(t *testing.T) {
	t.Parallel()
	records := trail(t, 12)
	rapid.Check(t, func(t *rapid.T) {
		changed := slices.Clone(records)
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			changed[rapid.IntRange(0, len(changed)-1).Draw(t, "at")].Actor = rapid.SampledFrom([]string{"admin", "x"}).Draw(t, "actor")
		}
		broken, err := audit.Verify("", changed)
		if err != nil {
			t.Fatal(err)
		}
		var why *audit.BrokenError
		if err := walk(audit.NewVerifier(audit.Head{}), changed); broken == 0 && err != nil || broken != 0 && (!errors.As(err, &why) || why.Seq != broken) {
			t.Fatalf("Verify says %d, the verifier %v", broken, err)
		}
	})
}

func ExampleVerifier() {
	first := audit.Record{Seq: 1, Actor: "admin", Action: "user.delete", Object: "user/eve", Outcome: audit.Done}
	first.Hash, _ = audit.Chain("", first)
	v := audit.NewVerifier(audit.Head{})
	v.Noted = audit.Head{Seq: 2, Hash: "noted down on paper"}
	fmt.Println(v.Add(first))
	fmt.Println(v.End())
	// Output:
	// <nil>
	// the trail ends with record 1, but record 2 was noted down: its end has been cut off
}

package audit_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

func TestLineIsTheWholeRecord(t *testing.T) {
	t.Parallel()
	r := trail(t, 1)[0]
	r.Reason = "<b>&\u2028\x1b\"é"
	const want = `{"ts":"2026-07-01T12:00:00.000005Z","seq":1,"actor":"admin","subject":"ProdEng","token_id":"t1","via":"token","addr":"192.0.2.1",` +
		`"request_id":"r1","action":"node.update","object":"node/n1","outcome":"done","reason":"<b>&\u2028\u001b\"é","details":{"a":"1","b":"2"},"hash":"`
	if got := string(audit.Line(r)); got != strings.ReplaceAll(want, `\u001b"`, `\u001b\"`)+r.Hash+`"}` {
		t.Errorf("got %s", got)
	}
	if got := string(audit.Line(audit.Record{})); !strings.Contains(got, `"details":null`) {
		t.Errorf("got %s", got)
	}
}

// TestLinesComeBackAsTheyWere holds for any record that a store can hold, and its hash holds as well.
func TestLinesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	text := rapid.String()
	rapid.Check(t, func(t *rapid.T) {
		r := audit.Record{
			Seq: rapid.Int64().Draw(t, "seq"), Time: time.UnixMicro(rapid.Int64Range(-6e16, 2.5e17).Draw(t, "time")).UTC(),
			Actor: text.Draw(t, "actor"), Subject: text.Draw(t, "subject"), TokenID: text.Draw(t, "token"), Via: text.Draw(t, "via"),
			Addr: text.Draw(t, "addr"), RequestID: text.Draw(t, "request"), Action: text.Draw(t, "action"), Object: text.Draw(t, "object"),
			Outcome: audit.Outcome(text.Draw(t, "outcome")), Reason: text.Draw(t, "reason"), Details: rapid.MapOf(text, text).Draw(t, "details"),
			Hash: text.Draw(t, "hash"),
		}.Bounded()
		line := audit.Line(r)
		back, err := audit.ParseLine(line)
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if diff := cmp.Diff(r, back); diff != "" {
			t.Fatal(diff)
		}
		before, err1 := audit.Chain("x", r)
		after, err2 := audit.Chain("x", back)
		if before != after || err1 != nil || err2 != nil {
			t.Fatalf("the hash differs: %v, %v", err1, err2)
		}
	})
}

func TestOnlyTheBytesOfLineAreALine(t *testing.T) {
	t.Parallel()
	good := string(audit.Line(trail(t, 1)[0]))
	if _, err := audit.ParseLine([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":          "",
		"null":             "null",
		"no object":        `["x"]`,
		"a blank":          good + " ",
		"a line break":     good + "\n",
		"two":              good + good,
		"cut":              good[:len(good)-1],
		"unknown field":    strings.Replace(good, `"seq"`, `"x":1,"seq"`, 1),
		"missing field":    strings.Replace(good, `"reason":"none",`, ``, 1),
		"twice":            strings.Replace(good, `"seq":1`, `"seq":2,"seq":1`, 1),
		"other case":       strings.Replace(good, `"seq"`, `"Seq"`, 1),
		"number as text":   strings.Replace(good, `"seq":1`, `"seq":"1"`, 1),
		"decimals":         strings.Replace(good, `"seq":1`, `"seq":1.0`, 1),
		"another zone":     strings.Replace(good, `000005Z`, `000005+00:00`, 1),
		"fewer decimals":   strings.Replace(good, `.000005Z`, `.0Z`, 1),
		"escaped letter":   strings.Replace(good, `"admin"`, `"\u0061dmin"`, 1),
		"details unsorted": strings.Replace(good, `"a":"1","b":"2"`, `"b":"2","a":"1"`, 1),
		"no UTF-8":         strings.Replace(good, `admin`, "adm\xff", 1),
		"a lone surrogate": strings.Replace(good, `admin`, `\ud800`, 1),
		"endless":          strings.Repeat("x", 2<<20),
	} {
		if r, err := audit.ParseLine([]byte(text)); err == nil {
			t.Errorf("%s: accepted as %+v", name, r)
		}
	}
}

// FuzzParseLine: what is accepted is written in exactly one way.
func FuzzParseLine(f *testing.F) {
	for _, r := range trail(f, 3) {
		f.Add(audit.Line(r))
	}
	f.Add([]byte(`{"ts":"0001-01-01T00:00:00.000000Z","seq":0,"details":{}}`))
	f.Add([]byte(`{"ts":"2026-07-01T12:00:00.000005Z","details":{"a":"1","a":"2"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := audit.ParseLine(text)
		if err != nil {
			return
		}
		if !bytes.Equal(audit.Line(r), text) {
			t.Errorf("%q is written as %q", text, audit.Line(r))
		}
		if _, err := audit.Chain("", r); err != nil {
			t.Errorf("%q has no hash: %v", text, err)
		}
	})
}

func ExampleLine() {
	r := audit.Record{
		Seq: 1, Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Actor: "admin1", Subject: "ProdEng", Via: "token", TokenID: "4be0",
		Action: "node.update", Object: "node/n1", Outcome: audit.Done, Details: map[string]string{"attributes": "rack=r7"},
	}
	fmt.Println(string(audit.Line(r)))
	// Output:
	// {"ts":"2026-03-01T12:00:00.000000Z","seq":1,"actor":"admin1","subject":"ProdEng","token_id":"4be0","via":"token","addr":"","request_id":"","action":"node.update","object":"node/n1","outcome":"done","reason":"","details":{"attributes":"rack=r7"},"hash":""}
}

func ExampleParseLine() {
	r, err := audit.ParseLine([]byte(`{"ts":"2026-03-01T12:00:00.000000Z","seq":1,"actor":"admin1","subject":"ProdEng","token_id":"","via":"socket","addr":"","request_id":"","action":"user.create","object":"user/x","outcome":"done","reason":"","details":null,"hash":""}`))
	fmt.Println(r.Actor, "as", r.Subject, r.Action, err)
	// Output: admin1 as ProdEng user.create <nil>
}

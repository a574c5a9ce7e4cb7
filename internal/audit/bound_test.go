package audit_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

func TestBoundedKeepsWhatFits(t *testing.T) {
	t.Parallel()
	r := trail(t, 1)[0]
	if got := r.Bounded(); !reflect.DeepEqual(got, r) {
		t.Errorf("got %+v, want %+v", got, r)
	}
	given := map[string]string{"x": "\x00"}
	r.Details = given
	if got := r.Bounded().Details["x"]; got != "\uFFFD" || given["x"] != "\x00" {
		t.Errorf("%q, and the caller's map has %q", got, given["x"])
	}
	r.Details = map[string]string{}
	if got := r.Bounded().Details; got != nil {
		t.Errorf("an empty map became %v", got)
	}
}

func TestBoundedRecordsAreSmall(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		long := strings.Repeat(rapid.SampledFrom([]string{"x", "é", "\xff", "\x00", "😀"}).Draw(t, "letter"), rapid.IntRange(0, 5000).Draw(t, "length"))
		r := audit.Record{Actor: long, Object: long, Reason: long, Details: map[string]string{long: long}}
		for i := range rapid.IntRange(0, 200).Draw(t, "details") {
			r.Details[strconv.Itoa(i)] = long
		}
		b := r.Bounded()
		for _, s := range []string{b.Actor, b.Object, b.Reason} {
			if len(s) > 2048 || !utf8.ValidString(s) || strings.Contains(s, "\x00") {
				t.Fatalf("%d bytes, valid: %v", len(s), utf8.ValidString(s))
			}
		}
		if len(b.Details) > 64 {
			t.Fatalf("%d details", len(b.Details))
		}
		if again := b.Bounded(); !reflect.DeepEqual(b, again) {
			t.Fatal("bounding twice is not bounding once")
		}
	})
}

func TestCutTextSaysSo(t *testing.T) {
	t.Parallel()
	r := audit.Record{Reason: strings.Repeat("é", 2000)}.Bounded()
	if !strings.HasSuffix(r.Reason, "é...(1976 bytes more)") {
		t.Errorf("ends in %q", r.Reason[len(r.Reason)-40:])
	}
}

// TestCredentialsInTheWrongPlaceAreMasked puts them into every text of a record.
func TestCredentialsInTheWrongPlaceAreMasked(t *testing.T) {
	t.Parallel()
	const jwt, session = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl", "bhs_0123456789_-abcdefghijklmnopqrstuvwxyz0123456"
	for _, secret := range []string{jwt, session} {
		var r audit.Record
		v := reflect.ValueOf(&r).Elem()
		for i := range v.NumField() {
			if v.Field(i).Kind() == reflect.String && v.Type().Field(i).Name != "Hash" {
				v.Field(i).SetString("GET /" + secret)
			}
		}
		r.Details = map[string]string{secret: "x", "y": "the token " + secret}
		if line := string(audit.Line(r.Bounded())); strings.Contains(line, secret) || strings.Contains(line, secret[:20]) {
			t.Errorf("%s holds %s", line, secret)
		}
	}
}

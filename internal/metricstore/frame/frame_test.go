package frame_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
)

var kind = frame.Kind([]byte("TESTFRM\x01"))

const salt = 0x1234567890abcdef

func file(salt uint64, payloads ...string) []byte {
	data := frame.AppendHeader(nil, kind, salt)
	for _, p := range payloads {
		start := len(data)
		data = append(frame.Begin(data), p...)
		frame.End(data, start, salt)
	}
	return data
}

// scan returns what can be read of a file.
func scan(t *testing.T, data []byte) (payloads []string, sc *frame.Scanner) {
	t.Helper()
	sc, err := frame.NewScanner(bytes.NewReader(data), int64(len(data)), kind)
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := sc.Next()
		if errors.Is(err, io.EOF) {
			return payloads, sc
		}
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, string(p))
	}
}

func TestRecordsComeBackInOrder(t *testing.T) {
	want := []string{"one", "", "three", string(make([]byte, 3<<20)), "five"}
	got, sc := scan(t, file(salt, want...))
	if !slices.Equal(got, want) || sc.Gaps() != nil {
		t.Errorf("%d records, gaps %v", len(got), sc.Gaps())
	}
}

func TestDamageIsSkippedAndReported(t *testing.T) {
	data := file(salt, "one", "two", "three")
	second := frame.HeaderSize + frame.Overhead + 3
	for i := second; i < second+frame.Overhead+3; i++ {
		broken := slices.Clone(data)
		broken[i] ^= 4
		got, sc := scan(t, broken)
		gap := []frame.Gap{{From: int64(second), To: int64(second + frame.Overhead + 3)}}
		if !slices.Equal(got, []string{"one", "three"}) || !cmp.Equal(gap, sc.Gaps()) || sc.Torn() != int64(len(data)) {
			t.Fatalf("byte %d: %q, gaps %v, torn %d", i, got, sc.Gaps(), sc.Torn())
		}
	}
}

func TestEndThatCannotBeReadIsTorn(t *testing.T) {
	data := file(salt, "one", "two")
	whole := frame.HeaderSize + frame.Overhead + 3
	for n := whole; n < len(data); n++ {
		got, sc := scan(t, data[:n])
		if !slices.Equal(got, []string{"one"}) || sc.Torn() != int64(whole) || sc.Gaps() != nil {
			t.Fatalf("cut to %d: %q, torn at %d", n, got, sc.Torn())
		}
	}
	got, sc := scan(t, append(data[:whole:whole], make([]byte, 4096)...)) // what a power cut leaves of a file that had grown
	if !slices.Equal(got, []string{"one"}) || sc.Torn() != int64(whole) {
		t.Errorf("zeros: %q, torn at %d", got, sc.Torn())
	}
}

// Somebody may send us names and values that look like a record. They do not become one when the reader looks for the
// next record behind a damaged stretch, since he cannot know the file's salt.
func TestForgedRecordIsNotRead(t *testing.T) {
	forged := file(0, "forged")[frame.HeaderSize:]
	data := file(salt, string(forged), "two")
	data[frame.HeaderSize+1] ^= 1
	got, _ := scan(t, data)
	if !slices.Equal(got, []string{"two"}) {
		t.Errorf("%q", got)
	}
}

func TestOtherFilesAreNotRead(t *testing.T) {
	good := file(salt)
	for name, data := range map[string][]byte{
		"empty": {}, "short": good[:10], "text": []byte("not one of these files, but long enough"), "other kind": append([]byte("TESTFRM\x02"), good[8:]...),
	} {
		if _, err := frame.NewScanner(bytes.NewReader(data), int64(len(data)), kind); !errors.Is(err, frame.ErrKind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadErrorIsNotTheEnd(t *testing.T) {
	data := file(salt, "one")
	sc, err := frame.NewScanner(bytes.NewReader(data), int64(len(data))+100, kind)
	if err == nil {
		_, err = sc.Next()
	}
	if err == nil || errors.Is(err, frame.ErrKind) {
		t.Errorf("a file that is shorter than it says: %v", err)
	}
}

func FuzzScanner(f *testing.F) {
	f.Add(file(salt, "one", "two")[frame.HeaderSize:], 3)
	f.Add([]byte{0xAD, 0x9D, 0xE2, 0xB5}, 0)
	f.Fuzz(func(t *testing.T, junk []byte, at int) {
		// Junk between two good records costs neither of them.
		data := file(salt, "first")
		data = append(data, junk...)
		data = append(data, file(salt, "last")[frame.HeaderSize:]...)
		got, _ := scan(t, data)
		if len(got) < 2 || got[0] != "first" || got[len(got)-1] != "last" {
			t.Fatalf("%q", got)
		}
		if at >= 0 && at < len(data)-frame.HeaderSize {
			scan(t, data[:frame.HeaderSize+at])
		}
	})
}

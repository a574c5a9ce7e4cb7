package fault_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
)

// The sizes of SQLite's log: its header, the header of each frame, and the page that follows.
const (
	logHeader   = 32
	frameHeader = 24
	frameSize   = frameHeader + 4096
)

// tornLog is a database with its log, and where in the log each acknowledged thing ends.
type tornLog struct {
	database, log []byte
	said          []entry
	ends          []int
}

// writeTornLog makes a database, and lets some rounds be written that stay in the log.
func writeTornLog(t *testing.T) (l tornLog) {
	t.Helper()
	path := filepath.Join(t.TempDir(), databaseFile)
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	must(t, err)
	must(t, s.Close()) // the schema is in the database itself
	s, err = sqlite.Open(t.Context(), path, sqlite.Options{Readers: 1})
	must(t, err)
	defer s.Close()
	for n := range pick(3, 6) {
		writeRound(t.Context(), s, n, func(format string, args ...any) {
			e := parseEntries(fmt.Sprintf(format+"\n", args...))[0]
			if e.failed != "" {
				t.Fatal(e)
			}
			info, err := os.Stat(path + "-wal")
			must(t, err)
			l.said, l.ends = append(l.said, e), append(l.ends, int(info.Size()))
		})
	}
	l.database, err = os.ReadFile(path)
	must(t, err)
	l.log, err = os.ReadFile(path + "-wal")
	must(t, err)
	return l
}

// check opens the database with a log that is sound only up to some byte: what ends before it is there, and nothing else.
func (l tornLog) check(t *testing.T, dir string, log []byte, sound int, what string) {
	t.Helper()
	path := filepath.Join(dir, databaseFile)
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + suffix) // of the one before
	}
	must(t, os.WriteFile(path, l.database, 0o600))
	must(t, os.WriteFile(path+"-wal", log, 0o600))
	got, err := readDatabase(t.Context(), path)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if odd := got.half(); len(odd) > 0 {
		t.Fatalf("%s: half a change: %v", what, odd)
	}
	for i, e := range l.said {
		if got.kept[e.String()] != (l.ends[i] <= sound) {
			t.Fatalf("%s: %s, which ends at %d, is there: %v", what, e, l.ends[i], got.kept[e.String()])
		}
	}
}

// tornFrames is how many frames at the end are looked at.
const tornFrames = 3

// A log of the database that ends anywhere gives the transactions that end before, whole.
func TestDatabaseLogCutAnywhereGivesAPrefix(t *testing.T) {
	t.Parallel()
	l := writeTornLog(t)
	if last := l.ends[len(l.ends)-1]; last != len(l.log) || (last-logHeader)%frameSize != 0 {
		t.Fatalf("the log has %d bytes, the last transaction ends at %d", len(l.log), last)
	}
	dir := t.TempDir()
	n := 0
	for cut := len(l.log); cut >= len(l.log)-tornFrames*frameSize; cut-- {
		inFrame := (cut - logHeader) % frameSize
		if !long() && inFrame > 1 && inFrame < frameSize-1 && inFrame != frameHeader && cut%2999 != 0 {
			continue
		}
		l.check(t, dir, l.log[:cut], cut, "cut to "+strconv.Itoa(cut)+" bytes")
		n++
	}
	for i, end := range l.ends { // and between any two transactions
		if !long() && i%4 > 0 {
			continue
		}
		l.check(t, dir, l.log[:end], end, "cut to "+strconv.Itoa(end)+" bytes")
		n++
	}
	t.Logf("%d places", n)
}

// A flipped bit in the log of the database costs the transactions from there on, and never gives half of one.
func TestFlippedBitInDatabaseLogGivesAPrefix(t *testing.T) {
	t.Parallel()
	l := writeTornLog(t)
	dir := t.TempDir()
	n := 0
	for at := len(l.log) - tornFrames*frameSize; at < len(l.log); at++ {
		inFrame := (at - logHeader) % frameSize
		bits := []int{at % 8}
		switch {
		case inFrame < frameHeader && long():
			bits = []int{0, 1, 2, 3, 4, 5, 6, 7}
		case inFrame < frameHeader && at%8 == 0:
		case at%509 != 0 || !long() && at%2036 != 0:
			continue
		}
		for _, bit := range bits {
			log := bytes.Clone(l.log)
			log[at] ^= 1 << bit
			l.check(t, dir, log, at-inFrame, "bit "+strconv.Itoa(bit)+" of byte "+strconv.Itoa(at))
			n++
		}
	}
	t.Logf("%d bits", n)
}

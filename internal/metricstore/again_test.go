package metricstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// obstruct puts a folder with something in it where a file is going to be, and returns what takes it away.
func obstruct(t *testing.T, path string) (clear func()) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFailedCheckpointIsTriedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, dir, put := bubbleStore(t, metricstore.Options{CheckpointEvery: time.Hour})
		put(0)
		var clear []func()
		for n := range 64 {
			clear = append(clear, obstruct(t, filepath.Join(dir, fmt.Sprintf("checkpoint-%016x.bhc.part", n))))
		}
		time.AfterFunc(63*time.Minute, func() {
			for _, f := range clear {
				f()
			}
		})
		runFor(t, db, 65*time.Minute)
		if n := checkpoints(t, dir); n != 1 || db.Stats().Failures < 2 {
			t.Errorf("%d checkpoints, %d failures", n, db.Stats().Failures)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMergeThatFailedForWantOfRoomIsTriedAgainAfterAnHour(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	clk := clock.NewManual(now)
	db := open(t, dir, metricstore.Options{Clock: clk, Shards: 1})
	for n := range int64(8) {
		write(t, db, point{load("n01"), 8 - n, float64(n)})
		if err := db.Seal(); err != nil {
			t.Fatal(err)
		}
	}
	files := sealedFiles(t, dir)
	clear := obstruct(t, files[len(files)-1]+".merged")
	if n, err := db.Compact(); err == nil {
		t.Fatalf("%d of %d merged", n, len(files))
	}
	clear()
	if n, err := db.Compact(); n != 0 || err != nil {
		t.Errorf("%d merged at once, %v", n, err)
	}
	clk.Advance(time.Hour)
	if n, err := db.Compact(); n != 8 || err != nil {
		t.Errorf("%d merged after an hour, %v", n, err)
	}
	want(t, all(db, load("n01")), 0, 1, 2, 3, 4, 5, 6, 7)
}

// A disk that failed while a log was begun, and did not let it be removed, leaves a file without records. It stops nobody.
// One with records is never written over.
func TestLogThatCouldNotBeBegunIsBegunAgain(t *testing.T) {
	t.Parallel()
	for size, refused := range map[int]bool{0: false, 24: false, 25: true} {
		dir := t.TempDir()
		db := open(t, dir, metricstore.Options{Shards: 1})
		left := filepath.Join(dir, "wal-0000000000000001-00.bhw")
		if err := os.WriteFile(left, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		a := db.Appender()
		l := load("n01").Labels()
		if err := a.Append(&l, 60, now.Unix(), 1); err != nil {
			t.Fatal(err)
		}
		if err := a.Commit(); (err != nil) != refused {
			t.Errorf("beside a file of %d bytes: %v", size, err)
		}
		a.Close()
	}
}

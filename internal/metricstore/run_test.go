package metricstore_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// runFor runs the store's background work for a while, in a bubble where time passes as soon as everybody waits.
func runFor(t *testing.T, db *metricstore.DB, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	db.Run(ctx)
}

func bubbleStore(t *testing.T, opt metricstore.Options) (db *metricstore.DB, dir string, put func(age time.Duration)) {
	t.Helper()
	dir = t.TempDir()
	db, err := metricstore.Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return db, dir, func(age time.Duration) {
		a := db.Appender()
		defer a.Close()
		l := load("n01").Labels()
		if err := a.Append(&l, 60, time.Now().Add(-age).Unix(), 1); err != nil {
			t.Fatal(err)
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

func checkpoints(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "checkpoint-*.bhc"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func TestRunWritesCheckpointsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, dir, put := bubbleStore(t, metricstore.Options{CheckpointEvery: time.Hour})
		put(0)
		runFor(t, db, 59*time.Minute)
		if n := checkpoints(t, dir); n != 0 {
			t.Errorf("%d checkpoints after 59 minutes", n)
		}
		runFor(t, db, 62*time.Minute)
		if n := checkpoints(t, dir); n != 1 {
			t.Errorf("%d checkpoints after an hour", n)
		}
		if st := db.Stats(); st.LogBytes != 0 || st.LastCheckpoint.IsZero() {
			t.Errorf("stats %+v", st)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestLargeLogMakesForAnEarlyCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, dir, put := bubbleStore(t, metricstore.Options{MaxLogBytes: 10})
		put(0)
		runFor(t, db, time.Second)
		if n := checkpoints(t, dir); n != 1 {
			t.Errorf("%d checkpoints", n)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Each attempt writes down all that memory has: a disk that does not take it is not tried with every batch that comes.
func TestCheckpointsThatFailAreTriedAgainOnceAMinute(t *testing.T) {
	for name, opt := range map[string]metricstore.Options{"log": {MaxLogBytes: 10}, "memory": {MemoryCap: 10}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, dir, put := bubbleStore(t, opt)
				for n := range 400 { // nothing can be written to a folder
					if err := os.Mkdir(filepath.Join(dir, fmt.Sprintf("checkpoint-%016x.bhc.part", n)), 0o700); err != nil {
						t.Fatal(err)
					}
				}
				put(0)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				var sender sync.WaitGroup
				sender.Go(func() {
					for clock.Sleep(ctx, clock.System{}, time.Second) == nil {
						put(0)
					}
				})
				db.Run(ctx)
				sender.Wait()
				if n := db.Stats().Failures; n < 4 || n > 6 {
					t.Errorf("%d failures in five minutes", n)
				}
				if err := db.Abandon(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestRunForgetsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _, put := bubbleStore(t, metricstore.Options{Retention: 10 * time.Hour})
		put(9 * time.Hour)
		runFor(t, db, 30*time.Minute)
		if n := len(db.Hosts("alpha")); n != 1 {
			t.Errorf("%d hosts after half an hour", n)
		}
		runFor(t, db, 2*time.Hour)
		if n := len(db.Hosts("alpha")); n != 0 {
			t.Errorf("%d hosts after the retention", n)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMemoryCapMovesSamplesToDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const cap = 3 * 16 * 2 // three small chunks
		db, _, put := bubbleStore(t, metricstore.Options{MemoryCap: cap})
		for days := range 6 {
			put(time.Duration(days) * 24 * time.Hour)
		}
		runFor(t, db, time.Second)
		st := db.Stats()
		if st.Bytes > cap || st.Sealed == 0 || st.Segments != 1 || st.SegmentBytes == 0 {
			t.Errorf("%+v", st)
		}
		all := db.Read(nil, metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "cpu_load", From: 0, To: time.Now().Unix() + 60}, nil)
		n := 0
		for _, v := range all[0].Values {
			if !math.IsNaN(v) {
				n++
			}
		}
		if n != 6 {
			t.Errorf("%d samples are left of 6", n)
		}
		if newest, _, ok := db.Latest("alpha", "n01", "cpu_load"); !ok || newest != time.Now().Add(-time.Second).Unix() {
			t.Errorf("the newest sample is gone: %v %v", newest, ok)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// A machine whose clock is a year ahead, be it for a moment, keeps what it has.
func TestAClockThatJumpsDoesNotCostTheHistory(t *testing.T) {
	t.Parallel()
	for name, seal := range map[string]bool{"in memory": false, "sealed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			opt := metricstore.Options{Retention: 7 * 24 * time.Hour, Clock: clock.NewManual(now)}
			db := open(t, dir, opt)
			write(t, db, point{load("n01"), 60, 1}, point{load("n01"), 0, 2})
			if seal {
				if err := db.Seal(); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Abandon(); err != nil {
				t.Fatal(err)
			}
			opt.Clock = clock.NewManual(now.Add(365 * 24 * time.Hour))
			db = open(t, dir, opt)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			opt.Clock = clock.NewManual(now.Add(time.Hour))
			db = open(t, dir, opt)
			if got := all(db, load("n01")); len(got) != 61 || got[0] != 1 || got[60] != 2 {
				t.Errorf("%v is left", got)
			}
		})
	}
}

// One sample that is ahead of all others does not make their series idle: they still grow.
func TestASampleAheadEndsNoSeries(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), metricstore.Options{MaxFuture: 100 * time.Hour})
	write(t, db, point{load("n01"), 0, 1}, point{load("n02"), -60 * 50, 2})
	if err := db.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	if st := db.Stats(); st.Segments != 0 {
		t.Errorf("%d slots have been sealed", st.Sealed)
	}
}

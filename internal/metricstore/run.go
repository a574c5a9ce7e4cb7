package metricstore

import (
	"context"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// Run syncs the log, writes checkpoints and forgets what is too old, until ctx is done. What fails is logged and tried
// again.
func (db *DB) Run(ctx context.Context) {
	var wg sync.WaitGroup
	if db.opt.SyncEvery > 0 {
		wg.Go(func() { db.runSync(ctx) })
	}
	wg.Go(func() { db.runMaintenance(ctx) })
	wg.Wait()
}

func (db *DB) runSync(ctx context.Context) {
	for wait := db.opt.SyncEvery; clock.Sleep(ctx, db.opt.Clock, wait) == nil; {
		began := db.opt.Clock.Now()
		err := db.Sync()
		// From one beginning to the next: what a slow disk takes is not added to what a power cut costs.
		wait = max(db.opt.SyncEvery-db.opt.Clock.Now().Sub(began), db.opt.SyncEvery/2)
		if err != nil {
			// The kernel may have dropped what it could not write and call the next sync a success. Memory has it all:
			// a checkpoint writes it again, to another file.
			db.failures.Add(1)
			if !db.damaged.Swap(true) {
				db.wakeUp() // later failures wait for the next look: a checkpoint each second would help nobody
			}
			db.opt.Log.ErrorContext(ctx, "metric log cannot be synced", "error", err)
		}
	}
}

// maintenanceEvery is how often it is looked whether a checkpoint is due, memory is short, or samples are too old.
const maintenanceEvery = time.Minute

func (db *DB) runMaintenance(ctx context.Context) {
	checkpointed := db.opt.Clock.Now()
	retained := checkpointed
	var failed time.Time
	for {
		now := db.opt.Clock.Now()
		// A disk that is full is not written to again with every batch that comes.
		if now.Sub(failed) >= maintenanceEvery && db.checkpointDue(now.Sub(checkpointed)) {
			if err := db.Checkpoint(); err != nil {
				db.opt.Log.ErrorContext(ctx, "metric checkpoint failed; it will be tried again", "error", err)
				failed = now
			} else {
				checkpointed = now
			}
		}
		if now.Sub(failed) >= maintenanceEvery {
			if err := db.shed(); err != nil {
				db.opt.Log.ErrorContext(ctx, "metric memory cap reached, and samples cannot be moved to disk", "error", err)
				failed = now
			}
		}
		if _, err := db.Compact(); err != nil {
			db.failures.Add(1)
			db.opt.Log.ErrorContext(ctx, "metric segments cannot be merged", "error", err)
		}
		if db.opt.Retention > 0 && now.Sub(retained) >= min(db.opt.Retention/16, time.Hour) {
			db.Retain(db.tooOld(now))
			retained = now
		}
		select {
		case <-ctx.Done():
			return
		case <-db.wake:
		case <-db.opt.Clock.After(maintenanceEvery):
		}
	}
}

// checkpointDue reports whether a checkpoint should be written, so long after the last one.
func (db *DB) checkpointDue(since time.Duration) bool {
	return db.damaged.Load() || db.logBytes.Load() > db.logLimit() || db.ripe() || since >= db.opt.CheckpointEvery
}

// believed is how much later than the newest sample it may be when samples are forgotten for their age.
const believed = 24 * time.Hour

// tooOld returns before when samples are too old. A clock that has jumped ahead must not cost the history: what is forgotten
// does not come back when the clock is right again. So it is not believed alone, but together with the samples that come.
func (db *DB) tooOld(now time.Time) time.Time {
	if last := time.Unix(db.newest.Load(), 0).Add(believed); last.Before(now) {
		now = last
	}
	return now.Add(-db.opt.Retention)
}

// wakeUp makes Run look at once whether a checkpoint is due.
func (db *DB) wakeUp() {
	select {
	case db.wake <- struct{}{}:
	default: // it knows already
	}
}

// leastLog is a log that is read back in less than the tenth of a second.
const leastLog = 16 << 20

// logEach is how much log there may be for each series: about fifty samples. A checkpoint writes what all series have in
// memory, so it should not come for fewer; a restart reads both.
const logEach = 512

// logLimit returns how large the log may become before a checkpoint.
func (db *DB) logLimit() int64 {
	return min(db.opt.MaxLogBytes, max(leastLog, db.series.Load()*logEach))
}

// leastRipe is how many complete chunks are not worth a checkpoint.
const leastRipe = 8192

// ripe reports whether most series have a chunk that is complete. A checkpoint takes these out of memory, and has little
// else to write: the chunks that still grow have only begun.
func (db *DB) ripe() bool {
	return db.complete.Load() >= max(leastRipe, db.series.Load()*3/4)
}

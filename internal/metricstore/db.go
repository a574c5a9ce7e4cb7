// Package metricstore keeps the samples of many series: the newest in memory, the others compressed on disk.
//
// A series is named by a Key and has a sample every so many seconds; values are kept bit for bit. Writers go through an
// Appender: what Commit has acknowledged is in the write-ahead log and survives the death of the process. Run syncs the
// log, once a second by default, so that a power cut costs no more than that. It writes checkpoints: chunks of samples that
// are complete go into an immutable segment, which is mapped for reading, those that still grow into the checkpoint, and
// the log so far is superfluous. It forgets segments that are older than the retention.
//
// The package knows series, samples and time, and nothing of clusters' configuration, of HTTP, SQL or JSON.
package metricstore

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// Options says how a store behaves. The zero value of each field means what its comment says.
type Options struct {
	Clock clock.Clock  // the system's
	Log   *slog.Logger // none: for what goes wrong in the background
	// SyncEvery is how much time a power cut may cost. 0: one second. Negative: none, each Commit waits for the disk.
	SyncEvery time.Duration
	// CheckpointEvery is the time between checkpoints. 0: twelve hours.
	CheckpointEvery time.Duration
	// MaxLogBytes makes for an earlier checkpoint when the log is larger. 0: one GiB. Much smaller logs do so when memory
	// holds little as well, see logLimit.
	MaxLogBytes int64
	// Retention is how long samples are kept. Older ones are refused. 0: for ever. Where no samples come for more than a day,
	// those that there are stay.
	Retention time.Duration
	// MaxFuture is how far in the future a sample may be. 0: one hour.
	MaxFuture time.Duration
	// MemoryCap is how many bytes of samples are kept in memory at most; when there are more, all go to disk. 0: no limit.
	MemoryCap int64
	// MaxHosts and MaxSeriesPerHost limit what can be created. 0: 100,000 and 20,000.
	MaxHosts, MaxSeriesPerHost int
	// Keep is asked each time the store forgets samples that are older than the retention, and returns of which hosts they are
	// kept. nil: of none.
	Keep func() func(cluster, host string) bool
	// Shards is how many writers can work at the same time. 0: 8.
	Shards int
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Keep == nil {
		o.Keep = func() func(string, string) bool { return func(string, string) bool { return false } }
	}
	setDefault(&o.SyncEvery, time.Second)
	setDefault(&o.CheckpointEvery, 12*time.Hour)
	setDefault(&o.MaxLogBytes, 1<<30)
	setDefault(&o.MaxFuture, time.Hour)
	setDefault(&o.MaxHosts, 100_000)
	setDefault(&o.MaxSeriesPerHost, 20_000)
	setDefault(&o.Shards, 8)
	return o
}

// unlimited returns the options without the limits on what can be created: what is on disk is never refused.
func (o Options) unlimited() Options {
	o.MaxHosts, o.MaxSeriesPerHost = math.MaxInt, math.MaxInt
	return o
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// DB is a metric store. It is safe for concurrent use.
type DB struct {
	dir       string
	opt       Options
	lock      *os.File
	shards    []*shard
	kinds     shared[kind]
	spellings shared[spelling]
	appenders sync.Pool
	readings  sync.Pool
	recovery  Recovery
	found     sync.Mutex // guards recovery and damagedFiles while logs are read at the same time

	checkpoint sync.Mutex // held while a checkpoint is written; taken before any other lock
	segment    uint64     // number of the newest log segments; guarded by checkpoint
	closed     bool       // guarded by checkpoint

	segments struct {
		mu   sync.RWMutex // taken after a shard's locks
		list []numbered   // oldest first
	}
	merging     sync.Mutex           // held while segments are merged or removed; taken before segments.mu
	unmergeable map[uint64]time.Time // until when segments are not tried again; guarded by merging
	lastNumber  atomic.Uint32        // of a series
	newest      atomic.Int64         // time of the newest sample, in Unix seconds
	wake        chan struct{}        // tells Run that the log has become large, or cannot be synced

	gatheredFrom int    // see gatheredFrom; tests want it of fewer devices
	dumped       func() // tests want something to happen while a checkpoint is written; nil but for them

	damagedFiles map[string]bool // found by Open
	damaged      atomic.Bool     // a checkpoint should be written soon: something on disk is not as it should be

	hosts, series, bytes, logBytes   atomic.Int64
	complete                         atomic.Int64 // chunks since the last checkpoint; about
	samples, refused, late, replaced atomic.Int64
	lastCheckpoint, checkpointMillis atomic.Int64
	failures, unread                 atomic.Int64
}

// Open opens the store in a folder, which it creates when there is none. It reads the newest checkpoint and the log
// behind it; Recovered tells what was found. A store can be open only once at a time.
func Open(dir string, opt Options) (_ *DB, err error) {
	opt = opt.withDefaults()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create folder for metrics: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	db := &DB{
		dir: dir, opt: opt.unlimited(), lock: lock, gatheredFrom: gatheredFrom,
		damagedFiles: map[string]bool{}, unmergeable: map[uint64]time.Time{}, wake: make(chan struct{}, 1),
	}
	for i := range opt.Shards {
		db.shards = append(db.shards, &shard{number: i, hosts: map[string]*host{}})
	}
	if err := db.recover(); err != nil {
		return nil, errors.Join(err, db.unmap(), lock.Close())
	}
	db.opt = opt
	for _, sh := range db.shards {
		sh.segment = db.segment
	}
	return db, nil
}

// Close writes a checkpoint and closes the store. Even when it fails, nothing that was acknowledged is lost.
func (db *DB) Close() error {
	err := db.Checkpoint()
	return errors.Join(err, db.release())
}

// release closes the files as they are.
func (db *DB) release() error {
	db.checkpoint.Lock()
	defer db.checkpoint.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	var errs []error
	for _, sh := range db.shards {
		sh.commit.Lock()
		sh.closed = true
		log := sh.log.Swap(nil)
		sh.commit.Unlock()
		if log != nil {
			errs = append(errs, log.Close())
		}
	}
	return errors.Join(append(errs, db.unmap(), db.lock.Close())...)
}

// unmap closes the segments.
func (db *DB) unmap() error {
	db.merging.Lock()
	defer db.merging.Unlock()
	db.segments.mu.Lock()
	defer db.segments.mu.Unlock()
	var errs []error
	for _, seg := range db.segments.list {
		errs = append(errs, seg.Close())
	}
	db.segments.list = nil
	return errors.Join(errs...)
}

// shardOf returns the shard that holds the host with that id.
func (db *DB) shardOf(hostID []byte) *shard {
	return db.shards[spread(hostID)%uint64(len(db.shards))]
}

package metricstore

import (
	"errors"
	"math"
	"time"
)

// The errors for a sample that is not taken. They are values, so that refusing costs no memory.
var (
	ErrNotANumber    = errors.New("the value is not a number")
	ErrTooOld        = errors.New("the time is before the store's retention")
	ErrTooNew        = errors.New("the time is too far in the future")
	ErrStep          = errors.New("the step is less than one second, or more than 68 years")
	ErrTooManyHosts  = errors.New("the store has as many hosts as it may have")
	ErrTooManySeries = errors.New("the host has as many series as it may have")
	ErrNumbers       = errors.New("the store has had four billion series in its life, and cannot have another")
)

// Appender collects samples and stores them together. It is for one goroutine. Get it from DB.Appender and give it back
// with Close.
type Appender struct {
	db             *DB
	oldest, newest int64 // times outside are refused
	pending        [][]sample
	host           *host
	last           *series   // whose sample came before
	followed       *series   // that Follow has found
	line           *spelling // of the line whose fields follow
	strange        int       // heads that were not those that are remembered
	id             []byte
}

// sample is a sample on its way to its series.
type sample struct {
	series *series
	time   int64
	value  float64
}

// oldestTime is before all times that are read. Arithmetic with earlier ones overflows.
const oldestTime = -1 << 55

// Appender returns an appender. It refuses samples that are older than the retention or too far in the future.
func (db *DB) Appender() *Appender {
	a, ok := db.appenders.Get().(*Appender)
	if !ok {
		a = &Appender{db: db, pending: make([][]sample, len(db.shards))}
	}
	now := db.opt.Clock.Now().Unix()
	a.newest = now + int64(db.opt.MaxFuture/time.Second)
	a.oldest = oldestTime
	if db.opt.Retention > 0 {
		a.oldest = now - int64(db.opt.Retention/time.Second)
	}
	return a
}

// Window returns the Unix seconds between which samples are taken, both included.
func (a *Appender) Window() (oldest, newest int64) { return a.oldest, a.newest }

// Append notes a sample of a series with one sample every step seconds, at a time in Unix seconds. The store has it when
// Commit has returned nil. The error is one of this package's, and the other samples are not affected. Append does not
// keep l.
func (a *Appender) Append(l *Labels, step, t int64, v float64) error {
	if err := a.check(step, t, v); err != nil {
		a.db.refused.Add(1)
		return err
	}
	s, err := a.find(l, step, t)
	if err != nil {
		a.db.refused.Add(1)
		return err
	}
	a.note(s, t, v)
	return nil
}

// note keeps a sample until Commit.
func (a *Appender) note(s *series, t int64, v float64) {
	a.last = s
	p := &a.pending[s.host.shard.number]
	*p = append(*p, sample{s, t, v})
}

func (a *Appender) check(step, t int64, v float64) error {
	switch {
	case math.IsNaN(v):
		return ErrNotANumber
	case t < a.oldest:
		return ErrTooOld
	case t > a.newest:
		return ErrTooNew
	case step < 1, step > math.MaxInt32: // nothing else is read back
		return ErrStep
	default:
		return nil
	}
}

// find returns the series of the sample. Hosts send the same series in the same order every time, so the first guess is
// the one that followed the last time.
func (a *Appender) find(l *Labels, step, t int64) (*series, error) {
	if !l.valid() {
		return nil, ErrName
	}
	if a.host == nil || a.host.name != string(l.Host) || a.host.cluster != string(l.Cluster) {
		if err := a.enter(l); err != nil {
			return nil, err
		}
	}
	a.id = appendSeriesID(a.id[:0], l, step)
	if a.last != nil {
		if next := a.last.next.Load(); next != nil && next.host == a.host && next.key.id == string(a.id) {
			return next, nil
		}
	}
	sh := a.host.shard
	s := sh.lookup(a.host, a.id)
	if s == nil {
		var err error
		if s, err = sh.addSeries(a.db, a.host, a.id, step, floorMod(t, step), 0); err != nil {
			return nil, err
		}
		a.host = s.host
	}
	if a.last != nil {
		a.last.next.Store(s)
	}
	return s, nil
}

// enter makes the host of l the current one.
func (a *Appender) enter(l *Labels) error {
	a.id = appendHostID(a.id[:0], l.Cluster, l.Host)
	sh := a.db.shardOf(a.id)
	h := sh.host(a.id)
	if h == nil {
		var err error
		if h, err = sh.addHost(a.db, a.id, l); err != nil {
			return err
		}
	}
	a.host, a.last = h, nil
	return nil
}

// Commit stores the noted samples. When it returns nil, they survive the death of the process. When it fails, some of
// them may be stored; to store all again is harmless. In both cases the appender is empty afterwards.
func (a *Appender) Commit() error {
	var errs []error
	for i, samples := range a.pending {
		if len(samples) == 0 {
			continue
		}
		if err := a.db.shards[i].store(a.db, samples); err != nil {
			errs = append(errs, err)
		}
		clear(samples)
		a.pending[i] = samples[:0]
	}
	return errors.Join(errs...)
}

// Close gives the appender back. Samples that were not committed are forgotten.
func (a *Appender) Close() {
	for i, samples := range a.pending {
		clear(samples)
		a.pending[i] = samples[:0]
	}
	a.host, a.last, a.followed, a.line = nil, nil, nil, nil
	a.db.appenders.Put(a)
}

package metricstore

import (
	"math"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
)

// Samples is what one series holds in a window of time, from the first sample to the last one.
type Samples struct {
	Key    Key
	Step   int64     // seconds between two values
	First  int64     // time of the first value, in Unix seconds
	Values []float64 // NaN where there is no sample
}

// Read returns the samples of all series of the metric on the host for which match is true, in the order of their
// devices, with a time in [from, to), in Unix seconds. A sample belongs to the slot that is nearest to its time, and so
// do from and to. Series without a sample in the window are left out.
//
// The results are appended to dst; the values of results that are beyond dst's length but within its capacity are used
// again. match may be nil; it must not call the store.
func (db *DB) Read(dst []Samples, w Window, match func(*Key) bool) []Samples {
	id, ok := hostID(w.Cluster, w.Host)
	if !ok {
		return dst
	}
	sh := db.shardOf(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	h := sh.hosts[string(id)]
	if h == nil {
		return dst
	}
	db.segments.mu.RLock()
	defer db.segments.mu.RUnlock()
	r := db.reading()
	defer db.done(r)
	for _, s := range h.byMetric[w.Metric] {
		if match != nil {
			r.key = s.fullKey()
		}
		if match == nil || match(&r.key) {
			dst = s.read(db, r, dst, clampTime(w.From), clampTime(w.To))
		}
	}
	return dst
}

// Window says what is to be read: the series of a metric on a host, and from when to when.
type Window struct {
	Cluster, Host, Metric string
	From, To              int64
}

// reading is the room that reading takes, to be used again.
type reading struct {
	parts  []part
	buffer segment.Buffer
	values []float64
	key    Key
}

// reading returns room to read with, to be given back with done.
func (db *DB) reading() *reading {
	if r, ok := db.readings.Get().(*reading); ok {
		return r
	}
	return new(reading)
}

func (db *DB) done(r *reading) {
	clear(r.parts[:cap(r.parts)]) // they point into the segments
	db.readings.Put(r)
}

// read appends what the series has in the window, if there is anything. The caller holds segments.mu for reading.
func (s *series) read(db *DB, r *reading, dst []Samples, from, to int64) []Samples {
	n := len(dst)
	dst = slices.Grow(dst, 1)[:n+1]
	first, values := s.values(db, r, dst[n].Values[:0], s.slot(from), s.slot(to))
	if len(values) == 0 {
		return dst[:n]
	}
	dst[n] = Samples{Key: s.fullKey(), Step: s.step, First: s.time(first), Values: values}
	return dst
}

// values appends what the series has in slots [from, to), from the first sample to the last one, to dst, which is empty, and
// returns the slot of the first. What a chunk in memory holds is newer than what segments hold, and later segments hold
// newer samples than earlier ones. The caller holds segments.mu for reading.
func (s *series) values(db *DB, r *reading, dst []float64, from, to int64) (first int64, values []float64) {
	parts, first, end := s.parts(db, r.parts[:0], from, to)
	r.parts = parts
	for i := range s.chunks {
		if a, b := s.chunks[i].Span(from, to); a < b {
			first, end = min(first, a), max(end, b)
		}
	}
	if first >= end {
		return 0, dst
	}
	values = slices.Grow(dst, int(end-first))[:end-first]
	r.lay(db, values, first)
	for i := range s.chunks {
		s.chunks[i].CopyTo(values, first)
	}
	values, first = trim(values, first)
	return first, values
}

// lay puts what r.parts hold into values, the first of which is of slot first, and NaN where they hold nothing.
func (r *reading) lay(db *DB, values []float64, first int64) {
	done := first
	for i := range r.parts {
		p := &r.parts[i]
		var err error
		if done, err = p.block.Lay(values, first, max(p.first, first), done, &r.buffer); err != nil {
			db.unreadable(err)
		}
	}
	for i := range values[done-first:] {
		values[done-first+int64(i)] = math.NaN()
	}
}

// trim cuts off what is no sample at both ends. first is the slot of the first value.
func trim(values []float64, first int64) (trimmed []float64, slot int64) {
	for len(values) > 0 && math.IsNaN(values[len(values)-1]) {
		values = values[:len(values)-1]
	}
	skip := 0
	for skip < len(values) && math.IsNaN(values[skip]) {
		skip++
	}
	// Moved rather than cut off, so that the room in front is not lost to whoever uses the values again.
	n := copy(values, values[skip:])
	return values[:n], first + int64(skip)
}

// Latest returns when the newest sample of the metric on the host is and how many seconds lie between two samples; ok is
// false when there is none.
func (db *DB) Latest(cluster, host, metric string) (newest, step int64, ok bool) {
	id, valid := hostID(cluster, host)
	if !valid {
		return 0, 0, false
	}
	sh := db.shardOf(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	h := sh.hosts[string(id)]
	if h == nil {
		return 0, 0, false
	}
	for _, s := range h.byMetric[metric] {
		if end, some := s.end(); some {
			if t := s.time(end - 1); !ok || t > newest {
				newest, step, ok = t, s.step, true
			}
		}
	}
	return newest, step, ok
}

// Hosts returns the hosts of the cluster that have samples, sorted.
func (db *DB) Hosts(cluster string) []string {
	var names []string
	for _, sh := range db.shards {
		sh.mu.RLock()
		for _, h := range sh.hosts {
			if h.cluster == cluster && h.hasSamples() {
				names = append(names, h.name)
			}
		}
		sh.mu.RUnlock()
	}
	slices.SortFunc(names, strings.Compare)
	return names
}

// hasSamples reports whether any series has some. The caller holds the shard's mu.
func (h *host) hasSamples() bool {
	for _, s := range h.series {
		if !s.empty() {
			return true
		}
	}
	return false
}

func hostID(cluster, host string) (id []byte, ok bool) {
	if max(len(cluster), len(host)) > maxName {
		return nil, false
	}
	return appendHostID(nil, []byte(cluster), []byte(host)), true
}

// clampTime keeps arithmetic with times from overflowing.
func clampTime(t int64) int64 { return min(max(t, -1<<56), 1<<56) }

package metricstore

import (
	"math"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
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
	for _, s := range h.byMetric[w.Metric] {
		if match == nil || match(&s.key) {
			dst = s.read(dst, clampTime(w.From), clampTime(w.To))
		}
	}
	return dst
}

// Window says what is to be read: the series of a metric on a host, and from when to when.
type Window struct {
	Cluster, Host, Metric string
	From, To              int64
}

// read appends what the series has in the window, if there is anything.
func (s *series) read(dst []Samples, from, to int64) []Samples {
	first, end, chunks := s.span(s.slot(from), s.slot(to))
	if first >= end {
		return dst
	}
	n := len(dst)
	dst = slices.Grow(dst, 1)[:n+1]
	values := slices.Grow(dst[n].Values[:0], int(end-first))[:end-first]
	for i := range values {
		values[i] = math.NaN()
	}
	for i := range chunks {
		chunks[i].CopyTo(values, first)
	}
	dst[n] = Samples{Key: s.key, Step: s.step, First: s.time(first), Values: values}
	return dst
}

// span returns the slots of the first sample and behind the last sample in a window of slots, and the chunks that hold
// them.
func (s *series) span(from, to int64) (first, end int64, chunks []chunk.Chunk) {
	chunks = s.chunks
	for len(chunks) > 0 {
		if a, b := chunks[0].Span(from, to); a < b {
			first = a
			break
		}
		chunks = chunks[1:]
	}
	for len(chunks) > 0 {
		if a, b := chunks[len(chunks)-1].Span(from, to); a < b {
			return first, b, chunks
		}
		chunks = chunks[:len(chunks)-1]
	}
	return 0, 0, nil
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
		if n := len(s.chunks); n > 0 {
			if t := s.time(s.chunks[n-1].End() - 1); !ok || t > newest {
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
		if len(s.chunks) > 0 {
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

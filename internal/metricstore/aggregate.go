package metricstore

import (
	"math"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
)

// Aggregate is what the devices of a host have of one metric in a window of time, taken together: slot by slot, from the
// first sample to the last one.
type Aggregate struct {
	Type    string    // of the devices
	Devices int       // how many there are
	Step    int64     // seconds between two values
	First   int64     // time of the first value, in Unix seconds
	Sum     []float64 // of the samples in the order of the devices; NaN where there is none
	Min     []float64 // as Sum
	Max     []float64 // as Sum
	Count   []float64 // how many devices have a sample; 0 where none has
}

// ReadAggregate fills a with what the devices of the host have of the metric. ok is false when it cannot: there are not at
// least two series, or not all of one type of device and with the same slots. It gives what Read and adding up gives, bit
// for bit, but does not look at the devices' samples where they were taken together when they were sealed.
func (db *DB) ReadAggregate(a *Aggregate, w Window) (ok bool) {
	id, valid := hostID(w.Cluster, w.Host)
	if !valid {
		return false
	}
	sh := db.shardOf(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	h := sh.hosts[string(id)]
	if h == nil {
		return false
	}
	list := h.devices(w.Metric)
	if list == nil {
		return false
	}
	db.segments.mu.RLock()
	defer db.segments.mu.RUnlock()
	g := aggregation{db: db, into: a, list: list, rollup: h.rolled(list), r: db.reading()}
	defer db.done(g.r)
	g.read(clampTime(w.From), clampTime(w.To))
	return true
}

// aggregation is one call of ReadAggregate.
type aggregation struct {
	db          *DB
	into        *Aggregate
	list        []*series
	rollup      *rollup // nil when there is none
	r           *reading
	first, last int64 // slots of the window
}

func (g *aggregation) read(from, to int64) {
	s := g.list[0]
	g.first, g.last = g.within(s.slot(from), s.slot(to))
	n := int(max(g.last-g.first, 0))
	a := g.into
	a.Type, a.Devices, a.Step = s.key.Type, len(g.list), s.step
	for _, values := range []*[]float64{&a.Sum, &a.Min, &a.Max, &a.Count} {
		*values = append((*values)[:0], make([]float64, n)...)
	}
	for number, end := chunk.Number(g.first), chunk.Number(g.last-1)+1; n > 0 && number < end; {
		next, good := end, false
		if g.rollup != nil {
			next, good = g.rollup.good.until(number, end)
		}
		lo, hi := max(number*chunk.Slots, g.first), min(next*chunk.Slots, g.last)
		if good {
			g.rolled(lo, hi)
		} else {
			g.devices(lo, hi)
		}
		number = next
	}
	for i, c := range a.Count {
		if c == 0 {
			a.Sum[i], a.Min[i], a.Max[i] = math.NaN(), math.NaN(), math.NaN()
		}
	}
	g.trim()
}

// within narrows a window of slots to those that can have samples: before the first sample of all, nothing has to be made.
func (g *aggregation) within(from, to int64) (first, last int64) {
	first, last = math.MaxInt64, math.MinInt64
	sealed := false
	for _, s := range g.list {
		if end, ok := s.end(); ok {
			last = max(last, end)
		}
		if len(s.chunks) > 0 {
			first = min(first, s.chunks[0].First())
		}
		sealed = sealed || s.sealed.any
	}
	if sealed {
		for _, seg := range g.db.published() {
			start, _ := seg.Span()
			first = min(first, g.list[0].slot(start)-1)
		}
	}
	return max(first, from), min(last, to)
}

// rolled copies what was taken together before.
func (g *aggregation) rolled(lo, hi int64) {
	whole := series{step: g.rollup.step, phase: g.rollup.phase, sealed: sealed{any: true, end: math.MaxInt64}}
	for part, into := range [rolledSeries][]float64{g.into.Sum, g.into.Min, g.into.Max, g.into.Count} {
		whole.number = g.rollup.number + uint32(part)
		parts, _, _ := whole.parts(g.db, g.r.parts[:0], lo, hi)
		g.r.parts = parts
		whole.overlay(g.db, g.r, into[lo-g.first:hi-g.first], lo)
	}
}

// devices takes the samples of the devices together.
func (g *aggregation) devices(lo, hi int64) {
	for _, s := range g.list {
		first, values := s.values(g.db, g.r, g.r.values[:0], lo, hi)
		g.r.values = values
		for i, v := range values {
			if v != v { //nolint:gocritic // a gap
				continue
			}
			g.add(first-g.first+int64(i), v)
		}
	}
}

func (g *aggregation) add(i int64, v float64) {
	a := g.into
	if a.Count[i] == 0 {
		a.Min[i], a.Max[i] = v, v
	}
	a.Sum[i] += v
	a.Min[i], a.Max[i] = min(a.Min[i], v), max(a.Max[i], v)
	a.Count[i]++
}

// trim cuts off slots at both ends in which no device has a sample.
func (g *aggregation) trim() {
	a := g.into
	from, to := 0, len(a.Count)
	for to > 0 && a.Count[to-1] == 0 {
		to--
	}
	for from < to && a.Count[from] == 0 {
		from++
	}
	a.First = g.list[0].time(g.first + int64(from))
	for _, values := range []*[]float64{&a.Sum, &a.Min, &a.Max, &a.Count} {
		n := copy(*values, (*values)[from:to])
		*values = (*values)[:n]
	}
}

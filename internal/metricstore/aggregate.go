package metricstore

import (
	"math"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
)

// Aggregate is what the devices of a host have of one metric in a window of time, taken together: slot by slot, from the
// first sample to the last one.
type Aggregate struct {
	SumsOnly bool // set by the caller: Min and Max are not wanted, and stay empty

	Type    string    // of the devices
	Devices int       // how many there are
	Step    int64     // seconds between two values
	First   int64     // time of the first value, in Unix seconds
	Sum     []float64 // of the samples; NaN where there is none
	Min     []float64 // as Sum
	Max     []float64 // as Sum
	Count   []float64 // how many devices have a sample; 0 where none has
	Most    float64   // the largest of Count
}

// ReadAggregate fills a with what the devices of the host have of the metric. ok is false when it cannot: there are not at
// least two series, or not all of one type of device and with the same slots. It gives what Read and adding up gives, but does
// not look at the devices' samples where they were taken together before; there, sums of decimals have the digits that they
// have on paper, and not the noise behind them that adding up float64 leaves.
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
	g := aggregation{db: db, into: a, host: h, list: list, rollup: h.rolled(list), r: db.reading()}
	defer db.done(g.r)
	g.read(clampTime(w.From), clampTime(w.To))
	return true
}

// aggregation is one call of ReadAggregate.
type aggregation struct {
	db          *DB
	into        *Aggregate
	host        *host
	list        []*series
	rollup      *rollup // nil when there is none
	r           *reading
	first, last int64 // slots of the window
	full        run   // devices that have been added and not been counted yet
}

// run is so many devices that have a sample in each of the slots [from, to), which are counted from the first of the window.
type run struct {
	from, to int64
	devices  float64
}

func (g *aggregation) read(from, to int64) {
	s := g.list[0]
	g.first, g.last = g.within(s.slot(from), s.slot(to))
	n := int(max(g.last-g.first, 0))
	a := g.into
	a.Type, a.Devices, a.Step = s.key.Type, len(g.list), s.step
	a.Min, a.Max = a.Min[:0], a.Max[:0]
	for _, values := range a.columns() {
		*values = slices.Grow((*values)[:0], n)[:n]
		clear(*values)
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
			split := hi
			if len(g.list) >= g.db.gatheredFrom {
				split = min(g.memoryOnly(lo), hi)
			}
			g.devices(lo, split)
			g.inMemory(split, hi)
		}
		number = next
	}
	g.settle()
	g.trim()
}

// settle notes where no device has a sample, and how many have one at most.
func (g *aggregation) settle() {
	a := g.into
	most := 0.0
	for i, c := range a.Count {
		if c > 0 {
			if c > most {
				most = c
			}
			continue
		}
		a.Count[i], a.Sum[i] = 0, math.NaN()
		if !a.SumsOnly {
			a.Min[i], a.Max[i] = math.NaN(), math.NaN()
		}
	}
	a.Most = most
}

// columns returns what is wanted. It changes nothing: several readers have one that is kept.
func (a *Aggregate) columns() []*[]float64 {
	if a.SumsOnly {
		return []*[]float64{&a.Sum, &a.Count}
	}
	return []*[]float64{&a.Sum, &a.Count, &a.Min, &a.Max}
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
		if g.into.SumsOnly && (part == rolledMin || part == rolledMax) {
			continue
		}
		whole.number = g.rollup.number + uint32(part)
		parts, _, _ := whole.parts(g.db, g.r.parts[:0], lo, hi)
		g.r.parts = parts
		g.r.lay(g.db, into[lo-g.first:hi-g.first], lo)
	}
}

// devices takes the samples of the devices together.
func (g *aggregation) devices(lo, hi int64) {
	for _, s := range g.list {
		if !s.sealed.any || lo >= s.sealed.end { // all of it is in memory
			for i := range s.chunks {
				g.chunk(&s.chunks[i], lo, hi)
			}
			continue
		}
		first, values := s.values(g.db, g.r, g.r.values[:0], lo, hi)
		g.r.values = values
		if len(values) > 0 {
			g.add(first, values)
		}
	}
	g.count(run{})
}

// chunk takes the part of a chunk in that lies in slots [lo, hi).
func (g *aggregation) chunk(c *chunk.Chunk, lo, hi int64) {
	first, end := max(c.First(), lo), min(c.End(), hi)
	if first < end {
		g.r.values = c.Append(g.r.values[:0], first, end)
		g.add(first, g.r.values)
	}
}

// add adds the values of one device, the first of which is of slot first.
func (g *aggregation) add(first int64, values []float64) {
	from, to := first-g.first, first-g.first+int64(len(values))
	a := g.into
	sum, count := a.Sum[from:to], a.Count[from:to]
	if a.SumsOnly {
		sum = sum[:len(values)] // which saves looking at each index
		gaps := false
		for i, v := range values {
			if v == v { //nolint:gocritic // no gap
				sum[i] += v
			} else {
				gaps = true
			}
		}
		if !gaps {
			g.count(run{from, to, 1})
			return
		}
		for i, v := range values {
			if v == v { //nolint:gocritic // no gap
				count[i]++
			}
		}
		return
	}
	addUp(values, sum, a.Min[from:to], a.Max[from:to], count)
}

// count counts a device. Mostly the next one has samples in the same slots.
func (g *aggregation) count(r run) {
	if g.full.from == r.from && g.full.to == r.to {
		g.full.devices += r.devices
		return
	}
	if g.full.devices > 0 {
		count := g.into.Count[g.full.from:g.full.to]
		for i := range count {
			count[i] += g.full.devices
		}
	}
	g.full = r
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
	for _, values := range a.columns() {
		n := copy(*values, (*values)[from:to])
		*values = (*values)[:n]
	}
}

package metricstore

import "github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"

// gatheredFrom is from how many devices on it is kept what they have together in a chunk in memory. It takes up to four
// kilobytes, as much as the samples of so many devices.
const gatheredFrom = 16

// gathered is what the devices of a host have together in the slots of a chunk that is only in memory: the next question
// then adds up what has come since, and not all of it again. It does not change, so that several readers can have it.
type gathered struct {
	marks    []chunk.Mark // how much of each device's chunk is in it
	together Aggregate    // its columns have a value for each slot of the chunk
}

// gatheredKey is what a host keeps a gathered under.
type gatheredKey struct {
	metric string
	number int64
}

// inMemory takes the samples of the devices in slots [lo, hi) together, which are of chunks of which nothing is in a segment.
func (g *aggregation) inMemory(lo, hi int64) {
	for lo < hi {
		number := chunk.Number(lo)
		end, begin := min((number+1)*chunk.Slots, hi), number*chunk.Slots
		if have := g.gather(number); have != nil {
			from := have.together.columns()
			for i, into := range g.into.columns() {
				copy((*into)[lo-g.first:end-g.first], (*from[i])[lo-begin:end-begin])
			}
		}
		lo = end
	}
}

// gather returns what the devices have together in a chunk; nil when none has anything.
func (g *aggregation) gather(number int64) *gathered {
	key := gatheredKey{g.list[0].key.Metric, number}
	have := g.host.whatIsGathered(key)
	if have != nil && have.together.SumsOnly && !g.into.SumsOnly {
		have = nil
	}
	end := (number + 1) * chunk.Slots
	from := end
	for i, s := range g.list {
		c := s.chunk(number)
		if c == nil {
			continue
		}
		read := chunk.Mark{}
		if have != nil {
			read = have.marks[i]
		}
		if slot := c.Since(read); slot < c.End() {
			from = min(from, slot)
		}
	}
	if from < end { // otherwise nothing has changed
		have = g.extend(have, number*chunk.Slots, from)
		g.host.gather(key, have)
	}
	return have
}

func (h *host) whatIsGathered(key gatheredKey) *gathered {
	h.gathering.Lock()
	defer h.gathering.Unlock()
	return h.gathered[key]
}

func (h *host) gather(key gatheredKey, have *gathered) {
	h.gathering.Lock()
	defer h.gathering.Unlock()
	if h.gathered == nil {
		h.gathered = map[gatheredKey]*gathered{}
	}
	h.gathered[key] = have
}

// extend returns what the devices have together, given what they had: that is still so in the slots up to from.
func (g *aggregation) extend(have *gathered, begin, from int64) *gathered {
	now := &gathered{marks: make([]chunk.Mark, len(g.list)), together: Aggregate{SumsOnly: g.into.SumsOnly}}
	if have != nil {
		now.together.SumsOnly = have.together.SumsOnly
	}
	var of summands
	for i, s := range g.list {
		if c := s.chunk(chunk.Number(begin)); c != nil {
			now.marks[i] = c.Mark()
			of.add(c)
		}
	}
	for i, values := range now.together.columns() {
		*values = make([]float64, chunk.Slots)
		if have != nil {
			copy(*values, (*have.together.columns()[i])[:from-begin])
		}
	}
	part := aggregation{db: g.db, into: &now.together, list: g.list, r: g.r, first: begin}
	part.devices(from, begin+chunk.Slots)
	of.round(now.together.Sum[from-begin:])
	return now
}

// memoryOnly returns the first slot from lo on that is of a chunk of which no device has anything in a segment.
func (g *aggregation) memoryOnly(lo int64) int64 {
	for _, s := range g.list {
		if s.sealed.any && s.sealed.end > chunk.Number(lo)*chunk.Slots {
			lo = max(lo, (chunk.Number(s.sealed.end-1)+1)*chunk.Slots)
		}
	}
	return lo
}

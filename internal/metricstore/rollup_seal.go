package metricstore

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
)

// roll writes the rollups of the host's chunks that this dump moves to the segment. The caller holds mu.
func (d *dump) roll(db *DB, h *host) {
	for metric := range h.byMetric {
		list := h.devices(metric)
		if list == nil {
			continue
		}
		r := h.rolled(list)
		numbers := d.rollable(list)
		if r != nil {
			numbers = slices.DeleteFunc(numbers, r.made.has)
		}
		if len(numbers) > 0 {
			d.rollChunks(db, h, list, numbers)
		}
	}
}

// rollable returns the numbers of the chunks that can be rolled up now: those that leave memory for every device that has
// them, and that no device had in a segment before.
func (d *dump) rollable(list []*series) []int64 {
	var numbers []int64
	for _, s := range list {
		for i := range d.complete(s) {
			if n := s.chunks[i].Number(); !slices.Contains(numbers, n) {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return slices.DeleteFunc(numbers, func(n int64) bool {
		return slices.ContainsFunc(list, func(s *series) bool {
			stays := s.chunks[d.complete(s):]
			return s.sealed.any && s.sealed.end > n*chunk.Slots || len(stays) > 0 && stays[0].Number() == n
		})
	})
}

func (d *dump) rollChunks(db *DB, h *host, list []*series, numbers []int64) {
	r := h.rolled(list)
	if r == nil {
		first, err := db.newNumbers(rolledSeries)
		if err != nil {
			return // the devices are there as well
		}
		r = &rollup{number: first, step: list[0].step, phase: list[0].phase}
		if h.rollups == nil {
			h.rollups = map[string]*rollup{}
		}
		h.rollups[list[0].key.Metric] = r
	}
	all := make([]together, len(numbers))
	for _, s := range list {
		for i := range d.complete(s) {
			c := &s.chunks[i]
			if j, found := slices.BinarySearch(numbers, c.Number()); found {
				d.values = c.Append(d.values[:0], c.First(), c.End())
				all[j].add(d.values, int(c.First()-c.Number()*chunk.Slots))
				all[j].of.add(c)
			}
		}
	}
	for j := range all {
		all[j].of.round(all[j].sum[:])
	}
	for part, pick := range [rolledSeries]func(*together) *[chunk.Slots]float64{
		func(t *together) *[chunk.Slots]float64 { return &t.sum },
		func(t *together) *[chunk.Slots]float64 { return &t.least },
		func(t *together) *[chunk.Slots]float64 { return &t.greatest },
		func(t *together) *[chunk.Slots]float64 { return &t.count },
	} {
		d.segment.Begin(r.number + uint32(part))
		for j, n := range numbers {
			d.rollChunk(list[0], n, all[j].present(pick(&all[j])))
		}
	}
	r.rolling = nil // whatever a checkpoint has left that failed
	for _, n := range numbers {
		r.rolling = r.rolling.with(n)
		d.rolled = append(d.rolled, rolledChunk{h, list[0].key.Metric, n})
	}
}

// present returns the values with NaN where no device has a sample.
func (t *together) present(values *[chunk.Slots]float64) []float64 {
	for i, n := range t.count {
		if n == 0 {
			values[i] = math.NaN()
		}
	}
	return values[:]
}

// rollChunk adds a stretch without the gaps at both ends.
func (d *dump) rollChunk(s *series, number int64, values []float64) {
	values, first := trim(values, number*chunk.Slots)
	if len(values) > 0 {
		d.segment.Add(first, values, s.time(first), s.time(first+int64(len(values))))
	}
}

// rolledChunk is a chunk that has been rolled up.
type rolledChunk struct {
	host   *host
	metric string
	number int64
}

// settle notes which rollups are good, now that the chunks that they were made of have left memory: where one has not,
// samples have come meanwhile, and those that are spoilt have been freed. The caller holds mu of the host's shard.
func (c *rolledChunk) settle() {
	list := c.host.devices(c.metric)
	if list == nil {
		return
	}
	r := c.host.rolled(list)
	if r == nil {
		return
	}
	r.made = r.made.with(c.number)
	if r.rolling.has(c.number) && !slices.ContainsFunc(list, func(s *series) bool { return s.chunk(c.number) != nil }) {
		r.good = r.good.with(c.number)
	}
	r.rolling = r.rolling.without(c.number, c.number+1)
}

// recordRollups appends the checkpoint's records of a host's rollups, as they are if no more samples come before the
// segment is published: those that do are in the log. The caller holds mu.
func (d *dump) recordRollups(h *host, now []rolledChunk) {
	for metric, r := range h.rollups {
		good, made := slices.Clone(r.good), slices.Clone(r.made)
		for _, c := range now {
			if c.metric == metric {
				good, made = good.with(c.number), made.with(c.number)
			}
		}
		start := len(d.buf)
		d.buf = append(frame.Begin(d.buf), entryRollup)
		for _, name := range []string{h.cluster, h.name, metric} {
			d.buf = append(append(d.buf, byte(len(name))), name...)
		}
		d.buf = binary.AppendUvarint(d.buf, uint64(r.number))
		d.buf = binary.AppendUvarint(d.buf, uint64(r.step))
		d.buf = binary.AppendUvarint(d.buf, uint64(r.phase))
		d.buf = appendStretches(appendStretches(d.buf, good), made)
		frame.End(d.buf, start, d.salt)
	}
}

func appendStretches(dst []byte, list stretches) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = binary.AppendVarint(binary.AppendVarint(dst, s.from), s.to)
	}
	return dst
}

// stretches reads what appendStretches has written.
func (d *decoder) stretches() stretches {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	list := make(stretches, n)
	for i := range list {
		list[i] = stretch{d.varint(), d.varint()}
		if list[i].from >= list[i].to || i > 0 && list[i].from <= list[i-1].to {
			d.fail()
			return nil
		}
	}
	return list
}

// restoreRollup reads what recordRollups has written.
func (db *DB) restoreRollup(d *decoder) error {
	var names [3][]byte
	for i := range names {
		names[i] = d.bytes(uint64(d.byte()))
	}
	number := d.uvarint()
	r := &rollup{number: uint32(number), step: int64(d.uvarint()), phase: int64(d.uvarint())}
	r.good, r.made = d.stretches(), d.stretches()
	id, ok := hostID(string(names[0]), string(names[1]))
	if d.failed || !ok || number > math.MaxUint32-rolledSeries {
		return errEntry
	}
	db.raiseNumber(r.number + rolledSeries - 1)
	if h := db.shardOf(id).hosts[string(id)]; h != nil {
		if h.rollups == nil {
			h.rollups = map[string]*rollup{}
		}
		h.rollups[string(names[2])] = r
	}
	return nil
}

package metricstore

import (
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
)

// rollup is what the devices of a host have of one metric, taken together slot by slot, as segments hold it: a question
// about the host then needs no look at every hardware thread. It is made when chunks are sealed, and a chunk's part of it
// is good until a late sample arrives for that chunk.
type rollup struct {
	number      uint32 // of the first of its series in segments; see rolledSum and the following
	step, phase int64  // of the series that are in it
	good        stretches
	// made is for which chunks segments hold something, good or not. What was spoilt is never made again: both would be
	// read.
	made stretches
	// rolling is for which chunks the checkpoint that is being written has made something, as long as they are not spoilt.
	rolling stretches
}

// What stands in segments under the numbers of a rollup.
const (
	rolledSum   = iota // see summands
	rolledMin          //
	rolledMax          //
	rolledCount        // how many devices have a sample
	rolledSeries
)

// devices returns the series of a metric when a rollup of them makes sense: all of devices of one type, none of a part of
// a device, and with the same slots. The caller holds mu.
func (h *host) devices(metric string) []*series {
	list := h.byMetric[metric]
	if len(list) < 2 {
		return nil
	}
	first := list[0]
	for _, s := range list {
		if s.key.Type == "" || s.key.Type != first.key.Type || s.key.SubType != "" || s.step != first.step || s.phase != first.phase {
			return nil
		}
	}
	return list
}

// rolled returns the rollup of a metric, nil when there is none for the slots of these series. The caller holds mu.
func (h *host) rolled(list []*series) *rollup {
	r := h.rollups[list[0].key.Metric]
	if r == nil || r.step != list[0].step || r.phase != list[0].phase {
		return nil
	}
	return r
}

// spoil notes that chunks of the series are no longer what its rollup was made of. The caller holds mu.
func (s *series) spoil(from, to int64) {
	if r := s.host.rollups[s.key.Metric]; r != nil {
		r.good, r.rolling = r.good.without(from, to), r.rolling.without(from, to)
	}
}

// together is the samples of devices in the slots of one chunk.
type together struct {
	sum, least, greatest, count [chunk.Slots]float64
	of                          summands
}

// add adds the samples of one device. at is the slot of the first within the chunk.
func (t *together) add(values []float64, at int) {
	addUp(values, t.sum[at:], t.least[at:], t.greatest[at:], t.count[at:])
}

// addUp takes the samples of one device into what others have, slot by slot.
func addUp(values, sum, least, greatest, count []float64) {
	n := len(values) // named once, it saves looking at each index
	sum, least, greatest, count = sum[:n], least[:n], greatest[:n], count[:n]
	for i, v := range values {
		if v != v { //nolint:gocritic // a gap
			continue
		}
		if count[i] == 0 {
			least[i], greatest[i] = v, v
		}
		sum[i] += v
		least[i], greatest[i] = min(least[i], v), max(greatest[i], v)
		count[i]++
	}
}

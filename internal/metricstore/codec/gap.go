package codec

import (
	"encoding/binary"
	"math"
)

// isGap is math.IsNaN, which the compiler does not always inline.
func isGap(v float64) bool { return v != v }

func hasGaps(values []float64) bool {
	for _, v := range values {
		if isGap(v) {
			return true
		}
	}
	return false
}

func (e *Encoder) withoutGaps(values []float64) []float64 {
	e.dense = e.dense[:0]
	for _, v := range values {
		if !isGap(v) {
			e.dense = append(e.dense, v)
		}
	}
	return e.dense
}

// appendGaps appends the lengths of runs, of values and of gaps by turns, beginning with one of values that may be empty.
func appendGaps[T any](dst []byte, values []T, isGap func(T) bool) []byte {
	gap, length := false, uint64(0)
	for _, v := range values {
		if isGap(v) != gap {
			dst = binary.AppendUvarint(dst, length)
			gap, length = !gap, 0
		}
		length++
	}
	return binary.AppendUvarint(dst, length)
}

// runs is where values are among gaps.
type runs struct {
	lengths []int
	present int
}

// gaps reads the runs of n slots.
func (r *reader) gaps(n int) runs {
	var g runs
	for total, gap := 0, false; total < n; gap = !gap {
		length := r.uvarint()
		if r.failed || length > uint64(n-total) || length == 0 && total > 0 {
			r.fail()
			return runs{}
		}
		g.lengths = append(g.lengths, int(length))
		total += int(length)
		if !gap {
			g.present += int(length)
		}
	}
	if len(g.lengths) < 2 { // nothing but values: not what is written with the flag
		r.fail()
	}
	return g
}

// spread moves the values, which stand at the end, to where they belong.
func (g runs) spread(values []float64) {
	from, to := len(values)-g.present, 0
	for i, n := range g.lengths {
		if i%2 == 1 {
			for j := to; j < to+n; j++ {
				values[j] = math.NaN()
			}
		} else {
			copy(values[to:to+n], values[from:from+n])
			from += n
		}
		to += n
	}
}

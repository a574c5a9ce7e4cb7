package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// maxExponent is the largest power of ten that is tried. Up to 22 they are exact, but no measurement has so many digits.
const maxExponent = 12

// maxDecimal is the largest whole number below which float64 has all of them.
const maxDecimal = 1 << 53

// powers are exact.
func power(exponent int) float64 {
	return [maxExponent + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12}[exponent]
}

// decimals fills e.ints with whole numbers n such that every value is exactly n divided by ten to the exponent; ok is
// false when there is no such exponent. Dividing rounds once, as reading the decimal text has done, so it gives the
// very same bits.
func (e *Encoder) decimals(values []float64) (exponent int, ok bool) {
	e.ints = e.ints[:0]
	for exponent <= maxExponent {
		scale := power(exponent)
		i := len(e.ints)
		for ; i < len(values); i++ {
			n := math.Round(values[i] * scale)
			if !(math.Abs(n) < maxDecimal) { // also infinite ones
				return 0, false
			}
			if math.Float64bits(float64(int64(n))/scale) != math.Float64bits(values[i]) {
				break
			}
			e.ints = append(e.ints, int64(n))
		}
		if i == len(values) {
			return exponent, true
		}
		if values[i] == 0 { // it is negative zero, which no whole number is
			return 0, false
		}
		exponent++
		e.ints = e.ints[:0]
	}
	return 0, false
}

// shorten takes zeros off the ends of whole numbers as long as all have them, and returns the exponent that is left.
func shorten(ints []int64, exponent int) int {
	for ; exponent > 0; exponent-- {
		for _, n := range ints {
			if n%10 != 0 {
				return exponent
			}
		}
		for i := range ints {
			ints[i] /= 10
		}
	}
	return exponent
}

// appendDecimal appends the exponent and e.ints, as they are or as differences, whichever is shorter.
func (e *Encoder) appendDecimal(dst []byte, exponent int) []byte {
	e.diffs[0] = differences(e.diffs[0][:0], e.ints)
	e.diffs[1] = differences(e.diffs[1][:0], e.diffs[0])
	low, span := spanOf(e.ints)
	plain := len(e.ints) * bits.Len64(span)
	order, cost := 0, plain
	for i, d := range e.diffs {
		if c := costOf(d); c < cost {
			order, cost = i+1, c
		}
	}
	dst = append(dst, byte(exponent<<2|order))
	switch order {
	case 0:
		dst = binary.AppendVarint(dst, low)
		return appendPacked(dst, e.ints, func(n int64) uint64 { return uint64(n - low) })
	case 1:
		dst = binary.AppendVarint(dst, e.ints[0])
		return appendPacked(dst, e.diffs[0], zigzag)
	default:
		dst = binary.AppendVarint(dst, e.ints[0])
		dst = binary.AppendVarint(dst, e.diffs[0][0])
		return appendPacked(dst, e.diffs[1], zigzag)
	}
}

func differences(dst, ns []int64) []int64 {
	for i := 1; i < len(ns); i++ {
		dst = append(dst, ns[i]-ns[i-1])
	}
	return dst
}

func spanOf(ns []int64) (low int64, span uint64) {
	low, high := ns[0], ns[0]
	for _, n := range ns[1:] {
		low, high = min(low, n), max(high, n)
	}
	return low, uint64(high - low)
}

// costOf is about how many bits packing takes.
func costOf(ns []int64) int {
	total := 0
	for len(ns) > 0 {
		block := ns[:min(blockSize, len(ns))]
		var all uint64
		for _, n := range block {
			all |= zigzag(n)
		}
		total += len(block) * bits.Len64(all)
		ns = ns[len(block):]
	}
	return total
}

func zigzag(n int64) uint64 { return uint64(n<<1) ^ uint64(n>>63) }

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

func (r *reader) varint() int64 {
	return unzigzag(r.uvarint())
}

// decimal reads what appendDecimal has written.
func (r *reader) decimal(dst []float64) {
	head := r.byte()
	exponent, order := int(head>>2), int(head&3)
	if exponent > maxExponent || order > 2 || len(dst) < order {
		r.fail()
		return
	}
	scale := power(exponent)
	n := r.varint()
	switch order {
	case 0:
		r.plain(dst, n, scale)
	case 1:
		dst[0] = float64(n) / scale
		r.first(dst[1:], n, scale)
	case 2:
		d := r.varint()
		dst[0], dst[1] = float64(n)/scale, float64(n+d)/scale
		r.second(dst[2:], n+d, d, scale)
	}
}

// plain reads numbers less the lowest one.
func (r *reader) plain(dst []float64, lowest int64, scale float64) {
	var room [blockSize]uint64
	for len(dst) > 0 {
		us := r.packed(&room, len(dst))
		if r.failed {
			return
		}
		for i, u := range us {
			dst[i] = float64(lowest+int64(u)) / scale
		}
		dst = dst[len(us):]
	}
}

// first reads first differences. n is the number before.
func (r *reader) first(dst []float64, n int64, scale float64) {
	var room [blockSize]uint64
	for len(dst) > 0 {
		us := r.packed(&room, len(dst))
		if r.failed {
			return
		}
		for i, u := range us {
			n += unzigzag(u)
			dst[i] = float64(n) / scale
		}
		dst = dst[len(us):]
	}
}

// second reads second differences. n is the number before and d how much more it is than the one before it.
func (r *reader) second(dst []float64, n, d int64, scale float64) {
	var room [blockSize]uint64
	for len(dst) > 0 {
		us := r.packed(&room, len(dst))
		if r.failed {
			return
		}
		for i, u := range us {
			d += unzigzag(u)
			n += d
			dst[i] = float64(n) / scale
		}
		dst = dst[len(us):]
	}
}

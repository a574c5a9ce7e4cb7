package chunk

import (
	"encoding/binary"
	"math"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
)

// form is how a chunk holds its values: in its lowest two bits, the binary logarithm of a slot's bytes; above them, how
// many digits are behind the point. Slots of eight bytes are float64, narrower ones whole numbers.
type form uint8

const (
	shiftBits = 2
	short     = form(1)
	long      = form(2)
	floats    = form(3)
	// maxExponent is how many digits behind the point whole numbers have at most: more would leave none in front of it.
	maxExponent = 9
)

// What stands for a gap.
const (
	shortGap = math.MinInt16
	longGap  = math.MinInt32
)

func (f form) shift() int { return int(f & 3) }

func (f form) exponent() int { return int(f >> shiftBits) }

// bytes returns how many bytes so many slots take.
func (f form) bytes(slots int64) int { return int(slots) << f.shift() }

// scale returns ten to the exponent, which float64 has exactly.
func (f form) scale() float64 {
	return [16]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}[f>>shiftBits&15]
}

// largest returns the largest whole number that the form holds, which is not that of float64.
func (f form) largest() float64 {
	if f&3 == short {
		return math.MaxInt16
	}
	return math.MaxInt32
}

// narrow returns the form of whole numbers up to a size, without their signs.
func narrow(exponent int, largest int64) form {
	f := form(exponent << shiftBits)
	switch {
	case largest <= math.MaxInt16:
		return f | short
	case largest <= math.MaxInt32:
		return f | long
	default:
		return floats
	}
}

// formOf returns the narrowest form that holds the values.
func formOf(values ...float64) form {
	f, largest := short, int64(0)
	for _, v := range values {
		if v == v { //nolint:gocritic // no gap
			if f = f.with(v, 0); f == floats {
				return f
			}
		}
	}
	f = narrow(f.exponent(), math.MaxInt32)
	for _, v := range values {
		n, ok := f.code(v)
		if !ok {
			return floats
		}
		if n != longGap {
			largest = max(largest, n, -n)
		}
	}
	return narrow(f.exponent(), largest)
}

// with returns the narrowest form that holds v and all that a chunk of the form f holds, of which largest is the largest
// whole number, without its sign.
func (f form) with(v float64, largest int64) form {
	if f == floats {
		return f
	}
	for exponent := f.exponent(); exponent <= maxExponent && largest <= math.MaxInt32; exponent++ {
		if n, ok := narrow(exponent, math.MaxInt32).code(v); ok {
			return narrow(exponent, max(largest, n, -n))
		}
		largest *= 10
	}
	return floats
}

// code returns what stands for v in a slot; ok is false when the form does not hold v. A whole number is divided by ten to
// the exponent when it is read: that rounds once, as reading the decimal text has done, so that it gives the very same
// bits. Where it does not, as for a negative zero, the form does not hold v.
func (f form) code(v float64) (n int64, ok bool) {
	if f == floats {
		return int64(math.Float64bits(v)), true
	}
	if v != v { //nolint:gocritic // a gap
		return f.gap(), true
	}
	scale := f.scale()
	scaled := v * scale // it may lie beside the whole number, on either side
	if !(math.Abs(scaled) < f.largest()+0.5) {
		return 0, false
	}
	n = int64(scaled + math.Copysign(0.5, scaled))
	return n, math.Float64bits(float64(n)/scale) == math.Float64bits(v)
}

// gap returns what stands for a gap.
func (f form) gap() int64 {
	switch f & 3 {
	case short:
		return shortGap
	case long:
		return longGap
	case floats:
	}
	return int64(math.Float64bits(math.NaN()))
}

// store puts what stands for a value into place i.
func (c *Chunk) store(i, n int64) {
	switch c.form & 3 {
	case short:
		binary.LittleEndian.PutUint16(c.data[2*i:], uint16(n))
	case long:
		binary.LittleEndian.PutUint32(c.data[4*i:], uint32(n))
	case floats:
		binary.LittleEndian.PutUint64(c.data[8*i:], uint64(n))
	}
}

// isGap reports whether there is no sample in place i.
func (c *Chunk) isGap(i int64) bool {
	switch c.form & 3 {
	case short:
		return int16(binary.LittleEndian.Uint16(c.data[2*i:])) == shortGap
	case long:
		return int32(binary.LittleEndian.Uint32(c.data[4*i:])) == longGap
	case floats:
	}
	return math.IsNaN(math.Float64frombits(binary.LittleEndian.Uint64(c.data[8*i:])))
}

// decode fills dst with values from place i on.
func (c *Chunk) decode(dst []float64, i int64) {
	data := c.data[c.form.bytes(i):]
	scale := c.form.scale()
	switch c.form & 3 {
	case short:
		for j := range dst {
			n := int16(binary.LittleEndian.Uint16(data[2*j:]))
			if dst[j] = float64(n) / scale; n == shortGap {
				dst[j] = math.NaN()
			}
		}
	case long:
		for j := range dst {
			n := int32(binary.LittleEndian.Uint32(data[4*j:]))
			if dst[j] = float64(n) / scale; n == longGap {
				dst[j] = math.NaN()
			}
		}
	case floats:
		for j := range dst {
			dst[j] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*j:]))
		}
	}
}

// wholes fills dst, which has as many places as the chunk, with whole numbers. The chunk is not one of float64.
func (c *Chunk) wholes(dst []int64) {
	if c.form&3 == short {
		for i := range dst {
			n := int16(binary.LittleEndian.Uint16(c.data[2*i:]))
			if dst[i] = int64(n); n == shortGap {
				dst[i] = codec.Gap
			}
		}
		return
	}
	for i := range dst {
		n := int32(binary.LittleEndian.Uint32(c.data[4*i:]))
		if dst[i] = int64(n); n == longGap {
			dst[i] = codec.Gap
		}
	}
}

// largest returns the largest whole number, without its sign.
func (c *Chunk) largest() (n int64) {
	if c.form == floats {
		return math.MaxInt64
	}
	var ints [Slots]int64
	c.wholes(ints[:c.len()])
	for _, i := range ints[:c.len()] {
		if i != codec.Gap {
			n = max(n, i, -i)
		}
	}
	return n
}

// Package codec writes stretches of samples in few bytes and gives them back bit for bit.
//
// Measured values are seldom arbitrary floating-point numbers: most are decimals of few digits, some were float32 once, and
// many do not change for a while. Each stretch is written in the way that makes it smallest; a byte in front says which. A
// NaN is a gap: where the gaps are is kept, what kind of NaN they were is not.
//
// docs/format/metricstore.md describes the bytes.
package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// MaxValues is how many values one stretch may have.
const MaxValues = 1 << 16

// ErrCorrupt is returned for bytes that Append has not written.
var ErrCorrupt = errors.New("the compressed samples are damaged")

// How a stretch is written. The numbers are on disk and are never used again for something else.
const (
	kindRaw      = 0 // eight bytes each
	kindConstant = 1 // one value for all
	kindDecimal  = 2 // whole numbers of a power of ten: as they are, or their first or second differences
	kindXOR      = 3 // what differs from the value before
	kindMask     = 0x0f
	flagGaps     = 0x10 // there are gaps, and where stands in front
)

// Encoder holds the room that encoding needs, to be used again. The zero value is ready. It is for one goroutine.
type Encoder struct {
	dense []float64
	ints  []int64
	diffs [2][]int64
	best  []byte
	other []byte
}

// Append appends the values in their shortest form. There must be between one and MaxValues of them.
func (e *Encoder) Append(dst []byte, values []float64) []byte {
	start := len(dst)
	dst = append(dst, 0)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	var flags byte
	present := values
	if hasGaps(values) {
		flags = flagGaps
		dst = appendGaps(dst, values, isGap)
		present = e.withoutGaps(values)
	}
	kind, body := e.encode(present)
	dst[start] = kind | flags
	return append(dst, body...)
}

// Gap is what stands for a gap among whole numbers.
const Gap = math.MinInt64

// AppendDecimals is Append for values that are given as whole numbers divided by ten to the exponent, which is not above 12.
// The whole numbers are below 2^31. It saves finding them out.
func (e *Encoder) AppendDecimals(dst []byte, ints []int64, exponent int) []byte {
	start := len(dst)
	dst = append(dst, 0)
	dst = binary.AppendUvarint(dst, uint64(len(ints)))
	var flags byte
	if slices.Contains(ints, Gap) {
		flags = flagGaps
		dst = appendGaps(dst, ints, func(n int64) bool { return n == Gap })
	}
	e.ints = e.ints[:0]
	for _, n := range ints {
		if n != Gap {
			e.ints = append(e.ints, n)
		}
	}
	kind, body := e.encodeDecimals(shorten(e.ints, exponent))
	dst[start] = kind | flags
	return append(dst, body...)
}

// encodeDecimals returns the shortest form of e.ints divided by ten to the exponent. It is good until the next call.
func (e *Encoder) encodeDecimals(exponent int) (byte, []byte) {
	scale := power(exponent)
	if len(e.ints) == 0 {
		return kindRaw, nil
	}
	if low, span := spanOf(e.ints); span == 0 {
		e.best = binary.LittleEndian.AppendUint64(e.best[:0], math.Float64bits(float64(low)/scale))
		return kindConstant, e.best
	}
	e.best = e.appendDecimal(e.best[:0], exponent)
	if len(e.best) <= 2*len(e.ints) {
		return kindDecimal, e.best
	}
	e.dense = e.dense[:0]
	for _, n := range e.ints {
		e.dense = append(e.dense, float64(n)/scale)
	}
	return e.shortest(e.dense, true)
}

// encode returns the shortest form of values without gaps. It is good until the next call.
func (e *Encoder) encode(values []float64) (byte, []byte) {
	if len(values) == 0 {
		return kindRaw, nil
	}
	if constant(values) {
		e.best = binary.LittleEndian.AppendUint64(e.best[:0], math.Float64bits(values[0]))
		return kindConstant, e.best
	}
	exponent, ok := e.decimals(values)
	if ok {
		e.best = e.appendDecimal(e.best[:0], exponent)
	}
	return e.shortest(values, ok)
}

// shortest returns the shortest form of values that are not all the same. When they are decimals, e.best has them as such.
func (e *Encoder) shortest(values []float64, decimal bool) (byte, []byte) {
	kind, size := byte(kindRaw), 8*len(values)
	if decimal && len(e.best) < size {
		kind, size = kindDecimal, len(e.best)
	}
	// Where decimals take less than two bytes a value, bits of floating-point numbers do not take less.
	if kind == kindRaw || size > 2*len(values) {
		e.other = appendXOR(e.other[:0], values)
		if len(e.other) < size {
			return kindXOR, e.other
		}
	}
	if kind == kindRaw {
		e.best = appendRaw(e.best[:0], values)
	}
	return kind, e.best
}

func constant(values []float64) bool {
	first := math.Float64bits(values[0])
	for _, v := range values[1:] {
		if math.Float64bits(v) != first {
			return false
		}
	}
	return true
}

func appendRaw(dst []byte, values []float64) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// Len returns how many values the bytes hold; ErrCorrupt.
func Len(src []byte) (int, error) {
	if len(src) == 0 {
		return 0, ErrCorrupt
	}
	n, size := binary.Uvarint(src[1:])
	if size <= 0 || n == 0 || n > MaxValues {
		return 0, ErrCorrupt
	}
	return int(n), nil
}

// Decode appends the values that src holds to dst; ErrCorrupt. Gaps are NaN. It takes exactly what Append has appended:
// what follows behind it makes it fail.
func Decode(dst []float64, src []byte) ([]float64, error) {
	n, err := Len(src)
	if err != nil {
		return dst, err
	}
	r := reader{rest: src[1:]}
	r.uvarint()
	start := len(dst)
	dst = grow(dst, n)
	values := dst[start:]
	present := values
	var gaps runs
	if src[0]&flagGaps != 0 {
		gaps = r.gaps(n)
		present = values[n-gaps.present:] // at the end, from where they are spread to the front
	}
	switch src[0] &^ flagGaps {
	case kindRaw:
		r.raw(present)
	case kindConstant:
		r.constant(present)
	case kindDecimal:
		r.decimal(present)
	case kindXOR:
		r.xor(present)
	default:
		r.fail()
	}
	if r.failed || len(r.rest) > 0 {
		return dst[:start], ErrCorrupt
	}
	if src[0]&flagGaps != 0 {
		gaps.spread(values)
	}
	return dst, nil
}

// grow returns dst with n more values, whatever they are.
func grow(dst []float64, n int) []float64 {
	if free := cap(dst) - len(dst); free >= n {
		return dst[:len(dst)+n]
	}
	longer := make([]float64, len(dst)+n)
	copy(longer, dst)
	return longer
}

// reader takes bytes apart. After a failure, failed is true and the results mean nothing.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) fail() { r.rest, r.failed = nil, true }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) raw(dst []float64) {
	b := r.take(8 * len(dst))
	if r.failed {
		return
	}
	for i := range dst {
		dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
}

func (r *reader) constant(dst []float64) {
	b := r.take(8)
	if r.failed {
		return
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(b))
	for i := range dst {
		dst[i] = v
	}
}

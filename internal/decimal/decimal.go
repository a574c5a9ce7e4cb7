// Package decimal writes floating-point numbers as decimals, byte for byte as package strconv does, but several times as
// fast for the numbers that are measured: those of usual size and few digits. An answer of the metric store is millions of
// them.
package decimal

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
)

// room is more than what is written at a time.
const room = 24

// maxWhole is up to where whole numbers are taken apart here. Below it a half is a float64 too, and a decimal of as many
// digits is the shortest for its float64, if it has no zeros at its end.
const maxWhole = 1e15

// AppendFixed2 appends a finite number with two decimals, as strconv.AppendFloat does with format 'f'.
func AppendFixed2(dst []byte, v float64) []byte {
	n, ok := rounded(v, 100)
	if !ok {
		return strconv.AppendFloat(dst, v, 'f', 2, 64)
	}
	dst, at := appendWhole(dst, v, n/100)
	digits := triples[n%100]
	binary.LittleEndian.PutUint32(dst[at:at+4], '.'|digits&0xffff00)
	return dst[:at+3]
}

// AppendFixed3 appends numbers with three decimals, as strconv.AppendFloat does with format 'f', with commas between them.
// What is no finite number becomes null.
func AppendFixed3(dst []byte, values ...float64) []byte {
	if len(values) == 0 {
		return dst
	}
	at := len(dst)
	for _, v := range values {
		if cap(dst)-at < room {
			dst = slices.Grow(dst[:at], room*min(len(values), 64))
		}
		dst = dst[:at+room]
		b := dst[at : at+room : at+room]
		size := math.Abs(v)
		scaled := size * 1000
		if !(scaled < 1e9) {
			dst = append(appendRare(dst[:at], v), ',')
			at = len(dst)
			continue
		}
		whole := math.RoundToEven(scaled)
		if d := scaled - whole; d == 0.5 || d == -0.5 { //nolint:gocritic // cheaper than asking for its size
			whole = half(size, 1000, scaled, whole)
		}
		n := uint32(int32(whole))
		b[0] = '-' // which is written over unless it belongs there
		i := int(math.Float64bits(v) >> 63)
		if front := n / 1000; front < 1000 {
			i += leading(b[i:], front)
		} else {
			i += leading(b[i:], front/1000)
			binary.LittleEndian.PutUint32(b[i:], triples[front%1000])
			i += 3
		}
		binary.LittleEndian.PutUint32(b[i:], '.'|triples[n%1000]<<8)
		b[i+4] = ','
		at += i + 5
	}
	return dst[:at-1] // without the last comma
}

// appendRare is AppendFixed3 for what is seldom there.
func appendRare(dst []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	n, ok := rounded(v, 1000)
	if !ok {
		return strconv.AppendFloat(dst, v, 'f', 3, 64)
	}
	dst, at := appendWhole(dst, v, n/1000)
	binary.LittleEndian.PutUint32(dst[at:at+4], '.'|triples[n%1000]<<8)
	return dst[:at+4]
}

// Append appends a finite number with as many digits as are needed to read the same number again, as strconv.AppendFloat
// does with format 'f' and precision -1.
func Append(dst []byte, v float64) []byte {
	// A number that is a decimal of few digits is found by trying. Its digits are the shortest, as no two decimals of up
	// to fifteen digits are the same float64.
	if n, ok := exactly(v, 1e3); ok {
		return appendTrimmed(dst, v, n, 3)
	}
	if n, ok := exactly(v, 1e6); ok {
		return appendTrimmed(dst, v, n, 6)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

// rounded returns the size of v times a power of ten as a whole number, rounded as the decimals of the exact value of v
// are: to the nearest, halves to even. ok is false for what is too large, and for what is no number.
func rounded(v, power float64) (n uint64, ok bool) {
	size := math.Abs(v)
	scaled := size * power
	if !(scaled < maxWhole) {
		return 0, false
	}
	whole := math.RoundToEven(scaled)
	if d := scaled - whole; d == 0.5 || d == -0.5 { //nolint:gocritic // cheaper than asking for its size
		whole = half(size, power, scaled, whole)
	}
	return uint64(int64(whole)), true
}

// half rounds size times power, when scaled, which is that as a float64, is a half and whole the nearest even number: what
// was lost in rounding tells on which side of the half the exact value is.
func half(size, power, scaled, whole float64) float64 {
	switch lost := math.FMA(size, power, -scaled); {
	case lost > 0:
		return math.Ceil(scaled)
	case lost < 0:
		return math.Floor(scaled)
	default:
		return whole
	}
}

// exactly returns the whole number of which v is exactly that part; ok is false when there is none. Dividing rounds once, as
// reading the decimal does, so it gives the very same bits.
func exactly(v, part float64) (n uint64, ok bool) {
	size := math.Abs(v)
	whole := math.RoundToEven(size * part)
	if !(whole < maxWhole) || whole/part != size {
		return 0, false
	}
	return uint64(int64(whole)), true
}

// appendWhole appends the sign of v and a whole number. It returns dst with room behind its end, and where that is.
func appendWhole(dst []byte, v float64, n uint64) (longer []byte, end int) {
	at := len(dst)
	dst = slices.Grow(dst, room)[:at+room]
	dst[at] = '-' // which is written over unless it belongs there
	at += int(math.Float64bits(v) >> 63)
	if n < 1000 {
		return dst, at + leading(dst[at:at+4], n)
	}
	if n < 1_000_000 {
		at += leading(dst[at:at+4], n/1000)
		binary.LittleEndian.PutUint32(dst[at:at+4], triples[n%1000])
		return dst, at + 3
	}
	at = len(strconv.AppendUint(dst[:at], n, 10)) // fifteen digits at most
	return dst, at
}

// leading writes a number below 1000 without leading zeros and returns how many digits it has.
func leading[N uint32 | uint64](b []byte, n N) int {
	t := triples[n]
	zeros := t >> 24
	binary.LittleEndian.PutUint32(b, t>>(8*zeros))
	return int(3 - zeros)
}

// appendTrimmed appends n divided by ten to the power of decimals, without zeros at its end.
func appendTrimmed(dst []byte, v float64, n uint64, decimals int) []byte {
	power := uint64(1000)
	if decimals == 6 {
		power = 1_000_000
	}
	dst, at := appendWhole(dst, v, n/power)
	rest := n % power
	if rest == 0 {
		return dst[:at]
	}
	dst[at] = '.'
	at++
	if decimals == 6 {
		binary.LittleEndian.PutUint32(dst[at:at+4], triples[rest/1000])
		at, rest = at+3, rest%1000
	}
	binary.LittleEndian.PutUint32(dst[at:at+4], triples[rest])
	at += 3
	for dst[at-1] == '0' {
		at--
	}
	return dst[:at]
}

// triples are the three digits of numbers below 1000, the first in the lowest byte, and in the highest byte how many of
// them are leading zeros; 0 has two.
var triples = func() (t [1000]uint32) {
	for i := range t {
		n := uint32(i)
		t[i] = '0' + n/100 | ('0'+n/10%10)<<8 | ('0'+n%10)<<16
		switch {
		case n < 10:
			t[i] |= 2 << 24
		case n < 100:
			t[i] |= 1 << 24
		}
	}
	return t
}()

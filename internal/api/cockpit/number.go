package cockpit

import (
	"math"
	"strconv"
)

// number is a value that may be absent: NaN is written as null. It is written plain, without exponent.
type number float64

// MarshalJSON writes the number.
func (n number) MarshalJSON() ([]byte, error) { return appendNumber(nil, float64(n)), nil }

func appendNumber(dst []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

func numbers(m map[string]float64) map[string]number {
	if m == nil {
		return nil
	}
	out := make(map[string]number, len(m))
	for name, v := range m {
		out[name] = number(v)
	}
	return out
}

// sample is a measured value with at most 3 decimals. NaN is written as null.
type sample float64

// MarshalJSON writes the sample.
func (s sample) MarshalJSON() ([]byte, error) { return appendSample(nil, float64(s)), nil }

// samples is the values of one series, with at most 3 decimals. An absent sample is null.
type samples []float64

// MarshalJSON writes the samples.
func (s samples) MarshalJSON() ([]byte, error) { return s.appendTo(nil), nil }

func (s samples) appendTo(dst []byte) []byte {
	dst = append(dst, '[')
	for i, v := range s {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendSample(dst, v)
	}
	return append(dst, ']')
}

// exact is the magnitude up to which a thousand times a value is surely a whole number in 64 bits.
const exact = 1e15

// appendSample works in thousandths as whole numbers: a job's page may ask for millions of samples, and writing floats
// digit by digit is several times slower.
func appendSample(dst []byte, v float64) []byte {
	scaled := v * 1000
	if !(scaled > -exact && scaled < exact) { // NaN too
		return appendNumber(dst, v)
	}
	n := int64(math.Round(scaled))
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = strconv.AppendInt(dst, n/1000, 10)
	frac := n % 1000
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+frac/100))
	if frac %= 100; frac != 0 {
		dst = append(dst, byte('0'+frac/10))
		if frac %= 10; frac != 0 {
			dst = append(dst, byte('0'+frac))
		}
	}
	return dst
}

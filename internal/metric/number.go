package metric

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// parseTime reads a time in seconds, milliseconds, microseconds or nanoseconds and returns it in seconds. Which of them
// it is, its size tells: in seconds the first bound is the year 5138, and in milliseconds the year 1973.
func parseTime(b []byte) (int64, error) {
	n, err := wholeNumber(b)
	switch {
	case err != nil:
		return 0, err
	case n < 1e11:
		return n, nil
	case n < 1e14:
		return n / 1e3, nil
	case n < 1e17:
		return n / 1e6, nil
	default:
		return n / 1e9, nil
	}
}

// wholeNumber reads a time in whatever units.
func wholeNumber(b []byte) (int64, error) {
	if n, ok := digitsOf(b); ok {
		return n, nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("time %q is not a whole number", clip(b))
	}
	if n < 0 {
		return 0, fmt.Errorf("time %d is before 1970", n)
	}
	return n, nil
}

// digitsOf reads a number of 1 to 19 digits and nothing else.
func digitsOf(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var sum uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		sum = sum*10 + uint64(c-'0')
	}
	return int64(sum), sum <= math.MaxInt64
}

// parseValue reads a number: a float, an integer with suffix i, or an unsigned integer with suffix u.
func parseValue(b []byte) (float64, error) {
	if v, ok := parseDecimal(b); ok {
		return v, nil
	}
	if len(b) == 0 {
		return 0, errors.New("the value is missing")
	}
	var v float64
	var err error
	switch digits := b[:len(b)-1]; {
	case b[len(b)-1] == 'i':
		var n int64
		n, err = strconv.ParseInt(string(digits), 10, 64)
		v = float64(n)
	case b[len(b)-1] == 'u':
		var n uint64
		n, err = strconv.ParseUint(string(digits), 10, 64)
		v = float64(n)
	default:
		return parseFloat(b)
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("value %q is out of range", clip(b))
	}
	if err != nil {
		return 0, fmt.Errorf("value %q is not a number", clip(b))
	}
	return v, nil
}

// parseFloat reads a float that is not short and plain.
func parseFloat(b []byte) (float64, error) {
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, fmt.Errorf("value %q is not a number", clip(b))
		}
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("value %q is out of range", clip(b))
	}
	if err != nil {
		return 0, fmt.Errorf("value %q is not a number", clip(b))
	}
	return v, nil
}

// parseDecimal reads a number of at most 15 digits, with or without sign and point. Up to there, and only up to there,
// one division of exact numbers gives the nearest float.
func parseDecimal(b []byte) (v float64, ok bool) {
	i := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i = 1
	}
	var mantissa uint64
	digits, point := 0, -1
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			mantissa = mantissa*10 + uint64(c-'0')
			digits++
		case c == '.' && point < 0:
			point = digits
		default:
			return 0, false
		}
	}
	if digits == 0 || digits > 15 {
		return 0, false
	}
	v = float64(mantissa)
	if point >= 0 {
		v /= powers[digits-point]
	}
	if b[0] == '-' {
		v = math.Copysign(v, -1)
	}
	return v, true
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// clip keeps what is quoted in an error short.
func clip(b []byte) []byte { return b[:min(len(b), 40)] }

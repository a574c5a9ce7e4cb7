package hostlist

import (
	"cmp"
	"strings"
)

// Compare orders names as people count: n2 stands before n10. Numbers are compared by value wherever both names have
// one, the rest byte by byte; names that differ in leading zeros only are ordered as texts. It is a total order: 0 means
// that the names are equal.
func Compare(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		if isDigit(x[0]) && isDigit(y[0]) {
			var m, n string
			m, x = digits(x)
			n, y = digits(y)
			if c := compareNumbers(m, n); c != 0 {
				return c
			}
			continue
		}
		if c := cmp.Compare(x[0], y[0]); c != 0 {
			return c
		}
		x, y = x[1:], y[1:]
	}
	if c := cmp.Compare(len(x), len(y)); c != 0 { // one of them is 0
		return c
	}
	return strings.Compare(a, b)
}

// digits splits s behind its leading digits.
func digits(s string) (number, rest string) {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return s[:n], s[n:]
}

// compareNumbers compares two texts of digits of any length by value.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

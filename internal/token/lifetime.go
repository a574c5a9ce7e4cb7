package token

import (
	"math"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// lifetimeUnits are the suffixes of a lifetime (contract clusterware 2.3).
var lifetimeUnits = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
}

// ParseLifetime reads a lifetime as people write it: a whole number of seconds, or a whole number with one of the
// suffixes s, m, h, d and w, as in 3600, 12h, 1d or 2w. A lifetime is longer than nothing. fault.Invalid.
func ParseLifetime(s string) (time.Duration, error) {
	digits, unit := s, time.Second
	if s != "" {
		if u, ok := lifetimeUnits[s[len(s)-1]]; ok {
			digits, unit = s[:len(s)-1], u
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n == 0 {
		return 0, fault.New(fault.Invalid, "lifetime %q is not valid: a number of seconds, or a number with s, m, h, d or w, as in 12h or 1d", s)
	}
	if n > uint64(math.MaxInt64/unit) {
		return 0, fault.New(fault.Invalid, "lifetime %q is too long", s)
	}
	return time.Duration(n) * unit, nil
}

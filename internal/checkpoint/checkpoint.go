// Package checkpoint reads what ClusterCockpit's metric store leaves on disk, so that a site moves over with its history
// (contract clustercockpit 5.7).
//
// There is a folder for each host, <cluster>/<host>, with files of three kinds: <from>.json, <from>.bin and current.wal.
// The readers take one file each and trust nothing in it; Import goes through all folders.
package checkpoint

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Series is samples of one series in equal steps.
type Series struct {
	Metric string
	Levels []string // below the host: a device, and a part of it
	Step   int64    // seconds between two values; 0 when the file does not say
	First  int64    // Unix seconds of the first value
	Values []float64
}

// ErrDamaged is the error for a file that does not hold what it should.
var ErrDamaged = errors.New("the file is damaged")

// The bounds of what is believed. A file beyond them is damaged, or made to do harm.
const (
	maxLevels = 8
	maxStep   = 24 * 60 * 60
	maxTime   = 1 << 40
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// check returns what no series can be like.
func (s *Series) check() error {
	if err := checkName(s.Metric); err != nil {
		return err
	}
	for _, level := range s.Levels {
		if err := checkName(level); err != nil {
			return err
		}
	}
	switch {
	case len(s.Levels) > maxLevels:
		return damaged("more than %d levels below the host", maxLevels)
	case s.Step < 0 || s.Step > maxStep || s.Step == 0 && len(s.Values) > 1:
		return damaged("metric %s has a sample every %d seconds", s.Metric, s.Step)
	case s.First < 0 || s.First > maxTime:
		return damaged("metric %s begins at the time %d", s.Metric, s.First)
	}
	return nil
}

// checkName holds a name to the rules of the line protocol.
func checkName(name string) error {
	if name == "" || len(name) > metric.MaxName || !utf8.ValidString(name) {
		return damaged("%.40q is not a name", name)
	}
	for _, r := range name {
		if r < 0x20 || r == 0x7f {
			return damaged("%.40q is not a name", name)
		}
	}
	return nil
}

// widen returns the float32 with these bits as a float64, which has the same value.
func widen(bits uint32) float64 { return float64(math.Float32frombits(bits)) }

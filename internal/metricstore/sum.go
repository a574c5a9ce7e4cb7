package metricstore

import (
	"math"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
)

// summands is what is known of samples that are added up slot by slot. What was measured has few digits, and so have sums;
// adding one float64 after the other leaves some noise behind these digits, which nobody wants to read and which takes more
// room on disk than the sum.
type summands struct {
	devices int
	digits  int     // behind the point, at most
	size    float64 // which no sum exceeds
	others  bool    // some may be no decimals
}

// add takes in the samples of a device.
func (s *summands) add(c *chunk.Chunk) {
	digits, largest, ok := c.Decimals()
	s.devices++
	s.digits = max(s.digits, digits)
	s.size += largest
	s.others = s.others || !ok
}

// round makes sums the float64 that are nearest to what they are exactly, when that can be told: when the noise is far less
// than half of the last digit.
func (s *summands) round(sums []float64) {
	const ulp = 0x1p-53
	scale := math.Pow10(s.digits)
	if noise := ulp * float64(s.devices+2) * s.size * scale; s.others || noise > 1.0/8 {
		return
	}
	for i, v := range sums {
		sums[i] = math.RoundToEven(v*scale)/scale + 0 // no negative zero
	}
}

package metricstore

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
)

// Sums of decimals are what a decimal on paper would be read as, whenever they are rounded at all.
func TestSumsOfDecimalsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var of summands
		sum, exact := 0.0, new(big.Rat)
		devices := rapid.IntRange(1, 300).Draw(t, "devices")
		digits := rapid.IntRange(0, 6).Draw(t, "digits")
		most := rapid.SampledFrom([]int64{9, 9_999, 999_999, math.MaxInt32}).Draw(t, "most")
		for range devices {
			n := rapid.Int64Range(-most, most).Draw(t, "n")
			v := float64(n) / math.Pow10(digits)
			c := chunk.New(0, v)
			of.add(&c)
			sum += v
			exact.Add(exact, big.NewRat(n, int64(math.Pow10(digits))))
		}
		sums := []float64{sum, math.NaN()}
		of.round(sums)
		want, _ := exact.Float64()
		if math.Float64bits(sums[0]) != math.Float64bits(want) || !math.IsNaN(sums[1]) {
			t.Fatalf("%d devices with %d digits: %v, not %v", devices, digits, sums, want)
		}
	})
}

func TestSumsThatCannotBeToldAreLeftAlone(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]float64{
		"no decimals":         {0.1, 1.0 / 3},
		"too far apart":       {2_000_000_000, 0.000_000_001, 0.000_000_002},
		"a number for itself": {math.Pi},
	} {
		var of summands
		sum := 0.0
		for _, v := range values {
			c := chunk.New(0, v)
			of.add(&c)
			sum += v
		}
		sums := []float64{sum}
		if of.round(sums); math.Float64bits(sums[0]) != math.Float64bits(sum) {
			t.Errorf("%s: %v has become %v", name, sum, sums[0])
		}
	}
}

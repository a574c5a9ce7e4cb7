package codec_test

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
)

// Whoever has values as whole numbers gets the very bytes that finding them out gives.
func TestWholeNumbersAreWrittenAsTheirValuesAre(t *testing.T) {
	t.Parallel()
	var e codec.Encoder
	rapid.Check(t, func(t *rapid.T) {
		exponent := rapid.IntRange(0, 12).Draw(t, "exponent")
		n := rapid.IntRange(1, 200).Draw(t, "slots")
		spread := rapid.SampledFrom([]int64{0, 1, 10, 30_000, math.MaxInt32}).Draw(t, "spread")
		unit := rapid.SampledFrom([]int64{1, 1, 10, 1000}).Draw(t, "unit")
		ints, values := make([]int64, n), make([]float64, n)
		for i := range ints {
			ints[i] = rapid.Int64Range(-spread, spread).Draw(t, "n") / unit * unit
			values[i] = float64(ints[i]) / math.Pow10(exponent)
			if rapid.IntRange(0, 20).Draw(t, "gap") == 0 {
				ints[i], values[i] = codec.Gap, math.NaN()
			}
		}
		got, want := e.AppendDecimals([]byte{7}, ints, exponent), e.Append([]byte{7}, values)
		if !bytes.Equal(got, want) {
			t.Fatalf("%v / 10^%d: %x, not %x", ints, exponent, got, want)
		}
	})
}

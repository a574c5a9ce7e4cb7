package job

import (
	"math"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// minBandSeries is from how many series on a metric has bands.
const minBandSeries = 8

// newBands sums up equally long series, slot by slot; nil when there are too few of them.
func newBands(series []Series) *Bands {
	if len(series) < minBandSeries {
		return nil
	}
	n := len(series[0].Data)
	b := &Bands{Min: make([]float64, n), Mean: make([]float64, n), Median: make([]float64, n), Max: make([]float64, n)}
	column := make([]float64, 0, len(series))
	for i := range n {
		column = column[:0]
		for _, s := range series {
			if !math.IsNaN(s.Data[i]) {
				column = append(column, s.Data[i])
			}
		}
		stats := metric.StatisticsOf(column)
		b.Min[i], b.Mean[i], b.Max[i] = stats.Min, stats.Avg, stats.Max
		b.Median[i] = median(column)
	}
	return b
}

// median sorts values, none of which is NaN; NaN when there are none.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}

func round2(v float64) float64 { return math.Round(v*100) / 100 }

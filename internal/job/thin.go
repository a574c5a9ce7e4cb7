package job

import (
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// thin reduces the samples of a metric to the resolution and the number of points that are wanted. Each step of the
// result is a whole number of steps of the original, and the series stay equally long. What stands out in a plot still
// does, and gaps stay gaps. Statistics are those of all samples.
func (md *MetricData) thin(resolution time.Duration, points int) {
	n := 0
	for _, s := range md.Series {
		n = max(n, len(s.Data))
	}
	k := 1
	if md.Step > 0 && resolution > md.Step {
		k = int((resolution + md.Step - 1) / md.Step)
	}
	if points > 0 {
		k = max(k, (n+points-1)/points)
	}
	if k == 1 {
		return
	}
	md.Step *= time.Duration(k)
	for i := range md.Series {
		md.Series[i].Data = metric.LargestTriangles(md.Series[i].Data, k)
	}
	if b := md.Bands; b != nil {
		lowest := func(bucket []float64) float64 { return metric.StatisticsOf(bucket).Min }
		highest := func(bucket []float64) float64 { return metric.StatisticsOf(bucket).Max }
		mean := func(bucket []float64) float64 { return metric.StatisticsOf(bucket).Avg }
		md.Bands = &Bands{
			Min: bucketwise(b.Min, k, lowest), Max: bucketwise(b.Max, k, highest),
			Mean: bucketwise(b.Mean, k, mean), Median: bucketwise(b.Median, k, mean),
		}
	}
}

// bucketwise makes one value of each k.
func bucketwise(data []float64, k int, value func(bucket []float64) float64) []float64 {
	out := make([]float64, 0, (len(data)+k-1)/k)
	for i := 0; i < len(data); i += k {
		out = append(out, value(data[i:min(i+k, len(data))]))
	}
	return out
}

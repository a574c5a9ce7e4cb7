package metric

import (
	"math"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// sameStep returns those of the series that have the configured step. When none has, the metric was measured in other
// steps before, and those with the step of the first one are taken.
func sameStep(series []metricstore.Samples, configured time.Duration) []metricstore.Samples {
	step := int64(configured.Seconds())
	if !slices.ContainsFunc(series, func(s metricstore.Samples) bool { return s.Step == step }) {
		step = series[0].Step
	}
	mixed := slices.ContainsFunc(series, func(s metricstore.Samples) bool { return s.Step != step })
	if !mixed {
		return series
	}
	same := make([]metricstore.Samples, 0, len(series))
	for _, s := range series {
		if s.Step == step {
			same = append(same, s)
		}
	}
	return same
}

// combine makes one series of the series of devices.
func combine(series []metricstore.Samples, how Aggregation, metric string) (metricstore.Samples, error) {
	if len(series) == 1 {
		return series[0], nil
	}
	if how != AggregateSum && how != AggregateAvg {
		return metricstore.Samples{}, fault.New(fault.Invalid,
			"metric %s cannot be aggregated: its configuration has no aggregation, sum or avg", metric)
	}
	first, end := span(series)
	step := series[0].Step
	sum := metricstore.Samples{Key: series[0].Key, Step: step, First: first, Values: make([]float64, (end-first)/step)}
	counts := make([]int32, len(sum.Values))
	for i := range series {
		add(sum, counts, series[i])
	}
	for i, n := range counts {
		switch {
		case n == 0 || how == AggregateSum && int(n) < len(series):
			sum.Values[i] = math.NaN()
		case how == AggregateAvg:
			sum.Values[i] /= float64(n)
		}
	}
	return sum, nil
}

// span returns the time of the first sample of all and the end of the last one, on the grid of the first series.
func span(series []metricstore.Samples) (first, end int64) {
	base := series[0]
	first, end = base.First, base.First
	for i := range series {
		s := &series[i]
		begin := base.First + slotOf(s.First, base)*base.Step
		first = min(first, begin)
		end = max(end, begin+int64(len(s.Values))*base.Step)
	}
	return first, end
}

// add adds the samples of s to the sum and counts them.
func add(sum metricstore.Samples, counts []int32, s metricstore.Samples) {
	offset := slotOf(s.First, sum)
	values, counts := sum.Values[offset:], counts[offset:]
	for i, v := range s.Values {
		if v == v { // not NaN
			values[i] += v
			counts[i]++
		}
	}
}

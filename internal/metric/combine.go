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

// combine makes one series of the series of devices. In a sum only slots count in which every device has a sample; in
// the other aggregations those devices count that have one.
func combine(series []metricstore.Samples, how Aggregation, metric string) (metricstore.Samples, error) {
	if len(series) == 1 {
		return series[0], nil
	}
	if how == AggregateNone {
		return metricstore.Samples{}, fault.New(fault.Invalid,
			"metric %s cannot be aggregated: its configuration has no aggregation, such as sum or avg, and the query names none", metric)
	}
	first, end := span(series)
	step := series[0].Step
	whole := metricstore.Samples{Key: series[0].Key, Step: step, First: first, Values: make([]float64, (end-first)/step)}
	if q, ok := how.quantile(); ok {
		quantiles(whole, series, q)
		return whole, nil
	}
	counts := make([]int32, len(whole.Values))
	fold := folds(how)
	for i := range series {
		add(whole, counts, series[i], fold)
	}
	for i, n := range counts {
		switch {
		case n == 0 || how == AggregateSum && int(n) < len(series):
			whole.Values[i] = math.NaN()
		case how == AggregateAvg:
			whole.Values[i] /= float64(n)
		}
	}
	return whole, nil
}

// folds returns how the sample of one more device is added; nil when it is by adding.
func folds(how Aggregation) func(a, b float64) float64 {
	switch how { //nolint:exhaustive // the others add up
	case AggregateMin:
		return func(a, b float64) float64 { return min(a, b) }
	case AggregateMax:
		return func(a, b float64) float64 { return max(a, b) }
	default:
		return nil
	}
}

// quantiles fills whole slot by slot with a quantile of what the devices have.
func quantiles(whole metricstore.Samples, series []metricstore.Samples, q float64) {
	offsets := make([]int64, len(series))
	for i := range series {
		offsets[i] = slotOf(series[i].First, whole)
	}
	column := make([]float64, 0, len(series))
	for slot := range whole.Values {
		column = column[:0]
		for i := range series {
			at := int64(slot) - offsets[i]
			if at < 0 || at >= int64(len(series[i].Values)) {
				continue
			}
			if v := series[i].Values[at]; v == v { //nolint:gocritic // not NaN
				column = append(column, v)
			}
		}
		whole.Values[slot] = math.NaN()
		if len(column) > 0 {
			whole.Values[slot] = quantileOf(column, q)
		}
	}
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

// add adds the samples of s to the whole and counts them.
func add(whole metricstore.Samples, counts []int32, s metricstore.Samples, fold func(a, b float64) float64) {
	offset := slotOf(s.First, whole)
	values, counts := whole.Values[offset:], counts[offset:]
	for i, v := range s.Values {
		if v != v { //nolint:gocritic // NaN
			continue
		}
		switch {
		case fold == nil:
			values[i] += v
		case counts[i] == 0:
			values[i] = v
		default:
			values[i] = fold(values[i], v)
		}
		counts[i]++
	}
}

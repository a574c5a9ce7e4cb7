package metric

import (
	"math"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Derived metrics are computed whenever they are asked for. One without an aggregation is computed of what the operands
// are for the whole of what is asked, each combined as its own aggregation says: the quotient of two sums. One with an
// aggregation is computed device by device, and then combined: the mean of quotients.

// one answers a query that has one result. ok is false when there are no samples.
func (q *querier) one(query *Query, w metricstore.Window) (_ metricstore.Samples, ok bool, err error) {
	config := q.catalogue[query.Metric]
	how := query.how(config)
	w.Metric = query.Metric
	if config.Derived != nil && how == AggregateNone {
		return q.quotient(query, config, w)
	}
	if config.Derived == nil {
		if s, ok := q.whole(query, how, w); ok {
			return s, true, nil
		}
	}
	series, err := q.series(query, w)
	if err != nil || len(series) == 0 {
		return metricstore.Samples{}, false, err
	}
	s, err := combine(query.group(series)[0], how, query.Metric)
	return s, err == nil, err
}

// quotient computes a metric of its combined operands.
func (q *querier) quotient(query *Query, config Config, w metricstore.Window) (_ metricstore.Samples, ok bool, err error) {
	operands := map[string]metricstore.Samples{}
	for _, name := range config.Derived.operands {
		part := *query
		part.Metric = name
		s, ok, err := q.one(&part, config.widened(w))
		if err != nil || !ok {
			return metricstore.Samples{}, false, err
		}
		s.Values = append([]float64(nil), s.Values...) // what comes next is read into the same place
		operands[name] = s
	}
	s := config.compute(operands, w)
	return s, len(s.Values) > 0, nil
}

// series returns the samples of the devices that a query is about, in their order, all in the same steps.
func (q *querier) series(query *Query, w metricstore.Window) ([]metricstore.Samples, error) {
	config := q.catalogue[query.Metric]
	w.Metric = query.Metric
	if config.Derived != nil {
		return q.computed(query, config, w)
	}
	q.buf = q.service.engine.Read(q.buf[:0], w, query.matches)
	if len(q.buf) == 0 {
		return nil, nil
	}
	return sameStep(q.buf, config.Frequency), nil
}

// computed computes a metric for each device that has all operands.
func (q *querier) computed(query *Query, config Config, w metricstore.Window) ([]metricstore.Samples, error) {
	names := config.Derived.operands
	var devices []metricstore.Key // of the first operand
	byDevice := map[metricstore.Key]map[string]metricstore.Samples{}
	for i, name := range names {
		part := *query
		part.Metric = name
		q.buf = nil // kept until all operands are there
		series, err := q.series(&part, config.widened(w))
		if err != nil || len(series) == 0 {
			return nil, err
		}
		for _, s := range series {
			k := s.Key
			k.Metric = query.Metric
			if i == 0 {
				devices = append(devices, k)
				byDevice[k] = map[string]metricstore.Samples{}
			}
			if operands := byDevice[k]; operands != nil {
				operands[name] = s
			}
		}
	}
	var result []metricstore.Samples
	common := false
	for _, k := range devices {
		if len(byDevice[k]) < len(names) {
			continue
		}
		common = true
		if s := config.compute(byDevice[k], w); len(s.Values) > 0 {
			s.Key = k
			result = append(result, s)
		}
	}
	if !common {
		return nil, fault.New(fault.Invalid, "metric %s cannot be computed device by device: %s are of different devices of host %s; without an aggregation they are combined first",
			query.Metric, strings.Join(names, " and "), query.Host)
	}
	return result, nil
}

// widened returns the window in which operands have an influence on the samples of w.
func (c Config) widened(w metricstore.Window) metricstore.Window {
	step := int64(c.Frequency.Seconds())
	w.From = max(w.From, -1<<56) - int64(c.Derived.lookback+1)*step
	w.To = min(w.To, 1<<56) + step
	return w
}

// compute returns the samples in the window, from the first one to the last one.
func (c Config) compute(operands map[string]metricstore.Samples, w metricstore.Window) metricstore.Samples {
	grid := c.grid(operands)
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	for _, s := range operands {
		lo = max(lo, slotOf(s.First, grid))
		hi = min(hi, slotOf(s.First+int64(len(s.Values)-1)*s.Step, grid)+1)
	}
	lo -= int64(c.Derived.lookback)
	from, to := max(lo, slotOf(w.From, grid)), min(hi, slotOf(w.To, grid))
	if from >= to {
		return metricstore.Samples{}
	}
	placed := make(map[string][]float64, len(operands))
	for name, s := range operands {
		placed[name] = place(s, grid, lo, hi)
	}
	values := c.Derived.evaluate(placed, int(hi-lo), float64(grid.Step))[from-lo : to-lo]
	for len(values) > 0 && math.IsNaN(values[0]) {
		values = values[1:]
		from++
	}
	for len(values) > 0 && math.IsNaN(values[len(values)-1]) {
		values = values[:len(values)-1]
	}
	return metricstore.Samples{Step: grid.Step, First: grid.First + from*grid.Step, Values: values}
}

// grid returns the slots of the metric as those of a series: those of the first operand that has its step, else full
// steps.
func (c Config) grid(operands map[string]metricstore.Samples) metricstore.Samples {
	step := int64(c.Frequency / time.Second)
	for _, name := range c.Derived.operands {
		if s := operands[name]; s.Step == step {
			return metricstore.Samples{Step: step, First: s.First - s.First/step*step}
		}
	}
	return metricstore.Samples{Step: step}
}

// place returns the samples of s in slots [lo, hi) of the grid: of several samples for a slot their mean.
func place(s, grid metricstore.Samples, lo, hi int64) []float64 {
	values, counts := make([]float64, hi-lo), make([]float64, hi-lo)
	for i, v := range s.Values {
		slot := slotOf(s.First+int64(i)*s.Step, grid) - lo
		if v == v && slot >= 0 && slot < hi-lo { //nolint:gocritic // not NaN
			values[slot] += v
			counts[slot]++
		}
	}
	for i, n := range counts {
		values[i] /= n // 0/0 is NaN
	}
	return values
}

package metric

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Aggregation says how samples of a finer scope make one of a coarser scope. Beside the constants there are percentiles:
// "p95" is the 95th.
type Aggregation string

// The aggregations. None means that finer samples cannot be combined.
const (
	AggregateNone   Aggregation = ""
	AggregateSum    Aggregation = "sum"
	AggregateAvg    Aggregation = "avg"
	AggregateMin    Aggregation = "min"
	AggregateMax    Aggregation = "max"
	AggregateMedian Aggregation = "median"
)

var errAggregation = errors.New(`it is sum, avg, min, max, median, or a percentile from p0 to p100 such as p95 or p99.9`)

// ParseAggregation returns the aggregation of that name. The empty name is none.
func ParseAggregation(name string) (Aggregation, error) {
	a := Aggregation(name)
	switch a {
	case AggregateNone, AggregateSum, AggregateAvg, AggregateMin, AggregateMax, AggregateMedian:
		return a, nil
	}
	if _, ok := a.quantile(); !ok {
		return AggregateNone, fmt.Errorf("unknown aggregation %q: %w", name, errAggregation)
	}
	return a, nil
}

// quantile returns which part of the samples lies below the aggregate, from 0 to 1; ok is false when it is none of that
// kind.
func (a Aggregation) quantile() (q float64, ok bool) {
	if a == AggregateMedian {
		return 0.5, true
	}
	digits, ok := strings.CutPrefix(string(a), "p")
	if !ok || digits == "" || len(digits) > 6 || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	percent, err := strconv.ParseFloat(digits, 64)
	return percent / 100, err == nil && percent <= 100
}

// quantileOf returns the value below which the part q of the values lies, between two of them in proportion. It sorts
// the values, of which there is at least one.
func quantileOf(values []float64, q float64) float64 {
	slices.Sort(values)
	at := q * float64(len(values)-1)
	i := int(math.Floor(at))
	if i >= len(values)-1 {
		return values[len(values)-1]
	}
	below, above := values[i], values[i+1]
	return below + (above-below)*(at-float64(i))
}

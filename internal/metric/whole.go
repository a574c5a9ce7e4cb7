package metric

import (
	"math"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// whole answers a question about all devices of a host together from what the store has taken together already. ok is
// false when the question is another one, or when the answer has to be made of the devices' own samples.
func (q *querier) whole(query *Query, how Aggregation, w metricstore.Window) (_ metricstore.Samples, ok bool) {
	if _, quantile := how.quantile(); quantile || how == AggregateNone || !query.ofAllDevices() {
		return metricstore.Samples{}, false
	}
	a := &q.together
	a.SumsOnly = how == AggregateSum || how == AggregateAvg
	if !q.service.engine.ReadAggregate(a, w) || !query.forHost() && query.Type != a.Type || len(a.Count) == 0 {
		return metricstore.Samples{}, false
	}
	// In a sum only devices count that have a sample in the window. Where all have one at the same time, that is all.
	if how == AggregateSum && a.Most < float64(a.Devices) {
		return metricstore.Samples{}, false
	}
	return metricstore.Samples{Step: a.Step, First: a.First, Values: taken(a, how)}, true
}

// taken returns what an aggregation is of what was taken together.
func taken(a *metricstore.Aggregate, how Aggregation) []float64 {
	switch how { //nolint:exhaustive // the others are made of the sum
	case AggregateMin:
		return a.Min
	case AggregateMax:
		return a.Max
	}
	for i, n := range a.Count {
		switch {
		case how == AggregateAvg:
			a.Sum[i] /= n
		case n < float64(a.Devices):
			a.Sum[i] = math.NaN()
		}
	}
	return a.Sum
}

// ofAllDevices reports whether one result is asked for, of whatever devices there are.
func (q *Query) ofAllDevices() bool {
	return q.SubType == "" && (q.forHost() || q.combined() && len(q.TypeIDs) == 0)
}

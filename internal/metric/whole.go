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
	a.SumsOnly = onlySums(how)
	if !q.service.engine.ReadAggregate(a, w) || !query.forHost() && query.Type != a.Type || len(a.Count) == 0 {
		return metricstore.Samples{}, false
	}
	// In a sum only devices count that have a sample in the window. Where all have one at the same time, that is all.
	if how == AggregateSum && a.Most < float64(a.Devices) {
		return metricstore.Samples{}, false
	}
	return metricstore.Samples{Step: a.Step, First: a.First, Values: taken(a, how)}, true
}

// Together returns the sum, mean, least or greatest of what the devices of a host have of a measured metric in a window of
// time; its key names the type of the devices. ok is false when there are not at least two devices, when not all are of one
// type and have the same slots, and when a device lacks a sample that others have.
func (s *Service) Together(how Aggregation, w metricstore.Window) (_ metricstore.Samples, ok bool) {
	a := metricstore.Aggregate{SumsOnly: onlySums(how)}
	if !s.engine.ReadAggregate(&a, w) {
		return metricstore.Samples{}, false
	}
	for _, n := range a.Count {
		if n != 0 && n != float64(a.Devices) {
			return metricstore.Samples{}, false
		}
	}
	k := metricstore.Key{Cluster: w.Cluster, Host: w.Host, Metric: w.Metric, Type: a.Type}
	return metricstore.Samples{Key: k, Step: a.Step, First: a.First, Values: taken(&a, how)}, true
}

// onlySums reports whether an aggregation is made of sums and counts.
func onlySums(how Aggregation) bool { return how == AggregateSum || how == AggregateAvg }

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

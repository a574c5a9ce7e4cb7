package metric

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

const (
	// maxPadding is up to how many points a result is filled with NaN to the window; a longer window is answered with
	// what is really covered.
	maxPadding = 1 << 20
	// maxPoints is how many points an answer may have in all.
	maxPoints = 1 << 26
)

// Query answers a batch of queries. It fails with fault.Invalid when the request makes no sense, and with fault.TooLarge
// when the answer would have too many points. What is wrong with a single query stands in its result.
//
// A device's own samples come before those of its parts. A host without own samples of a metric shows its devices
// combined, as the metric's aggregation says: a sum only where every device has a sample, an average over those that
// have one. When a metric is there for several types of device, the coarsest type stands for the host.
//
// When devices are named, every one has a result, in their order, unless none of them has a sample.
func (s *Service) Query(ctx context.Context, r Request) (Answer, error) {
	if r.Cluster == "" {
		return Answer{}, fault.New(fault.Invalid, "the cluster is missing")
	}
	if r.To.Before(r.From) {
		return Answer{}, fault.New(fault.Invalid, "the window ends at %d, before it begins at %d", r.To.Unix(), r.From.Unix())
	}
	catalogue, _ := s.catalogue(r.Cluster)
	b := batch{service: s, request: r, catalogue: catalogue, answer: Answer{Queries: s.expand(r), blocks: &s.blocks}}
	if err := b.run(ctx); err != nil {
		b.answer.Release()
		return Answer{}, err
	}
	return b.answer, nil
}

// expand returns the queries, with one more for each host and metric of ForAllNodes.
func (s *Service) expand(r Request) []Query {
	if len(r.ForAllNodes) == 0 {
		return r.Queries
	}
	queries := slices.Clone(r.Queries)
	for _, host := range s.engine.Hosts(r.Cluster) {
		if r.Sees != nil && !r.Sees(host) {
			continue
		}
		for _, metric := range r.ForAllNodes {
			queries = append(queries, Query{Metric: metric, Host: host})
		}
	}
	return queries
}

// querier works off queries of a request, one after the other.
type querier struct {
	*batch
	buf      []metricstore.Samples // of the last read, used again by the next
	together metricstore.Aggregate // likewise
	scratch  []float64             // values of which only the statistics are wanted
	room     room                  // for values that go into the answer
}

// answer returns the results of one query.
func (q *querier) answer(query *Query) []Result {
	config, ok := q.catalogue[query.Metric]
	if !ok {
		return []Result{{Err: fault.New(fault.NotFound, "unknown metric: %s", query.Metric)}}
	}
	if err := query.check(); err != nil {
		return []Result{{Err: err}}
	}
	if q.request.Sees != nil && !q.request.Sees(query.Host) {
		return nil
	}
	window := metricstore.Window{Cluster: q.request.Cluster, Host: query.Host, From: q.request.From.Unix(), To: q.request.To.Unix()}
	if query.single() {
		s, ok, err := q.one(query, window)
		switch {
		case err != nil:
			return []Result{{Err: err}}
		case !ok:
			return nil
		}
		return []Result{q.result(query, s)}
	}
	series, err := q.series(query, window)
	if err != nil {
		return []Result{{Err: err}}
	}
	if len(series) == 0 {
		return nil
	}
	groups := query.group(series)
	results := make([]Result, 0, len(groups))
	for _, g := range groups {
		combined, err := combine(g, query.how(config), query.Metric)
		if err != nil {
			return []Result{{Err: err}}
		}
		results = append(results, q.result(query, combined))
	}
	return results
}

// result brings samples into the form that was asked for. It leaves s as it is: another result may be made of it.
func (q *querier) result(query *Query, s metricstore.Samples) Result {
	first, n := int64(0), int64(len(s.Values))
	if width := q.width(s); !q.request.NoPadding && width <= maxPadding {
		first, n = slotOf(q.request.From.Unix(), s), width
	}
	values := q.cut(s, first, n)
	scale(values, query.Scale)
	r := Result{Series: Series{From: time.Unix(s.First+first*s.Step, 0), Step: time.Duration(s.Step) * time.Second}}
	r.Statistics = absentStatistics()
	if !q.request.NoStats {
		r.Statistics = StatisticsOf(values)
	}
	values, r.Step = q.service.resample(values, r.Step, query.Resolution, query.Resampling)
	r.To = r.From.Add(time.Duration(len(values)) * r.Step)
	if !q.request.NoData {
		q.points.Add(int64(len(values)))
		r.Data = values
	}
	return r
}

// cut returns n values of s from its slot first on, NaN where s has none.
func (q *querier) cut(s metricstore.Samples, first, n int64) []float64 {
	var values []float64
	if q.request.NoData {
		q.scratch = slices.Grow(q.scratch[:0], int(n))[:n]
		values = q.scratch
	} else {
		values = q.room.take(int(n), q.service)
	}
	from, to := max(first, 0), min(first+n, int64(len(s.Values)))
	if from >= to {
		fill(values, math.NaN())
		return values
	}
	fill(values[:from-first], math.NaN())
	copy(values[from-first:], s.Values[from:to])
	fill(values[to-first:], math.NaN())
	return values
}

// width returns how many slots the window has on the grid of s.
func (q *querier) width(s metricstore.Samples) int64 {
	return slotOf(q.request.To.Unix(), s) - slotOf(q.request.From.Unix(), s)
}

// slotOf returns how many steps after the first sample the slot lies that is nearest to t.
func slotOf(t int64, s metricstore.Samples) int64 {
	d := min(max(t, -1<<56), 1<<56) - s.First + s.Step/2
	n := d / s.Step
	if d%s.Step < 0 {
		n--
	}
	return n
}

func fill(values []float64, v float64) {
	for i := range values {
		values[i] = v
	}
}

// scale multiplies the values by a factor; 0 and 1 leave them alone.
func scale(values []float64, factor float64) {
	if factor == 0 || factor == 1 {
		return
	}
	for i := range values {
		values[i] *= factor
	}
}

// StatisticsOf returns minimum, mean and maximum of the samples that are there, NaN when there are none.
func StatisticsOf(values []float64) Statistics {
	least, greatest := math.Inf(1), math.Inf(-1)
	sum, n := 0.0, 0
	for _, v := range values {
		if v != v { // NaN
			continue
		}
		sum += v
		n++
		if v < least {
			least = v
		}
		if v > greatest {
			greatest = v
		}
	}
	if n == 0 {
		return absentStatistics()
	}
	return Statistics{Min: least, Avg: sum / float64(n), Max: greatest}
}

func absentStatistics() Statistics {
	return Statistics{Min: math.NaN(), Avg: math.NaN(), Max: math.NaN()}
}

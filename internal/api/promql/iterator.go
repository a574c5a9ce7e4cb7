package promql

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// iterator goes through the samples of one series in a range of time.
type iterator struct {
	chunkenc.Iterator // over samples
	samples           samples
	stretches         []metricstore.Samples // room to read into
	held              int                   // samples for which there is room
	err               error
}

// Err implements chunkenc.Iterator.
func (it *iterator) Err() error { return it.err }

// load reads the samples of r.
func (it *iterator) load(r *readable) {
	q := r.q
	step := int64(r.config.Frequency.Seconds())
	from, to := seconds(q.from)-step, seconds(q.to)+step+1 // a slot more at both ends: slots begin half a step before their time
	it.err = nil
	if r.whole {
		it.stretches, it.err = q.together(r, from, to, it.stretches)
	} else {
		it.stretches = q.metrics.Read(it.stretches[:0], r.key, from, to)
	}
	it.samples.fill(it.stretches, q.from, q.to)
	room := cap(it.samples.values)
	q.samples += room - it.held
	it.held = room
	if q.samples > q.maxSamples {
		it.samples, it.err = samples{}, fault.New(fault.TooLarge, "the question needs more than %d samples at a time; ask for fewer series or a shorter time", q.maxSamples)
	}
	it.Iterator = storage.NewListSeriesIterator(&it.samples)
}

// together returns what the devices of the series' host make together.
func (q *querier) together(r *readable, from, to int64, dst []metricstore.Samples) ([]metricstore.Samples, error) {
	answer, err := q.metrics.Query(q.ctx, metric.Request{
		Cluster: r.key.Cluster, From: time.Unix(from, 0), To: time.Unix(to, 0), NoStats: true, NoPadding: true,
		Queries: []metric.Query{{Metric: r.key.Metric, Host: r.key.Host}}, Sees: q.sees,
	})
	dst = dst[:0]
	if err != nil {
		return dst, err
	}
	for _, result := range answer.Results[0] {
		if result.Err == nil && len(result.Data) > 0 { // a host of which nothing can be computed has no samples
			dst = append(dst, metricstore.Samples{Key: r.key, First: result.From.Unix(), Step: int64(result.Step.Seconds()), Values: result.Data})
		}
	}
	return dst, nil
}

// samples is what one series has, without gaps, in the order of time. As the engine wants to have single samples, it is
// each of them in turn: asking for one costs no memory.
type samples struct {
	times  []int64 // milliseconds
	values []float64
	at     int
}

// fill takes what stretches have from one time to another, both included. Mostly there is one stretch; when the metric was
// measured in other steps before, there is one more, and what is already there is not taken again.
func (s *samples) fill(stretches []metricstore.Samples, from, to int64) {
	s.times, s.values = s.times[:0], s.values[:0]
	slices.SortFunc(stretches, func(a, b metricstore.Samples) int { return cmp.Compare(a.First, b.First) })
	last := int64(math.MinInt64)
	for i := range stretches {
		stretch := &stretches[i]
		for j, v := range stretch.Values {
			at := 1000 * (stretch.First + int64(j)*stretch.Step)
			if v == v && at >= from && at <= to && at > last { //nolint:gocritic // not NaN
				s.times, s.values = append(s.times, at), append(s.values, v)
				last = at
			}
		}
	}
}

// Len implements storage.Samples.
func (s *samples) Len() int { return len(s.times) }

// Get implements storage.Samples. What it returns is good until the next call.
func (s *samples) Get(i int) chunks.Sample {
	s.at = i
	return s
}

// T implements chunks.Sample.
func (s *samples) T() int64 { return s.times[s.at] }

// ST implements chunks.Sample; samples of ours do not know since when they count.
func (*samples) ST() int64 { return 0 }

// F implements chunks.Sample.
func (s *samples) F() float64 { return s.values[s.at] }

// H implements chunks.Sample; there are none.
func (*samples) H() *histogram.Histogram { return nil }

// FH implements chunks.Sample; there are none.
func (*samples) FH() *histogram.FloatHistogram { return nil }

// Type implements chunks.Sample.
func (*samples) Type() chunkenc.ValueType { return chunkenc.ValFloat }

// Copy implements chunks.Sample.
func (s *samples) Copy() chunks.Sample {
	return &samples{times: s.times[s.at : s.at+1], values: s.values[s.at : s.at+1]}
}

// seconds rounds down.
func seconds(milliseconds int64) int64 {
	n := milliseconds / 1000
	if milliseconds%1000 < 0 {
		n--
	}
	return n
}

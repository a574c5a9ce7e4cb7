package promql

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// iterator goes through the samples of one series in a range of time. The engine asks for each of them several times, so
// that it costs next to nothing is what questions over many series stand and fall by.
type iterator struct {
	samples
	at        int                   // the sample that the engine sees; -1 before the first one
	stretches []metricstore.Samples // room to read into
	held      int                   // samples for which there is room
	err       error
}

var _ chunkenc.Iterator = (*iterator)(nil)

// milliseconds are a time in Unix milliseconds. By that name, go vet does not take Seek for that of a file.
type milliseconds = int64

// Next implements chunkenc.Iterator.
func (it *iterator) Next() chunkenc.ValueType {
	it.at++
	if it.at >= len(it.times) {
		return chunkenc.ValNone
	}
	return chunkenc.ValFloat
}

// Seek implements chunkenc.Iterator. It never goes back.
func (it *iterator) Seek(t milliseconds) chunkenc.ValueType {
	it.at = max(it.at, 0)
	if it.at < len(it.times) && it.times[it.at] < t {
		i, _ := slices.BinarySearch(it.times[it.at:], t)
		it.at += i
	}
	if it.at >= len(it.times) {
		return chunkenc.ValNone
	}
	return chunkenc.ValFloat
}

// At implements chunkenc.Iterator.
func (it *iterator) At() (t milliseconds, v float64) { return it.times[it.at], it.values[it.at] }

// AtT implements chunkenc.Iterator.
func (it *iterator) AtT() milliseconds { return it.times[it.at] }

// AtST implements chunkenc.Iterator; samples of ours do not know since when they count.
func (*iterator) AtST() int64 { return 0 }

// AtHistogram implements chunkenc.Iterator; there are none.
func (*iterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) { return 0, nil }

// AtFloatHistogram implements chunkenc.Iterator; there are none.
func (*iterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return 0, nil
}

// Err implements chunkenc.Iterator.
func (it *iterator) Err() error { return it.err }

// load reads the samples of r.
func (it *iterator) load(r *readable) {
	q := r.q
	it.at, it.err = -1, nil
	if r.folded != nil { // not into the room of the iterator, which is used again
		it.samples.fill([]metricstore.Samples{*r.folded}, q.from, q.to)
	} else {
		it.stretches, it.err = q.read(r, it.stretches)
		it.samples.fill(it.stretches, q.from, q.to)
	}
	room := cap(it.samples.values)
	q.samples += room - it.held
	it.held = room
	if q.samples > q.maxSamples {
		it.samples, it.err = samples{}, tooManySamples(q.maxSamples)
	}
}

// slots returns the window of time in which the samples of a metric are that are asked for, in seconds: a slot more at both
// ends, since slots begin half a step before their time.
func (q *querier) slots(config metric.Config) (from, to int64) {
	step := int64(config.Frequency.Seconds())
	return seconds(q.from) - step, seconds(q.to) + step + 1
}

// read returns the samples of a series in dst.
func (q *querier) read(r *readable, dst []metricstore.Samples) ([]metricstore.Samples, error) {
	from, to := q.slots(r.config)
	if r.whole {
		return q.together(r, from, to, dst)
	}
	return q.metrics.Read(dst[:0], r.key, from, to), nil
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

// samples is what one series has, without gaps, in the order of time.
type samples struct {
	times  []milliseconds
	values []float64
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

// seconds rounds down.
func seconds(t milliseconds) int64 {
	n := t / 1000
	if t%1000 < 0 {
		n--
	}
	return n
}

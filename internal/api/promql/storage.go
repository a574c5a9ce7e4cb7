package promql

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// question is the storage that the engine sees for one question: what its caller may see, within limits. It is for one
// question, as the engine reads for one in one goroutine.
type question struct {
	scope
	ctx                   context.Context //nolint:containedctx // of the one question; the engine gives none to iterators
	maxSeries, maxSamples int
	samples               int // that iterators hold
}

var _ storage.Queryable = (*question)(nil)

// Querier implements storage.Queryable; the bounds are in milliseconds, and both belong to the range.
func (q *question) Querier(from, to int64) (storage.Querier, error) {
	return &querier{q, from, to}, nil
}

type querier struct {
	*question
	from, to int64
}

// Select implements storage.Querier. Mostly only the labels are looked up; the samples are read one series after the other,
// while the engine goes through them.
func (q *querier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	if hints != nil { // what this selector needs: with an offset of a week, neither side needs the days in between
		q = &querier{q.question, hints.Start, hints.End}
	}
	set := &seriesSet{at: -1}
	w := q.walker(ms, func(s series) bool {
		set.series = append(set.series, &readable{s, q})
		if s.folded != nil {
			q.samples += len(s.folded.Values)
		}
		return len(set.series) <= q.maxSeries && q.samples <= q.maxSamples
	})
	w.fold = q.folding(hints, ms)
	err := w.walk(ctx)
	if err == nil && q.samples > q.maxSamples {
		err = tooManySamples(q.maxSamples)
	}
	if err == nil && len(set.series) > q.maxSeries {
		err = tooManySeries(q.maxSeries)
	}
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	if sorted {
		slices.SortFunc(set.series, func(a, b *readable) int { return labels.Compare(a.labels, b.labels) })
	}
	return set
}

func tooManySeries(limit int) error {
	return fault.Because(fault.TooLarge, errExecution, "a selector selects more than %d series; select fewer clusters, hosts or metrics", limit)
}

func tooManySamples(limit int) error {
	return fault.Because(fault.TooLarge, errExecution, "the question needs more than %d samples at a time; ask for fewer series or a shorter time", limit)
}

// LabelValues implements storage.Querier. The engine never asks.
func (*querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// LabelNames implements storage.Querier. The engine never asks.
func (*querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// Close implements storage.Querier.
func (*querier) Close() error { return nil }

type seriesSet struct {
	series []*readable
	at     int
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool {
	s.at++
	return s.at < len(s.series)
}

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series { return s.series[s.at] }

// Err implements storage.SeriesSet.
func (*seriesSet) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (*seriesSet) Warnings() annotations.Annotations { return nil }

// readable is a series whose samples can be read.
type readable struct {
	series
	q *querier
}

// Labels implements storage.Series.
func (r *readable) Labels() labels.Labels { return r.labels }

// Iterator implements storage.Series. It uses the room of an iterator that is no longer needed.
func (r *readable) Iterator(old chunkenc.Iterator) chunkenc.Iterator {
	it, ok := old.(*iterator)
	if !ok {
		it = &iterator{}
	}
	it.load(r)
	return it
}

package job

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// The limits of one reading, in samples. A batch bounds what is in memory before the samples are thinned out.
const (
	maxBatch   = 4 << 20
	maxAnswer  = 64 << 20
	maxArchive = 512 << 20
)

// reading is what is wanted of the metric store for one job.
type reading struct {
	job     Job
	top     cluster.Topology
	metrics []cluster.MetricConfig
	scopes  []metric.Scope
	limit   int               // samples in all
	finish  func(*MetricData) // works on each metric before the next batch is read
}

// load reads samples from the metric store. Metrics, hosts and devices without samples are left out; when nothing at all
// could be read although there were errors, it fails with the first of them.
func (s *Service) load(ctx context.Context, r reading) (Data, error) {
	b := builder{data: Data{}, start: r.job.Start, end: r.job.Start.Add(r.job.Duration)}
	for len(r.metrics) > 0 {
		n, samples := r.nextBatch()
		if samples > r.limit {
			return nil, r.tooLarge()
		}
		p := newPlan(r.job, r.top, r.metrics[:n], r.scopes)
		answer, err := s.live.Query(ctx, metric.Request{Cluster: r.job.Cluster, From: b.start, To: b.end.Add(longestStep(r.metrics[:n])), Queries: p.queries})
		if err != nil {
			return nil, fmt.Errorf("query samples of job %d: %w", r.job.JobID, err)
		}
		if len(answer.Results) != len(p.queries) {
			return nil, fmt.Errorf("query samples of job %d: %d results for %d queries", r.job.JobID, len(answer.Results), len(p.queries))
		}
		for i, t := range p.targets {
			b.add(t, answer.Results[i])
		}
		b.finish(r.metrics[:n], r.finish)
		if b.total > r.limit {
			return nil, r.tooLarge()
		}
		r.metrics = r.metrics[n:]
	}
	if len(b.data) == 0 && b.err != nil {
		return nil, fmt.Errorf("query samples of job %d: %w", r.job.JobID, b.err)
	}
	return b.data, nil
}

func (r reading) tooLarge() error {
	return fault.New(fault.TooLarge, "job %d has more than %d samples: ask for fewer metrics, for a coarser scope or for fewer points", r.job.JobID, r.limit)
}

// nextBatch returns how many of the next metrics fit into one batch, at least one, and how many samples they may have.
func (r reading) nextBatch() (n, samples int) {
	for i, m := range r.metrics {
		series := 0
		for _, t := range newPlan(r.job, r.top, r.metrics[i:i+1], r.scopes).targets {
			series += len(t.ids)
		}
		more := series * slots(r.job.Duration, m.Timestep)
		if i > 0 && samples+more > maxBatch {
			return i, samples
		}
		samples += more
	}
	return len(r.metrics), samples
}

// slots is how many samples a job of length d has at most.
func slots(d, step time.Duration) int { return int(d/step) + 2 }

// longestStep is by how much a window is extended so that it has the slot at the end of the job whole.
func longestStep(metrics []cluster.MetricConfig) (step time.Duration) {
	for _, m := range metrics {
		step = max(step, m.Timestep)
	}
	return step
}

// builder puts results in their places.
type builder struct {
	data       Data
	start, end time.Time
	total      int   // samples that are kept
	err        error // first error of a result
}

var errOddResult = errors.New("the results do not fit the query")

func (b *builder) add(t target, results []metric.Result) {
	if len(results) > 0 && len(results) != len(t.ids) {
		b.note(t, errOddResult)
		return
	}
	for i, r := range results {
		switch {
		case r.Err != nil:
			b.note(t, r.Err)
		case r.Step <= 0 || len(r.Data) == 0:
		default:
			b.addSeries(t, t.ids[i], r.Series)
		}
	}
}

func (b *builder) note(t target, err error) {
	if b.err == nil {
		b.err = fmt.Errorf("metric %s of host %s: %w", t.metric.Name, t.host, err)
	}
}

func (b *builder) addSeries(t target, id string, r metric.Series) {
	scopes := b.data[t.metric.Name]
	md, ok := scopes[t.scope]
	if !ok {
		md = MetricData{Unit: t.metric.Unit, Step: r.Step}
	}
	if md.Step != r.Step {
		b.note(t, errOddResult)
		return
	}
	samples := b.place(r)
	stats := metric.StatisticsOf(samples)
	if math.IsNaN(stats.Avg) {
		return
	}
	md.Series = append(md.Series, Series{Hostname: t.host, ID: id, Statistics: stats, Data: samples})
	if scopes == nil {
		scopes = map[metric.Scope]MetricData{}
		b.data[t.metric.Name] = scopes
	}
	scopes[t.scope] = md
}

// place moves samples so that slot 0 is the job's start, each to the nearest slot, and cuts off what was measured after
// the job's end. Slot 0 stays however short the job was.
func (b *builder) place(r metric.Series) []float64 {
	offset := int(math.Round(float64(r.From.Sub(b.start)) / float64(r.Step)))
	inTime := int(math.Floor(float64(b.end.Sub(r.From))/float64(r.Step))) + 1
	from, to := max(0, -offset), min(len(r.Data), max(inTime, 1-offset))
	if from >= to {
		return nil
	}
	if offset <= 0 {
		return r.Data[from:to:to]
	}
	return append(fill(nil, offset), r.Data[:to]...)
}

// fill appends absent samples until data has n.
func fill(data []float64, n int) []float64 {
	for len(data) < n {
		data = append(data, math.NaN())
	}
	return data
}

// finish makes the series of the metrics equally long and hands them on.
func (b *builder) finish(metrics []cluster.MetricConfig, then func(*MetricData)) {
	for _, m := range metrics {
		for scope, md := range b.data[m.Name] {
			md.equalize()
			then(&md)
			for _, s := range md.Series {
				b.total += len(s.Data)
			}
			b.data[m.Name][scope] = md
		}
	}
}

// equalize makes all series as long as the longest.
func (md *MetricData) equalize() {
	n := 0
	for _, s := range md.Series {
		n = max(n, len(s.Data))
	}
	for i := range md.Series {
		md.Series[i].Data = fill(md.Series[i].Data, n)
	}
}

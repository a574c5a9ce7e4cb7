package cockpit

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

type getJobParams struct {
	jobPath
	AllMetrics bool `query:"all-metrics" doc:"Include the samples of every metric."`
}

// jobWithData is a job and, when asked for, its samples. The members are spelled like that.
type jobWithData struct {
	Meta jobReply `json:"Meta"`
	Data jobData  `json:"Data" doc:"Metric, scope, samples; null unless asked for."`
}

func (d *dialect) getJob(ctx context.Context, r api.Request[getJobParams, api.None]) (jobWithData, error) {
	j, err := d.Jobs.Get(ctx, r.Caller, job.ID(r.Params.ID))
	if err != nil || !r.Params.AllMetrics {
		return jobWithData{Meta: toJob(j)}, unprocessable(err, fault.NotFound)
	}
	j, data, err := d.Jobs.Data(ctx, r.Caller, j.ID, selection(j, nil))
	return jobWithData{Meta: toJob(j), Data: toData(data)}, unprocessable(err, fault.NotFound)
}

// jobWithMetrics is a job and the metrics that were asked for.
type jobWithMetrics struct {
	Meta jobReply      `json:"Meta"`
	Data []namedMetric `json:"Data"`
}

func (d *dialect) getJobMetrics(ctx context.Context, r api.Request[jobPath, []string]) (jobWithMetrics, error) {
	j, err := d.Jobs.Get(ctx, r.Caller, job.ID(r.Params.ID))
	if err != nil {
		return jobWithMetrics{}, unprocessable(err, fault.NotFound)
	}
	j, data, err := d.Jobs.Data(ctx, r.Caller, j.ID, selection(j, r.Body))
	return jobWithMetrics{Meta: toJob(j), Data: named(data)}, unprocessable(err, fault.NotFound)
}

// selection asks for the metrics, all of them when there are none, at the scope that the contract gives without asking:
// cores for a job on one node, nodes otherwise (contract clustercockpit 3.7).
func selection(j job.Job, metrics []string) job.Selection {
	sel := job.Selection{Metrics: metrics, Scopes: []metric.Scope{metric.ScopeNode}}
	if j.NumNodes == 1 {
		sel.Scopes = []metric.Scope{metric.ScopeCore}
	}
	if len(metrics) == 0 {
		sel.Metrics = nil
	}
	return sel
}

type metricsParams struct {
	jobPath
	Metric     []string    `query:"metric" doc:"Names of metrics. Default: all of the job's sub-cluster."`
	Scope      []scopeName `query:"scope" doc:"Scopes. Default: node." enum:"node,socket,memoryDomain,core,hwthread,accelerator"`
	Resolution int64       `query:"resolution" doc:"Distance between two samples, in seconds. Default: as stored."`
	Points     int         `query:"points" doc:"About how many samples a series may have, such as the width of a plot in pixels. Default: no limit."`
}

// metricsReply tells what is wrong with the job in a member, not by the status: that is what clients read.
type metricsReply struct {
	Data  *jobMetrics   `json:"data"`
	Error *metricsError `json:"error"`
}

type jobMetrics struct {
	JobMetrics []namedMetric `json:"jobMetrics"`
}

type metricsError struct {
	Message string `json:"message"`
}

func (d *dialect) jobMetrics(ctx context.Context, r api.Request[metricsParams, api.None]) (metricsReply, error) {
	sel, err := r.Params.selection()
	if err != nil {
		return metricsReply{}, err
	}

	_, data, err := d.Jobs.Data(ctx, r.Caller, job.ID(r.Params.ID), sel)
	if err != nil && fault.KindOf(err) != fault.Internal {
		return metricsReply{Error: &metricsError{fault.Message(err)}}, nil
	}

	return metricsReply{Data: &jobMetrics{named(data)}}, err
}

func (p metricsParams) selection() (job.Selection, error) {
	if p.Resolution < 0 || p.Points < 0 {
		return job.Selection{}, fault.New(fault.Invalid, "resolution and points cannot be negative")
	}
	sel := job.Selection{Metrics: p.Metric, Resolution: toDuration(p.Resolution), Points: p.Points}
	for _, s := range p.Scope {
		sel.Scopes = append(sel.Scopes, metric.Scope(s))
	}
	return sel, nil
}

type scopeName metric.Scope

// UnmarshalText accepts the name of a scope.
func (s *scopeName) UnmarshalText(text []byte) error {
	scope, err := metric.ParseScope(string(text))
	*s = scopeName(scope)
	return err
}

// named returns the metrics as a list, by name and from coarse to fine.
func named(data job.Data) []namedMetric {
	list := []namedMetric{}
	for _, name := range slices.Sorted(maps.Keys(data)) {
		scopes := slices.SortedFunc(maps.Keys(data[name]), func(a, b metric.Scope) int {
			if a.CoarserThan(b) {
				return -1
			}
			return 1
		})
		for _, scope := range scopes {
			list = append(list, namedMetric{Name: name, Scope: string(scope), Metric: toMetric(data[name][scope])})
		}
	}
	return list
}

func toData(data job.Data) jobData {
	out := jobData{}
	for name, scopes := range data {
		out[name] = map[string]jobMetric{}
		for scope, m := range scopes {
			out[name][string(scope)] = toMetric(m)
		}
	}
	return out
}

func toMetric(m job.MetricData) jobMetric {
	out := jobMetric{Unit: toUnit(m.Unit), Timestep: int64(m.Step / time.Second), Series: make([]series, len(m.Series))}
	for i, s := range m.Series {
		out.Series[i] = series{
			Hostname: s.Hostname, ID: s.ID, Data: samples(s.Data),
			Statistics: seriesStatistics{Min: sample(s.Statistics.Min), Avg: sample(s.Statistics.Avg), Max: sample(s.Statistics.Max)},
		}
	}
	if b := m.Bands; b != nil {
		out.StatisticsSeries = &bands{Min: b.Min, Max: b.Max, Mean: b.Mean, Median: b.Median}
	}
	return out
}

// Respond writes job and samples.
func (j jobWithData) Respond(w http.ResponseWriter, _ *http.Request) error {
	e := encoder{}
	e.raw(`{"Meta":`).value(j.Meta).raw(`,"Data":`)
	if j.Data == nil {
		e.raw("null")
	} else {
		e.data(j.Data)
	}
	return e.raw("}\n").send(w)
}

// Respond writes job and metrics.
func (j jobWithMetrics) Respond(w http.ResponseWriter, _ *http.Request) error {
	e := encoder{}
	return e.raw(`{"Meta":`).value(j.Meta).raw(`,"Data":`).list(j.Data).raw("}\n").send(w)
}

// Respond writes the metrics or the error.
func (m metricsReply) Respond(w http.ResponseWriter, _ *http.Request) error {
	e := encoder{}
	if m.Data == nil {
		return e.raw(`{"data":null,"error":`).value(m.Error).raw("}\n").send(w)
	}
	return e.raw(`{"data":{"jobMetrics":`).list(m.Data.JobMetrics).raw(`},"error":null}` + "\n").send(w)
}

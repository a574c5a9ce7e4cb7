// Package promql is the door for programs of the Prometheus family: what Prometheus and its agents write comes in by
// remote write, and what Grafana asks in PromQL is answered by the engine of Prometheus over our samples.
//
// It is served by the head and by the stand-alone metric store, below /prometheus.
package promql

import (
	"context"
	"iter"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Metrics is what the door opens to. *metric.Service implements it.
type Metrics interface {
	// WriteSamples stores a batch of samples; fault.Unavailable when it cannot.
	WriteSamples(ctx context.Context, from metric.Source, samples iter.Seq[*metric.Foreign]) (metric.WriteResult, error)
	// Query answers a batch of queries; fault.Invalid, fault.TooLarge.
	Query(ctx context.Context, r metric.Request) (metric.Answer, error)
	// Clusters returns the clusters that have samples.
	Clusters() []string
	// Hosts returns the hosts of a cluster that have samples.
	Hosts(cluster string) []string
	// Catalogue returns the metrics of a cluster, nil when there is no such cluster.
	Catalogue(cluster string) metric.Catalogue
	// Keys appends the series of a metric on a host to dst.
	Keys(dst []metricstore.Key, cluster, host, metric string) []metricstore.Key
	// Read appends what a series has in a window of time to dst.
	Read(dst []metricstore.Samples, k metricstore.Key, from, to int64) []metricstore.Samples
	// Together returns the sum, mean, least or greatest of what the devices of a host have of a measured metric; ok is false
	// when they are not all of one type, or one lacks a sample that others have.
	Together(how metric.Aggregation, w metricstore.Window) (_ metricstore.Samples, ok bool)
}

// Config is what the dialect needs.
type Config struct {
	Limits
	Metrics Metrics
	Clock   clock.Clock
	Log     *slog.Logger
}

// New returns the dialect.
func New(c Config) *api.Dialect {
	c.setDefaults()
	d := &dialect{Config: c, turns: make(turns, c.Concurrency), decoders: newDecoders()}
	d.engine = promql.NewEngine(promql.EngineOpts{
		MaxSamples: c.MaxSamples, Timeout: c.Timeout, ActiveQueryTracker: d.turns, LookbackDelta: defaultLookback,
		EnableAtModifier: true, EnableNegativeOffset: true, Logger: slog.New(slog.DiscardHandler),
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})
	return &api.Dialect{
		Name:        "promql",
		Title:       "Prometheus",
		Version:     "1",
		Description: "Samples in by remote write, questions in PromQL, below /prometheus: the address of a data source in Grafana.",
		Success:     succeed,
		Failure:     d.fail,
		Reply:       shown,
		Error:       reflect.TypeFor[failure](),
		Routes:      d.routes(),
	}
}

type dialect struct {
	Config
	engine  *promql.Engine
	turns   turns
	buffers sync.Pool // of *buffers
	decoders
}

func (d *dialect) routes() []api.Route {
	const v1, form = "/prometheus/api/v1", "application/x-www-form-urlencoded"
	read := api.Needs(identity.MetricsRead)
	return []api.Route{
		api.Row("POST", v1+"/write", api.Needs(identity.MetricsWrite),
			"Store samples that Prometheus sends by remote write 1.0. Metrics that are not configured are dropped.", d.write).
			WithStatus(204).WithMaxBody(maxCompressed).Decodes("snappy", "zstd").Consumes("application/x-protobuf"),
		api.Row("GET POST", v1+"/query", read, "Evaluate an expression at one time.", d.query).Consumes(form).WithMaxBody(maxForm),
		api.Row("GET POST", v1+"/query_range", read, "Evaluate an expression over a range of time.", d.queryRange).Consumes(form).WithMaxBody(maxForm),
		api.Row("GET POST", v1+"/series", read, "List the series that selectors select.", d.series).Consumes(form).WithMaxBody(maxForm),
		api.Row("GET POST", v1+"/labels", read, "List the names of labels.", d.labels).Consumes(form).WithMaxBody(maxForm),
		api.Row("GET", v1+"/label/{name}/values", read, "List the values of a label.", d.labelValues),
		api.Row("GET", v1+"/metadata", read, "Tell what is known of the metrics.", d.metadata),
		api.Row("GET", v1+"/rules", read, "List rules and alerts; there are none.", none(noRules{[]string{}})),
		api.Row("GET", v1+"/alerts", read, "List alerts; there are none.", none(noAlerts{[]string{}})),
		api.Row("GET POST", v1+"/query_exemplars", read, "List exemplars; there are none.", d.exemplars).Consumes(form).WithMaxBody(maxForm),
		api.Row("GET POST", v1+"/format_query", read, "Write an expression in the usual form, in several lines where it is long.", d.format).Consumes(form).WithMaxBody(maxForm),
		api.Row("GET", v1+"/status/buildinfo", read, "Tell whose language is spoken, and of which version.", d.buildInfo),
		api.Row("GET", "/prometheus/-/healthy", api.Public(), "Whether the program answers.", well).Produces("text/plain; charset=utf-8"),
		api.Row("GET", "/prometheus/-/ready", api.Public(), "The same: it does not listen before it is ready.", well).Produces("text/plain; charset=utf-8"),
	}
}

// turns lets so many questions be answered at a time; the others wait. It is the engine's promql.QueryTracker.
type turns chan struct{}

// GetMaxConcurrent returns how many.
func (t turns) GetMaxConcurrent() int { return cap(t) }

// Insert waits for a turn.
func (t turns) Insert(ctx context.Context, _ string) (int, error) {
	select {
	case t <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Delete ends a turn.
func (t turns) Delete(int) { <-t }

// Close does nothing: what is asked has ended by then.
func (t turns) Close() error { return nil }

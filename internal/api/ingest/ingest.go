// Package ingest is the metric store's interface: samples in by line protocol, queries out as JSON (contract
// clustercockpit 3.10, 3.11).
//
// It is served by the head, beside the rest of ClusterCockpit's interface, and by the stand-alone metric store, alone.
package ingest

import (
	"context"
	"io"
	"log/slog"
	"reflect"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Metrics is what the door opens to. *metric.Service implements it.
type Metrics interface {
	// WriteFrom stores a batch of lines; fault.Unavailable when it cannot, or what reading lines returns.
	WriteFrom(ctx context.Context, from metric.Source, lines io.Reader) (metric.WriteResult, error)
	// Query answers a batch of queries; fault.Invalid, fault.TooLarge.
	Query(ctx context.Context, r metric.Request) (metric.Answer, error)
	// Free forgets samples and returns how many buffers are gone; fault.Invalid, fault.Unavailable.
	Free(ctx context.Context, paths [][]string, before time.Time) (int, error)
	// Inspect tells what is in memory; fault.Invalid when nothing is below path.
	Inspect(ctx context.Context, path []string) ([]metric.Held, error)
	// Top tells what series take up, of the hosts that sees lets through; never an error.
	Top(ctx context.Context, sees func(cluster, host string) bool) metric.Top
	// Rejections returns the last lines that were rejected, the newest first.
	Rejections() []metric.Rejection
	// Health tells how the metrics of hosts arrive; never an error.
	Health(ctx context.Context, cluster string, hosts, metrics []string) map[string]metric.Health
}

// Config is what the dialect needs.
type Config struct {
	Metrics Metrics
	Log     *slog.Logger
	// Freeing is told who is about to have samples forgotten, and can prevent it; nil keeps no record.
	Freeing func(ctx context.Context, c identity.Caller, paths [][]string, before time.Time) error
	// StandAlone speaks as the stand-alone metric store does where that differs: in plain text about credentials and
	// unknown paths.
	StandAlone bool
}

// maxBatch is the largest body of lines, after decompression: more than a day of a large node.
const maxBatch = 256 << 20

// New returns the dialect.
func New(c Config) *api.Dialect {
	d := &dialect{Config: c}
	return &api.Dialect{
		Name:        "ingest",
		Title:       "Metric store",
		Version:     "1.5",
		Description: "Samples in by line protocol, queries out as JSON.",
		Failure:     d.fail,
		Error:       reflect.TypeFor[failure](),
		Routes: []api.Route{
			api.Row("POST", "/api/write/", api.Needs(identity.MetricsWrite),
				"Store samples in the line protocol. Every line stands alone; the reply is empty when all were good.", d.write).
				Alias("/metricstore/write/").WithMaxBody(maxBatch).Consumes("text/plain"),
			api.Row("POST", "/api/free/", api.Needs(identity.MetricsAdmin),
				"Forget the samples of clusters, hosts or devices before a time.", d.free).
				Alias("/metricstore/free/").Produces("text/plain"),
			api.Row("GET", "/api/debug/", api.Needs(identity.MetricsAdmin),
				"Show what is in memory, as a tree of cluster, host, device and metric.", d.debug).
				Alias("/metricstore/debug/"),
			api.Row("GET", "/api/metrics/top/", api.Needs(identity.MetricsAdmin),
				"Tell what the series take up, by metric and by host, and which lines were rejected last.", d.top).
				Alias("/metricstore/top/"),
			api.Row("GET POST", "/api/query/", api.Needs(identity.MetricsRead),
				"Read samples. The body is read with GET as well.", d.query).
				Alias("/metricstore/query/"),
			api.Row("GET", "/api/healthcheck/", api.Needs(identity.MetricsRead),
				"Tell how the metrics of nodes arrive. The nodes are named in the body or, one at a time, in the query.", d.health).
				Alias("/metricstore/healthcheck/"),
		},
	}
}

type dialect struct{ Config }

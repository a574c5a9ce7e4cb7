// Package promql is the door for programs of the Prometheus family: what Prometheus and its agents write comes in by
// remote write.
//
// It is served by the head and by the stand-alone metric store, below /prometheus.
package promql

import (
	"context"
	"iter"
	"log/slog"
	"reflect"
	"sync"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Metrics is what the door opens to. *metric.Service implements it.
type Metrics interface {
	// WriteSamples stores a batch of samples; fault.Unavailable when it cannot.
	WriteSamples(ctx context.Context, from metric.Source, samples iter.Seq[*metric.Foreign]) (metric.WriteResult, error)
}

// Config is what the dialect needs.
type Config struct {
	Metrics Metrics
	Log     *slog.Logger
}

// New returns the dialect.
func New(c Config) *api.Dialect {
	d := &dialect{Config: c}
	return &api.Dialect{
		Name:        "promql",
		Title:       "Prometheus",
		Version:     "1",
		Description: "Samples in by remote write, below /prometheus.",
		Success:     succeed,
		Failure:     d.fail,
		Error:       reflect.TypeFor[failure](),
		Routes: []api.Route{
			api.Row("POST", "/prometheus/api/v1/write", api.Needs(identity.MetricsWrite),
				"Store samples that Prometheus sends by remote write 1.0. Metrics that are not configured are dropped.", d.write).
				WithStatus(204).WithMaxBody(maxCompressed).Decodes("snappy").Consumes("application/x-protobuf"),
		},
	}
}

type dialect struct {
	Config
	buffers sync.Pool // of *buffers
}

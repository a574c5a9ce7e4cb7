package server

import (
	"context"
	"net/http"
	"reflect"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// statusReply is what /healthz and /readyz say.
type statusReply struct {
	Status  string `json:"status" doc:"ok"`
	Version string `json:"version" doc:"Version of the program."`
}

// statusError is how this dialect says no.
type statusError struct {
	Error string `json:"error"`
}

// statusDialect tells machines how the server is.
func (s *Server) statusDialect() *api.Dialect {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), ingest.NewCollector(s.metrics, s.samples), s.newTrailFigures(), s.tokenFigures)
	registry.MustRegister(s.messages.figures()...)
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return &api.Dialect{
		Name: "status", Title: "Bridgehead status", Version: "1", Description: "How the server is, for machines.",
		Error: reflect.TypeFor[statusError](),
		Failure: func(w http.ResponseWriter, _ *http.Request, err error) {
			code := api.StatusOf(fault.KindOf(err))
			_ = api.JSON(w, code, statusError{fault.Message(err)}) // a string always encodes
		},
		Routes: []api.Route{
			api.Row("GET", "/healthz", api.Public(), "Whether the process answers.", func(context.Context, api.Request[api.None, api.None]) (statusReply, error) {
				return statusReply{"ok", version}, nil
			}),
			api.Row("GET", "/readyz", api.Public(), "Whether the database answers as well.", s.ready),
			api.Row("GET", "/metrics", api.Needs(identity.MetricsRead), "The server's own figures, for Prometheus.", func(context.Context, api.Request[api.None, api.None]) (api.Responder, error) {
				return handled{metrics}, nil
			}).Produces("text/plain"),
		},
	}
}

func (s *Server) ready(ctx context.Context, _ api.Request[api.None, api.None]) (statusReply, error) {
	if err := s.store.Ping(ctx); err != nil {
		return statusReply{}, fault.Because(fault.Unavailable, err, "the database does not answer")
	}
	return statusReply{"ok", version}, nil
}

// handled is a reply that another handler writes.
type handled struct{ h http.Handler }

// Respond lets the handler write.
func (h handled) Respond(w http.ResponseWriter, r *http.Request) error {
	h.h.ServeHTTP(w, r)
	return nil
}

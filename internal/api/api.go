// Package api is the kit that the doors are built with: one row a route, from which come the mux, the permission
// check, the OpenAPI document and the role x route test.
//
// A dialect is a package below this one. It has its own wire structs, its own error shape and its own table of rows;
// dialects never import each other. A handler gets what the kit has parsed and checked, calls one service, and returns
// what to write:
//
//	api.Row("POST PUT", "/api/jobs/stop_job/", api.Needs(identity.JobsWrite), "Stop a running job.", d.stopJob)
package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// None stands for no parameters, no body, or no reply.
type None struct{}

// Request is what a handler gets: who asks, and the parsed parameters and body.
type Request[P, B any] struct {
	identity.Caller
	Params P
	Body   B
	HTTP   *http.Request
}

// Handler does the work of one route.
type Handler[P, B, R any] func(ctx context.Context, r Request[P, B]) (R, error)

// Dialect is one interface: a table of routes with its manner of speaking.
type Dialect struct {
	Name        string // short, for logs
	Title       string
	Version     string
	Description string
	// StrictJSON refuses bodies with unknown members. Otherwise they are ignored.
	StrictJSON bool
	// Success writes a reply in the dialect's envelope; nil writes plain JSON.
	Success func(w http.ResponseWriter, r *http.Request, status int, body any) error
	// Failure writes an error in the dialect's shape. It is the one exit for errors.
	Failure func(w http.ResponseWriter, r *http.Request, err error)
	// Reply returns what the document shows for a reply of type t, for dialects with an envelope; nil shows t itself.
	Reply func(t reflect.Type) reflect.Type
	// Error is the type of the error body, for the document.
	Error reflect.Type
	// Routes is the table.
	Routes []Route

	stylesheet string // path of the page's stylesheet, "" writes it into the page
}

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
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

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

// Access says who may use a route. Its zero value is no access rule at all, with which a table does not start.
type Access struct {
	rule rule
	need []identity.Permission // any of them
}

type rule uint8

const (
	ruleMissing rule = iota
	rulePublic
	ruleLoggedIn
	ruleNeeds
)

// Needs admits callers with at least one of the permissions. What they may see beyond that, the service decides.
func Needs(any ...identity.Permission) Access { return Access{ruleNeeds, any} }

// LoggedIn admits everybody with a valid credential. Who wrote the handler has to make sure that it only touches what
// is the caller's own.
func LoggedIn() Access { return Access{rule: ruleLoggedIn} }

// Public admits everybody.
func Public() Access { return Access{rule: rulePublic} }

// Permissions returns the permissions of which one is needed; nil for Public and LoggedIn.
func (a Access) Permissions() []identity.Permission { return a.need }

// IsPublic reports whether no credential is needed.
func (a Access) IsPublic() bool { return a.rule == rulePublic }

// String describes the rule for people.
func (a Access) String() string {
	switch a.rule {
	case rulePublic:
		return "public"
	case ruleLoggedIn:
		return "any login"
	case ruleNeeds:
		names := make([]string, len(a.need))
		for i, p := range a.need {
			names[i] = p.String()
		}
		return strings.Join(names, " or ")
	default:
		return "missing"
	}
}

// Check returns nil when the caller may pass.
func (a Access) Check(c identity.Caller) error {
	switch a.rule {
	case rulePublic, ruleLoggedIn:
		return nil
	case ruleNeeds:
		if slices.ContainsFunc(a.need, c.Can) {
			return nil
		}
		return identity.DeniedError(a.need[0])
	default:
		return errors.New("route without an access rule")
	}
}

// Route is one row of a dialect's table.
type Route struct {
	Methods []string
	Path    string // as the contract spells it; the kit answers with and without a trailing slash
	Aliases []string
	Access  Access
	Doc     string
	Status  int    // of success
	Type    string // content type of success, "" for JSON
	MaxBody int64  // bytes after decompression

	params, body, reply reflect.Type
	serve               func(d *Dialect, w http.ResponseWriter, r *http.Request, c identity.Caller) error
}

// defaultMaxBody is enough for everything but samples and images.
const defaultMaxBody = 16 << 20

// Row makes a route. methods are separated by spaces. P is a struct whose fields have path, query or header tags, B is
// what the body holds (None, RawBody, or a struct with json or form tags), and R is what the reply holds.
func Row[P, B, R any](methods, path string, access Access, doc string, h Handler[P, B, R]) Route {
	route := Route{
		Methods: strings.Fields(methods), Path: path, Access: access, Doc: doc,
		Status: http.StatusOK, MaxBody: defaultMaxBody,
		params: reflect.TypeFor[P](), body: reflect.TypeFor[B](), reply: reflect.TypeFor[R](),
	}
	maxBody := &route.MaxBody
	route.serve = func(d *Dialect, w http.ResponseWriter, r *http.Request, c identity.Caller) error {
		req := Request[P, B]{Caller: c, HTTP: r}
		if err := bindParams(d, r, &req.Params); err != nil {
			return err
		}
		if err := bindBody(d, w, r, *maxBody, &req.Body); err != nil {
			return err
		}
		reply, err := h(r.Context(), req)
		if err != nil {
			return err
		}
		return d.write(w, r, statusFrom(r), reply)
	}
	return route
}

// Alias adds further paths for the same route.
func (rt Route) Alias(paths ...string) Route {
	rt.Aliases = append(slices.Clone(rt.Aliases), paths...)
	return rt
}

// WithStatus sets the status of success.
func (rt Route) WithStatus(code int) Route {
	rt.Status = code
	return rt
}

// Produces sets the content type of success for the document; the reply itself is a Text or a Responder.
func (rt Route) Produces(contentType string) Route {
	rt.Type = contentType
	return rt
}

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
}

// Check returns what is wrong with the table: routes without access rule, documentation or method, or the same twice.
func (d *Dialect) Check() error {
	var errs []error
	seen := map[string]bool{}
	for _, rt := range d.Routes {
		name := fmt.Sprintf("%s: %s %s", d.Name, strings.Join(rt.Methods, ","), rt.Path)
		if rt.Access.rule == ruleMissing || rt.Access.rule == ruleNeeds && len(rt.Access.need) == 0 {
			errs = append(errs, fmt.Errorf("%s: no access rule", name))
		}
		if rt.Doc == "" {
			errs = append(errs, fmt.Errorf("%s: no documentation", name))
		}
		if len(rt.Methods) == 0 {
			errs = append(errs, fmt.Errorf("%s: no method", name))
		}
		for _, m := range rt.Methods {
			for _, p := range append([]string{rt.Path}, rt.Aliases...) {
				key := m + " " + trimSlash(p)
				if seen[key] {
					errs = append(errs, fmt.Errorf("%s: twice in the table", key))
				}
				seen[key] = true
			}
		}
	}
	return errors.Join(errs...)
}

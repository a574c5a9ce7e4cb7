package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Authenticator finds out who asks.
type Authenticator interface {
	// Authenticate returns the caller; fault.Unauthenticated when there is no credential or not a good one.
	Authenticate(r *http.Request) (identity.Caller, error)
}

// Guard is what a mux needs around the handlers.
type Guard struct {
	Auth Authenticator
	// Refused is told of every refusal: err has kind Unauthenticated or Denied. It may be nil.
	Refused func(r *http.Request, c identity.Caller, err error)
}

// Mux returns a handler for the dialect's routes. It answers paths with and without a trailing slash, and unknown
// paths and methods in the dialect's shape. The table must have passed Check.
func (d *Dialect) Mux(g Guard) http.Handler {
	mux := http.NewServeMux()
	for i := range d.Routes {
		rt := &d.Routes[i]
		h := d.handler(rt, g)
		for _, m := range rt.Methods {
			for _, p := range append([]string{rt.Path}, rt.Aliases...) {
				mux.Handle(m+" "+trimSlash(p), h)
			}
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = withoutSlash(r)
		h, pattern := mux.Handler(r)
		if pattern == "" {
			d.unmatched(w, r, h)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// unmatched answers for a path or method that no route has. The mux's own handler knows which methods there would be.
func (d *Dialect) unmatched(w http.ResponseWriter, r *http.Request, h http.Handler) {
	probe := &headerOnly{header: http.Header{}}
	h.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	d.Failure(w, r, fault.Because(fault.NotFound, ErrNoRoute, "the requested endpoint does not exist"))
}

// ErrNoRoute is the cause of the failure that a dialect writes for a path that no route has.
const ErrNoRoute = noRouteError("no such route")

type noRouteError string

// Error returns the text.
func (e noRouteError) Error() string { return string(e) }

func (d *Dialect) handler(rt *Route, g Guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := g.Auth.Authenticate(r)
		if err != nil && rt.Access.IsPublic() {
			caller, err = identity.Caller{}, nil
		}
		if err == nil {
			err = rt.Access.Check(caller)
		}
		if err == nil {
			ctx := context.WithValue(r.Context(), statusKey{}, rt.Status)
			err = rt.serve(d, w, r.WithContext(ctx), caller)
		}
		if err == nil {
			return
		}
		if k := fault.KindOf(err); g.Refused != nil && (k == fault.Unauthenticated || k == fault.Denied) {
			g.Refused(r, caller, err)
		}
		d.Failure(w, r, err)
	})
}

type statusKey struct{}

func statusFrom(r *http.Request) int {
	if s, ok := r.Context().Value(statusKey{}).(int); ok {
		return s
	}
	return http.StatusOK
}

func trimSlash(path string) string {
	if t := strings.TrimRight(path, "/"); t != "" {
		return t
	}
	return "/"
}

// withoutSlash returns r with a path that does not end in a slash: 1.2 to 1.4 of ClusterCockpit redirected between both
// spellings, which curl -X POST does not survive (contract clustercockpit 0.3).
func withoutSlash(r *http.Request) *http.Request {
	t := trimSlash(r.URL.Path)
	if t == r.URL.Path {
		return r
	}
	c := *r
	u := *r.URL
	u.Path, u.RawPath = t, strings.TrimRight(u.RawPath, "/")
	c.URL = &u
	return &c
}

// headerOnly is a response that keeps status and header and drops the body.
type headerOnly struct {
	header http.Header
	status int
}

func (h *headerOnly) Header() http.Header         { return h.header }
func (h *headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (h *headerOnly) WriteHeader(code int)        { h.status = code }

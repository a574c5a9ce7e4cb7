package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Authenticator finds out who asks.
type Authenticator interface {
	// Authenticate returns the caller; fault.Unauthenticated when there is no credential or not a good one. Address and
	// request id are filled in either way. A credential that is to be renewed goes into the header of the reply.
	Authenticate(r *http.Request, reply http.Header) (identity.Caller, error)
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
			for _, p := range rt.paths() {
				mux.Handle(pattern(m, p), h)
			}
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = Canonical(r)
		if h, pattern := mux.Handler(r); pattern == "" {
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

// noRouteError is a constant error, so that nobody can assign to ErrNoRoute.
type noRouteError string

// Error returns the text.
func (e noRouteError) Error() string { return string(e) }

func (d *Dialect) handler(rt *Route, g Guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := g.Auth.Authenticate(r, w.Header())
		if err != nil {
			caller = identity.Caller{Addr: caller.Addr, RequestID: caller.RequestID}
		}
		if err == nil || rt.Access.IsPublic() {
			err = d.admitted(rt, w, r, caller)
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

// admitted serves a caller who is known, when the route's rule lets him pass.
func (d *Dialect) admitted(rt *Route, w http.ResponseWriter, r *http.Request, c identity.Caller) error {
	if err := rt.Access.Check(c); err != nil {
		return err
	}
	return rt.serve(rt, d, w, r, c)
}

// pattern returns what the mux calls a route. The root is only itself, not everything below it.
func pattern(method, path string) string {
	if t := strings.TrimRight(path, "/"); t != "" {
		return method + " " + t
	}
	return method + " /{$}"
}

// Canonical returns r with a path that has no double slashes and does not end in one. Both spellings are answered
// directly: a redirect between them is what curl -X POST does not survive (contract clustercockpit 0.3). A dialect's mux
// does it itself; whoever chooses a dialect by the path has to do it before.
func Canonical(r *http.Request) *http.Request {
	was := r.URL.EscapedPath()
	path := was
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if path = strings.TrimRight(path, "/"); path == "" {
		path = "/"
	}
	if path == was {
		return r
	}
	plain, err := url.PathUnescape(path)
	if err != nil { // not what EscapedPath returns; the mux will find no route
		return r
	}
	c, u := *r, *r.URL
	u.Path, u.RawPath = plain, path
	c.URL = &u
	return &c
}

// headerOnly is a response that keeps status and header and drops the body.
type headerOnly struct {
	header http.Header
	status int
}

// Header returns the header to be filled.
func (h *headerOnly) Header() http.Header { return h.header }

// Write drops b.
func (h *headerOnly) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader keeps the status.
func (h *headerOnly) WriteHeader(code int) { h.status = code }

package api

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Route is one row of a dialect's table.
type Route struct {
	Methods  []string
	Path     string // as the contract spells it; the kit answers with and without a trailing slash
	Aliases  []string
	Access   Access
	Doc      string
	Status   int    // of success
	Type     string // content type of success, "" for JSON
	BodyType string // content type of a RawBody, for the document
	MaxBody  int64  // bytes after decompression
	// Encodings are the content encodings that the handler of a RawBody takes off itself.
	Encodings []string

	params, body, reply reflect.Type
	serve               func(rt *Route, d *Dialect, w http.ResponseWriter, r *http.Request, c identity.Caller) error
}

// defaultMaxBody is enough for everything but samples and images.
const defaultMaxBody = 16 << 20

// Row makes a route. methods are separated by spaces. P is a struct whose fields have path, query or header tags, B is
// what the body holds (None, RawBody, or a struct with json or form tags), and R is what the reply holds.
func Row[P, B, R any](methods, path string, access Access, doc string, h Handler[P, B, R]) Route {
	return Route{
		Methods: strings.Fields(methods), Path: path, Access: access, Doc: doc,
		Status: http.StatusOK, MaxBody: defaultMaxBody,
		params: reflect.TypeFor[P](), body: reflect.TypeFor[B](), reply: reflect.TypeFor[R](),
		serve: func(rt *Route, d *Dialect, w http.ResponseWriter, r *http.Request, c identity.Caller) error {
			req := Request[P, B]{Caller: c, HTTP: r}
			if err := bindParams(r, &req.Params); err != nil {
				return err
			}
			if err := bindBody(d, w, r, rt, &req.Body); err != nil {
				return err
			}
			reply, err := h(r.Context(), req)
			if err != nil {
				return err
			}
			return d.write(w, r, rt.Status, reply)
		},
	}
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

// WithMaxBody sets how many bytes the body may have after decompression.
func (rt Route) WithMaxBody(bytes int64) Route {
	rt.MaxBody = bytes
	return rt
}

// Produces sets the content type of success for the document; the reply itself is a Text or a Responder.
func (rt Route) Produces(contentType string) Route {
	rt.Type = contentType
	return rt
}

// Consumes sets the content type of a RawBody for the document. No request is refused for its content type.
func (rt Route) Consumes(contentType string) Route {
	rt.BodyType = contentType
	return rt
}

// Decodes lets bodies of these content encodings pass as they are, to a handler that takes them off. MaxBody then limits
// the bytes before that.
func (rt Route) Decodes(encodings ...string) Route {
	rt.Encodings = encodings
	return rt
}

// paths returns every spelling of the route's path.
func (rt Route) paths() []string { return append([]string{rt.Path}, rt.Aliases...) }

package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// shelf is a small dialect whose replies echo what the kit has parsed.
type shelf struct{}

type listParams struct {
	Colour []string `query:"colour" doc:"Only boxes of this colour." enum:"red,green"`
	Limit  int      `query:"limit" default:"10" doc:"How many boxes." example:"20"`
	Deep   *bool    `query:"deep"`
	Weight float64  `query:"weight"`
	Trace  string   `header:"X-Trace" doc:"Echoed."`
}

type boxParams struct {
	ID int64 `path:"id" doc:"Number of the box."`
}

type mustParams struct {
	At int64 `query:"at" required:"true"`
}

type box struct {
	Name   string         `json:"name" required:"true" doc:"What is written on it." example:"screws"`
	Size   int            `json:"size"`
	Tags   []string       `json:"tags,omitempty"`
	Inside map[string]box `json:"inside,omitempty"`
}

type formBox struct {
	Name string   `json:"name" form:"name" required:"true" doc:"What is written on it."`
	Size int      `json:"size" form:"size"`
	Tags []string `json:"tags" form:"tag"`
}

type failure struct {
	Kind string `json:"kind" doc:"Class of the failure."`
	Text string `json:"text"`
}

type teapot struct{}

func (teapot) Respond(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusTeapot)
	return nil
}

func (shelf) list(_ context.Context, r api.Request[listParams, api.None]) (listParams, error) {
	return r.Params, nil
}

func (shelf) get(_ context.Context, r api.Request[boxParams, api.None]) (boxParams, error) {
	if r.Params.ID == 404 {
		return boxParams{}, fault.New(fault.NotFound, "no box %d", r.Params.ID)
	}
	return r.Params, nil
}

func (shelf) create(_ context.Context, r api.Request[api.None, box]) (box, error) { return r.Body, nil }

func (shelf) form(_ context.Context, r api.Request[api.None, formBox]) (formBox, error) {
	return r.Body, nil
}

func (shelf) raw(_ context.Context, r api.Request[api.None, api.RawBody]) (api.Text, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return "", api.BodyError(err)
	}
	return api.Text(data), nil
}

func (shelf) optional(_ context.Context, r api.Request[api.None, *box]) (api.Text, error) {
	if r.Body == nil {
		return "nothing", nil
	}
	return api.Text(r.Body.Name), nil
}

func (shelf) must(_ context.Context, r api.Request[mustParams, api.None]) (mustParams, error) {
	return r.Params, nil
}

func (shelf) who(_ context.Context, r api.Request[api.None, api.None]) (api.Text, error) {
	return api.Text(r.User.Name + " from " + r.Addr), nil
}

func (shelf) brew(context.Context, api.Request[api.None, api.None]) (teapot, error) {
	return teapot{}, nil
}

func (shelf) nothing(context.Context, api.Request[api.None, api.None]) (api.None, error) {
	return api.None{}, nil
}

func (shelf) broken(context.Context, api.Request[api.None, api.None]) (api.Text, error) {
	return "", errors.New("the shelf fell down")
}

func shelfDialect() *api.Dialect {
	var s shelf
	read, write := api.Needs(identity.NodesRead), api.Needs(identity.NodesWrite)
	return &api.Dialect{
		Name: "shelf", Title: "Shelf", Version: "1", Description: "Boxes on a shelf.",
		Failure: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(failure{fault.KindOf(err).String(), fault.Message(err)})
		},
		Error: reflect.TypeFor[failure](),
		Routes: []api.Route{
			api.Row("GET", "/shelf/boxes/", read, "List the boxes. Newest first.", s.list).Alias("/old/boxes"),
			api.Row("GET", "/shelf/boxes/{id}", read, "Get one box.", s.get),
			api.Row("POST PUT", "/shelf/boxes/", write, "Put up a box.", s.create).WithStatus(http.StatusCreated),
			api.Row("POST DELETE", "/shelf/form", write, "Put up a box by form.", s.form).WithMaxBody(1000),
			api.Row("POST", "/shelf/raw", write, "Echo.", s.raw).WithMaxBody(100).Consumes("text/csv"),
			api.Row("POST", "/shelf/optional", write, "Put up a box or not.", s.optional),
			api.Row("GET", "/shelf/must", read, "Needs a time.", s.must),
			api.Row("GET", "/shelf/who", api.Public(), "Say who asks.", s.who),
			api.Row("GET", "/shelf/tea", api.LoggedIn(), "Brew.", s.brew).Produces("text/plain"),
			api.Row("DELETE", "/shelf/boxes/", write, "Remove all.", s.nothing).WithStatus(http.StatusNoContent),
			api.Row("GET", "/shelf/broken", read, "Fail.", s.broken),
		},
	}
}

// byHeader believes what the header says.
type byHeader struct{}

func (byHeader) Authenticate(r *http.Request, _ http.Header) (identity.Caller, error) {
	c := identity.Caller{Addr: "192.0.2.1"}
	switch r.Header.Get("Authorization") {
	case "reader":
		c.User.Name, c.Permissions = "reader", identity.SetOf(identity.NodesRead)
	case "writer":
		c.User.Name, c.Permissions = "writer", identity.SetOf(identity.NodesRead, identity.NodesWrite)
	default:
		c.User.Name, c.Permissions = "mallory", identity.All() // a careless authenticator
		return c, fault.New(fault.Unauthenticated, "invalid token")
	}
	return c, nil
}

type call struct {
	method, path, as, contentType, body string
	header                              http.Header
	url                                 *url.URL // in place of path
}

func (c call) do(t *testing.T, h http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
	if c.url != nil {
		r.URL = c.url
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	if c.as != "" {
		r.Header.Set("Authorization", c.as)
	}
	if c.contentType != "" {
		r.Header.Set("Content-Type", c.contentType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func shelfMux(t *testing.T) http.Handler {
	t.Helper()
	return muxOf(t, shelfDialect())
}

func muxOf(t *testing.T, d *api.Dialect) http.Handler {
	t.Helper()
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return d.Mux(api.Guard{Auth: byHeader{}})
}

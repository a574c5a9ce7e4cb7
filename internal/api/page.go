package api

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string

	pageTemplate = template.Must(template.New("page").Parse(pageHTML))
)

type pageView struct {
	*Dialect
	Stylesheet string
	CSS        template.CSS
	Topics     []topicView
	Schemas    []schemaView
}

type topicView struct {
	Name   string
	Routes []routeView
}

type routeView struct {
	*Route
	Anchor    string
	Params    []fieldView
	BodyTypes string
	Body      typeView
	ReplyType string
	Reply     typeView
}

type schemaView struct {
	Name   string
	Fields []fieldView
}

type fieldView struct {
	Name, In, Doc, Example string
	Required               bool
	Type                   typeView
}

// typeView is a type in words; Ref is the schema that the last word stands for.
type typeView struct{ Words, Ref string }

// Page returns the same rows as a page for people: HTML without scripts, in the reader's choice of light or dark.
func (d *Dialect) Page() ([]byte, error) {
	doc, err := d.describe()
	if err != nil {
		return nil, err
	}
	view := pageView{Dialect: d, Stylesheet: d.stylesheet, Topics: doc.topics(), Schemas: doc.schemaViews()}
	if d.stylesheet == "" {
		view.CSS = template.CSS(pageCSS) //nolint:gosec // embedded, not from a request
	}
	var buf bytes.Buffer
	if err := pageTemplate.Execute(&buf, view); err != nil {
		return nil, fmt.Errorf("write page of %s: %w", d.Name, err)
	}
	return buf.Bytes(), nil
}

// Documented adds the rows that serve the document at one path and the page at another, its stylesheet beside it. Its
// own rows are part of both. It comes last, when the table is otherwise complete.
func (d *Dialect) Documented(document, page string) error {
	d.stylesheet = page + ".css"
	doc := &file{contentType: "application/json"}
	html := &file{contentType: "text/html; charset=utf-8"}
	css := &file{contentType: "text/css; charset=utf-8", data: []byte(pageCSS)}
	d.Routes = append(d.Routes,
		Row("GET", document, Public(), "This interface as an OpenAPI 3.1 document.", doc.get).Produces("application/json"),
		Row("GET", page, Public(), "This interface as a page for people.", html.get).Produces("text/html"),
		Row("GET", d.stylesheet, Public(), "The stylesheet of the page.", css.get).Produces("text/css"),
	)
	var err error
	if doc.data, err = d.Document(); err != nil {
		return err
	}
	html.data, err = d.Page()
	return err
}

// file is a reply that is the same for everybody.
type file struct {
	contentType string
	data        []byte
}

func (f *file) get(context.Context, Request[None, None]) (*file, error) { return f, nil }

// Respond writes the file.
func (f *file) Respond(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", f.contentType)
	_, _ = w.Write(f.data) // the client has gone; nobody is left to tell
	return nil
}

func (doc *documenter) topics() []topicView {
	var topics []topicView
	for _, e := range doc.entries {
		i := slices.IndexFunc(topics, func(t topicView) bool { return t.Name == e.topic })
		if i < 0 {
			i = len(topics)
			topics = append(topics, topicView{Name: e.topic})
		}
		topics[i].Routes = append(topics[i].Routes, e.view())
	}
	return topics
}

func (e entry) view() routeView {
	v := routeView{Route: e.route, Anchor: operationID(strings.Join(e.route.Methods, "-"), e.route.Path)}
	for _, p := range e.params {
		v.Params = append(v.Params, fieldView{
			Name: p.Name, In: p.In, Doc: p.Description, Required: p.Required, Type: describeType(p.Schema), Example: example(p.Schema),
		})
	}
	if e.body != nil {
		types := slices.Sorted(maps.Keys(e.body.Content))
		v.BodyTypes = strings.Join(types, ", ")
		v.Body = describeType(e.body.Content[types[0]].Schema)
	}
	for contentType, media := range e.response.Content {
		v.ReplyType, v.Reply = contentType, describeType(media.Schema)
	}
	return v
}

func (doc *documenter) schemaViews() []schemaView {
	schemas := doc.schemas.Map()
	var views []schemaView
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		s := schemas[name]
		v := schemaView{Name: name}
		for _, member := range slices.Sorted(maps.Keys(s.Properties)) {
			p := s.Properties[member]
			v.Fields = append(v.Fields, fieldView{
				Name: member, Doc: p.Description, Required: slices.Contains(s.Required, member), Type: describeType(p), Example: example(p),
			})
		}
		views = append(views, v)
	}
	return views
}

func describeType(s *huma.Schema) typeView {
	switch {
	case s.Ref != "":
		return typeView{Ref: strings.TrimPrefix(s.Ref, schemaPrefix)}
	case s.Items != nil:
		inner := describeType(s.Items)
		return typeView{"list of " + inner.Words, inner.Ref}
	case s.Type == huma.TypeObject:
		if of, ok := s.AdditionalProperties.(*huma.Schema); ok {
			inner := describeType(of)
			return typeView{"object, each member " + inner.Words, inner.Ref}
		}
	}
	return typeView{Words: cmp.Or(s.Type, "any value") + oneOf(s.Enum)}
}

func oneOf(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	if len(words) == 0 {
		return ""
	}
	return ": " + strings.Join(words, ", ")
}

func example(s *huma.Schema) string {
	if len(s.Examples) == 0 {
		return ""
	}
	return fmt.Sprint(s.Examples[0])
}

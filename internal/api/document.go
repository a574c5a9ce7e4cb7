package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// schemaPrefix is where an OpenAPI document keeps its schemas.
const schemaPrefix = "#/components/schemas/"

// entry is what the document says of one row.
type entry struct {
	route    *Route
	topic    string
	params   []*huma.Param
	body     *huma.RequestBody
	response *huma.Response
}

// documenter turns rows into entries and collects the schemas that they refer to.
type documenter struct {
	dialect *Dialect
	schemas huma.Registry
	entries []entry
}

// Document returns the dialect's OpenAPI 3.1 document. The same table gives the same bytes.
func (d *Dialect) Document() ([]byte, error) {
	doc, err := d.describe()
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(doc.openAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode document of %s: %w", d.Name, err)
	}
	return append(text, '\n'), nil
}

// describe makes the entries of all rows.
func (d *Dialect) describe() (doc *documenter, err error) {
	defer func() { // the schema registry panics about types that it cannot describe
		if p := recover(); p != nil {
			err = fmt.Errorf("describe %s: %v", d.Name, p)
		}
	}()
	doc = &documenter{dialect: d, schemas: huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)}
	for i := range d.Routes {
		rt := &d.Routes[i]
		doc.entries = append(doc.entries, entry{
			route: rt, topic: topic(rt.Path),
			params: doc.params(rt.params), body: doc.body(rt), response: doc.response(rt),
		})
	}
	if d.Error != nil {
		doc.schema(d.Error)
	}
	doc.relax()
	return doc, nil
}

func (doc *documenter) openAPI() *huma.OpenAPI {
	d := doc.dialect
	api := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: d.Title, Version: d.Version, Description: d.Description},
		Components: &huma.Components{
			Schemas: doc.schemas,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
			},
		},
		Security: []map[string][]string{{"token": {}}},
	}
	for _, e := range doc.entries {
		for _, m := range e.route.Methods {
			api.AddOperation(doc.operation(e, m))
		}
	}
	return api
}

func (doc *documenter) operation(e entry, method string) *huma.Operation {
	rt := e.route
	summary, _, _ := strings.Cut(rt.Doc, ". ")
	op := &huma.Operation{
		Method: method, Path: documentPath(rt.Path), OperationID: operationID(method, rt.Path),
		Tags: []string{e.topic}, Summary: strings.TrimSuffix(summary, "."), Description: rt.description(),
		Parameters: e.params, RequestBody: e.body,
		Responses:  map[string]*huma.Response{strconv.Itoa(rt.Status): e.response},
		Extensions: map[string]any{"x-permission": rt.Access.names()},
	}
	if doc.dialect.Error != nil {
		op.Responses["default"] = &huma.Response{
			Description: "What went wrong.", Content: jsonContent(doc.schema(doc.dialect.Error)),
		}
	}
	if rt.Access.IsPublic() {
		op.Security = []map[string][]string{}
	}
	return op
}

// description is the row's documentation with its rule of access and its other paths.
func (rt *Route) description() string {
	text := rt.Doc + "\n\nAccess: " + rt.Access.String() + "."
	if len(rt.Aliases) > 0 {
		text += "\n\nAlso at: " + strings.Join(rt.Aliases, ", ") + "."
	}
	return text
}

func (doc *documenter) params(t reflect.Type) []*huma.Param {
	var params []*huma.Param
	for _, f := range reflect.VisibleFields(t) {
		source, name := parameter(f)
		if source == "" {
			continue
		}
		s := huma.SchemaFromField(doc.schemas, f, name)
		s.Nullable, s.Description = false, "" // an absent parameter is absent, not null
		params = append(params, &huma.Param{
			Name: name, In: source, Description: f.Tag.Get("doc"), Schema: s,
			Required: source == "path" || f.Tag.Get("required") == "true",
		})
	}
	return params
}

func (doc *documenter) body(rt *Route) *huma.RequestBody {
	switch rt.body {
	case reflect.TypeFor[None]():
		return nil
	case reflect.TypeFor[RawBody]():
		return &huma.RequestBody{Required: true, Content: textContent(rt.BodyType, "application/octet-stream")}
	}
	content := jsonContent(doc.schema(rt.body))
	if hasFormTags(rt.body) {
		form := &huma.MediaType{Schema: doc.formSchema(rt.body)}
		content["application/x-www-form-urlencoded"], content["multipart/form-data"] = form, form
	}
	return &huma.RequestBody{Required: rt.body.Kind() != reflect.Pointer, Content: content}
}

func (doc *documenter) response(rt *Route) *huma.Response {
	r := &huma.Response{Description: http.StatusText(rt.Status)}
	switch {
	case rt.reply == reflect.TypeFor[None]():
	case rt.reply == reflect.TypeFor[Text](), rt.Type != "":
		r.Content = textContent(rt.Type, "text/plain")
	default:
		t := rt.reply
		if doc.dialect.Reply != nil {
			t = doc.dialect.Reply(t)
		}
		r.Content = jsonContent(doc.schema(t))
	}
	return r
}

func jsonContent(s *huma.Schema) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Schema: s}}
}

func textContent(given, otherwise string) map[string]*huma.MediaType {
	if given == "" {
		given = otherwise
	}
	return map[string]*huma.MediaType{given: {Schema: &huma.Schema{Type: huma.TypeString}}}
}

// documentPath returns the path as OpenAPI writes it: parameters without the mux's dots.
func documentPath(path string) string { return strings.ReplaceAll(path, "...}", "}") }

func operationID(method, path string) string {
	words := strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune("/{}.", r) })
	return strings.ToLower(strings.Join(append([]string{method}, words...), "-"))
}

// topic is the first word of the path that says something.
func topic(path string) string {
	words := strings.Split(strings.Trim(path, "/"), "/")
	words = slices.DeleteFunc(words, func(w string) bool {
		return w == "" || w == "api" || w == "v1" || strings.HasPrefix(w, "{")
	})
	if len(words) == 0 {
		return "root"
	}
	return words[0]
}

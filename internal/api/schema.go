package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// schema returns the schema of t, by reference when t is a struct.
func (doc *documenter) schema(t reflect.Type) *huma.Schema {
	return doc.schemas.Schema(t, true, "Value")
}

// formSchema returns the schema of the fields that a form may fill.
func (doc *documenter) formSchema(t reflect.Type) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("form")
		if name == "" {
			continue
		}
		field := huma.SchemaFromField(doc.schemas, f, name)
		field.Nullable = false
		s.Properties[name] = field
		if f.Tag.Get("required") == "true" {
			s.Required = append(s.Required, name)
		}
	}
	return s
}

// relax brings the collected schemas in line with what the kit does. A member of a request is only required when its
// field says so. Unknown members are ignored unless the dialect is strict, and a later version may add members to a
// reply.
func (doc *documenter) relax() {
	bodies := map[reflect.Type]bool{}
	for i := range doc.dialect.Routes {
		collect(doc.dialect.Routes[i].body, bodies)
	}
	for name, s := range doc.schemas.Map() {
		t := doc.schemas.TypeFromRef(schemaPrefix + name)
		if bodies[t] {
			s.Required = requiredMembers(t)
		}
		if s.AdditionalProperties == false && (!bodies[t] || !doc.dialect.StrictJSON) {
			s.AdditionalProperties = nil
		}
	}
}

// collect adds every struct type that a value of type t may hold.
func collect(t reflect.Type, seen map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		collect(t.Elem(), seen)
	case reflect.Struct:
		if seen[t] {
			return
		}
		seen[t] = true
		for _, f := range reflect.VisibleFields(t) {
			collect(f.Type, seen)
		}
	default:
	}
}

// requiredMembers returns the JSON names of the fields that say required:"true".
func requiredMembers(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if f.Tag.Get("required") == "true" {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

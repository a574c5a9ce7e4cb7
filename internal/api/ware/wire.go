package ware

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// reply is the envelope of success (contract clusterware 3.3).
type reply[T any] struct {
	Success bool `json:"success" doc:"Always true."`
	Data    T    `json:"data"`
}

func ok[T any](data T) reply[T] { return reply[T]{true, data} }

// success writes what a handler returns, which already is an envelope. Replies hold rights and secrets of the moment.
func success(w http.ResponseWriter, _ *http.Request, status int, body any) error {
	w.Header().Set("Cache-Control", "no-store")
	return api.JSON(w, status, body)
}

// byID is the parameter of everything that is about one record.
type byID struct {
	ID string `path:"id" doc:"UID, name, or the beginning of a UID (5 characters or more); for nodes also MAC or IP address."`
}

// listParams are the parameters of lists.
type listParams struct {
	As string `query:"as" doc:"Shape of data: map (UID to record), list (UIDs) or objects (records)." enum:"map,list,objects" default:"map"`
}

// collection is the reply to a list call. Its shape depends on the parameter as.
type collection[T any] struct {
	Success bool         `json:"success" doc:"Always true."`
	Data    map[string]T `json:"data" doc:"Records by UID; see the parameter as for other shapes."`

	as    string
	order []string
}

// collect makes the reply to a list call. uidOf returns the key of a record.
func collect[T any](records []T, uidOf func(T) string, as string) (collection[T], error) {
	c := collection[T]{Success: true, Data: make(map[string]T, len(records)), as: as, order: []string{}}
	if !slices.Contains([]string{"map", "list", "objects"}, as) {
		return c, fault.New(fault.Invalid, "invalid value %q for parameter as: map, list or objects expected", as)
	}
	for _, r := range records {
		uid := uidOf(r)
		c.Data[uid] = r
		c.order = append(c.order, uid)
	}
	return c, nil
}

// MarshalJSON writes the shape that was asked for.
func (c collection[T]) MarshalJSON() ([]byte, error) {
	switch c.as {
	case "list":
		return json.Marshal(ok(c.order))
	case "objects":
		objects := make([]T, len(c.order))
		for i, uid := range c.order {
			objects[i] = c.Data[uid]
		}
		return json.Marshal(ok(objects))
	default:
		return json.Marshal(ok(c.Data))
	}
}

// stamp is what every record says of its last change.
type stamp struct {
	LastModified   *float64 `json:"last_modified" doc:"Time of the last change, Unix seconds." meta:"readonly"`
	LastModifiedBy string   `json:"last_modified_by" doc:"Who changed it last." meta:"readonly"`
	LastModifiedOn string   `json:"last_modified_on" doc:"The head on which it was changed." meta:"readonly"`
}

func (d *door) stamp(at time.Time, by string) stamp {
	return stamp{LastModified: epoch(at), LastModifiedBy: by, LastModifiedOn: d.Head}
}

// readOnly takes up, in a body that replaces a whole record, the members that a client has read and cannot set.
type readOnly struct {
	UID            json.RawMessage `json:"uid" doc:"Ignored."`
	LastModified   json.RawMessage `json:"last_modified" doc:"Ignored."`
	LastModifiedBy json.RawMessage `json:"last_modified_by" doc:"Ignored."`
	LastModifiedOn json.RawMessage `json:"last_modified_on" doc:"Ignored."`
}

// epoch returns a time in Unix seconds, nil for no time.
func epoch(t time.Time) *float64 {
	if t.IsZero() {
		return nil
	}
	seconds := float64(t.UnixMicro()) / 1e6
	return &seconds
}

// attributeMap is attributes in a request: values that are no text are taken as they are written.
type attributeMap map[string]string

// UnmarshalJSON reads an object of JSON scalars.
func (m *attributeMap) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil || raw == nil {
		return fault.New(fault.Invalid, `attributes must be a JSON object, as in {"_boot_style": "rwram"}`)
	}
	*m = make(attributeMap, len(raw))
	for name, value := range raw {
		text, err := scalarText(value)
		if err != nil {
			return fault.New(fault.Invalid, "the value of attribute %q must be text, a number, true or false", name)
		}
		(*m)[name] = text
	}
	return nil
}

func scalarText(value json.RawMessage) (string, error) {
	switch value[0] {
	case '"':
		var s string
		err := json.Unmarshal(value, &s)
		return s, err
	case '{', '[', 'n':
		return "", fault.New(fault.Invalid, "not a scalar")
	default:
		return string(value), nil
	}
}

// nameList is names in a request: a list, or one text with commas between them.
type nameList []string

// UnmarshalJSON reads a list of strings or one string.
func (l *nameList) UnmarshalJSON(data []byte) error {
	list, err := stringOrList(data, ",")
	if err != nil {
		return fault.New(fault.Invalid, `a name, or a list of names is expected, as in ["a", "b"]`)
	}
	*l = list
	return nil
}

// lineList is texts that may hold commas: a list, or one text with a line for each.
type lineList []string

// UnmarshalJSON reads a list of strings or one string.
func (l *lineList) UnmarshalJSON(data []byte) error {
	list, err := stringOrList(data, "\n")
	if err != nil {
		return fault.New(fault.Invalid, `a text, or a list of texts is expected, as in ["ssh-ed25519 AAAA... comment"]`)
	}
	*l = list
	return nil
}

func stringOrList(data []byte, separator string) ([]string, error) {
	list := []string{}
	if data = bytes.TrimSpace(data); len(data) == 0 || data[0] != '"' {
		return list, json.Unmarshal(data, &list)
	}
	var one string
	if err := json.Unmarshal(data, &one); err != nil {
		return nil, err
	}
	for part := range strings.SplitSeq(one, separator) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list, nil
}

// fieldMeta describes one field of a class.
type fieldMeta struct {
	Name     string `json:"name" doc:"Name of the field."`
	Type     string `json:"type" doc:"JSON type of its value."`
	Required bool   `json:"required" doc:"Whether a record cannot be created without it."`
	ReadOnly bool   `json:"readonly" doc:"Whether it cannot be set."`
	Help     string `json:"help" doc:"What it means."`
}

// metaOf answers /<class>/meta from the tags of the class's record.
func metaOf[T any](context.Context, api.Request[api.None, api.None]) (reply[[]fieldMeta], error) {
	var fields []fieldMeta
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" {
			continue
		}
		rule := f.Tag.Get("meta")
		fields = append(fields, fieldMeta{
			Name: name, Type: jsonType(f.Type), Help: f.Tag.Get("doc"), Required: rule == "required", ReadOnly: rule == "readonly",
		})
	}
	return ok(fields), nil
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.Int:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array"
	case reflect.Map:
		return "object"
	default:
		return "string"
	}
}

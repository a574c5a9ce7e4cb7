// Package jsonfile reads JSON that people write, and tells them what is wrong with it: on which line, under which key, and
// what would be right. Configurations, cluster.json and what tools are given are read with it; bodies of requests, which
// programs write, are not.
package jsonfile

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// Decode reads one JSON value and nothing behind it. Keys that into does not have are passed over, and numbers whose type
// is left open stay as they are written. The error is one line that begins with where the mistake is, as in
// "line 3: addr: a string is expected, not a number".
func Decode(data []byte, into any) error { return decode(data, into, false, true) }

// DecodeStrict is Decode, but keys that into does not have are mistakes. It reads a part of a file, of which nobody knows
// any more on which line it stood, so that the key says where the mistake is.
func DecodeStrict(part []byte, into any) error { return decode(part, into, true, false) }

func decode(data []byte, into any, strict, lines bool) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if strict {
		dec.DisallowUnknownFields()
	}
	at, err := explain(dec.Decode(into), reflect.TypeOf(into))
	if err == nil {
		// Decode says where it stopped; only space may follow.
		rest := bytes.TrimLeft(data[dec.InputOffset():], " \t\r\n")
		if len(rest) == 0 {
			return nil
		}
		at, err = int64(len(data)-len(rest)), errors.New("there is something behind the JSON value")
	}
	if !lines {
		return err
	}
	if at < 0 || at > int64(len(data)) {
		at = int64(len(bytes.TrimRight(data, " \t\r\n")))
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:at], []byte("\n")), err)
}

// explain says in words what the decoder found wrong, and how many bytes lie before it, -1 when that is not known.
func explain(err error, into reflect.Type) (at int64, _ error) {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return 0, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return -1, errors.New("not valid JSON: it ends too early")
	case errors.As(err, &syntax):
		return syntax.Offset - 1, fmt.Errorf("not valid JSON: %w", err)
	case errors.As(err, &kind):
		where := ""
		if kind.Field != "" {
			where = kind.Field + ": "
		}
		return kind.Offset - 1, fmt.Errorf("%s%s is expected, not %s", where, TypeName(kind.Type), found(kind.Value))
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if key, ok := strings.CutPrefix(text, "unknown field "); ok {
		return -1, fmt.Errorf("unknown key %s; the keys here are %s", key, strings.Join(keys(into, nil), ", "))
	}
	return -1, errors.New(text)
}

// TypeName is what JSON calls a Go type, with its article.
func TypeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return TypeName(t.Elem())
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "a string"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}

// found is what was found instead. The decoder names it, and a number that does not fit with its digits.
func found(value string) string {
	switch {
	case value == "bool":
		return "true or false"
	case strings.HasPrefix(value, "number "):
		return strings.TrimPrefix(value, "number ")
	case value == "array", value == "object":
		return "an " + value
	default:
		return "a " + value
	}
}

// keys lists the keys that an object can have, those of objects in it included: the decoder does not say in which one it
// was.
func keys(t reflect.Type, of []reflect.Type) (names []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || slices.Contains(of, t) {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		names = append(names, name)
		for _, inner := range keys(f.Type, append(of, t)) {
			if !slices.Contains(names, inner) {
				names = append(names, inner)
			}
		}
	}
	return names
}

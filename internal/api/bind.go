package api

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// AnyQuery lets query parameters pass that no field names, when it is embedded in parameters: where somebody else decides
// what comes.
type AnyQuery struct{}

// bindParams fills the fields of *p that have a path, query or header tag. A query parameter that no field names is
// refused: a filter that is not understood must not pass for one that matched nothing.
func bindParams(r *http.Request, p any) error {
	v := reflect.ValueOf(p).Elem()
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.Because(fault.Invalid, err, "the query of the URL cannot be read: %s", err)
	}
	known := map[string]bool{}
	for _, f := range reflect.VisibleFields(v.Type()) {
		source, name := parameter(f)
		if source == "query" {
			known[name] = true
		}
		if source == "" {
			continue
		}
		if err := bindParam(v.FieldByIndex(f.Index), f.Tag, name, given(r, query, source, name)); err != nil {
			return err
		}
	}
	if _, any := v.Type().FieldByName(reflect.TypeFor[AnyQuery]().Name()); any {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !known[name] {
			return fault.New(fault.Invalid, "invalid query parameter: %s", name)
		}
	}
	return nil
}

// parameter returns where a field's value comes from and under which name; "" when it is no parameter.
func parameter(f reflect.StructField) (source, name string) {
	for _, source := range []string{"path", "query", "header"} {
		if name := f.Tag.Get(source); name != "" {
			return source, name
		}
	}
	return "", ""
}

func given(r *http.Request, query url.Values, source, name string) []string {
	switch source {
	case "path":
		return []string{r.PathValue(name)}
	case "query":
		return query[name]
	default:
		return r.Header.Values(name)
	}
}

func bindParam(v reflect.Value, tag reflect.StructTag, name string, values []string) error {
	if len(values) == 0 {
		if tag.Get("required") == "true" {
			return fault.New(fault.Invalid, "parameter %s is required", name)
		}
		def, ok := tag.Lookup("default")
		if !ok {
			return nil
		}
		values = []string{def}
	}
	if err := setField(v, values); err != nil {
		return fault.Because(fault.Invalid, err, "invalid value %q for parameter %s: %s", strings.Join(values, ","), name, err)
	}
	return nil
}

// setField parses values into v: a slice takes all of them, everything else the first.
func setField(v reflect.Value, values []string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(values[0]))
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return setField(v.Elem(), values)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(values), len(values)))
		for i, s := range values {
			if err := setField(v.Index(i), []string{s}); err != nil {
				return err
			}
		}
		return nil
	default:
		return setScalar(v, values[0])
	}
}

func setScalar(v reflect.Value, s string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return errors.New("true or false expected")
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64, reflect.Int32:
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		if err != nil {
			return errors.New("whole number expected")
		}
		v.SetInt(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return errors.New("number expected")
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("parameters of type %s are not supported", v.Type())
	}
	return nil
}

package api

import (
	"bytes"
	"compress/gzip"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// RawBody is a body that the handler reads itself, decompressed and limited to the route's MaxBody.
type RawBody struct{ io.Reader }

// bindParams fills the fields of *p that have a path, query or header tag. A query parameter that no field names is
// refused: a filter that is not understood must not pass for one that matched nothing.
func bindParams(_ *Dialect, r *http.Request, p any) error {
	v := reflect.ValueOf(p).Elem()
	known := map[string]bool{}
	query := r.URL.Query()
	for _, f := range reflect.VisibleFields(v.Type()) {
		var values []string
		name := ""
		switch {
		case f.Tag.Get("path") != "":
			name = f.Tag.Get("path")
			values = []string{r.PathValue(name)}
		case f.Tag.Get("query") != "":
			name = f.Tag.Get("query")
			known[name] = true
			values = query[name]
		case f.Tag.Get("header") != "":
			name = f.Tag.Get("header")
			values = r.Header.Values(name)
		default:
			continue
		}
		if len(values) == 0 {
			if f.Tag.Get("required") == "true" {
				return fault.New(fault.Invalid, "parameter %s is required", name)
			}
			if def, ok := f.Tag.Lookup("default"); ok {
				values = []string{def}
			} else {
				continue
			}
		}
		if err := setField(v.FieldByIndex(f.Index), values); err != nil {
			return fault.Because(fault.Invalid, err, "invalid value %q for parameter %s: %s", strings.Join(values, ","), name, err)
		}
	}
	for name := range query {
		if !known[name] {
			return fault.New(fault.Invalid, "invalid query parameter: %s", name)
		}
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

// bindBody fills *b from the body. JSON is read whatever the content type says, since curl --data sends a form's; a
// real form is read where *b has form tags.
func bindBody(d *Dialect, w http.ResponseWriter, r *http.Request, limit int64, b any) error {
	if _, none := b.(*None); none {
		return nil
	}
	body, err := openBody(w, r, limit)
	if err != nil {
		return err
	}
	if raw, ok := b.(*RawBody); ok {
		raw.Reader = body
		return nil
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return BodyError(err)
	}
	if isForm(r) && hasFormTags(reflect.TypeOf(b).Elem()) && !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return bindForm(r, data, limit, reflect.ValueOf(b).Elem())
	}
	return decodeJSON(data, d.StrictJSON, b)
}

// openBody returns the body, decompressed when it is gzipped, cut off with an error at limit.
func openBody(w http.ResponseWriter, r *http.Request, limit int64) (io.Reader, error) {
	limited := http.MaxBytesReader(w, r.Body, limit)
	switch enc := r.Header.Get("Content-Encoding"); enc {
	case "", "identity":
		return limited, nil
	case "gzip":
		zr, err := gzip.NewReader(limited)
		if err != nil {
			return nil, fault.Because(fault.Invalid, err, "the body is not gzip, as Content-Encoding says")
		}
		return http.MaxBytesReader(w, zr, limit), nil
	default:
		return nil, fault.New(fault.Invalid, "Content-Encoding %q is not supported; gzip is", enc)
	}
}

// BodyError turns an error from reading a body into one with a kind.
func BodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.Because(fault.TooLarge, err, "the body is larger than %d bytes", tooLarge.Limit)
	}
	return fault.Because(fault.Invalid, err, "the body could not be read")
}

// decodeJSON reads one JSON value and nothing behind it. An empty body leaves b as it is when b may be optional, that
// is, when it is a pointer; otherwise it is refused.
func decodeJSON(data []byte, strict bool, b any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		if reflect.TypeOf(b).Elem().Kind() == reflect.Pointer {
			return nil
		}
		return fault.New(fault.Invalid, "a JSON body is required")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if strict {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(b); err != nil {
		if fault.KindOf(err) != fault.Internal {
			return err
		}
		return fault.Because(fault.Invalid, err, "the body is not the JSON that is expected: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the body has something behind the JSON value")
	}
	return nil
}

func isForm(r *http.Request) bool {
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return t == "application/x-www-form-urlencoded" || t == "multipart/form-data"
}

func hasFormTags(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("form") != "" {
			return true
		}
	}
	return false
}

func bindForm(r *http.Request, data []byte, limit int64, v reflect.Value) error {
	r.Body = io.NopCloser(bytes.NewReader(data))
	if err := r.ParseMultipartForm(limit); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return fault.Because(fault.Invalid, err, "the form could not be read")
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("form")
		if values := r.Form[name]; name != "" && len(values) > 0 {
			if err := setField(v.Field(i), values); err != nil {
				return fault.Because(fault.Invalid, err, "invalid value for field %s: %s", name, err)
			}
		}
	}
	return nil
}

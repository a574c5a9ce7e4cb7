package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/jsonfile"
)

// RawBody is a body that the handler reads itself, decompressed and limited to the route's MaxBody. What goes wrong
// while reading becomes a failure with BodyError.
type RawBody struct{ io.Reader }

// bindBody fills *b from the body. JSON is read whatever the content type says, since curl --data sends a form's; a
// real form is read where *b has form tags.
func bindBody(d *Dialect, w http.ResponseWriter, r *http.Request, rt *Route, b any) error {
	if _, none := b.(*None); none {
		return nil
	}
	body, err := openBody(w, r, rt)
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
	if hasFormTags(reflect.TypeOf(b).Elem()) && !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		if form, isForm, err := parseForm(r.Header.Get("Content-Type"), data); isForm {
			return bindForm(form, err, reflect.ValueOf(b).Elem())
		}
	}
	return decodeJSON(data, d.StrictJSON, b)
}

// openBody returns the body, decompressed when it is gzipped, cut off with an error at the route's limit.
func openBody(w http.ResponseWriter, r *http.Request, rt *Route) (io.Reader, error) {
	limited := http.MaxBytesReader(w, r.Body, rt.MaxBody)
	enc := strings.ToLower(r.Header.Get("Content-Encoding"))
	if enc == "" || enc == "identity" || slices.Contains(rt.Encodings, enc) {
		return limited, nil
	}
	if enc != "gzip" && enc != "x-gzip" { // its old name (RFC 9110, 8.4.1.3)
		return nil, fault.New(fault.Invalid, "Content-Encoding %q is not supported; %s is", enc, strings.Join(append([]string{"gzip"}, rt.Encodings...), " or "))
	}
	zr, err := gzip.NewReader(limited)
	if err != nil {
		return nil, fault.Because(fault.Invalid, err, "the body is not gzip, as Content-Encoding says")
	}
	return http.MaxBytesReader(w, zr, rt.MaxBody), nil
}

// BodyError turns an error from reading a body into one with a kind.
func BodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.Because(fault.TooLarge, err, "the body is larger than %d bytes", tooLarge.Limit)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Because(fault.Invalid, err, "the body could not be read: it ends too early")
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
		return jsonError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the body has something behind the JSON value")
	}
	return nil
}

// jsonError says what is wrong with a body in the words of JSON, not of Go.
func jsonError(err error) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) {
		where := "the body"
		if typed.Field != "" {
			where = "member " + typed.Field
		}
		return fault.Because(fault.Invalid, err, "%s: %s expected, got %s", where, jsonfile.TypeName(typed.Type), typed.Value)
	}
	return fault.Because(fault.Invalid, err, "the body is not the JSON that is expected: %s", strings.TrimPrefix(err.Error(), "json: "))
}

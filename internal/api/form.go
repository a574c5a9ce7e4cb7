package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"reflect"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// hasFormTags reports whether a body of type t may come as a form.
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

// parseForm reads data as a form when contentType says that it is one. net/http's own parser leaves out the bodies of
// DELETE, with which ClusterCockpit's web pages send a form.
func parseForm(contentType string, data []byte) (form url.Values, isForm bool, err error) {
	mediaType, params, _ := mime.ParseMediaType(contentType)
	switch mediaType {
	case "application/x-www-form-urlencoded":
		form, err = url.ParseQuery(string(data))
		return form, true, err
	case "multipart/form-data":
		form, err = parseMultipart(multipart.NewReader(bytes.NewReader(data), params["boundary"]))
		return form, true, err
	default:
		return nil, false, nil
	}
}

// parseMultipart reads every part as text. The whole body is in memory already and has passed the limit.
func parseMultipart(parts *multipart.Reader) (url.Values, error) {
	form := url.Values{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read part: %w", err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("read part %q: %w", part.FormName(), err)
		}
		form.Add(part.FormName(), string(text))
	}
}

// bindForm fills the fields of v that have a form tag. Fields that nobody asked for are ignored, as browsers send them.
// One that is given twice is refused where there is room for one value: what stands between a client and this server may
// look at the other one.
func bindForm(form url.Values, parseErr error, v reflect.Value) error {
	if parseErr != nil {
		return fault.Because(fault.Invalid, parseErr, "the form could not be read")
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("form")
		if values := form[name]; name != "" && len(values) > 0 {
			if len(values) > 1 && v.Field(i).Kind() != reflect.Slice {
				return fault.New(fault.Invalid, "field %s is given more than once", name)
			}
			if err := setField(v.Field(i), values); err != nil {
				return fault.Because(fault.Invalid, err, "invalid value for field %s: %s", name, err)
			}
		}
	}
	return nil
}

package ingest

import (
	"errors"
	"io"
	"net/http"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// failure is the body of every error (contract clustercockpit 0.4).
type failure struct {
	Status  string `json:"status" doc:"The status in words." example:"Bad Request"`
	Error   string `json:"error" doc:"What is wrong."`
	Missing string `json:"missing,omitempty" doc:"The permission for want of which the request was refused." example:"MetricsWrite"`
}

// statusOf is the kit's table, except that collectors know neither 409 nor 403 (contract clustercockpit 1.5).
func statusOf(k fault.Kind) int {
	switch k { //nolint:exhaustive // the exceptions
	case fault.Conflict:
		return http.StatusBadRequest
	case fault.Denied:
		return http.StatusUnauthorized
	default:
		return api.StatusOf(k)
	}
}

// fail writes an error and logs those that are not the client's doing.
func (d *dialect) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	status := statusOf(kind)
	body := failure{Status: http.StatusText(status), Error: fault.Message(err)}
	switch kind { //nolint:exhaustive // only these need more than the table
	case fault.Internal, fault.Unavailable:
		d.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	case fault.Unauthenticated:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case fault.Denied:
		body.Error = "unauthorized"
		var missing identity.MissingError
		if errors.As(err, &missing) {
			body.Missing = identity.Permission(missing).String()
		}
	default:
	}
	if d.StandAlone && (kind == fault.Unauthenticated || errors.Is(err, api.ErrNoRoute)) {
		http.Error(w, body.Error, status)
		return
	}
	if errors.Is(err, api.ErrNoRoute) {
		body.Status = "Resource not found"
	}
	_ = api.JSON(w, status, body) // three strings can always be encoded
}

// bodyReader gives errors of reading the body their kind.
type bodyReader struct{ io.Reader }

// Read reads from the body.
func (r bodyReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = api.BodyError(err)
	}
	return n, err
}

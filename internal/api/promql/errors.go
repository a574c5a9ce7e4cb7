package promql

import (
	"errors"
	"net/http"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// success is the body of every answer, as Prometheus has it.
type success struct {
	Status string `json:"status"`
	Data   any    `json:"data"`
	// Warnings are for whoever has asked.
	Warnings []string `json:"warnings,omitempty"`
}

func succeed(w http.ResponseWriter, _ *http.Request, status int, body any) error {
	if l, ok := body.(interface{ body() success }); ok {
		return api.JSON(w, status, l.body())
	}
	return api.JSON(w, status, success{Status: "success", Data: body})
}

// failure is the body of every error, as Prometheus has it.
type failure struct {
	Status    string `json:"status" doc:"error"`
	ErrorType string `json:"errorType" doc:"The kind of failure." example:"bad_data"`
	Error     string `json:"error" doc:"What is wrong."`
}

// errForm is the cause of a refusal of a body in another form. Senders look for its status to fall back to an older one.
var errForm = errors.New("body in another form")

// fail writes an error and logs those that are not the client's doing. A sender of samples tries again after 429 and 5xx
// and gives up after every other status.
func (d *dialect) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	status, name := statusOf(kind)
	switch {
	case errors.Is(err, errForm):
		status = http.StatusUnsupportedMediaType
	case errors.Is(err, errExecution):
		status, name = http.StatusUnprocessableEntity, "execution"
	case errors.Is(err, errTimeout):
		name = "timeout"
	case errors.Is(err, errCanceled):
		status, name = statusCanceled, "canceled"
	}
	switch {
	case status == statusCanceled: // nobody's fault
	case kind == fault.Internal, kind == fault.Unavailable:
		d.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	case kind == fault.Unauthenticated:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	_ = api.JSON(w, status, failure{"error", name, fault.Message(err)}) // three strings can always be encoded
}

// statusCanceled is the status that Prometheus has for a question whose client has left; HTTP has none.
const statusCanceled = 499

// statusOf returns status and name of a kind of failure.
func statusOf(k fault.Kind) (status int, name string) {
	status = api.StatusOf(k)
	switch k {
	case fault.Invalid, fault.Conflict, fault.TooLarge:
		return status, "bad_data"
	case fault.NotFound:
		return status, "not_found"
	case fault.Unauthenticated:
		return status, "unauthorized"
	case fault.Denied:
		return status, "forbidden"
	case fault.TooMany, fault.Unavailable:
		return status, "unavailable"
	case fault.Internal:
	}
	return status, "internal"
}

package cockpit

import (
	"errors"
	"net/http"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// failure is the body of every error (contract clustercockpit 0.4).
type failure struct {
	Status  string `json:"status" doc:"The status in words." example:"Unprocessable Entity"`
	Error   string `json:"error" doc:"What is wrong."`
	Missing string `json:"missing,omitempty" doc:"The permission for want of which the request was refused." example:"JobsWrite"`
}

// statusOf is the kit's table with the contract's exceptions: what contradicts the stored is 422. Two more are elsewhere: a
// job or user that does not exist is 422 where the contract says so (see unprocessable), and a refusal is 401 on the
// routes of the clients' side.
func statusOf(k fault.Kind) int {
	if k == fault.Conflict {
		return http.StatusUnprocessableEntity
	}
	return api.StatusOf(k)
}

// fail writes an error and logs those that are not the client's doing.
func (d *dialect) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	status := statusOf(kind)
	body := failure{Error: fault.Message(err)}
	var missing identity.MissingError
	if errors.As(err, &missing) {
		body.Missing = identity.Permission(missing).String()
	}
	switch {
	case kind == fault.Internal:
		d.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	case kind == fault.Unauthenticated:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case kind == fault.Denied && !isAdministration(r.URL.Path):
		status, body.Error = http.StatusUnauthorized, "unauthorized"
	}
	body.Status = http.StatusText(status)
	if errors.Is(err, api.ErrNoRoute) {
		body.Status = "Resource not found"
	}
	_ = api.JSON(w, status, body) // three strings can always be encoded
}

// isAdministration reports whether a refusal on that path is a 403. On the paths of adapters and scripts it is a 401
// (contract clustercockpit 1.5), which the adapters have learned to read.
func isAdministration(path string) bool {
	for _, prefix := range []string{"/api/user", "/api/roles", "/api/jwt", "/config/", "/frontend/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// unprocessable turns a failure of one of the given kinds into what the contract answers with 422.
func unprocessable(err error, kinds ...fault.Kind) error {
	for _, k := range kinds {
		if fault.Is(err, k) {
			return fault.Because(fault.Conflict, err, "%s", fault.Message(err))
		}
	}
	return err
}

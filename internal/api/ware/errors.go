package ware

import (
	"errors"
	"net/http"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// failureReply is the envelope of failure (contract clusterware 3.3). All behind reason are additions.
type failureReply struct {
	Success   bool     `json:"success" doc:"Always false."`
	Reason    string   `json:"reason" doc:"What went wrong, for people."`
	Code      string   `json:"code" doc:"What went wrong, for programs." enum:"internal,invalid,not_found,conflict,unauthenticated,denied,too_many,too_large,unavailable"`
	Details   []string `json:"details,omitempty" doc:"For an ambiguous ID: the candidates."`
	RequestID string   `json:"request_id,omitempty" doc:"Joins this reply with the head's log."`
}

// statusOf is the one table of kinds and status codes (contract clusterware 3.4).
func statusOf(kind fault.Kind) (status int, code string) {
	switch kind {
	case fault.Internal:
	case fault.Invalid:
		return http.StatusBadRequest, "invalid"
	case fault.NotFound:
		return http.StatusNotFound, "not_found"
	case fault.Conflict:
		return http.StatusConflict, "conflict"
	case fault.Unauthenticated:
		return http.StatusUnauthorized, "unauthenticated"
	case fault.Denied:
		return http.StatusForbidden, "denied"
	case fault.TooMany:
		return http.StatusTooManyRequests, "too_many"
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge, "too_large"
	case fault.Unavailable:
		return http.StatusServiceUnavailable, "unavailable"
	}
	return http.StatusInternalServerError, "internal"
}

// failure is the one exit for errors.
func (d *door) failure(w http.ResponseWriter, r *http.Request, err error) {
	status, code := statusOf(fault.KindOf(err))
	body := failureReply{Reason: fault.Message(err), Code: code, RequestID: d.requestID(r.Context())}
	var several *node.AmbiguousError
	if errors.As(err, &several) {
		body.Details = several.Candidates
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	if status == http.StatusInternalServerError {
		d.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "request_id", body.RequestID, "error", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	_ = api.JSON(w, status, body) // strings always encode
}

package ware

import (
	"errors"
	"net/http"
	"strings"

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

// codeOf is the kind for programs: its name, spelt as one word (contract clusterware 3.3).
func codeOf(kind fault.Kind) string { return strings.ReplaceAll(kind.String(), " ", "_") }

// failure is the one exit for errors.
func (d *door) failure(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	status := api.StatusOf(kind)
	body := failureReply{Reason: fault.Message(err), Code: codeOf(kind), RequestID: d.requestID(r.Context())}
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

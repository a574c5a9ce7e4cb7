package ware

import (
	"bufio"
	"cmp"
	"net/http"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// ndjson is the type of an export: a JSON object on each line.
const ndjson = "application/x-ndjson"

// form returns in which form the records are wanted.
func (p auditParams) form() string {
	if p.Format == "" && strings.Contains(p.Accept, ndjson) {
		return "ndjson"
	}
	return cmp.Or(p.Format, "json")
}

// auditList is the reply to a list call: an envelope with a page, or an export.
type auditList struct {
	Success bool          `json:"success" doc:"Always true."`
	Data    []auditRecord `json:"data" doc:"The records; an export has each on a line of its own, without the envelope."`

	walk func(do func([]audit.Record) error) error // nil for a page
}

// Respond writes the envelope, or the export as it is read. An export that fails on its way is torn off, which clients
// see: it must not pass for a short one.
func (l auditList) Respond(w http.ResponseWriter, r *http.Request) error {
	if l.walk == nil {
		return success(w, r, http.StatusOK, struct {
			Success bool          `json:"success"`
			Data    []auditRecord `json:"data"`
		}{l.Success, l.Data})
	}
	out := bufio.NewWriterSize(w, 64<<10)
	begun := false
	begin := func() {
		w.Header().Set("Content-Type", ndjson)
		w.Header().Set("Cache-Control", "no-store")
		begun = true
	}
	err := l.walk(func(page []audit.Record) error {
		if !begun {
			begin()
		}
		for _, rec := range page {
			_, _ = out.Write(append(audit.Line(rec), '\n')) // Flush tells
		}
		return out.Flush()
	})
	switch {
	case err != nil && begun:
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	case !begun:
		begin()
		w.WriteHeader(http.StatusOK)
	}
	return nil
}

var _ api.Responder = auditList{}

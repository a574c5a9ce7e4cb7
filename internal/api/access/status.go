package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
)

// StatusLister says which tokens have been revoked. *token.Service is one.
type StatusLister interface {
	// StatusList returns the signed list, and for how long it can be kept; fault.NotFound where there is none, and
	// fault.Unavailable when it cannot be signed.
	StatusList(ctx context.Context) (text string, keep time.Duration, err error)
}

const (
	statusPath = "/.well-known/token-status-list"
	statusType = "application/statuslist+jwt"
)

func (d door) statusRoutes() []api.Route {
	return []api.Route{
		api.Row("GET", statusPath, api.Public(),
			"The signed list of revoked tokens (IETF Token Status List), with the public keys, for services that verify tokens on their own.", d.statusList).
			Produces(statusType),
	}
}

// statusList is a reply with the list.
type statusList struct {
	text string
	keep time.Duration
}

func (d door) statusList(ctx context.Context, _ api.Request[api.None, api.None]) (api.Responder, error) {
	text, keep, err := d.Status.StatusList(ctx)
	return statusList{text, keep}, err
}

// Respond sends the list, or only says that it is the one that the client has.
func (l statusList) Respond(w http.ResponseWriter, r *http.Request) error {
	sum := sha256.Sum256([]byte(l.text))
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(max(0, int(l.keep/time.Second))))
	h.Set("ETag", etag)
	for tag := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == etag || tag == "*" {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Set("Content-Type", statusType)
	_, _ = w.Write([]byte(l.text)) // the client has gone; nobody is left to tell
	return nil
}

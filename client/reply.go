package client

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// reply is what came back.
type reply struct {
	code   int
	header http.Header
	body   []byte
}

func (r *reply) status() string { return fmt.Sprintf("%d %s", r.code, http.StatusText(r.code)) }

// failure makes an *Error of a reply.
func (r *reply) failure(req request, reason string) *Error {
	e := &Error{
		Status: r.code, Reason: strings.TrimSpace(reason), Method: req.method, Path: req.path,
		RequestID: r.header.Get("X-Request-Id"),
	}
	if to := r.header.Get("Location"); r.code >= 300 && r.code < 400 && to != "" {
		e.Reason = "the head points to " + to + "; use that as the base URL"
	}
	if s, err := strconv.Atoi(r.header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	return e
}

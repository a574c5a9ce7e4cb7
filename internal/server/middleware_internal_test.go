package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// TestAPanicTellsTheClientNothing: it is answered with a plain 500, and what it was is in the log.
func TestAPanicTellsTheClientNothing(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := withRequestID(withLog(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the secret reason") }), slog.New(slog.NewTextHandler(&log, nil)), clock.System{}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", http.NoBody))
	if w.Code != http.StatusInternalServerError || w.Body.String() != "internal error\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if said := log.String(); !strings.Contains(said, "the secret reason") || !strings.Contains(said, "middleware_internal_test.go") || !strings.Contains(said, w.Header().Get("X-Request-Id")) {
		t.Errorf("log: %s", said)
	}
}

package server

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// withRequestID gives each request an id that joins its log lines, its audit record and the reply.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails, says crypto/rand
		id := hex.EncodeToString(b[:])
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(access.WithRequestID(r.Context(), id)))
	})
}

// withHeaders sets what every reply carries (contract clustercockpit 0.4).
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; object-src 'none'; base-uri 'self'; form-action 'self'")
		h.Set("Cache-Control", "no-store") // what is meant to be cached says so itself
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// withLog writes a line for every request at level debug, and for every panic at level error; the client of a panic
// gets a plain 500.
func withLog(next http.Handler, log *slog.Logger, clk clock.Clock) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := clk.Now()
		seen := &statusWriter{ResponseWriter: w}
		defer func() {
			attrs := []any{"method", r.Method, "path", r.URL.Path, "status", seen.status, "milliseconds", clk.Now().Sub(begin).Milliseconds(), "request_id", access.RequestID(r.Context())}
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // recover gives a value, not a chain
					panic(p)
				}
				log.Error("request panicked", append(attrs, "panic", p, "stack", string(debug.Stack()))...)
				if seen.status == 0 {
					http.Error(w, "internal error", http.StatusInternalServerError)
				}
				return
			}
			log.Debug("request", attrs...)
		}()
		next.ServeHTTP(seen, r)
	})
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the first status.
func (s *statusWriter) WriteHeader(code int) {
	if s.status == 0 {
		s.status = code
	}
	s.ResponseWriter.WriteHeader(code)
}

// Write counts as status 200 when none was set.
func (s *statusWriter) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what is below.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// crossOrigin refuses requests that change something and come from a page of another site.
func crossOrigin() *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "cross-site request blocked", http.StatusForbidden)
	}))
	return p
}

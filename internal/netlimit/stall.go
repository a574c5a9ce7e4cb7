package netlimit

import (
	"net/http"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// stallTime is how long a client may take to make room for the next piece of a reply.
const stallTime = time.Minute

// stalls ends replies whose client does not read. The handler may think for as long as it wants: only writing has a limit.
func stalls(next http.Handler, patience time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &stallWriter{w, http.NewResponseController(w), patience}
		s.until(false) // that of the request before, on the same connection
		next.ServeHTTP(s, r)
		s.until(true) // what is left in buffers is written after this
	})
}

type stallWriter struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
}

// until sets the limit, or takes it away.
func (s *stallWriter) until(limited bool) {
	var end time.Time
	if limited {
		end = clock.System{}.Now().Add(s.patience)
	}
	_ = s.control.SetWriteDeadline(end) // what has no limits, as a recorder in a test, needs none
}

// Write implements http.ResponseWriter.
func (s *stallWriter) Write(b []byte) (int, error) {
	s.until(true)
	n, err := s.ResponseWriter.Write(b)
	s.until(false)
	return n, err
}

// FlushError lets what streams send what it has.
func (s *stallWriter) FlushError() error {
	s.until(true)
	err := s.control.Flush()
	s.until(false)
	return err
}

// Flush is FlushError for those who do not ask.
func (s *stallWriter) Flush() { _ = s.FlushError() }

// Unwrap lets http.ResponseController reach what is below.
func (s *stallWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

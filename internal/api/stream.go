package api

import (
	"io"
	"net/http"
)

// streamAt is how much a Stream collects before it sends it.
const streamAt = 128 << 10

// Stream writes a reply piece by piece, for those with millions of numbers: it is never in memory as a whole. What goes
// wrong while it is sent nobody is left to tell, so no method fails.
type Stream struct {
	// Buf is what has been collected. Append to it, and call Pass now and then.
	Buf  []byte
	to   io.Writer
	gone bool // the client is
}

// BeginStream begins a reply in JSON; its status is 200. End it with Flush.
func BeginStream(w http.ResponseWriter) *Stream {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	return &Stream{to: w}
}

// Pass sends what has been collected when it is enough.
func (s *Stream) Pass() {
	if len(s.Buf) > streamAt {
		s.Flush()
	}
}

// Flush sends what has been collected.
func (s *Stream) Flush() {
	if !s.gone {
		_, err := s.to.Write(s.Buf)
		s.gone = err != nil
	}
	s.Buf = s.Buf[:0]
}

// Text appends texts.
func (s *Stream) Text(pieces ...string) {
	for _, p := range pieces {
		s.Buf = append(s.Buf, p...)
	}
	s.Pass()
}

// Separate appends a comma in front of all elements of a list but the first, number 0.
func (s *Stream) Separate(i int) {
	if i > 0 {
		s.Buf = append(s.Buf, ',')
	}
}

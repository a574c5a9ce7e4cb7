package api_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
)

// pieces counts how often it is written to, and refuses everything from then on.
type pieces struct {
	*httptest.ResponseRecorder
	writes, most int
}

func (p *pieces) Write(b []byte) (int, error) {
	p.writes++
	if p.writes > p.most {
		return 0, errors.New("gone")
	}
	return p.ResponseRecorder.Write(b)
}

func TestStreamsAreSentInPieces(t *testing.T) {
	t.Parallel()
	w := &pieces{httptest.NewRecorder(), 0, 1 << 20}
	s := api.BeginStream(w)
	text := strings.Repeat("0123456789", 1000)
	s.Text("[")
	for i := range 100 {
		s.Separate(i)
		s.Text(`"`, text, `"`)
	}
	if w.writes < 2 || w.writes > 20 {
		t.Errorf("%d writes for a megabyte", w.writes)
	}
	s.Text("]")
	s.Flush()
	want := `["` + text + strings.Repeat(`","`+text, 99) + `"]`
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Body.String() != want {
		t.Errorf("%d, %d bytes, not %d", w.Code, w.Body.Len(), len(want))
	}
}

func TestStreamStopsWritingWhenTheClientHasGone(t *testing.T) {
	t.Parallel()
	w := &pieces{httptest.NewRecorder(), 0, 1}
	s := api.BeginStream(w)
	for range 5 {
		s.Text("x")
		s.Flush()
	}
	if w.writes != 2 || len(s.Buf) != 0 {
		t.Errorf("%d writes, %d bytes kept", w.writes, len(s.Buf))
	}
}

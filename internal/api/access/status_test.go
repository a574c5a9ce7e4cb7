package access_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// lister is a list, and for how long it may be kept; without a text there is none.
type lister struct {
	text string
	keep time.Duration
}

func (l *lister) StatusList(context.Context) (string, time.Duration, error) {
	if l.text == "" {
		return "", 0, fault.New(fault.Unavailable, "this server cannot make tokens: no key")
	}
	return l.text, l.keep, nil
}

func TestStatusListIsCachedAndPublic(t *testing.T) {
	t.Parallel()
	keys := `{"keys":[]}`
	list := &lister{"eyJ.eyJ.sig", 4500 * time.Millisecond}
	gate := &access.Gate{}
	d := access.New(access.Config{
		Gate: gate, Status: list, JWKS: func() []byte { return []byte(keys) }, Clock: clock.NewManual(begin), Log: slog.New(slog.DiscardHandler),
	})
	mux := d.Mux(api.Guard{Auth: gate})
	get := func(path, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	const path = "/.well-known/token-status-list"
	w := get(path, "")
	tag := w.Header().Get("ETag")
	if w.Code != http.StatusOK || w.Body.String() != list.text || w.Header().Get("Content-Type") != "application/statuslist+jwt" ||
		w.Header().Get("Cache-Control") != "public, max-age=4" || len(tag) < 10 {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, known := range []string{tag, `"x", W/` + tag, "*"} {
		if w := get(path, known); w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("ETag") != tag {
			t.Errorf("%s: %d %s", known, w.Code, w.Body)
		}
	}
	list.text = "eyJ.other.sig"
	if w := get(path, tag); w.Code != http.StatusOK || w.Body.String() != list.text {
		t.Errorf("after a change: %d %s", w.Code, w.Body)
	}
	list.text = ""
	if w := get(path, tag); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "cannot make tokens") || w.Header().Get("ETag") != "" {
		t.Errorf("without a key: %d %s", w.Code, w.Body)
	}

	keys = `{"keys":[1]}`
	if w := get("/.well-known/jwks.json", ""); strings.TrimSpace(w.Body.String()) != keys {
		t.Errorf("keys are %s", w.Body)
	}
}

package api_test

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
)

func TestReplies(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		status                   int
		contentType, want        string
	}{
		{"JSON with its own status", "POST", "/shelf/boxes", `{"name":"a<b"}`, 201, "application/json", `{"name":"a<b","size":0}` + "\n"},
		{"text", "POST", "/shelf/optional", ``, 200, "text/plain; charset=utf-8", "nothing"},
		{"nothing", "DELETE", "/shelf/boxes", ``, 204, "", ""},
		{"writes itself", "GET", "/shelf/tea", ``, 418, "", ""},
	}
	mux := shelfMux(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := call{method: tt.method, path: tt.path, as: "writer", body: tt.body}.do(t, mux)
			if w.Code != tt.status || w.Header().Get("Content-Type") != tt.contentType || w.Body.String() != tt.want {
				t.Errorf("got %d %q %q", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
		})
	}
}

func TestDialectsOwnEnvelope(t *testing.T) {
	d := shelfDialect()
	d.Success = func(w http.ResponseWriter, _ *http.Request, status int, body any) error {
		return api.JSON(w, status, map[string]any{"data": body})
	}
	w := call{method: "GET", path: "/shelf/boxes/7", as: "reader"}.do(t, muxOf(t, d))
	if got := strings.TrimSpace(w.Body.String()); got != `{"data":{"ID":7}}` {
		t.Errorf("got %s", got)
	}
}

func TestReplyThatCannotBeEncodedIsAFailure(t *testing.T) {
	d := shelfDialect()
	d.Routes = []api.Route{api.Row("GET", "/nan", api.Public(), "Fail.", func(context.Context, api.Request[api.None, api.None]) (float64, error) {
		return math.NaN(), nil
	})}
	w := call{method: "GET", path: "/nan"}.do(t, muxOf(t, d))
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "internal error") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

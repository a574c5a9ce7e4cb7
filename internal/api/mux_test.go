package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

func TestEverySpellingOfAPathIsAnsweredDirectly(t *testing.T) {
	mux := shelfMux(t)
	for _, path := range []string{"/shelf/boxes", "/shelf/boxes/", "/shelf//boxes/", "//shelf/boxes//", "/old/boxes", "/old/boxes/"} {
		if w := (call{method: "GET", path: path, as: "reader"}).do(t, mux); w.Code != http.StatusOK {
			t.Errorf("GET %s: %d, want 200", path, w.Code)
		}
	}
	for _, path := range []string{"/shelf/boxes/7", "/shelf/boxes/7/"} {
		w := call{method: "GET", path: path, as: "reader"}.do(t, mux)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"ID":7`) {
			t.Errorf("GET %s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestEncodedSlashStaysPartOfTheParameter(t *testing.T) {
	w := call{method: "GET", path: "/shelf/boxes/7%2F/", as: "reader"}.do(t, shelfMux(t))
	if !strings.Contains(w.Body.String(), `invalid value \"7/\" for parameter id`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestUnknownPathIsTheDialectsNotFound(t *testing.T) {
	mux := shelfMux(t)
	for _, path := range []string{"/shelf/nothing", "/", "/shelf", "/shelf/boxes/7/lid", "/shelf/../x"} {
		w := call{method: "GET", path: path, as: "reader"}.do(t, mux)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"kind":"not found"`) {
			t.Errorf("GET %s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestUnknownMethodIsEmpty405WithAllow(t *testing.T) {
	w := call{method: "PATCH", path: "/shelf/boxes/", as: "writer"}.do(t, shelfMux(t))
	if w.Code != http.StatusMethodNotAllowed || w.Body.Len() != 0 {
		t.Errorf("got %d %q, want an empty 405", w.Code, w.Body)
	}
	if allow := w.Header().Get("Allow"); allow != "DELETE, GET, HEAD, POST, PUT" {
		t.Errorf("Allow is %q", allow)
	}
}

func TestHeadWorksWhereGetDoes(t *testing.T) {
	server := httptest.NewServer(shelfMux(t))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+"/shelf/boxes/7/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "reader")
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
}

func TestAccess(t *testing.T) {
	tests := []struct {
		name, method, path, as string
		status                 int
		contains               string
	}{
		{"public without credential", "GET", "/shelf/who", "", 200, " from 192.0.2.1"},
		{"public with a good credential", "GET", "/shelf/who", "reader", 200, "reader from 192.0.2.1"},
		{"public with a bad credential is nobody", "GET", "/shelf/who", "forged", 200, " from 192.0.2.1"},
		{"login needed and missing", "GET", "/shelf/tea", "", 400, `"kind":"unauthenticated"`},
		{"login needed and there", "GET", "/shelf/tea", "reader", http.StatusTeapot, ""},
		{"permission there", "GET", "/shelf/boxes", "reader", 200, ""},
		{"permission missing", "DELETE", "/shelf/boxes", "reader", 400, "permission NodesWrite is required"},
		{"bad credential", "DELETE", "/shelf/boxes", "forged", 400, "invalid token"},
	}
	mux := shelfMux(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := call{method: tt.method, path: tt.path, as: tt.as}.do(t, mux)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.contains) || strings.Contains(w.Body.String(), "mallory") {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestRefusalsAreToldToTheGuard(t *testing.T) {
	var told []string
	mux := shelfDialect().Mux(api.Guard{Auth: byHeader{}, Refused: func(r *http.Request, c identity.Caller, err error) {
		told = append(told, fmt.Sprintf("%s %s: %q at %s: %s", r.Method, r.URL.Path, c.User.Name, c.Addr, fault.KindOf(err)))
	}})
	call{method: "DELETE", path: "/shelf/boxes", as: "reader"}.do(t, mux)
	call{method: "DELETE", path: "/shelf/boxes", as: "forged"}.do(t, mux)
	call{method: "GET", path: "/shelf/boxes/404", as: "reader"}.do(t, mux)
	want := []string{
		`DELETE /shelf/boxes: "reader" at 192.0.2.1: denied`,
		`DELETE /shelf/boxes: "" at 192.0.2.1: unauthenticated`,
	}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestInternalErrorsReachTheDialectWhole(t *testing.T) {
	w := call{method: "GET", path: "/shelf/broken", as: "reader"}.do(t, shelfMux(t))
	if got := strings.TrimSpace(w.Body.String()); got != `{"kind":"internal","text":"internal error"}` {
		t.Errorf("got %s", got)
	}
}

func TestTableWithMistakesDoesNotStart(t *testing.T) {
	nothing := func(context.Context, api.Request[api.None, api.None]) (api.None, error) { return api.None{}, nil }
	box := func(context.Context, api.Request[boxParams, api.None]) (api.None, error) { return api.None{}, nil }
	tests := []struct {
		name string
		rows []api.Route
		want string
	}{
		{"no access rule", []api.Route{api.Row("GET", "/a", api.Access{}, "A.", nothing)}, "no access rule"},
		{"no permission named", []api.Route{api.Row("GET", "/a", api.Needs(), "A.", nothing)}, "no access rule"},
		{"no documentation", []api.Route{api.Row("GET", "/a", api.Public(), "", nothing)}, "no documentation"},
		{"no method", []api.Route{api.Row("", "/a", api.Public(), "A.", nothing)}, "no method"},
		{"twice", []api.Route{api.Row("GET", "/a", api.Public(), "A.", nothing), api.Row("GET", "/a/", api.Public(), "A.", nothing)}, "collides"},
		{"alias twice", []api.Route{api.Row("GET", "/a", api.Public(), "A.", nothing).Alias("/a/")}, "collides"},
		{"ambiguous", []api.Route{api.Row("GET", "/a/{x}/c", api.Public(), "A.", nothing), api.Row("GET", "/a/b/{y}", api.Public(), "A.", nothing)}, "collides"},
		{"parameter not in path", []api.Route{api.Row("GET", "/a/{id}", api.Public(), "A.", box).Alias("/b/{ident}")}, "no {id} in /b/{ident}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := shelfDialect()
			d.Routes = tt.rows
			if err := d.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Check returned %v, want something with %q", err, tt.want)
			}
		})
	}
}

func ExampleRow() {
	hello := func(_ context.Context, r api.Request[boxParams, api.None]) (api.Text, error) {
		return api.Text(fmt.Sprintf("%s opens box %d", r.User.Name, r.Params.ID)), nil
	}
	d := &api.Dialect{
		Name: "example",
		Failure: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, fault.Message(err), http.StatusForbidden)
		},
		Routes: []api.Route{api.Row("GET", "/box/{id}/", api.Needs(identity.NodesRead), "Open a box.", hello)},
	}
	r := httptest.NewRequestWithContext(context.Background(), "GET", "/box/3", http.NoBody)
	r.Header.Set("Authorization", "reader")
	w := httptest.NewRecorder()
	d.Mux(api.Guard{Auth: byHeader{}}).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 200 reader opens box 3
}

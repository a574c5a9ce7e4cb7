package webui_test

import (
	"compress/gzip"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/webui"
)

const (
	index  = "<!doctype html><html><head><title>t</title></head><body></body></html>"
	routes = `{"home": "/", "login": "/login", "jobs": "/monitoring/jobs/", "job": "/monitoring/job/{id}"}`
)

var script = strings.Repeat("console.log(1);", 100)

func build() fstest.MapFS {
	return fstest.MapFS{
		"index.html":            {Data: []byte(index)},
		"routes.json":           {Data: []byte(routes)},
		"assets/main-Ab12.js":   {Data: []byte(script)},
		"assets/tiny-Cd34.svg":  {Data: []byte("<svg/>")},
		"assets/style-Ef56.css": {Data: []byte(strings.Repeat("a{}", 100))},
	}
}

func handler(t *testing.T) *webui.Handler {
	t.Helper()
	h, err := webui.New(build())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func do(t *testing.T, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler(t).ServeHTTP(w, r)
	return w
}

func TestPathsHaveTheirStatus(t *testing.T) {
	for path, want := range map[string]int{
		"/":                    http.StatusOK,
		"/login":               http.StatusOK,
		"/login/":              http.StatusOK,
		"/monitoring/jobs/":    http.StatusOK,
		"/monitoring/jobs":     http.StatusOK,
		"/monitoring/job/17":   http.StatusOK,
		"/monitoring/job/17/":  http.StatusOK,
		"/monitoring/job/":     http.StatusNotFound,
		"/monitoring/job/17/x": http.StatusNotFound,
		"/nope":                http.StatusNotFound,
		"/index.html":          http.StatusNotFound,
		"/routes.json":         http.StatusNotFound,
		"/assets/":             http.StatusNotFound,
		"/assets/main-Zz99.js": http.StatusNotFound,
		"/assets/main-Ab12.js": http.StatusOK,
	} {
		if got := do(t, http.MethodGet, path).Code; got != want {
			t.Errorf("GET %s: status %d, want %d", path, got, want)
		}
	}
}

func TestUnknownPathIsAPage(t *testing.T) {
	r := do(t, http.MethodGet, "/nope")
	if got := r.Body.String(); got != index {
		t.Errorf("body = %q", got)
	}
	if got := r.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type = %q", got)
	}
}

func TestUnknownAssetIsNoPageAndIsNotKept(t *testing.T) {
	r := do(t, http.MethodGet, "/assets/gone-Gh78.js")
	if strings.Contains(r.Body.String(), "<html") {
		t.Error("a missing script is answered with a page")
	}
	if got := r.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q", got)
	}
}

func TestPagesAreNotCachedAndAssetsForEver(t *testing.T) {
	for path, want := range map[string]string{
		"/":                    "no-store",
		"/nope":                "no-store",
		"/assets/main-Ab12.js": "public, max-age=31536000, immutable",
	} {
		if got := do(t, http.MethodGet, path).Header().Get("Cache-Control"); got != want {
			t.Errorf("GET %s: Cache-Control %q, want %q", path, got, want)
		}
	}
}

func TestEveryReplyHasSecurityHeaders(t *testing.T) {
	for _, path := range []string{"/", "/nope", "/assets/main-Ab12.js", "/assets/nope.js"} {
		h := do(t, http.MethodGet, path).Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options":    "nosniff",
			"X-Frame-Options":           "DENY",
			"Referrer-Policy":           "same-origin",
			"Strict-Transport-Security": "",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("GET %s: %s %q, want %q", path, name, got, want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("GET %s: policy %q lacks %q", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("GET %s: policy %q is not strict", path, csp)
		}
	}
}

func TestTLSIsKeptOnTLS(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.TLS = &tls.ConnectionState{}
	w := httptest.NewRecorder()
	handler(t).ServeHTTP(w, r)
	if w.Header().Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security over TLS")
	}
}

func TestAssetsAreCompressedForWhoAccepts(t *testing.T) {
	for accept, want := range map[string]string{
		"":                         "",
		"gzip":                     "gzip",
		"br, gzip;q=0.8":           "gzip",
		"deflate, *":               "gzip",
		"gzip;q=0":                 "",
		"gzip; q=0.0, deflate":     "",
		"gzip;q=nonsense":          "",
		"xgzip":                    "",
		"deflate, gzip;q=1.0, *;q": "gzip",
	} {
		r := do(t, http.MethodGet, "/assets/main-Ab12.js", "Accept-Encoding", accept)
		if got := r.Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q, want %q", accept, got, want)
			continue
		}
		if got := r.Header().Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("Vary = %q", got)
		}
		got := r.Body.String()
		if want == "gzip" {
			got = unpack(t, r.Body)
		}
		if diff := cmp.Diff(script, got); diff != "" {
			t.Errorf("Accept-Encoding %q: body (-want +got)\n%s", accept, diff)
		}
	}
}

func unpack(t *testing.T, packed io.Reader) string {
	t.Helper()
	zr, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWhatDoesNotShrinkIsSentPlain(t *testing.T) {
	r := do(t, http.MethodGet, "/assets/tiny-Cd34.svg", "Accept-Encoding", "gzip")
	if got := r.Header().Get("Content-Encoding"); got != "" {
		t.Errorf("Content-Encoding = %q", got)
	}
	if got := r.Header().Get("Content-Type"); got != "image/svg+xml" {
		t.Errorf("Content-Type = %q", got)
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	for method, want := range map[string]int{
		http.MethodHead:   http.StatusOK,
		http.MethodPost:   http.StatusMethodNotAllowed,
		http.MethodDelete: http.StatusMethodNotAllowed,
	} {
		r := do(t, method, "/")
		if r.Code != want {
			t.Errorf("%s: status %d, want %d", method, r.Code, want)
		}
		if want == http.StatusMethodNotAllowed && r.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow %q", method, r.Header().Get("Allow"))
		}
	}
}

func TestLoginCarriesTheMessageEscaped(t *testing.T) {
	tests := []struct {
		status  int
		message string
		want    string
	}{
		{http.StatusUnauthorized, "wrong user name or password", `<meta name="login-error" content="wrong user name or password"></head>`},
		{http.StatusUnauthorized, `"><script>alert(1)</script>`, `<meta name="login-error" content="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"></head>`},
		{http.StatusOK, "Logged out.", `<meta name="login-notice" content="Logged out."></head>`},
		{http.StatusUnauthorized, "", `<title>t</title></head>`},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		handler(t).Login(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login", nil), tt.status, tt.message)
		if w.Code != tt.status {
			t.Errorf("%q: status %d, want %d", tt.message, w.Code, tt.status)
		}
		if !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%q: body %q lacks %q", tt.message, w.Body, tt.want)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%q: Cache-Control %q", tt.message, got)
		}
		if w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%q: no policy", tt.message)
		}
	}
}

func TestIncompleteBuildIsRefused(t *testing.T) {
	for name, change := range map[string]func(fstest.MapFS){
		"no index":      func(f fstest.MapFS) { delete(f, "index.html") },
		"no head":       func(f fstest.MapFS) { f["index.html"] = &fstest.MapFile{Data: []byte("<p>")} },
		"no routes":     func(f fstest.MapFS) { delete(f, "routes.json") },
		"broken routes": func(f fstest.MapFS) { f["routes.json"] = &fstest.MapFile{Data: []byte("[]")} },
		"unknown type":  func(f fstest.MapFS) { f["assets/x.exe"] = &fstest.MapFile{} },
	} {
		files := build()
		change(files)
		if _, err := webui.New(files); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

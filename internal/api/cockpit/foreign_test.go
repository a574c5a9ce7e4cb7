package cockpit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A link or a picture on a foreign page makes a browser send a GET, with the cookie of who is logged in.
func TestNoPageOfAnotherOriginMakesToken(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name   string
		header http.Header
		status int
	}{
		{"no browser", nil, 200},
		{"our page", http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200},
		{"typed", http.Header{"Sec-Fetch-Site": {"none"}}, 200},
		{"our page behind a proxy", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Referer": {"https://public.example/"}}, 200},
		{"our page in an old browser", http.Header{"Referer": {"http://example.com/config"}}, 200},
		{"another site", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"another port", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		{"another site in an old browser", http.Header{"Referer": {"http://evil.example/"}}, 403},
		{"nonsense", http.Header{"Referer": {"http://[evil"}}, 403},
	} {
		for _, path := range []string{"/frontend/jwt/", "/api/jwt/"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			r.Header.Set("Authorization", "Bearer "+w.text["bob"])
			rec := httptest.NewRecorder()
			w.mux.ServeHTTP(rec, r)
			if rec.Code != tt.status {
				t.Errorf("%s, %s: status %d, want %d: %s", tt.name, path, rec.Code, tt.status, rec.Body)
			}
		}
	}
}

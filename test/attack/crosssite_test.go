package attack_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// TestOtherSitesChangeNothing sends to every route that changes something what a browser sends for a page of another
// site: with the victim's cookie, and with the headers by which browsers say where a request comes from.
func TestOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	session := h.Session(identity.RoleFullAdmin)
	before, n := h.tables(t), 0
	for _, d := range h.Server.Dialects() {
		for _, rt := range d.Routes {
			for _, method := range rt.Methods {
				if method == http.MethodGet || method == http.MethodHead {
					continue
				}
				path := placeholder.ReplaceAllString(rt.Path, "999999")
				for _, where := range []http.Header{
					{"Sec-Fetch-Site": {"cross-site"}},
					{"Sec-Fetch-Site": {"same-site"}},
					{"Origin": {"https://evil.example"}},
					{"Origin": {"null"}},
					{"Sec-Fetch-Site": {"cross-site"}, "Origin": {h.URL}},
					{"Origin": {strings.Replace(h.URL, "127.0.0.1", "127.0.0.2", 1)}},
				} {
					n++
					if got := h.browser(t, method, path, session, where, "{}"); got != http.StatusForbidden {
						t.Errorf("%s %s, %v: %d", method, path, where, got)
					}
				}
			}
		}
	}
	if h.tables(t) != before {
		t.Error("another site has changed something")
	}
	if n < 200 {
		t.Errorf("only %d requests", n)
	}
	for what, where := range map[string]http.Header{"the same site": {"Sec-Fetch-Site": {"same-origin"}}, "typed": {"Sec-Fetch-Site": {"none"}}, "no browser": {}, "the same origin": {"Origin": {h.URL}}} {
		if got := h.browser(t, http.MethodPost, "/api/v1/attribs", session, where, `{"name":"`+strings.ReplaceAll(what, " ", "-")+`"}`); got != http.StatusOK {
			t.Errorf("%s: %d", what, got)
		}
	}
}

// browser sends a request as a browser does.
func (h *head) browser(t *testing.T, method, path string, session *http.Cookie, header http.Header, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "text/plain") // what needs no permission of the browser's
	r.AddCookie(session)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // only the status counts
	return resp.StatusCode
}

// minting are the GETs that make something, because clients of ClusterCockpit expect it (contract clustercockpit 1.4).
var minting = map[string]bool{"/api/jwt/": true, "/frontend/jwt/": true}

// TestReadingChangesNothing reads everything that can be read, as an administrator who is logged in: a link or a picture
// on another site can make a browser do as much.
func TestReadingChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	session := h.Session(identity.RoleFullAdmin)
	other := h.User(identity.RoleProductionEngineer)
	before, n := h.tables(t), 0
	for _, d := range h.Server.Dialects() {
		for _, rt := range d.Routes {
			for _, method := range rt.Methods {
				if method != http.MethodGet || minting[rt.Path] {
					continue
				}
				for _, id := range []string{other, "1"} {
					n++
					if r := h.Do(servertest.Call{Path: placeholder.ReplaceAllString(rt.Path, id), Session: session}); r.Status >= 500 {
						t.Errorf("%s: %d %s", rt.Path, r.Status, r.Body)
					}
				}
				if after := h.tables(t); after != before {
					t.Errorf("GET %s has changed something", rt.Path)
					before = after
				}
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d requests", n)
	}
}

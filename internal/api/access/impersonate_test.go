package access_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
)

func TestActingSwapsTheCookie(t *testing.T) {
	_, h := newDoor(t)
	tests := []struct {
		name, path, cookie, accept, user string
		status                           int
		secret, body                     string
	}{
		{"start by a form", "/impersonate", "open", "text/html", "bob", http.StatusSeeOther, "alice as bob", ""},
		{"start by a script", "/impersonate/", "open", "application/json", "bob", http.StatusOK, "alice as bob", `{"user":"bob","actor":"alice","expires":1772323260}`},
		{"stop by a form", "/impersonate/stop", "acting", "text/html", "", http.StatusSeeOther, "own", ""},
		{"stop by a script", "/impersonate/stop", "acting", "application/json, */*", "", http.StatusOK, "own", `{"user":"alice","expires":1772326800}`},
		{"nobody named", "/impersonate", "open", "text/html", "", http.StatusBadRequest, "", "user=NAME"},
		{"refused", "/impersonate", "open", "text/html", "boss", http.StatusForbidden, "", "more rights"},
		{"without the permission", "/impersonate", "acting", "text/html", "bob", http.StatusForbidden, "", "AdminsWrite"},
		{"not acting", "/impersonate/stop", "open", "text/html", "", http.StatusBadRequest, "", "do not act"},
		{"nobody", "/impersonate/stop", "closed", "text/html", "", http.StatusUnauthorized, "", "invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tt.path, strings.NewReader(url.Values{"user": {tt.user}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Accept", tt.accept)
			r.AddCookie(&http.Cookie{Name: access.SessionCookie, Value: tt.cookie})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			set := cookies(t, w)
			if tt.secret == "" && len(set) > 0 || tt.secret != "" && (len(set) != 1 || set[0].Value != tt.secret || !set[0].HttpOnly) {
				t.Errorf("cookies %v", set)
			}
			if tt.status == http.StatusSeeOther && w.Header().Get("Location") != "/" {
				t.Errorf("leads to %q", w.Header().Get("Location"))
			}
		})
	}
}

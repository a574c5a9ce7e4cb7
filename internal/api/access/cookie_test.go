package access_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
)

func TestCookieIsBoundToTheHostUnderTLS(t *testing.T) {
	_, h := newDoor(t)
	tests := []struct {
		name   string
		edit   func(*http.Request)
		cookie string
		secure bool
	}{
		{"plain", func(*http.Request) {}, "session", false},
		{"TLS", func(r *http.Request) { r.TLS = new(tls.ConnectionState) }, "__Host-session", true},
		{"TLS at the proxy", header("X-Forwarded-Proto", "https"), "__Host-session", true},
		{"no TLS at the proxy", header("X-Forwarded-Proto", "http"), "session", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			form := url.Values{"username": {"alice"}, "password": {"pw"}}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			tt.edit(r)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			set := cookies(t, w)
			if len(set) != 1 {
				t.Fatalf("%d %s, cookies %v", w.Code, w.Body, set)
			}
			c := set[0]
			if c.Name != tt.cookie || c.Secure != tt.secure || c.Path != "/" || c.Domain != "" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
				t.Errorf("cookie %+v", c)
			}
		})
	}
}

func TestUnderTLSThePlantedCookieDoesNotCount(t *testing.T) {
	f := &fake{}
	gate := &access.Gate{Tokens: f, Sessions: f, Users: f}
	for _, tt := range []struct {
		name           string
		tls            bool
		host, plain    string
		user, wantText string
	}{
		{"both, under TLS", true, "open", "acting", "alice", ""},
		{"both, without", false, "open", "acting", "bob", ""},
		{"the old name under TLS", true, "", "open", "alice", ""},
		{"the new name without", false, "open", "", "alice", ""},
		{"a bad one is not saved by the other", true, "closed", "open", "", "invalid token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			for name, value := range map[string]string{access.HostCookie: tt.host, access.SessionCookie: tt.plain} {
				if value != "" {
					r.AddCookie(&http.Cookie{Name: name, Value: value})
				}
			}
			if tt.tls {
				r.TLS = new(tls.ConnectionState)
			}
			c, err := gate.Authenticate(r, http.Header{})
			if c.User.Name != tt.user || (err == nil) != (tt.wantText == "") {
				t.Errorf("user %q, %v", c.User.Name, err)
			}
		})
	}
}

func TestLogoutEndsWhateverTheBrowserHas(t *testing.T) {
	f, h := newDoor(t)
	post(t, h, "/logout", nil, &http.Cookie{Name: access.HostCookie, Value: "three"},
		&http.Cookie{Name: access.SessionCookie, Value: "one"}, &http.Cookie{Name: access.SessionCookie, Value: "two"})
	if strings.Join(f.ended, " ") != "one two three" {
		t.Errorf("ended %v", f.ended)
	}
}

// TestARenewedSessionComesWithItsCookie: also with a refusal for want of rights, and not where the reply has another
// cookie for the session.
func TestARenewedSessionComesWithItsCookie(t *testing.T) {
	t.Parallel()
	f, h := newDoor(t)
	f.renewed = "next"
	for _, tt := range []struct{ path, cookie, value string }{
		{"/impersonate/stop", "acting", "own"},
		{"/impersonate/stop", "open", "next"},
		{"/impersonate/stop", "closed", ""},
		{"/logout", "open", ""},
	} {
		w := post(t, h, tt.path, nil, &http.Cookie{Name: access.SessionCookie, Value: tt.cookie})
		set := cookies(t, w)
		switch {
		case tt.path == "/logout" && len(set) == 1 && set[0].MaxAge < 0:
		case tt.value == "" && len(set) == 0 && tt.path != "/logout":
		case len(set) != 1 || set[0].Value != tt.value || !set[0].HttpOnly || set[0].MaxAge <= 0:
			t.Errorf("%s with %s: %d, cookies %v", tt.path, tt.cookie, w.Code, set)
		}
	}
}

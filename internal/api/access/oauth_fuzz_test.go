package access_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// FuzzTokenEndpoint holds that whatever is sent gets one of the replies of the RFCs, in JSON, for no cache to keep.
func FuzzTokenEndpoint(f *testing.F) {
	const exchange = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=a&subject_token_type=urn:ietf:params:oauth:token-type:jwt"
	for _, body := range []string{
		"", "grant_type=refresh_token&refresh_token=a", exchange, exchange + "&scope=NodesRead&lifetime=1h&read_only=1&nodes=n[1-4]&cidr=::1",
		exchange + "&actor_token=b", "grant_type=a&grant_type=b", "%zz", `{"grant_type": "refresh_token"}`, `{"audience": 1}`, "grant_type=" + strings.Repeat("x", 100),
	} {
		f.Add("application/x-www-form-urlencoded", body)
		f.Add("application/json", body)
	}
	codes := []string{"invalid_request", "invalid_grant", "invalid_scope", "invalid_target", "unsupported_grant_type"}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		_, h := newOAuth(t, "")
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth/token", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var reply struct {
			Token string `json:"access_token"`
			Error string `json:"error"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s, %v", w.Code, w.Body, err)
		}
		if (w.Code == http.StatusOK) != (reply.Token != "") || w.Code != http.StatusOK && !slices.Contains(codes, reply.Error) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

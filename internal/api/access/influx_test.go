package access_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// Clients of InfluxDB have ways of their own to send a token, and only where they write.
func TestClientsOfInfluxSendTokensAsTheyCan(t *testing.T) {
	t.Parallel()
	gate := &access.Gate{Tokens: &fake{}, Sessions: &fake{}, Users: &fake{}, Clock: clock.NewManual(begin), APIAllowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	for name, tt := range map[string]struct {
		path   string
		header []string
		reason string // "" when it is let in
	}{
		"a password":                {"/write?db=a", []string{"Authorization", "Basic YW55Omdvb2Q="}, ""},
		"a password, to begin":      {"/query", []string{"Authorization", "basic YW55Omdvb2Q="}, ""},
		"a slash more":              {"/write/", []string{"Authorization", "Basic YW55Omdvb2Q="}, ""},
		"without a user":            {"/write", []string{"Authorization", "Basic Omdvb2Q="}, ""},
		"the word Token":            {"/write", []string{"Authorization", "Token good"}, ""},
		"the word Token, to 2":      {"/api/v2/write", []string{"Authorization", "token good"}, ""},
		"Bearer":                    {"/write", []string{"Authorization", "Bearer good"}, ""},
		"a wrong password":          {"/write", []string{"Authorization", "Basic YW55OmJhZA=="}, "invalid token"},
		"no password":               {"/write", []string{"Authorization", "Basic YW55Og=="}, "a token is expected as the password"},
		"a user":                    {"/write", []string{"Authorization", "Basic YW55"}, "a token is expected as the password"},
		"no Basic":                  {"/write", []string{"Authorization", "Basic %%"}, "a token is expected as the password"},
		"in the address":            {"/write?u=any&p=good", nil, "does not belong in an address"},
		"in the address as well":    {"/write?p=good", []string{"Authorization", "Token good"}, "does not belong in an address"},
		"two tokens":                {"/write", []string{"Authorization", "Basic YW55Omdvb2Q=", "X-Auth-Token", "open"}, "more than one token"},
		"a password, to 2":          {"/api/v2/write", []string{"Authorization", "Basic YW55Omdvb2Q="}, "not supported"},
		"a password elsewhere":      {"/api/jobs/", []string{"Authorization", "Basic YW55Omdvb2Q="}, "not supported"},
		"the word Token elsewhere":  {"/api/jobs/", []string{"Authorization", "Token good"}, "not supported"},
		"an address for everything": {"/api/jobs/?p=1", []string{"Authorization", "Bearer good"}, ""},
		"from elsewhere":            {"from elsewhere/write", []string{"Authorization", "Token good"}, "unknown ip"},
	} {
		where, elsewhere := strings.CutPrefix(tt.path, "from elsewhere")
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, where, http.NoBody)
		if r.RemoteAddr = "192.0.2.1:1"; elsewhere {
			r.RemoteAddr = "198.51.100.1:1"
		}
		for i := 0; i < len(tt.header); i += 2 {
			r.Header.Set(tt.header[i], tt.header[i+1])
		}
		_, err := gate.Authenticate(r, http.Header{})
		if (err == nil) != (tt.reason == "") || err != nil && !strings.Contains(err.Error(), tt.reason) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "good") {
			t.Errorf("%s: the token is told: %v", name, err)
		}
	}
}

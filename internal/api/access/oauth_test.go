package access_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// issuer plays the token service: every call fails with err, or else succeeds and is remembered.
type issuer struct {
	err  error
	last token.Exchange
}

func granted() token.Granted {
	return token.Granted{
		Minted:      token.Minted{Token: token.Token{Expires: begin.Add(time.Hour)}, Text: "fresh"},
		Permissions: identity.SetOf(identity.NodesRead, identity.JobsRead),
	}
}

func (i *issuer) Exchange(_ context.Context, x token.Exchange) (token.Granted, error) {
	i.last = x
	return granted(), i.err
}

func (i *issuer) Renew(context.Context, string, token.Narrowing, string, string) (token.Granted, error) {
	return granted(), i.err
}

func (i *issuer) Introspect(context.Context, identity.Caller, string) (token.Introspection, error) {
	return token.Introspection{Claims: token.Claims{Subject: "alice", Kind: token.KindRefresh}}, i.err
}

func (i *issuer) Surrender(context.Context, string, string, string) error { return i.err }

func newOAuth(t *testing.T, public string) (*issuer, http.Handler) {
	t.Helper()
	f, i := &fake{}, &issuer{}
	gate := &access.Gate{Tokens: f, Sessions: f, Users: f}
	d := access.New(access.Config{
		Gate: gate, Logins: f, Sessions: f, Page: loginPage{}, OAuth: i, Clock: clock.NewManual(begin), Log: slog.New(slog.DiscardHandler),
		PublicURL: public, Head: "head.example.org",
	})
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return i, d.Mux(api.Guard{Auth: gate})
}

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessType    = "urn:ietf:params:oauth:token-type:access_token"
)

// form makes a form of a query, with %E and %T for the long names.
func form(t *testing.T, query string) url.Values {
	t.Helper()
	query = strings.NewReplacer("%E", url.QueryEscape(exchangeGrant), "%T", url.QueryEscape(accessType)).Replace(query)
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestMistakesHaveTheCodesOfTheRFC(t *testing.T) {
	exchange := "grant_type=%E&subject_token=a&subject_token_type=%T"
	tests := []struct {
		name, path, query string
		err               error
		status            int
		code              string
	}{
		{"no grant type", "token", "", nil, 400, "invalid_request"},
		{"another grant type", "token", "grant_type=password", nil, 400, "unsupported_grant_type"},
		{"twice the same", "token", "grant_type=refresh_token&refresh_token=a&refresh_token=b", nil, 400, "invalid_request"},
		{"no refresh token", "token", "grant_type=refresh_token", nil, 400, "invalid_request"},
		{"a bad refresh token", "token", "grant_type=refresh_token&refresh_token=a", fault.New(fault.Unauthenticated, "invalid token"), 400, "invalid_grant"},
		{"a refresh to what is not there", "token", "grant_type=refresh_token&refresh_token=a&scope=openid", nil, 400, "invalid_scope"},
		{"a refresh to nothing", "token", "grant_type=refresh_token&refresh_token=a", fault.New(fault.Invalid, "nothing is left"), 400, "invalid_scope"},
		{"no subject", "token", "grant_type=%E", nil, 400, "invalid_request"},
		{"subject without type", "token", "grant_type=%E&subject_token=a", nil, 400, "invalid_request"},
		{"subject of another type", "token", "grant_type=%E&subject_token=a&subject_token_type=urn:ietf:params:oauth:token-type:saml2", nil, 400, "invalid_request"},
		{"actor without type", "token", exchange + "&actor_token=b", nil, 400, "invalid_request"},
		{"type without actor", "token", exchange + "&actor_token_type=%T", nil, 400, "invalid_request"},
		{"another type wanted", "token", exchange + "&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token", nil, 400, "invalid_request"},
		{"another audience", "token", exchange + "&audience=other", nil, 400, "invalid_target"},
		{"another resource", "token", exchange + "&audience=bridgehead&resource=https://elsewhere.example", nil, 400, "invalid_target"},
		{"unknown scope", "token", exchange + "&scope=NodesRead+openid", nil, 400, "invalid_scope"},
		{"bad lifetime", "token", exchange + "&lifetime=soon", nil, 400, "invalid_request"},
		{"bad flag", "token", exchange + "&read_only=perhaps", nil, 400, "invalid_request"},
		{"a bad subject", "token", exchange, fault.New(fault.Unauthenticated, "invalid token"), 400, "invalid_request"},
		{"denied", "token", exchange, fault.New(fault.Denied, "peers"), 400, "invalid_request"},
		{"unknown user", "token", exchange, fault.New(fault.NotFound, "no user"), 400, "invalid_request"},
		{"no private key", "token", exchange, fault.New(fault.Unavailable, "no key"), 503, "temporarily_unavailable"},
		{"out of order", "token", exchange, errors.New("disk on fire"), 500, "server_error"},
		{"a query", "token?grant_type=refresh_token", "", nil, 400, "invalid_request"},
		{"too long", "token", "grant_type=refresh_token&refresh_token=" + strings.Repeat("a", 70000), nil, 413, "invalid_request"},
		{"nothing to introspect", "introspect", "", nil, 400, "invalid_request"},
		{"introspection out of order", "introspect", "token=a", errors.New("disk on fire"), 500, "server_error"},
		{"nothing to revoke", "revoke", "", nil, 400, "invalid_request"},
		{"not to be revoked", "revoke", "token=a", fault.New(fault.Invalid, "no jti"), 400, "unsupported_token_type"},
		{"revocation out of order", "revoke", "token=a", errors.New("disk on fire"), 500, "server_error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i, h := newOAuth(t, "")
			i.err = tt.err
			w := post(t, h, "/oauth/"+tt.path, form(t, tt.query), &http.Cookie{Name: access.SessionCookie, Value: "open"})
			var body struct {
				Error       string `json:"error"`
				Description string `json:"error_description"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != tt.status || body.Error != tt.code || body.Description == "" {
				t.Errorf("%d %s, %v", w.Code, w.Body, err)
			}
			if strings.Contains(w.Body.String(), "fire") {
				t.Error("the client is shown what only the log may know")
			}
			if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("Content-Type") != "application/json" {
				t.Errorf("header %v", h)
			}
		})
	}
}

func TestExchangeAsksForWhatTheFormSays(t *testing.T) {
	i, h := newOAuth(t, "https://head.example.org")
	w := post(t, h, "/oauth/token", form(t, "grant_type=%E&subject_token=s&subject_token_type=%T&actor_token=a&actor_token_type=%T&requested_token_type=%T"+
		"&scope=NodesRead+JobsRead&nodes=n[1-4]&clusters=alpha+beta&cidr=10.0.0.0/8,::1&read_only=true&lifetime=1h&name=label&purpose=why&client_id=cli"+
		"&requested_subject=bob&audience=bridgehead&audience=https://head.example.org/&resource=https://head.example.org&unknown=x"))
	const want = `{"access_token":"fresh","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600,"scope":"JobsRead NodesRead"}`
	if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	x := i.last
	if x.Subject != "s" || x.Actor != "a" || x.For != "bob" || x.Lifetime != time.Hour || x.Name != "label" || x.Purpose != "why" || x.Kind != "" {
		t.Errorf("asked for %+v", x)
	}
	n := x.Narrowing
	if strings.Join(n.Permissions, " ") != "NodesRead JobsRead" || n.Nodes != "n[1-4]" || strings.Join(n.CIDRs, " ") != "10.0.0.0/8 ::1" ||
		strings.Join(n.Clusters, " ") != "alpha beta" || !n.ReadOnly {
		t.Errorf("narrowed to %+v", n)
	}
	post(t, h, "/oauth/token", form(t, "grant_type=%E&subject_token=s&subject_token_type=%T&client_id=cli&scope=&nodes="))
	if x = i.last; x.Name != "cli" || !x.None() {
		t.Errorf("parameters without a value are none: %+v", x)
	}
}

func TestRefreshRepliesWithoutTypeOfIssue(t *testing.T) {
	_, h := newOAuth(t, "")
	w := post(t, h, "/oauth/token", form(t, "grant_type=refresh_token&refresh_token=r"))
	if strings.TrimSpace(w.Body.String()) != `{"access_token":"fresh","token_type":"Bearer","expires_in":3600,"scope":"JobsRead NodesRead"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestIntrospectionTellsNobodyWhyATokenIsBad(t *testing.T) {
	i, h := newOAuth(t, "")
	open := &http.Cookie{Name: access.SessionCookie, Value: "open"}
	if w := post(t, h, "/oauth/introspect", form(t, "token=x"), open); strings.TrimSpace(w.Body.String()) != `{"active":true,"username":"alice","sub":"alice","kind":"refresh"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	i.err = fault.New(fault.Unauthenticated, "invalid token")
	if w := post(t, h, "/oauth/introspect", form(t, "token=x"), open); w.Code != http.StatusOK || w.Body.String() != "{\"active\":false}\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w := post(t, h, "/oauth/introspect", form(t, "token=x"))
	if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != `Bearer realm="bridgehead"` || !strings.Contains(w.Body.String(), "invalid_token") {
		t.Errorf("nobody: %d %s %v", w.Code, w.Body, w.Header())
	}
}

func TestRevocationSaysNothing(t *testing.T) {
	_, h := newOAuth(t, "")
	if w := post(t, h, "/oauth/revoke", form(t, "token=x&token_type_hint=refresh_token")); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestMetadataNamesThisHead(t *testing.T) {
	tests := []struct{ name, public, host, proto, local, want string }{
		{"configured", "https://hpc.example.org", "evil.example", "", "", "https://hpc.example.org"},
		{"loopback", "", "127.0.0.1:8080", "", "", "http://127.0.0.1:8080"},
		{"loopback of IPv6", "", "[::1]:8080", "", "", "http://[::1]:8080"},
		{"localhost behind a proxy", "", "localhost", "https", "", "https://localhost"},
		{"its name", "", "HEAD.example.org:443", "", "", "http://HEAD.example.org:443"},
		{"its short name", "", "head", "", "", "http://head"},
		{"the address that was dialled", "", "192.0.2.1:80", "", "192.0.2.1:80", "http://192.0.2.1:80"},
		{"another address", "", "192.0.2.2:80", "", "192.0.2.1:80", ""},
		{"a stranger's name", "", "evil.example", "", "192.0.2.1:80", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, h := newOAuth(t, tt.public)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/.well-known/oauth-authorization-server", http.NoBody)
			r.Host = tt.host
			if tt.proto != "" {
				r.Header.Set("X-Forwarded-Proto", tt.proto)
			}
			if tt.local != "" {
				addr, err := net.ResolveTCPAddr("tcp", tt.local)
				if err != nil {
					t.Fatal(err)
				}
				r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			var m map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "main.public-url") || strings.Contains(w.Body.String(), tt.host) {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				return
			}
			if m["issuer"] != tt.want || m["token_endpoint"] != tt.want+"/oauth/token" || m["jwks_uri"] != tt.want+"/.well-known/jwks.json" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if scopes, _ := m["scopes_supported"].([]any); len(scopes) != len(identity.All().Names()) {
				t.Errorf("%d scopes", len(scopes))
			}
		})
	}
}

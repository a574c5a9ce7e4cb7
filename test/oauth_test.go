package test_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

const (
	oauthExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	oauthAccess   = "urn:ietf:params:oauth:token-type:access_token"
)

// discover reads the metadata and returns a client of the standard library for OAuth.
func discover(t *testing.T, h *servertest.Harness) (*oauth2.Config, map[string]any) {
	t.Helper()
	var m map[string]any
	h.Do(servertest.Call{Path: "/.well-known/oauth-authorization-server"}).Decode(t, &m)
	endpoint, _ := m["token_endpoint"].(string)
	if m["issuer"] != h.URL || endpoint == "" {
		t.Fatalf("metadata: %v", m)
	}
	return &oauth2.Config{ClientID: "test-client", Endpoint: oauth2.Endpoint{TokenURL: endpoint}}, m
}

// post sends a form to one of the endpoints.
func oauthPost(h *servertest.Harness, path, bearer string, form url.Values) servertest.Reply {
	return h.Do(servertest.Call{Method: http.MethodPost, Path: path, Token: bearer, Type: "application/x-www-form-urlencoded", Body: form.Encode()})
}

func introspected(t *testing.T, h *servertest.Harness, bearer, raw string) map[string]any {
	t.Helper()
	r := oauthPost(h, "/oauth/introspect", bearer, url.Values{"token": {raw}})
	var m map[string]any
	r.Decode(t, &m)
	if r.Status != http.StatusOK {
		t.Fatalf("introspect: %d %s", r.Status, r.Body)
	}
	return m
}

func whoami(t *testing.T, h *servertest.Harness, raw string) (name, by string, status int) {
	t.Helper()
	r := h.Do(servertest.Call{Path: "/api/v1/whoami", Token: raw})
	var me struct {
		Data struct {
			Name  string
			Token struct {
				By string `json:"impersonated_by"`
			}
		}
	}
	if r.Status == http.StatusOK {
		r.Decode(t, &me)
	}
	return me.Data.Name, me.Data.Token.By, r.Status
}

// TestStandardClientRefreshes lets a TokenSource of golang.org/x/oauth2 live on a refresh token.
func TestStandardClientRefreshes(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	config, _ := discover(t, h)
	account(t, h, "alice", identity.RoleUser)
	var login struct {
		Data struct {
			Refresh string `json:"refresh_token"`
		}
	}
	body := `{"username": "alice", "password": "` + sessionPassword + `"}`
	h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/login", Body: body}).Decode(t, &login)

	source := config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: login.Data.Refresh})
	fresh, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	if left := fresh.ExpiresIn; fresh.Type() != "Bearer" || fresh.RefreshToken != login.Data.Refresh || left < 890 || left > 900 {
		t.Errorf("token: type %s, expires in %d", fresh.Type(), left)
	}
	resp, err := oauth2.NewClient(t.Context(), source).Get(h.URL + "/api/v1/whoami")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the client's request: %d", resp.StatusCode)
	}

	r := oauthPost(h, "/oauth/token", "", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {login.Data.Refresh}, "scope": {"JobsRead AdminsWrite"}})
	if r.Status != http.StatusOK || !strings.Contains(r.Body, `"scope":"JobsRead"`) {
		t.Errorf("a narrower refresh: %d %s", r.Status, r.Body)
	}
	if r := oauthPost(h, "/oauth/revoke", "", url.Values{"token": {login.Data.Refresh}, "token_type_hint": {"refresh_token"}}); r.Status != http.StatusOK || r.Body != "" {
		t.Fatalf("revoke: %d %s", r.Status, r.Body)
	}
	_, err = config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: login.Data.Refresh}).Token()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" || refused.ErrorDescription == "" {
		t.Errorf("after it was revoked: %v", err)
	}
}

// exchange is the exchange of tokens as a standard client does it.
func exchange(ctx context.Context, c *oauth2.Config, subject string, params ...string) (*oauth2.Token, error) {
	opts := []oauth2.AuthCodeOption{
		oauth2.SetAuthURLParam("grant_type", oauthExchange), oauth2.SetAuthURLParam("subject_token", subject),
		oauth2.SetAuthURLParam("subject_token_type", oauthAccess),
	}
	for i := 0; i < len(params); i += 2 {
		opts = append(opts, oauth2.SetAuthURLParam(params[i], params[i+1]))
	}
	return c.Exchange(ctx, "", opts...)
}

func TestExchangeNarrowsAndImpersonates(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	config, _ := discover(t, h)
	manager, engineer := h.User(identity.RoleWareManager), h.User(identity.RoleProductionEngineer)

	narrow, err := exchange(t.Context(), config, h.Token(identity.RoleWareManager), "scope", "NodesRead ImagesRead", "lifetime", "10m", "purpose", "look around")
	if err != nil {
		t.Fatal(err)
	}
	if narrow.Extra("issued_token_type") != oauthAccess || narrow.Extra("scope") != "ImagesRead NodesRead" || narrow.ExpiresIn > 600 {
		t.Errorf("narrowed: %v %v %d", narrow.Extra("issued_token_type"), narrow.Extra("scope"), narrow.ExpiresIn)
	}
	if r := h.Do(servertest.Call{Path: "/api/v1/admins", Token: narrow.AccessToken}); r.Status != http.StatusForbidden {
		t.Errorf("outside its scope: %d %s", r.Status, r.Body)
	}
	if r := h.Do(servertest.Call{Path: "/api/v1/nodes", Token: narrow.AccessToken}); r.Status != http.StatusOK {
		t.Errorf("inside its scope: %d %s", r.Status, r.Body)
	}

	as, err := exchange(t.Context(), config, h.Token(identity.RoleWareManager), "requested_subject", engineer)
	if err != nil {
		t.Fatal(err)
	}
	if name, by, _ := whoami(t, h, as.AccessToken); name != engineer || by != manager {
		t.Errorf("acts as %q by %q", name, by)
	}
	m := introspected(t, h, h.Token(identity.RoleFullAdmin), as.AccessToken)
	act, _ := m["act"].(map[string]any)
	if m["active"] != true || m["sub"] != engineer || m["kind"] != "impersonation" || act["sub"] != manager || m["token_type"] != "Bearer" || m["jti"] == "" || m["scope"] == "" {
		t.Errorf("introspected: %v", m)
	}

	both, err := exchange(t.Context(), config, h.Mint(token.MintRequest{For: engineer, Narrowing: token.Narrowing{Permissions: []string{"NodesRead", "NodesWrite"}, Clusters: []string{"alpha"}}}).Text,
		"actor_token", h.Token(identity.RoleWareManager), "actor_token_type", oauthAccess, "read_only", "true")
	if err != nil {
		t.Fatal(err)
	}
	if m = introspected(t, h, h.Token(identity.RoleFullAdmin), both.AccessToken); m["scope"] != "NodesRead" || m["sub"] != engineer {
		t.Errorf("by both tokens: %v", m)
	}
	if clusters, _ := m["clusters"].([]any); len(clusters) != 1 || clusters[0] != "alpha" {
		t.Errorf("what narrows the subject's token is lost: %v", m)
	}
}

func TestExchangeRefusesWhatMintRefuses(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	config, _ := discover(t, h)
	manager := h.Token(identity.RoleWareManager)
	acting, err := exchange(t.Context(), config, manager, "requested_subject", h.User(identity.RoleProductionEngineer))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		subject string
		params  []string
		code    string
	}{
		"garbage":              {"x.y.z", nil, "invalid_request"},
		"a chain":              {acting.AccessToken, nil, "invalid_request"},
		"a chain to another":   {acting.AccessToken, []string{"requested_subject", h.User(identity.RoleAuthUser)}, "invalid_request"},
		"upwards":              {manager, []string{"requested_subject", h.User(identity.RoleFullAdmin)}, "invalid_request"},
		"as a stranger":        {manager, []string{"requested_subject", "nobody"}, "invalid_request"},
		"without permission":   {h.Token(identity.RoleAuthUser), []string{"requested_subject", h.User(identity.RoleNoAccess)}, "invalid_request"},
		"the actor's own bad":  {manager, []string{"actor_token", "x.y.z", "actor_token_type", oauthAccess}, "invalid_request"},
		"the actor is weaker":  {manager, []string{"actor_token", h.Token(identity.RoleAuthUser), "actor_token_type", oauthAccess}, "invalid_request"},
		"an acting subject":    {acting.AccessToken, []string{"actor_token", h.Token(identity.RoleFullAdmin), "actor_token_type", oauthAccess}, "invalid_request"},
		"two subjects":         {h.Token(identity.RoleProductionEngineer), []string{"actor_token", manager, "actor_token_type", oauthAccess, "requested_subject", "nobody"}, "invalid_request"},
		"no such scope":        {manager, []string{"scope", "openid"}, "invalid_scope"},
		"for another audience": {manager, []string{"audience", "elsewhere"}, "invalid_target"},
		"too long":             {manager, []string{"lifetime", "900d"}, "invalid_request"},
	} {
		_, err := exchange(t.Context(), config, c.subject, c.params...)
		var refused *oauth2.RetrieveError
		if !errors.As(err, &refused) || refused.ErrorCode != c.code || refused.Response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIntrospectionIsOneAnswerForAllThatIsBad compares the bytes, so that nobody learns why.
func TestIntrospectionIsOneAnswerForAllThatIsBad(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	h := servertest.New(t, servertest.WithClock(clk))
	user := h.User(identity.RoleUser)
	expired := h.Mint(token.MintRequest{For: user, Lifetime: time.Minute}).Text
	clk.Advance(2 * time.Minute)
	revoked := h.Mint(token.MintRequest{For: user}).Text
	if r := oauthPost(h, "/oauth/revoke", "", url.Values{"token": {revoked}}); r.Status != http.StatusOK {
		t.Fatalf("revoke: %d %s", r.Status, r.Body)
	}
	own := h.Mint(token.MintRequest{For: user}).Text
	for name, raw := range map[string]string{
		"garbage": "x", "expired": expired, "revoked": revoked, "somebody else's": h.Token(identity.RoleAPI),
		"altered": own[:len(own)-4] + "AAAA", "with a newline": own + "\n", "unsigned": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhcGkifQ.",
	} {
		r := oauthPost(h, "/oauth/introspect", own, url.Values{"token": {raw}})
		if r.Status != http.StatusOK || r.Body != "{\"active\":false}\n" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q", name, r.Status, r.Body)
		}
	}
	if m := introspected(t, h, own, own); m["active"] != true || m["username"] != user || m["aud"] != "bridgehead" || m["kind"] != "service" {
		t.Errorf("one's own: %v", m)
	}
	if m := introspected(t, h, h.Token(identity.RoleFullAdmin), h.Token(identity.RoleAPI)); m["active"] != true {
		t.Errorf("with TokensRead: %v", m)
	}
	if r := oauthPost(h, "/oauth/introspect", "", url.Values{"token": {own}}); r.Status != http.StatusUnauthorized || !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("without a credential: %d %s", r.Status, r.Body)
	}
}

func TestRevocationByTextWorksForEveryKindAndTwice(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	manager := h.Token(identity.RoleWareManager)
	config, _ := discover(t, h)
	acting, err := exchange(t.Context(), config, manager, "requested_subject", h.User(identity.RoleProductionEngineer))
	if err != nil {
		t.Fatal(err)
	}
	bound := h.Mint(token.MintRequest{For: h.User(identity.RoleAPI), Narrowing: token.Narrowing{CIDRs: []string{"192.0.2.0/24"}}}).Text
	for name, raw := range map[string]string{"service": h.Token(identity.RoleAPI), "impersonation": acting.AccessToken, "good from elsewhere only": bound} {
		for range 2 {
			if r := oauthPost(h, "/oauth/revoke", "", url.Values{"token": {raw}}); r.Status != http.StatusOK || r.Body != "" {
				t.Errorf("%s: %d %s", name, r.Status, r.Body)
			}
		}
		if m := introspected(t, h, h.Token(identity.RoleFullAdmin), raw); m["active"] != false {
			t.Errorf("%s is still good: %v", name, m)
		}
	}
	if _, _, status := whoami(t, h, manager); status != http.StatusOK {
		t.Errorf("the actor's own token has fallen as well: %d", status)
	}
	if r := oauthPost(h, "/oauth/revoke", "", url.Values{"token": {"nonsense"}}); r.Status != http.StatusOK {
		t.Errorf("nonsense: %d %s", r.Status, r.Body)
	}
}

func TestMetadataIsWhatTheServerDoes(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	_, m := discover(t, h)
	for _, what := range []string{"token_endpoint", "introspection_endpoint", "revocation_endpoint"} {
		at, _ := m[what].(string)
		r := oauthPost(h, strings.TrimPrefix(at, h.URL), h.Token(identity.RoleAPI), url.Values{})
		var problem struct{ Error string }
		if err := json.Unmarshal([]byte(r.Body), &problem); err != nil || r.Status != http.StatusBadRequest || problem.Error != "invalid_request" {
			t.Errorf("%s: %d %s", what, r.Status, r.Body)
		}
	}
	keys, _ := m["jwks_uri"].(string)
	if r := h.Do(servertest.Call{Path: strings.TrimPrefix(keys, h.URL)}); r.Status != http.StatusOK || !strings.Contains(r.Body, "Ed25519") {
		t.Errorf("keys: %d %s", r.Status, r.Body)
	}
}

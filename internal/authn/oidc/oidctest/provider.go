// Package oidctest runs an OpenID Connect provider for tests: discovery, authorization with PKCE, tokens, user info and
// keys over real HTTP. It checks what a provider checks, and lets everybody in.
package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// The client that the provider knows.
const (
	ClientID     = "bridgehead"
	ClientSecret = "cl1ent-s3cret"
)

// Provider is a running provider.
type Provider struct {
	URL string // its issuer

	mu    sync.Mutex // guards all below
	User  map[string]any
	ID    func(claims map[string]any) // changes the claims of ID tokens, to make wrong ones
	Info  func(claims map[string]any) // changes what the user info says
	Found func(document map[string]any)
	Key   *rsa.PrivateKey // signs
	// Published is the key whose public half everybody gets.
	Published *rsa.PrivateKey
	TokenURL  string // to where a redirect leads from the token endpoint
	codes     map[string]request
	tokens    map[string]map[string]any
	requests  int
	server    *httptest.Server
	clock     clock.Clock
}

// request is an authorization that was granted.
type request struct {
	challenge, nonce, redirect string
	claims                     map[string]any
}

// Start runs a provider until the test ends. Its user is alice.
func Start(tb testing.TB, c clock.Clock) *Provider {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	p := &Provider{
		User:  map[string]any{"sub": "u-1", "preferred_username": "alice", "name": "Alice A.", "email": "alice@example.org"},
		codes: map[string]request{}, tokens: map[string]map[string]any{}, Key: key, Published: key, clock: c,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discover)
	mux.HandleFunc("GET /auth", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.info)
	mux.HandleFunc("GET /keys", p.keys)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.requests++
		mux.ServeHTTP(w, r)
	}))
	tb.Cleanup(p.server.Close)
	p.URL = p.server.URL
	return p
}

// Set changes the provider while it runs.
func (p *Provider) Set(change func(p *Provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// Requests returns how many requests have come.
func (p *Provider) Requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// LogIn is what a browser does: it follows location to the provider and returns the address at which the provider sends
// it back.
func (p *Provider) LogIn(tb testing.TB, location string) *url.URL {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, location, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		tb.Fatal(err)
	}
	_ = resp.Body.Close() // the redirect is all
	back, err := resp.Location()
	if err != nil {
		tb.Fatalf("the provider answers %d: %v", resp.StatusCode, err)
	}
	return back
}

func (p *Provider) discover(w http.ResponseWriter, _ *http.Request) {
	doc := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "userinfo_endpoint": p.URL + "/userinfo",
		"jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
	}
	if p.Found != nil {
		p.Found(doc)
	}
	reply(w, http.StatusOK, doc)
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	code := rand.Text()
	p.codes[code] = request{q.Get("code_challenge"), q.Get("nonce"), q.Get("redirect_uri"), maps.Clone(p.User)}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound) //nolint:gosec // that is what a provider is for
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if p.TokenURL != "" {
		http.Redirect(w, r, p.TokenURL, http.StatusTemporaryRedirect)
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	asked, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != ClientID || secret != ClientSecret:
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	case !known || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.challenge || r.PostFormValue("redirect_uri") != asked.redirect:
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	access := rand.Text()
	p.tokens[access] = asked.claims
	claims := map[string]any{
		"iss": p.URL, "sub": asked.claims["sub"], "aud": ClientID, "nonce": asked.nonce,
		"iat": p.clock.Now().Unix(), "exp": p.clock.Now().Add(time.Minute).Unix(),
	}
	if p.ID != nil {
		p.ID(claims)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: p.Key}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": raw})
}

func (p *Provider) info(w http.ResponseWriter, r *http.Request) {
	const scheme = "Bearer "
	token := r.Header.Get("Authorization")
	claims, ok := p.tokens[token[min(len(token), len(scheme)):]]
	if !ok {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	claims = maps.Clone(claims)
	if p.Info != nil {
		p.Info(claims)
	}
	reply(w, http.StatusOK, claims)
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.Published.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client sees what is missing
}

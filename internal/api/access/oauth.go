package access

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// OAuth is what standard clients of tokens need. *token.Service is one.
type OAuth interface {
	// Exchange makes a token for who holds others; fault.Unauthenticated, and what minting fails with.
	Exchange(ctx context.Context, x token.Exchange) (token.Granted, error)
	// Renew makes an access token, narrowed as far as is asked, for a refresh token; fault.Unauthenticated, fault.Invalid.
	Renew(ctx context.Context, raw string, n token.Narrowing, addr, requestID string) (token.Granted, error)
	// Introspect returns what a good token says that c may look at; fault.Unauthenticated for all others.
	Introspect(ctx context.Context, c identity.Caller, raw string) (token.Introspection, error)
	// Surrender revokes a token by its text. It is no error when it is not good anyway; fault.Invalid.
	Surrender(ctx context.Context, raw, addr, requestID string) error
}

func (d door) oauthRoutes() []api.Route {
	return []api.Route{
		api.Row("POST", "/oauth/token", api.Public(),
			"Get a token for a refresh token (RFC 6749), or exchange tokens for a narrower one or one to act as another user (RFC 8693).", d.token).
			WithMaxBody(maxForm),
		api.Row("POST", "/oauth/introspect", api.LoggedIn(),
			"What a token says and whether it is good (RFC 7662): one's own, or any with TokensRead.", d.introspect).WithMaxBody(maxForm),
		api.Row("POST", "/oauth/revoke", api.Public(), "Revoke a token by its text (RFC 7009).", d.revoke).WithMaxBody(maxForm),
		api.Row("GET", metadataPath, api.Public(), "Where and how standard clients get tokens here (RFC 8414).", d.metadata),
	}
}

// maxForm is room for three tokens of the greatest length and what goes with them.
const maxForm = 64 << 10

const (
	grantRefresh  = "refresh_token"
	grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"

	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token" //nolint:gosec // the name of a type
	typeJWT         = "urn:ietf:params:oauth:token-type:jwt"
)

// oauthError is a failure with the code that RFC 6749 has for it.
type oauthError struct {
	code  string
	cause error
}

// Error returns the code and the cause, for logs.
func (e *oauthError) Error() string { return e.code + ": " + e.cause.Error() }

// Unwrap returns the cause.
func (e *oauthError) Unwrap() error { return e.cause }

// refuseOAuth is a mistake in the request.
func refuseOAuth(code, format string, args ...any) error {
	return &oauthError{code, fault.New(fault.Invalid, format, args...)}
}

type oauthProblem struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// oauthFailure writes an error as RFC 6749 wants it. Refusals of a token at the token endpoint are the fault of the
// request there, hence 400; only who has to say who he is gets 401.
func oauthFailure(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	status := api.StatusOf(kind)
	body := oauthProblem{"invalid_request", fault.Message(err)}
	var known *oauthError
	switch {
	case errors.As(err, &known):
		body.Error = known.code
		if kind == fault.Unauthenticated || kind == fault.Denied || kind == fault.NotFound {
			status = http.StatusBadRequest
		}
	case kind == fault.Unauthenticated:
		body.Error = "invalid_token"
		challenge := `Bearer realm="bridgehead"`
		if r.Header.Get("Authorization") != "" {
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	switch kind { //nolint:exhaustive // all others are the request's fault
	case fault.Internal:
		body.Error = "server_error"
	case fault.Unavailable, fault.TooMany:
		body.Error = "temporarily_unavailable"
	}
	noStore(w.Header())
	_ = api.JSON(w, status, body) // strings always encode
}

// noStore keeps tokens and what is said about them out of every cache (RFC 6749, 5.1).
func noStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
}

func isOAuth(r *http.Request) bool {
	return strings.HasPrefix(strings.TrimLeft(r.URL.Path, "/"), "oauth/")
}

// tokenText is a request about one token.
type tokenText struct {
	Token string `json:"token" form:"token" doc:"The token."`
	Hint  string `json:"token_type_hint" form:"token_type_hint" doc:"Not needed, hence ignored."`
	// ClientID is not needed: clients are public.
	ClientID string `json:"client_id" form:"client_id" doc:"Ignored."`
}

func (t tokenText) check() error {
	if t.Token == "" {
		return refuseOAuth("invalid_request", "the parameter token is missing")
	}
	return nil
}

func (d door) revoke(ctx context.Context, r api.Request[api.None, tokenText]) (empty, error) {
	if err := r.Body.check(); err != nil {
		return empty{}, err
	}
	err := d.OAuth.Surrender(ctx, r.Body.Token, d.Gate.ClientAddr(r.HTTP), RequestID(ctx))
	if fault.Is(err, fault.Invalid) {
		err = &oauthError{"unsupported_token_type", err}
	}
	return empty{}, err
}

// empty is a reply without a body that nobody keeps.
type empty struct{}

// Respond writes the status alone.
func (empty) Respond(w http.ResponseWriter, _ *http.Request) error {
	noStore(w.Header())
	w.WriteHeader(http.StatusOK)
	return nil
}

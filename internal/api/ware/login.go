package ware

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Logins checks names and passwords. *authn.Service is one.
type Logins interface {
	// Login returns the user; fault.Unauthenticated, fault.TooMany.
	Login(ctx context.Context, a identity.Attempt) (identity.User, error)
}

// credentials has both spellings that clients use.
type credentials struct {
	Username string `json:"username" form:"username" doc:"Login name."`
	User     string `json:"user" form:"user" doc:"The same as username."`
	Password string `json:"password" form:"password" doc:"Password."`
	Passwd   string `json:"passwd" form:"passwd" doc:"The same as password."`
	Code     string `json:"code" form:"code" doc:"One-time code, for accounts with a second factor."`
}

func (c credentials) pair() (name, password string, err error) {
	name, password = c.Username, c.Password
	if name == "" {
		name = c.User
	}
	if password == "" {
		password = c.Passwd
	}
	if name == "" || password == "" {
		return "", "", fault.New(fault.Invalid, `a login needs a name and a password: {"username": "...", "password": "..."}`)
	}
	return name, password, nil
}

func (d *door) login(ctx context.Context, r api.Request[api.None, credentials]) (reply[tokenObject], error) {
	name, password, err := r.Body.pair()
	if err != nil {
		return reply[tokenObject]{}, err
	}
	a := d.attempt(ctx, r.HTTP, name)
	a.Password, a.Code = password, r.Body.Code
	u, err := d.Logins.Login(ctx, a)
	if err != nil {
		return reply[tokenObject]{}, err
	}
	return d.loggedIn(ctx, u, a, identity.ViaPassword)
}

func (d *door) attempt(ctx context.Context, r *http.Request, name string) identity.Attempt {
	return identity.Attempt{Name: name, Addr: d.ClientAddr(r), Agent: r.UserAgent(), RequestID: d.requestID(ctx)}
}

// loggedIn is the reply to somebody who has just proved who he is.
func (d *door) loggedIn(ctx context.Context, u identity.User, a identity.Attempt, via identity.Via) (reply[tokenObject], error) {
	st, err := d.Users.Resolve(ctx, u.Name)
	if err != nil {
		return reply[tokenObject]{}, err
	}
	c := st.Caller(via)
	c.Addr, c.RequestID = a.Addr, a.RequestID
	t, err := d.loginTokens(ctx, c)
	return ok(t), err
}

// loginTokens makes the pair of tokens with which a tool works on after a login.
func (d *door) loginTokens(ctx context.Context, c identity.Caller) (tokenObject, error) {
	refresh, err := d.Tokens.Mint(ctx, c, token.MintRequest{Kind: token.KindRefresh})
	if err != nil {
		return tokenObject{}, err
	}
	access, err := d.Tokens.Mint(ctx, c, token.MintRequest{Kind: token.KindAccess, Parent: refresh.ID})
	if err != nil {
		return tokenObject{}, err
	}
	t := newTokenObject(access)
	t.RefreshToken, t.RefreshExpires = refresh.Text, epoch(refresh.Expires)
	return t, nil
}

type refreshBody struct {
	RefreshToken string `json:"refresh_token" doc:"The refresh token, unless it is the request's Bearer."`
}

func (d *door) refresh(ctx context.Context, r api.Request[api.None, *refreshBody]) (reply[tokenObject], error) {
	raw := bearer(r.HTTP.Header.Get("Authorization"))
	if r.Body != nil && r.Body.RefreshToken != "" {
		raw = r.Body.RefreshToken
	}
	if raw == "" {
		return reply[tokenObject]{}, fault.New(fault.Unauthenticated, "a refresh token is required, as Bearer or in the body")
	}
	m, err := d.Tokens.Refresh(ctx, raw, d.ClientAddr(r.HTTP), d.requestID(ctx))
	return ok(newTokenObject(m)), err
}

func (d *door) logout(ctx context.Context, r api.Request[api.None, *refreshBody]) (reply[bool], error) {
	if r.TokenID == "" {
		return reply[bool]{}, fault.New(fault.Invalid, "this request is not made with a token that could be revoked")
	}
	if r.Body != nil && r.Body.RefreshToken != "" {
		_, err := d.Tokens.Revoke(ctx, r.Caller, token.Filter{ID: tokenID(r.Body.RefreshToken), UserID: r.User.ID})
		if err != nil && !fault.Is(err, fault.NotFound) { // gone already
			return reply[bool]{}, err
		}
	}
	_, err := d.Tokens.Revoke(ctx, r.Caller, token.Filter{ID: r.TokenID})
	return ok(true), err
}

// tokenID reads the jti out of a token without checking it, for revoking: what the caller may revoke is decided by the
// token's record, never by its text. It returns an id that no token has when there is none.
func tokenID(raw string) string {
	const none = "-"
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return none
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return none
	}
	claims := struct {
		ID string `json:"jti"`
	}{}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.ID == "" {
		return none
	}
	return claims.ID
}

package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// Login checks a user's password and returns an access token with its refresh token; ErrUnauthenticated.
func (c *Client) Login(ctx context.Context, user, password string) (TokenFile, error) {
	var t TokenFile
	body := map[string]string{"username": user, "password": password}
	err := c.ware(ctx, request{method: http.MethodPost, path: "/login", body: body, anonymous: true}, &t)
	return t, err
}

// Refresh returns a new access token for a refresh token; ErrUnauthenticated.
func (c *Client) Refresh(ctx context.Context, refreshToken string) (TokenFile, error) {
	var t TokenFile
	err := c.ware(ctx, request{method: http.MethodPost, path: "/token/refresh", bearer: refreshToken}, &t)
	return t, err
}

// Logout revokes the token that the client uses, and the refresh token that came with it.
func (c *Client) Logout(ctx context.Context, refreshToken string) error {
	body := map[string]string{"refresh_token": refreshToken}
	return c.ware(ctx, request{method: http.MethodPost, path: "/logout", body: body}, nil)
}

// TokenRequest asks for a token.
type TokenRequest struct {
	Lifetime    string   `json:"lifetime,omitempty"` // seconds, or a number with s, m, h, d or w; "" leaves it to the head
	Name        string   `json:"name,omitempty"`
	Purpose     string   `json:"purpose,omitempty"`
	Permissions []string `json:"permissions,omitempty"` // narrows the token
	ReadOnly    bool     `json:"read_only,omitempty"`   // narrows the token to reading
}

// MintToken makes a token for the account: the caller's own, or another's, which is impersonation. ErrNotFound,
// ErrDenied.
func (c *Client) MintToken(ctx context.Context, id string, r TokenRequest) (TokenFile, error) {
	var t TokenFile
	err := c.ware(ctx, request{method: http.MethodPost, path: "/admin/" + segment(id) + "/token", body: r}, &t)
	if err == nil && t.AccessToken == "" {
		err = fmt.Errorf("%s returned no token", c.Address())
	}
	return t, err
}

// Token is the head's record of a token. The token's text is not in it.
type Token struct {
	ID     string `json:"jti"`
	User   string `json:"user"`
	Fields Fields `json:"-"` // the whole record as sent
}

// UnmarshalJSON decodes a record and keeps all its fields.
func (t *Token) UnmarshalJSON(data []byte) error {
	type plain Token
	return decodeRecord(data, (*plain)(t), &t.Fields)
}

// TokenFilter selects tokens. The zero value selects the caller's own that are good.
type TokenFilter struct {
	User string // those of this account
	All  bool   // those of everybody
	Dead bool   // also those that have expired or been revoked
}

// tokenPage is how many tokens are asked for at once.
const tokenPage = 1000

// ListTokens returns the tokens that match, newest first; ErrDenied for those of others without the right.
func (c *Client) ListTokens(ctx context.Context, f TokenFilter) ([]Token, error) {
	q := url.Values{"limit": {strconv.Itoa(tokenPage)}}
	if f.User != "" {
		q.Set("user", f.User)
	}
	if f.All {
		q.Set("all", "true")
	}
	if f.Dead {
		q.Set("dead", "true")
	}
	var all []Token
	for {
		var page []Token
		if err := c.ware(ctx, request{method: http.MethodGet, path: "/tokens", query: q}, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < tokenPage {
			return all, nil
		}
		q.Set("after", page[len(page)-1].ID)
	}
}

// RevokeToken makes a token useless; ErrNotFound, ErrDenied.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.ware(ctx, request{method: http.MethodDelete, path: "/token/" + segment(id)}, nil)
}

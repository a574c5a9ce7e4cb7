package client

import (
	"context"
	"fmt"
	"net/http"
)

// Login checks a user's password and returns an access token with its refresh token; ErrUnauthenticated.
func (c *Client) Login(ctx context.Context, user, password string) (TokenFile, error) {
	return c.LoginWithCode(ctx, user, password, "")
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
	Nodes       string   `json:"nodes,omitempty"`       // narrows it to permissions about single nodes, and to these
	CIDR        []string `json:"cidr,omitempty"`        // narrows it to requests from these networks
	Clusters    []string `json:"clusters,omitempty"`    // narrows it to what is in these clusters
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

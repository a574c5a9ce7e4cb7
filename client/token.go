package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
)

// TokenFile is a token as it is handed out and kept in a file. It is a secret.
type TokenFile struct {
	AccessToken    string `json:"access_token"`
	RefreshToken   string `json:"refresh_token,omitempty"`
	TokenType      string `json:"token_type,omitempty"`
	Expires        Time   `json:"expires"`
	RefreshExpires *Time  `json:"refresh_expires,omitempty"`
	User           string `json:"user,omitempty"`
	IssuedBy       string `json:"issued_by,omitempty"`
	// Raw is the object as the head sent it or the file holds it, with members that this version does not know.
	Raw json.RawMessage `json:"-"`
}

// String keeps the secret out of logs and messages.
func (t TokenFile) String() string { return fmt.Sprintf("token of %q", t.User) }

// UnmarshalJSON decodes a token and keeps the whole object.
func (t *TokenFile) UnmarshalJSON(data []byte) error {
	type plain TokenFile
	if err := json.Unmarshal(data, (*plain)(t)); err != nil {
		return err
	}
	t.Raw = append(json.RawMessage(nil), data...)
	return nil
}

// ReadTokenFile reads a token from a file.
func ReadTokenFile(path string) (TokenFile, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return TokenFile{}, fmt.Errorf("read token: %w", err)
	}
	var t TokenFile
	if err := json.Unmarshal(data, &t); err != nil || t.AccessToken == "" {
		return TokenFile{}, fmt.Errorf("%s is not a token file: it holds no JSON object with an access_token", path)
	}
	return t, nil
}

// WriteFile writes the token to a file that only its owner can read. A reader sees the old content or the new one, and
// the token is never in a file with wider permissions, even when the file that it replaces had them.
func (t TokenFile) WriteFile(path string) (err error) {
	data, err := t.Encode()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write token: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // the first error tells more
			_ = os.Remove(f.Name()) // likewise
			err = fmt.Errorf("write token: %w", err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Encode returns the token as the JSON text of a token file.
func (t TokenFile) Encode() ([]byte, error) {
	var object any = t
	if len(t.Raw) > 0 {
		object = t.Raw
	}
	data, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode token: %w", err)
	}
	return append(data, '\n'), nil
}

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

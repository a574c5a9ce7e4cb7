package client

import (
	"context"
	"net/http"
	"net/url"
)

// Key is a key with which the head signs or verifies tokens. Its private half never leaves the head.
type Key struct {
	ID     string `json:"kid"`
	State  string `json:"state"` // next, active or retired
	Public string `json:"public"`
	PEM    string `json:"pem"`
	JWK    string `json:"jwk"`
	Fields Fields `json:"-"` // the whole record as sent
}

// UnmarshalJSON decodes a record and keeps all its fields.
func (k *Key) UnmarshalJSON(data []byte) error {
	type plain Key
	return decodeRecord(data, (*plain)(k), &k.Fields)
}

// ListKeys returns the keys that verify tokens, the one that signs first; ErrDenied.
func (c *Client) ListKeys(ctx context.Context) ([]Key, error) {
	return get[[]Key](ctx, c, "/keys", nil)
}

// GetKey returns one key; ErrNotFound, ErrDenied.
func (c *Client) GetKey(ctx context.Context, id string) (Key, error) {
	return get[Key](ctx, c, "/key/"+segment(id), nil)
}

// RotateKeys has the next key sign from now on and returns it; ErrDenied, ErrConflict.
func (c *Client) RotateKeys(ctx context.Context) (Key, error) {
	var k Key
	err := c.ware(ctx, request{method: http.MethodPost, path: "/keys/rotate"}, &k)
	return k, err
}

// ImportKey brings a key in, in PEM or base64, as the next one, for which it has to be the private half, or as a retired
// one, which only verifies; ErrInvalid, ErrDenied, ErrConflict.
func (c *Client) ImportKey(ctx context.Context, key, as string) (Key, error) {
	var k Key
	body := map[string]string{"key": key, "as": as}
	err := c.ware(ctx, request{method: http.MethodPost, path: "/keys/import", body: body}, &k)
	return k, err
}

// RemoveKey removes a key that does not sign and returns how many live tokens fall with it, or, with dryRun, would;
// ErrNotFound, ErrDenied, and ErrConflict for the key that signs.
func (c *Client) RemoveKey(ctx context.Context, id string, dryRun bool) (tokens int, err error) {
	query := url.Values{"confirm": {"true"}}
	if dryRun {
		query = url.Values{"dry_run": {"true"}}
	}
	err = c.ware(ctx, request{method: http.MethodDelete, path: "/key/" + segment(id), query: query}, &tokens)
	return tokens, err
}

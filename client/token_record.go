package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

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
	User     string // those of this account
	Issuer   string // those that this account had made
	Key      string // those that this key signed
	All      bool   // those of everybody
	Type     string // access, refresh, service or impersonation
	State    string // live, expired, revoked or any; "" means live
	Dead     bool   // the same as State any
	Expiring string // those that expire within this time, as in 30d
	Text     string // those with this in id, name, purpose, user or issuer
}

func (f TokenFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"user": f.User, "issuer": f.Issuer, "key": f.Key, "type": f.Type, "state": f.State, "expiring": f.Expiring, "text": f.Text,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, value := range map[string]bool{"all": f.All, "dead": f.Dead} {
		if value {
			q.Set(name, "true")
		}
	}
	return q
}

// tokenPage is how many tokens are asked for at once.
const tokenPage = 1000

// ListTokens returns the tokens that match, newest first; ErrDenied for those of others without the right.
func (c *Client) ListTokens(ctx context.Context, f TokenFilter) ([]Token, error) {
	q := f.query()
	q.Set("limit", strconv.Itoa(tokenPage))
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

// GetToken returns the record of a token, by its id; ErrNotFound.
func (c *Client) GetToken(ctx context.Context, id string) (Token, error) {
	return get[Token](ctx, c, "/token/"+segment(id), nil)
}

// TokenLabels is what people call a token. A nil field stays as it is.
type TokenLabels struct {
	Name    *string `json:"name,omitempty"`
	Purpose *string `json:"purpose,omitempty"`
}

// RenameToken changes what people call a token; ErrNotFound, ErrDenied.
func (c *Client) RenameToken(ctx context.Context, id string, l TokenLabels) error {
	return c.ware(ctx, request{method: http.MethodPatch, path: "/token/" + segment(id), body: l}, nil)
}

// RevokeToken makes a token useless; ErrNotFound, ErrDenied.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.ware(ctx, request{method: http.MethodDelete, path: "/token/" + segment(id)}, nil)
}

// TokenSelection is which tokens are to be revoked. All its fields have to fit; All stands alone.
type TokenSelection struct {
	User   string `json:"user,omitempty"`
	Issuer string `json:"issuer,omitempty"`
	Key    string `json:"key,omitempty"`
	Type   string `json:"type,omitempty"`
	All    bool   `json:"all,omitempty"`
}

// RevokeTokens makes the selected tokens useless and returns how many; with dryRun it only counts. ErrDenied, and
// ErrInvalid for a selection of nothing.
func (c *Client) RevokeTokens(ctx context.Context, s TokenSelection, dryRun bool) (int, error) {
	body := struct {
		TokenSelection
		DryRun bool `json:"dry_run"`
	}{s, dryRun}
	var out struct {
		Count int `json:"count"`
	}
	err := c.ware(ctx, request{method: http.MethodPost, path: "/tokens/revoke", body: body}, &out)
	return out.Count, err
}

// Inspection is what the head has found out about a text.
type Inspection struct {
	What   string `json:"what"`
	Signed bool   `json:"signed"` // by the head: otherwise the claims are only what somebody wrote
	Valid  bool   `json:"valid"`  // it opens something now
	Reason string `json:"reason"`
	Fields Fields `json:"-"` // all of it as sent
}

// UnmarshalJSON decodes an inspection and keeps all its fields.
func (i *Inspection) UnmarshalJSON(data []byte) error {
	type plain Inspection
	return decodeRecord(data, (*plain)(i), &i.Fields)
}

// InspectToken asks what a text is that was found: whose token, how far it reaches, and whether it is good; ErrDenied.
func (c *Client) InspectToken(ctx context.Context, text string) (Inspection, error) {
	var i Inspection
	err := c.ware(ctx, request{method: http.MethodPost, path: "/tokens/inspect", body: map[string]string{"token": text}}, &i)
	return i, err
}

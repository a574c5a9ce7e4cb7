package client

import (
	"context"
	"net/http"
	"net/url"
)

// Session is a browser's login as the head knows it. What the browser holds is not in it.
type Session struct {
	ID      string `json:"id"`
	User    string `json:"user"`
	Current bool   `json:"current"`
	Fields  Fields `json:"-"` // the whole record as sent
}

// UnmarshalJSON decodes a record and keeps all its fields.
func (s *Session) UnmarshalJSON(data []byte) error {
	type plain Session
	return decodeRecord(data, (*plain)(s), &s.Fields)
}

// ListSessions returns the browser sessions of a user, "" for the caller, the one that was used last first; ErrNotFound,
// and ErrDenied for those of others without the right.
func (c *Client) ListSessions(ctx context.Context, user string) ([]Session, error) {
	return get[[]Session](ctx, c, "/sessions", ofUser(user))
}

// RevokeSession ends a browser session; ErrNotFound, ErrDenied.
func (c *Client) RevokeSession(ctx context.Context, id string) error {
	return c.ware(ctx, request{method: http.MethodDelete, path: "/session/" + segment(id)}, nil)
}

// RevokeSessions ends all browser sessions of a user, "" for the caller, and returns how many those were; ErrNotFound,
// ErrDenied.
func (c *Client) RevokeSessions(ctx context.Context, user string) (n int, err error) {
	err = c.ware(ctx, request{method: http.MethodDelete, path: "/sessions", query: ofUser(user)}, &n)
	return n, err
}

func ofUser(user string) url.Values {
	if user == "" {
		return nil
	}
	return url.Values{"user": {user}}
}

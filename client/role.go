package client

import (
	"cmp"
	"context"
	"net/http"
)

// Role is a named set of permissions.
type Role struct {
	UID         string   `json:"uid"` // the same as Name
	Name        string   `json:"name"`
	Display     string   `json:"display"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`
	Delegates   []string `json:"delegates"`    // what holders may hand on beyond that
	Nodes       string   `json:"nodes"`        // on which nodes permissions about nodes hold; "" is all
	MaxLifetime int64    `json:"max_lifetime"` // seconds that a holder's tokens live at most; 0 sets no limit
	System      bool     `json:"system"`       // it comes with the program
	Changed     bool     `json:"changed"`      // it comes with the program, and the site has changed it
	Fields      Fields   `json:"-"`            // the whole record as sent
}

// UnmarshalJSON decodes a role and keeps all its fields.
func (r *Role) UnmarshalJSON(data []byte) error {
	type plain Role
	return decodeRecord(data, (*plain)(r), &r.Fields)
}

// ListRoles returns all roles by name; ErrDenied.
func (c *Client) ListRoles(ctx context.Context) ([]Role, error) {
	return list(ctx, c, "/roles", func(a, b Role) int { return cmp.Compare(a.Name, b.Name) })
}

// GetRole returns the role of that name; ErrNotFound, ErrDenied.
func (c *Client) GetRole(ctx context.Context, name string) (Role, error) {
	return get[Role](ctx, c, "/role/"+segment(name), nil)
}

// CreateRole makes a role of the site and returns its UID, which is its name; ErrConflict when there is one, ErrDenied.
func (c *Client) CreateRole(ctx context.Context, fields map[string]any) (uid string, err error) {
	err = c.ware(ctx, request{method: http.MethodPost, path: "/roles", body: fields}, &uid)
	return uid, err
}

// UpdateRole changes the given fields of a role; ErrNotFound, ErrDenied, ErrConflict.
func (c *Client) UpdateRole(ctx context.Context, name string, fields map[string]any) error {
	return c.ware(ctx, request{method: http.MethodPatch, path: "/role/" + segment(name), body: fields}, nil)
}

// DeleteRole removes a role that nobody has, or makes one that comes with the program what it was; ErrNotFound,
// ErrDenied, ErrConflict.
func (c *Client) DeleteRole(ctx context.Context, name string) error {
	return c.ware(ctx, request{method: http.MethodDelete, path: "/role/" + segment(name)}, nil)
}

// GrantRoles gives an account roles beside those that it has; ErrNotFound, ErrDenied.
func (c *Client) GrantRoles(ctx context.Context, id string, roles ...string) error {
	return c.UpdateAdmin(ctx, id, map[string]any{"add_roles": roles})
}

// RevokeRoles takes roles from an account; ErrNotFound, ErrDenied, ErrConflict for the last administrator's.
func (c *Client) RevokeRoles(ctx context.Context, id string, roles ...string) error {
	return c.UpdateAdmin(ctx, id, map[string]any{"remove_roles": roles})
}

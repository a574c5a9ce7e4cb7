package client

import (
	"cmp"
	"context"
	"net/http"
)

// Admin is an account.
type Admin struct {
	UID         string   `json:"uid"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Roles       Strings  `json:"roles"`
	Keys        []string `json:"keys"`
	Fields      Fields   `json:"-"` // the whole record as sent
}

// UnmarshalJSON decodes an account and keeps all its fields.
func (a *Admin) UnmarshalJSON(data []byte) error {
	type plain Admin
	return decodeRecord(data, (*plain)(a), &a.Fields)
}

// ListAdmins returns all accounts by name; ErrDenied.
func (c *Client) ListAdmins(ctx context.Context) ([]Admin, error) {
	return list(ctx, c, "/admins", func(a, b Admin) int { return cmp.Compare(a.Name, b.Name) })
}

// GetAdmin returns the account with that name or UID; ErrNotFound, ErrDenied.
func (c *Client) GetAdmin(ctx context.Context, id string) (Admin, error) {
	return get[Admin](ctx, c, "/admin/"+segment(id), nil)
}

// CreateAdmin adds an account and returns its UID; ErrConflict when the name is taken, ErrDenied. Without the field
// "roles" it gets the creator's.
func (c *Client) CreateAdmin(ctx context.Context, fields map[string]any) (uid string, err error) {
	err = c.ware(ctx, request{method: http.MethodPost, path: "/admins", body: fields}, &uid)
	return uid, err
}

// UpdateAdmin changes the given fields; ErrNotFound, ErrDenied.
func (c *Client) UpdateAdmin(ctx context.Context, id string, fields map[string]any) error {
	return c.ware(ctx, request{method: http.MethodPatch, path: "/admin/" + segment(id), body: fields}, nil)
}

// DeleteAdmin removes an account; ErrNotFound, ErrDenied.
func (c *Client) DeleteAdmin(ctx context.Context, id string) error {
	return c.ware(ctx, request{method: http.MethodDelete, path: "/admin/" + segment(id)}, nil)
}

// Identity is who the head thinks that the caller is.
type Identity struct {
	Name        string   `json:"name"`
	UID         string   `json:"uid"`
	Roles       Strings  `json:"roles"`
	Permissions []string `json:"permissions"`
	Fields      Fields   `json:"-"` // the whole record as sent
}

// UnmarshalJSON decodes an identity and keeps all its fields.
func (i *Identity) UnmarshalJSON(data []byte) error {
	type plain Identity
	return decodeRecord(data, (*plain)(i), &i.Fields)
}

// Whoami returns who the caller is; ErrUnauthenticated.
func (c *Client) Whoami(ctx context.Context) (Identity, error) {
	return get[Identity](ctx, c, "/whoami", nil)
}

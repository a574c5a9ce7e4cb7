package client

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

// Node is one machine.
type Node struct {
	UID         string            `json:"uid"`
	Name        string            `json:"name"`
	Cluster     string            `json:"cluster"`
	Index       *int              `json:"index"` // nil for a node that only the scheduler reported
	Description string            `json:"description"`
	Type        string            `json:"type"`
	MAC         string            `json:"mac"`
	IP          string            `json:"ip"`
	Attributes  map[string]string `json:"attributes"`
	Groups      []string          `json:"groups"`
	Status      map[string]any    `json:"status"`
	Fields      Fields            `json:"-"` // the whole record as sent
}

// UnmarshalJSON decodes a node and keeps all its fields.
func (n *Node) UnmarshalJSON(data []byte) error {
	type plain Node
	return decodeRecord(data, (*plain)(n), &n.Fields)
}

// ListNodes returns all nodes that the caller may see, in the order of their names.
func (c *Client) ListNodes(ctx context.Context) ([]Node, error) {
	return list(ctx, c, "/nodes", func(a, b Node) int {
		return cmp.Or(hostlist.Compare(a.Name, b.Name), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.UID, b.UID))
	})
}

// GetNode returns the node with that UID, name, MAC, IP or unique UID prefix; ErrNotFound.
func (c *Client) GetNode(ctx context.Context, id string) (Node, error) {
	return get[Node](ctx, c, "/node/"+segment(id), nil)
}

// CreateNode adds a node and returns its UID; ErrConflict when its MAC, index or name is taken.
func (c *Client) CreateNode(ctx context.Context, fields map[string]any) (uid string, err error) {
	err = c.ware(ctx, request{method: http.MethodPost, path: "/nodes", body: fields}, &uid)
	return uid, err
}

// UpdateNode changes the given fields; ErrNotFound, ErrConflict.
func (c *Client) UpdateNode(ctx context.Context, id string, fields map[string]any) error {
	return c.ware(ctx, request{method: http.MethodPatch, path: "/node/" + segment(id), body: fields}, nil)
}

// DeleteNode removes a node; ErrNotFound.
func (c *Client) DeleteNode(ctx context.Context, id string) error {
	return c.ware(ctx, request{method: http.MethodDelete, path: "/node/" + segment(id)}, nil)
}

// Attribute is the value of an attribute and where it comes from.
type Attribute struct {
	Value    string          `json:"value"`
	From     string          `json:"from"`     // "node", a group's name, or "default"
	Shadowed json.RawMessage `json:"shadowed"` // what it hides, as the head tells it
}

// Attributes returns the effective attributes of a node: its own and what it inherits. ErrNotFound.
func (c *Client) Attributes(ctx context.Context, id string) (map[string]string, error) {
	return get[map[string]string](ctx, c, attributesPath(id), nil)
}

// LocalAttributes returns the node's own attributes; ErrNotFound.
func (c *Client) LocalAttributes(ctx context.Context, id string) (map[string]string, error) {
	return get[map[string]string](ctx, c, attributesPath(id), url.Values{"scope": {"local"}})
}

// ExplainAttributes returns the effective attributes with their origin; ErrNotFound.
func (c *Client) ExplainAttributes(ctx context.Context, id string) (map[string]Attribute, error) {
	return get[map[string]Attribute](ctx, c, attributesPath(id), url.Values{"explain": {"1"}})
}

// MergeAttributes sets the given attributes and leaves the node's others alone; ErrNotFound, ErrDenied.
func (c *Client) MergeAttributes(ctx context.Context, id string, attributes map[string]string) error {
	return c.ware(ctx, request{method: http.MethodPatch, path: attributesPath(id), body: attributes}, nil)
}

// SetAttributes replaces all of the node's own attributes; ErrNotFound, ErrDenied.
func (c *Client) SetAttributes(ctx context.Context, id string, attributes map[string]string) error {
	return c.ware(ctx, request{method: http.MethodPut, path: attributesPath(id), body: attributes}, nil)
}

// ClearAttributes removes the node's own attributes of these names; ErrNotFound, ErrDenied.
func (c *Client) ClearAttributes(ctx context.Context, id string, names []string) error {
	return c.ware(ctx, request{method: http.MethodDelete, path: attributesPath(id), body: names}, nil)
}

// JoinGroups puts a node into attribute groups, behind those that it is in; ErrNotFound, ErrDenied.
func (c *Client) JoinGroups(ctx context.Context, id string, groups []string) error {
	return c.ware(ctx, request{method: http.MethodPost, path: groupsPath(id), body: groups}, nil)
}

// LeaveGroups takes a node out of attribute groups; ErrNotFound, ErrDenied.
func (c *Client) LeaveGroups(ctx context.Context, id string, groups []string) error {
	return c.ware(ctx, request{method: http.MethodDelete, path: groupsPath(id), body: groups}, nil)
}

// Group is a named set of attributes that nodes join.
type Group struct {
	UID         string            `json:"uid"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Attributes  map[string]string `json:"attributes"`
	Fields      Fields            `json:"-"` // the whole record as sent
}

// UnmarshalJSON decodes a group and keeps all its fields.
func (g *Group) UnmarshalJSON(data []byte) error {
	type plain Group
	return decodeRecord(data, (*plain)(g), &g.Fields)
}

// GetGroup returns the attribute group with that UID or name; ErrNotFound.
func (c *Client) GetGroup(ctx context.Context, id string) (Group, error) {
	return get[Group](ctx, c, "/attrib/"+segment(id), nil)
}

// ListGroups returns all attribute groups by name.
func (c *Client) ListGroups(ctx context.Context) ([]Group, error) {
	return list(ctx, c, "/attribs", func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
}

func attributesPath(id string) string { return "/node/" + segment(id) + "/attributes" }
func groupsPath(id string) string     { return "/node/" + segment(id) + "/groups" }

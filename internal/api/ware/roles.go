package ware

import (
	"context"
	"encoding/json"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// RoleTable is the roles. *identity.Service is one.
type RoleTable interface {
	// Roles returns the table of roles as it is now.
	Roles() *identity.Roles
	// CreateRole adds a role; fault.Denied, fault.Invalid, fault.Conflict.
	CreateRole(ctx context.Context, c identity.Caller, n identity.NewRole) (identity.Grant, error)
	// UpdateRole changes a role; fault.Denied, fault.NotFound, fault.Invalid, fault.Conflict.
	UpdateRole(ctx context.Context, c identity.Caller, r identity.Role, up identity.RoleUpdate) (identity.Grant, error)
	// DeleteRole removes a role, or takes back what has been changed of one of the program; fault.Denied, fault.NotFound,
	// fault.Conflict.
	DeleteRole(ctx context.Context, c identity.Caller, r identity.Role) error
}

// roleRecord is a role. Its name is its UID.
type roleRecord struct {
	UID         string   `json:"uid" doc:"The same as name." meta:"readonly"`
	Name        string   `json:"name" doc:"As it stands in an administrator's roles. Required on create; it cannot be changed." meta:"required"`
	Display     string   `json:"display" doc:"Name for people."`
	Description string   `json:"description" doc:"What it is for."`
	Permissions []string `json:"permissions" doc:"What holders may do, sorted."`
	Delegates   []string `json:"delegates" doc:"What holders may hand on beyond that, sorted."`
	Nodes       string   `json:"nodes" doc:"On which nodes the permissions about single nodes hold; empty for all."`
	MaxLifetime int64    `json:"max_lifetime" doc:"How many seconds a holder's tokens live at most; 0 for no limit."`
	System      bool     `json:"system" doc:"Whether it comes with the program." meta:"readonly"`
	Changed     bool     `json:"changed" doc:"Whether it comes with the program and has been changed here." meta:"readonly"`
	Modified    *float64 `json:"modified" doc:"Time of the last change, Unix seconds; null for none." meta:"readonly"`
	ModifiedBy  string   `json:"modified_by" doc:"Who changed it last." meta:"readonly"`
}

func newRoleRecord(g identity.Grant) roleRecord {
	r := roleRecord{
		UID: string(g.Role), Name: string(g.Role), Display: g.Display, Description: g.Description,
		Permissions: g.Permissions.Names(), Delegates: g.Delegates.Minus(g.Permissions).Names(),
		MaxLifetime: int64(g.MaxLifetime / time.Second), System: g.System, Changed: g.Changed,
		Modified: epoch(g.Modified), ModifiedBy: g.ModifiedBy,
	}
	if g.Nodes != nil {
		r.Nodes = g.Nodes.String()
	}
	return r
}

// roleBody is the fields that can be set. An absent one is nil.
type roleBody struct {
	Name        *string   `json:"name" doc:"role. and a name in CamelCase. Required on create; it cannot be changed."`
	Display     *string   `json:"display" doc:"Name for people; made from the name when absent on create."`
	Description *string   `json:"description" doc:"What it is for."`
	Permissions *nameList `json:"permissions" doc:"What holders may do, as a list or with commas; replaces all of them."`
	Delegates   *nameList `json:"delegates" doc:"What holders may hand on beyond that, as a list or with commas; replaces all of them."`
	Nodes       *string   `json:"nodes" doc:"On which nodes the permissions about single nodes hold, as in n[1-16],login*; an empty text means all."`
	MaxLifetime *lifetime `json:"max_lifetime" doc:"How long a holder's tokens live at most: seconds, or a number with s, m, h, d or w, as in 8h; 0 sets no limit."`
}

// roleReplacement is a whole record, as it may have been read before.
type roleReplacement struct {
	roleBody
	UID        json.RawMessage `json:"uid" doc:"Ignored."`
	System     json.RawMessage `json:"system" doc:"Ignored."`
	Changed    json.RawMessage `json:"changed" doc:"Ignored."`
	Modified   json.RawMessage `json:"modified" doc:"Ignored."`
	ModifiedBy json.RawMessage `json:"modified_by" doc:"Ignored."`
}

func (b roleBody) update() (up identity.RoleUpdate, err error) {
	up = identity.RoleUpdate{Display: b.Display, Description: b.Description, Nodes: b.Nodes}
	if up.Permissions, err = permissionSet(b.Permissions); err != nil {
		return up, err
	}
	if up.Delegates, err = permissionSet(b.Delegates); err != nil {
		return up, err
	}
	if b.MaxLifetime == nil {
		return up, nil
	}
	var d time.Duration
	if text := string(*b.MaxLifetime); text != "" && text != "0" {
		if d, err = token.ParseLifetime(text); err != nil {
			return up, err
		}
	}
	up.MaxLifetime = &d
	return up, nil
}

// permissionSet returns nil for no list.
func permissionSet(names *nameList) (*identity.Set, error) {
	if names == nil {
		return nil, nil //nolint:nilnil // nil is the value for a field that stays
	}
	set, err := identity.ParsePermissions(*names...)
	return &set, err
}

func (d *door) listRoles(_ context.Context, r api.Request[listParams, api.None]) (collection[roleRecord], error) {
	var records []roleRecord
	for _, g := range d.Users.Roles().List() {
		records = append(records, newRoleRecord(g))
	}
	return collect(records, func(rr roleRecord) string { return rr.UID }, r.Params.As)
}

func (d *door) getRole(_ context.Context, r api.Request[byID, api.None]) (reply[roleRecord], error) {
	g, found := d.Users.Roles().Get(identity.Role(r.Params.ID))
	if !found {
		return reply[roleRecord]{}, noRole(fault.New(fault.NotFound, "no such role"), r.Params.ID)
	}
	return ok(newRoleRecord(g)), nil
}

func (d *door) createRole(ctx context.Context, r api.Request[api.None, roleBody]) (reply[string], error) {
	up, err := r.Body.update()
	if err != nil {
		return reply[string]{}, err
	}
	g, err := d.Users.CreateRole(ctx, r.Caller, identity.NewRole{
		Role: identity.Role(value(r.Body.Name)), Display: value(up.Display), Description: value(up.Description),
		Permissions: value(up.Permissions), Delegates: value(up.Delegates), Nodes: value(up.Nodes), MaxLifetime: value(up.MaxLifetime),
	})
	return ok(string(g.Role)), err
}

func (d *door) updateRole(ctx context.Context, r api.Request[byID, roleBody]) (reply[roleRecord], error) {
	return d.changeRole(ctx, r.Caller, r.Params.ID, r.Body)
}

func (d *door) replaceRole(ctx context.Context, r api.Request[byID, roleReplacement]) (reply[roleRecord], error) {
	b := r.Body.roleBody
	fill(&b.Display, "")
	fill(&b.Description, "")
	fill(&b.Permissions, nameList{})
	fill(&b.Delegates, nameList{})
	fill(&b.Nodes, "")
	fill(&b.MaxLifetime, "")
	return d.changeRole(ctx, r.Caller, r.Params.ID, b)
}

func (d *door) changeRole(ctx context.Context, c identity.Caller, id string, b roleBody) (reply[roleRecord], error) {
	if b.Name != nil && *b.Name != id {
		return reply[roleRecord]{}, fault.New(fault.Invalid, "the name of a role cannot be changed: its holders have it by its name")
	}
	up, err := b.update()
	if err != nil {
		return reply[roleRecord]{}, err
	}
	g, err := d.Users.UpdateRole(ctx, c, identity.Role(id), up)
	return ok(newRoleRecord(g)), noRole(err, id)
}

func (d *door) deleteRole(ctx context.Context, r api.Request[byID, api.None]) (reply[bool], error) {
	return ok(true), noRole(d.Users.DeleteRole(ctx, r.Caller, identity.Role(r.Params.ID)), r.Params.ID)
}

// noRole says in this dialect's words that there is no such role.
func noRole(err error, id string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Because(fault.NotFound, err, "No role found for ID=%s", id)
	}
	return err
}

// catalogue is every permission that a role may give.
type catalogue struct {
	Permissions []string           `json:"permissions" doc:"The names, sorted."`
	Catalogue   []permissionRecord `json:"catalogue" doc:"The same with what each of them means."`
}

type permissionRecord struct {
	Name        string `json:"name" doc:"As it stands in roles and tokens."`
	Description string `json:"description" doc:"What it allows, in a line."`
	Reads       bool   `json:"reads" doc:"Whether it only reads."`
	PerNode     bool   `json:"per_node" doc:"Whether it is about single nodes, so that a role's nodes limit it."`
}

func (d *door) roleMeta(context.Context, api.Request[api.None, api.None]) (reply[catalogue], error) {
	c := catalogue{Permissions: identity.All().Names()}
	for _, name := range c.Permissions {
		p, _ := identity.ParsePermission(name)
		c.Catalogue = append(c.Catalogue, permissionRecord{Name: name, Description: p.Description(), Reads: p.Reads(), PerNode: p.PerNode()})
	}
	return ok(c), nil
}

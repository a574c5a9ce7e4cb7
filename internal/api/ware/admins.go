package ware

import (
	"context"
	"encoding/json"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Users is the accounts. *identity.Service is one.
type Users interface {
	// Get returns the user with that name or UID; fault.Denied, fault.NotFound, fault.Conflict.
	Get(ctx context.Context, c identity.Caller, name string) (identity.User, error)
	// List returns all users; fault.Denied.
	List(ctx context.Context, c identity.Caller) ([]identity.User, error)
	// Create adds a user; fault.Denied, fault.Invalid, fault.Conflict.
	Create(ctx context.Context, c identity.Caller, n identity.NewUser) (identity.User, error)
	// Update changes a user; fault.Denied, fault.NotFound, fault.Invalid, fault.Conflict.
	Update(ctx context.Context, c identity.Caller, name string, up identity.Update) (identity.User, error)
	// Delete removes a user and revokes his tokens; fault.Denied, fault.NotFound, fault.Conflict.
	Delete(ctx context.Context, c identity.Caller, name string) error
	// Resolve returns the user and what he may do now; fault.NotFound, fault.Unauthenticated when disabled.
	Resolve(ctx context.Context, name string) (identity.Standing, error)
	RoleTable
}

type adminRecord struct {
	UID         string   `json:"uid" doc:"Identifies the account for ever." meta:"readonly"`
	Name        string   `json:"name" doc:"Login name. Required on create; it cannot be changed." meta:"required"`
	FullName    string   `json:"full_name" doc:"Name for people."`
	Email       string   `json:"email" doc:"Mail address."`
	Description string   `json:"description" doc:"Free text."`
	Roles       []string `json:"roles" doc:"Roles; the creator's when absent on create. An empty list becomes role.AuthUser."`
	Projects    []string `json:"projects" doc:"Projects whose jobs the user manages."`
	Keys        []string `json:"keys" doc:"SSH public keys."`
	Disabled    bool     `json:"disabled" doc:"Whether the account is locked out."`
	LastLogin   *float64 `json:"last_login" doc:"Time of the last login, Unix seconds; null for never." meta:"readonly"`
	stamp
}

func (d *door) adminRecord(u identity.User) adminRecord {
	return adminRecord{
		UID: string(u.ID), Name: u.Name, FullName: u.FullName, Email: u.Email, Description: u.Description,
		Roles: roleNames(u.Roles), Projects: listOf(u.Projects), Keys: listOf(u.Keys), Disabled: u.Disabled,
		LastLogin: epoch(u.LastLogin), stamp: d.stamp(u.Modified, u.ModifiedBy),
	}
}

func roleNames(roles []identity.Role) []string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return names
}

// listOf makes an empty list of what would be null.
func listOf(s []string) []string { return append([]string{}, s...) }

// adminBody is the fields that can be set. An absent one is nil.
type adminBody struct {
	Name        *string   `json:"name" doc:"Login name. Required on create; it cannot be changed."`
	FullName    *string   `json:"full_name" doc:"Name for people."`
	Email       *string   `json:"email" doc:"Mail address."`
	Description *string   `json:"description" doc:"Free text."`
	Roles       *nameList `json:"roles" doc:"Roles, as a list or with commas; replaces all of them. An empty list becomes role.AuthUser."`
	Projects    *nameList `json:"projects" doc:"Projects whose jobs the user manages; replaces all of them."`
	Keys        *lineList `json:"keys" doc:"SSH public keys, as a list or a text with a line for each; replaces all of them."`
	Password    *string   `json:"password" doc:"A password for this account; never shown again. An empty one removes it."`
}

// adminChange is what can be changed once there is an account.
type adminChange struct {
	adminBody
	Disabled *bool `json:"disabled" doc:"Locks the account out, with all of its tokens."`
}

// adminPatch is a change that can also add to the roles and take from them: of two such changes at once none is lost.
type adminPatch struct {
	adminChange
	AddRoles    nameList `json:"add_roles" doc:"Roles to give, as a list or with commas."`
	RemoveRoles nameList `json:"remove_roles" doc:"Roles to take, as a list or with commas."`
}

// adminReplacement is a whole record, as it may have been read before.
type adminReplacement struct {
	adminChange
	readOnly
	LastLogin json.RawMessage `json:"last_login" doc:"Ignored."`
}

// roles returns nil when the body does not speak of roles. Every administrator is at least an authenticated user, so that
// is what no role comes down to (contract clusterware 2.9).
func (b adminBody) roles() []identity.Role {
	if b.Roles == nil {
		return nil
	}
	if len(*b.Roles) == 0 {
		return []identity.Role{identity.RoleAuthUser}
	}
	return asRoles(*b.Roles)
}

// asRoles returns nil for no names.
func asRoles(names []string) (roles []identity.Role) {
	for _, name := range names {
		roles = append(roles, identity.Role(name))
	}
	return roles
}

func (b adminChange) update() identity.Update {
	up := identity.Update{
		FullName: b.FullName, Email: b.Email, Description: b.Description, Password: b.Password, Disabled: b.Disabled,
		Projects: (*[]string)(b.Projects), Keys: (*[]string)(b.Keys),
	}
	if b.Roles != nil {
		roles := b.roles()
		up.Roles = &roles
	}
	return up
}

func (d *door) listAdmins(ctx context.Context, r api.Request[listParams, api.None]) (collection[adminRecord], error) {
	users, err := d.Users.List(ctx, r.Caller)
	if err != nil {
		return collection[adminRecord]{}, err
	}
	records := make([]adminRecord, len(users))
	for i, u := range users {
		records[i] = d.adminRecord(u)
	}
	return collect(records, func(a adminRecord) string { return a.UID }, r.Params.As)
}

func (d *door) createAdmin(ctx context.Context, r api.Request[api.None, adminBody]) (reply[string], error) {
	b := r.Body
	u, err := d.Users.Create(ctx, r.Caller, identity.NewUser{
		Name: value(b.Name), FullName: value(b.FullName), Email: value(b.Email), Description: value(b.Description),
		Roles: b.roles(), Projects: value(b.Projects), Keys: value(b.Keys), Password: value(b.Password),
	})
	return ok(string(u.ID)), err
}

func (d *door) getAdmin(ctx context.Context, r api.Request[byID, api.None]) (reply[adminRecord], error) {
	u, err := d.Users.Get(ctx, r.Caller, r.Params.ID)
	return ok(d.adminRecord(u)), noAdmin(err, r.Params.ID)
}

func (d *door) updateAdmin(ctx context.Context, r api.Request[byID, adminPatch]) (reply[adminRecord], error) {
	up := r.Body.update()
	up.AddRoles, up.RemoveRoles = asRoles(r.Body.AddRoles), asRoles(r.Body.RemoveRoles)
	return d.changeAdmin(ctx, r.Caller, r.Params.ID, r.Body.Name, up)
}

// replaceAdmin leaves the password as it is when it is absent, since nobody can have read it before.
func (d *door) replaceAdmin(ctx context.Context, r api.Request[byID, adminReplacement]) (reply[adminRecord], error) {
	b := r.Body.adminChange
	fill(&b.FullName, "")
	fill(&b.Email, "")
	fill(&b.Description, "")
	fill(&b.Roles, nameList{})
	fill(&b.Projects, nameList{})
	fill(&b.Keys, lineList{})
	fill(&b.Disabled, false)
	return d.changeAdmin(ctx, r.Caller, r.Params.ID, b.Name, b.update())
}

func (d *door) changeAdmin(ctx context.Context, c identity.Caller, id string, name *string, up identity.Update) (reply[adminRecord], error) {
	if name != nil {
		u, err := d.Users.Get(ctx, c, id)
		if err != nil {
			return reply[adminRecord]{}, noAdmin(err, id)
		}
		if *name != u.Name {
			return reply[adminRecord]{}, fault.New(fault.Invalid, "the name of an administrator cannot be changed")
		}
	}
	u, err := d.Users.Update(ctx, c, id, up)
	return ok(d.adminRecord(u)), noAdmin(err, id)
}

func (d *door) deleteAdmin(ctx context.Context, r api.Request[byID, api.None]) (reply[bool], error) {
	return ok(true), noAdmin(d.Users.Delete(ctx, r.Caller, r.Params.ID), r.Params.ID)
}

// noAdmin says in this dialect's words that there is no such account; people search for them.
func noAdmin(err error, id string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Because(fault.NotFound, err, "No admin found for ID=%s", id)
	}
	return err
}

package ware

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// roleRecord is a role. Its name is its UID.
type roleRecord struct {
	UID         string   `json:"uid" doc:"The same as name."`
	Name        string   `json:"name" doc:"As it stands in an administrator's roles."`
	Display     string   `json:"display" doc:"Name for people."`
	Description string   `json:"description" doc:"What it is for."`
	Permissions []string `json:"permissions" doc:"What holders may do, sorted."`
	Delegates   []string `json:"delegates" doc:"What holders may hand on beyond that, sorted."`
	System      bool     `json:"system" doc:"Whether it comes with the program."`
}

func newRoleRecord(g identity.Grant) roleRecord {
	return roleRecord{
		UID: string(g.Role), Name: string(g.Role), Display: g.Display, Description: g.Description,
		Permissions: g.Permissions.Names(), Delegates: g.Delegates.Minus(g.Permissions).Names(), System: true,
	}
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
		return reply[roleRecord]{}, fault.New(fault.NotFound, "No role found for ID=%s", r.Params.ID)
	}
	return ok(newRoleRecord(g)), nil
}

// catalogue is every permission that a role may give.
type catalogue struct {
	Permissions []string `json:"permissions" doc:"The names, sorted."`
}

func (d *door) roleMeta(context.Context, api.Request[api.None, api.None]) (reply[catalogue], error) {
	return ok(catalogue{identity.All().Names()}), nil
}

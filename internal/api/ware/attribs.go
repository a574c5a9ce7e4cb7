package ware

import (
	"context"
	"encoding/json"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// Groups is the attribute groups.
type Groups interface {
	// ListGroups returns all groups; fault.Denied.
	ListGroups(ctx context.Context, c identity.Caller) ([]node.Group, error)
	// GetGroup returns the group that id stands for; fault.Denied, fault.NotFound, fault.Conflict.
	GetGroup(ctx context.Context, c identity.Caller, id string) (node.Group, error)
	// CreateGroup adds a group; fault.Denied, fault.Invalid, fault.Conflict.
	CreateGroup(ctx context.Context, c identity.Caller, n node.NewGroup) (node.Group, error)
	// UpdateGroup changes a group; fault.Denied, fault.NotFound, fault.Invalid, fault.Conflict.
	UpdateGroup(ctx context.Context, c identity.Caller, id string, up node.GroupUpdate) (node.Group, error)
	// DeleteGroup removes a group; fault.Denied, fault.NotFound, fault.Conflict while it is used.
	DeleteGroup(ctx context.Context, c identity.Caller, id string) error
	// SetDefaultGroup makes a group the one in which every node is; fault.Denied, fault.NotFound, fault.Conflict.
	SetDefaultGroup(ctx context.Context, c identity.Caller, id string) (node.Group, error)
	// SetGroupAttributes, MergeGroupAttributes and ClearGroupAttributes change a group's attributes; as UpdateGroup.
	SetGroupAttributes(ctx context.Context, c identity.Caller, id string, values map[string]string) (node.Group, []string, error)
	MergeGroupAttributes(ctx context.Context, c identity.Caller, id string, values map[string]string) (node.Group, error)
	ClearGroupAttributes(ctx context.Context, c identity.Caller, id string, gone ...string) (node.Group, []string, error)
}

type groupRecord struct {
	UID         string            `json:"uid" doc:"Identifies the group for ever." meta:"readonly"`
	Name        string            `json:"name" doc:"Unique name. Required on create." meta:"required"`
	Description string            `json:"description" doc:"Free text."`
	Attributes  map[string]string `json:"attributes" doc:"What the nodes in the group are told."`
	Default     bool              `json:"default" doc:"Whether every node is in it." meta:"readonly"`
	stamp
}

func (d *door) groupRecord(g node.Group) groupRecord {
	return groupRecord{
		UID: string(g.UID), Name: g.Name, Description: g.Description, Attributes: orEmpty(g.Attributes), Default: g.Default,
		stamp: d.stamp(g.Modified, g.ModifiedBy),
	}
}

// groupBody is the fields that can be set. An absent one is nil.
type groupBody struct {
	Name        *string       `json:"name" doc:"Unique name. Required on create."`
	Description *string       `json:"description" doc:"Free text."`
	Attributes  *attributeMap `json:"attributes" doc:"What the nodes in the group are told, all of it."`
}

// groupReplacement is a whole record, as it may have been read before.
type groupReplacement struct {
	groupBody
	readOnly
	Default json.RawMessage `json:"default" doc:"Ignored."`
}

func (b groupBody) update() node.GroupUpdate {
	return node.GroupUpdate{Name: b.Name, Description: b.Description, Attributes: (*map[string]string)(b.Attributes)}
}

func (d *door) listGroups(ctx context.Context, r api.Request[listParams, api.None]) (collection[groupRecord], error) {
	groups, err := d.Nodes.ListGroups(ctx, r.Caller)
	if err != nil {
		return collection[groupRecord]{}, err
	}
	records := make([]groupRecord, len(groups))
	for i, g := range groups {
		records[i] = d.groupRecord(g)
	}
	return collect(records, func(g groupRecord) string { return g.UID }, r.Params.As)
}

func (d *door) createGroup(ctx context.Context, r api.Request[api.None, groupBody]) (reply[string], error) {
	g, err := d.Nodes.CreateGroup(ctx, r.Caller, node.NewGroup{
		Name: value(r.Body.Name), Description: value(r.Body.Description), Attributes: value(r.Body.Attributes),
	})
	return ok(string(g.UID)), err
}

func (d *door) getGroup(ctx context.Context, r api.Request[byID, api.None]) (reply[groupRecord], error) {
	g, err := d.Nodes.GetGroup(ctx, r.Caller, r.Params.ID)
	return ok(d.groupRecord(g)), err
}

func (d *door) updateGroup(ctx context.Context, r api.Request[byID, groupBody]) (reply[groupRecord], error) {
	g, err := d.Nodes.UpdateGroup(ctx, r.Caller, r.Params.ID, r.Body.update())
	return ok(d.groupRecord(g)), err
}

func (d *door) replaceGroup(ctx context.Context, r api.Request[byID, groupReplacement]) (reply[groupRecord], error) {
	b := r.Body.groupBody
	fill(&b.Description, "")
	fill(&b.Attributes, attributeMap{})
	g, err := d.Nodes.UpdateGroup(ctx, r.Caller, r.Params.ID, b.update())
	return ok(d.groupRecord(g)), err
}

func (d *door) deleteGroup(ctx context.Context, r api.Request[byID, api.None]) (reply[bool], error) {
	return ok(true), d.Nodes.DeleteGroup(ctx, r.Caller, r.Params.ID)
}

func (d *door) getGroupAttributes(ctx context.Context, r api.Request[byID, api.None]) (attributesReply, error) {
	g, err := d.Nodes.GetGroup(ctx, r.Caller, r.Params.ID)
	return attributesReply{Success: true, Data: orEmpty(g.Attributes)}, err
}

func (d *door) setGroupAttributes(ctx context.Context, r api.Request[byID, attributeMap]) (attributesReply, error) {
	g, removed, err := d.Nodes.SetGroupAttributes(ctx, r.Caller, r.Params.ID, r.Body)
	return groupChanged(g, removed), err
}

func (d *door) mergeGroupAttributes(ctx context.Context, r api.Request[byID, attributeMap]) (attributesReply, error) {
	g, err := d.Nodes.MergeGroupAttributes(ctx, r.Caller, r.Params.ID, r.Body)
	return attributesReply{Success: true, Data: orEmpty(g.Attributes)}, err
}

func (d *door) clearGroupAttributes(ctx context.Context, r api.Request[byID, nameList]) (attributesReply, error) {
	if len(r.Body) == 0 {
		return attributesReply{}, errNoNames
	}
	g, removed, err := d.Nodes.ClearGroupAttributes(ctx, r.Caller, r.Params.ID, r.Body...)
	return groupChanged(g, removed), err
}

func groupChanged(g node.Group, removed []string) attributesReply {
	return attributesReply{Success: true, Data: orEmpty(g.Attributes), Removed: append([]string{}, removed...)}
}

package ware

import (
	"context"
	"encoding/json"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// Attributes is what nodes are told to be: by themselves, and by the groups that they are in.
type Attributes interface {
	// Attributes returns the effective attributes with their origins; fault.Denied, fault.NotFound, fault.Conflict.
	Attributes(ctx context.Context, c identity.Caller, id string) (node.Explained, error)
	// SetAttributes replaces the node's own; fault.Denied, fault.NotFound, fault.Invalid, fault.Conflict.
	SetAttributes(ctx context.Context, c identity.Caller, id string, values map[string]string) (node.Change, error)
	// MergeAttributes sets some of the node's own; as SetAttributes.
	MergeAttributes(ctx context.Context, c identity.Caller, id string, values map[string]string) (node.Change, error)
	// ClearAttributes removes some of the node's own; as SetAttributes.
	ClearAttributes(ctx context.Context, c identity.Caller, id string, gone ...string) (node.Change, error)
	// JoinGroups, SetGroups and LeaveGroups change in which groups a node is; fault.Denied, fault.NotFound, fault.Invalid.
	JoinGroups(ctx context.Context, c identity.Caller, id string, groups ...string) (node.Node, error)
	SetGroups(ctx context.Context, c identity.Caller, id string, groups ...string) (node.Node, error)
	LeaveGroups(ctx context.Context, c identity.Caller, id string, groups ...string) (node.Node, error)
}

// attributesReply is the reply of everything about attributes.
type attributesReply struct {
	Success bool              `json:"success" doc:"Always true."`
	Data    map[string]string `json:"data" doc:"The attributes. With explain=1 each value is an object with value, from and shadowed."`
	Removed []string          `json:"removed,omitzero" doc:"After PUT and DELETE: the names that were removed."`

	explained map[string]explained
}

// explained is an attribute with its origin.
type explained struct {
	Value    string    `json:"value"`
	From     string    `json:"from"` // "node", the name of a group, or "default"
	Shadowed []setting `json:"shadowed"`
}

type setting struct {
	Value string `json:"value"`
	From  string `json:"from"`
}

// MarshalJSON writes the explained shape when it was asked for.
func (a attributesReply) MarshalJSON() ([]byte, error) {
	if a.explained != nil {
		return json.Marshal(ok(a.explained))
	}
	type plain attributesReply // has no MarshalJSON
	return json.Marshal(plain(a))
}

func explain(e node.Explained) map[string]explained {
	out := make(map[string]explained, len(e))
	for name, a := range e {
		x := explained{Value: a.Value, From: a.From.String(), Shadowed: []setting{}}
		for _, s := range a.Shadowed {
			x.Shadowed = append(x.Shadowed, setting{s.Value, s.From.String()})
		}
		out[name] = x
	}
	return out
}

type attributeParams struct {
	byID
	Scope   string `query:"scope" doc:"local shows only the node's own attributes." enum:"effective,local" default:"effective"`
	Explain bool   `query:"explain" doc:"Say where each value comes from and what it hides."`
}

func (d *door) getAttributes(ctx context.Context, r api.Request[attributeParams, api.None]) (attributesReply, error) {
	if r.Params.Scope != "effective" && r.Params.Scope != "local" {
		return attributesReply{}, fault.New(fault.Invalid, "invalid value %q for parameter scope: effective or local expected", r.Params.Scope)
	}
	e, err := d.Nodes.Attributes(ctx, r.Caller, r.Params.ID)
	if err != nil {
		return attributesReply{}, err
	}
	out := attributesReply{Success: true, Data: e.Values()}
	if r.Params.Scope == "local" {
		out.Data = e.Own()
	}
	if r.Params.Explain {
		out.explained = explain(e)
		for name := range out.explained {
			if _, shown := out.Data[name]; !shown {
				delete(out.explained, name)
			}
		}
	}
	return out, nil
}

func (d *door) setAttributes(ctx context.Context, r api.Request[byID, attributeMap]) (attributesReply, error) {
	c, err := d.Nodes.SetAttributes(ctx, r.Caller, r.Params.ID, r.Body)
	return changed(c), err
}

func (d *door) mergeAttributes(ctx context.Context, r api.Request[byID, attributeMap]) (attributesReply, error) {
	c, err := d.Nodes.MergeAttributes(ctx, r.Caller, r.Params.ID, r.Body)
	return attributesReply{Success: true, Data: c.Attributes.Values()}, err
}

func (d *door) clearAttributes(ctx context.Context, r api.Request[byID, nameList]) (attributesReply, error) {
	if len(r.Body) == 0 {
		return attributesReply{}, errNoNames
	}
	c, err := d.Nodes.ClearAttributes(ctx, r.Caller, r.Params.ID, r.Body...)
	return changed(c), err
}

// errNoNames keeps an empty list from looking like success: a script with an empty variable would not notice.
var errNoNames = fault.New(fault.Invalid, "give the names of the attributes to remove")

func changed(c node.Change) attributesReply {
	return attributesReply{Success: true, Data: c.Attributes.Values(), Removed: append([]string{}, c.Removed...)}
}

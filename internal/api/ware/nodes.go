package ware

import (
	"context"
	"encoding/json"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// Nodes is the machines.
type Nodes interface {
	// Get returns the node that id stands for; fault.Denied, fault.NotFound, fault.Conflict when it stands for several.
	Get(ctx context.Context, c identity.Caller, id string) (node.Node, error)
	// List returns the matching nodes; fault.Denied.
	List(ctx context.Context, c identity.Caller, f node.Filter) ([]node.Node, error)
	// Create adds a node; fault.Denied, fault.Invalid, fault.NotFound for a group, fault.Conflict.
	Create(ctx context.Context, c identity.Caller, n node.NewNode) (node.Node, error)
	// Update changes a node; fault.Denied, fault.NotFound, fault.Invalid, fault.Conflict.
	Update(ctx context.Context, c identity.Caller, id string, up node.Update) (node.Node, error)
	// Delete removes a node; fault.Denied, fault.NotFound, fault.Conflict.
	Delete(ctx context.Context, c identity.Caller, id string) error
	// Pattern returns the naming pattern.
	Pattern() node.Pattern
}

type nodeRecord struct {
	UID         string            `json:"uid" doc:"Identifies the node for ever." meta:"readonly"`
	Name        string            `json:"name" doc:"Made from naming pattern and index unless it was given."`
	Description string            `json:"description" doc:"Free text."`
	Type        string            `json:"type" doc:"unknown, compute, head or simulated."`
	MAC         string            `json:"mac" doc:"Address of the boot interface. Required on create." meta:"required"`
	IP          string            `json:"ip" doc:"IPv4 address."`
	Index       *int              `json:"index" doc:"Position in the naming pattern; null for a node that only the scheduler reported."`
	Cluster     string            `json:"cluster" doc:"The monitored cluster that it belongs to."`
	SubCluster  string            `json:"subcluster" doc:"Its part of the cluster." meta:"readonly"`
	Attributes  map[string]string `json:"attributes" doc:"The node's own attributes. Effective ones are at attributes below the node."`
	Groups      []string          `json:"groups" doc:"UIDs of attribute groups; later ones override earlier ones."`
	PowerURI    string            `json:"power_uri" doc:"How to switch its power. A password in it is masked."`
	Hardware    map[string]string `json:"hardware" doc:"Reported by the node." meta:"readonly"`
	Status      map[string]string `json:"status" doc:"Reported by the node and derived." meta:"readonly"`
	stamp
}

func (d *door) nodeRecord(n node.Node) nodeRecord {
	r := nodeRecord{
		UID: string(n.UID), Name: n.Name, Description: n.Description, Type: string(n.Type), MAC: n.MAC, IP: n.IP,
		Cluster: n.Cluster, SubCluster: n.SubCluster, Attributes: orEmpty(n.Attributes), Groups: groupUIDs(n),
		PowerURI: n.PowerURI, Hardware: orEmpty(n.Hardware), Status: orEmpty(n.Status), stamp: d.stamp(n.Modified, n.ModifiedBy),
	}
	if n.Index >= 0 {
		r.Index = &n.Index
	}
	return r
}

func groupUIDs(n node.Node) []string {
	uids := make([]string, len(n.Groups))
	for i, g := range n.Groups {
		uids[i] = string(g)
	}
	return uids
}

// orEmpty makes an empty object of what would be null.
func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// nodeBody is the fields that can be set. An absent one is nil.
type nodeBody struct {
	Name        *string       `json:"name" doc:"Letters, digits and _ . + -, beginning with a letter."`
	Description *string       `json:"description" doc:"Free text."`
	Type        *string       `json:"type" doc:"unknown, compute, head or simulated."`
	MAC         *string       `json:"mac" doc:"Address of the boot interface. Required on create."`
	IP          *string       `json:"ip" doc:"IPv4 address."`
	Index       *int          `json:"index" doc:"Position in the naming pattern; the next free one when absent."`
	Cluster     *string       `json:"cluster" doc:"The monitored cluster that it belongs to."`
	Attributes  *attributeMap `json:"attributes" doc:"The node's own attributes, all of them."`
	Groups      *nameList     `json:"groups" doc:"UIDs or names of attribute groups, in order."`
	PowerURI    *string       `json:"power_uri" doc:"How to switch its power. A masked password stays as it is."`
}

// nodeReplacement is a whole record, as it may have been read before.
type nodeReplacement struct {
	nodeBody
	readOnly
	SubCluster json.RawMessage `json:"subcluster" doc:"Ignored."`
	Hardware   json.RawMessage `json:"hardware" doc:"Ignored."`
	Status     json.RawMessage `json:"status" doc:"Ignored."`
}

func (b nodeBody) new() node.NewNode {
	n := node.NewNode{
		MAC: value(b.MAC), Index: b.Index, Name: value(b.Name), Cluster: value(b.Cluster), Description: value(b.Description),
		Type: node.Type(value(b.Type)), IP: value(b.IP), PowerURI: value(b.PowerURI),
	}
	if b.Attributes != nil {
		n.Attributes = *b.Attributes
	}
	if b.Groups != nil {
		n.Groups = *b.Groups
	}
	return n
}

func (b nodeBody) update() node.Update {
	up := node.Update{
		Name: b.Name, Index: b.Index, MAC: b.MAC, Cluster: b.Cluster, Description: b.Description,
		Type: (*node.Type)(b.Type), IP: b.IP, PowerURI: b.PowerURI,
	}
	if b.Attributes != nil {
		up.Attributes = (*map[string]string)(b.Attributes)
	}
	if b.Groups != nil {
		up.Groups = (*[]string)(b.Groups)
	}
	return up
}

// replacement is update with the defaults for what is absent. Name, index and MAC, without which a node cannot be, stay.
func (b nodeBody) replacement() node.Update {
	fill(&b.Description, "")
	fill(&b.Type, string(node.TypeCompute))
	fill(&b.IP, "")
	fill(&b.Cluster, "")
	fill(&b.PowerURI, "")
	fill(&b.Attributes, attributeMap{})
	fill(&b.Groups, nameList{})
	return b.update()
}

func fill[T any](field **T, otherwise T) {
	if *field == nil {
		*field = &otherwise
	}
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

type nodeListParams struct {
	listParams
	Cluster    string `query:"cluster" doc:"Only nodes of this cluster."`
	SubCluster string `query:"subcluster" doc:"Only nodes of this sub-cluster."`
}

func (d *door) listNodes(ctx context.Context, r api.Request[nodeListParams, api.None]) (collection[nodeRecord], error) {
	nodes, err := d.Nodes.List(ctx, r.Caller, node.Filter{Cluster: r.Params.Cluster, SubCluster: r.Params.SubCluster})
	if err != nil {
		return collection[nodeRecord]{}, err
	}
	records := make([]nodeRecord, len(nodes))
	for i, n := range nodes {
		records[i] = d.nodeRecord(n)
	}
	return collect(records, func(n nodeRecord) string { return n.UID }, r.Params.As)
}

func (d *door) createNode(ctx context.Context, r api.Request[api.None, nodeBody]) (reply[string], error) {
	n, err := d.Nodes.Create(ctx, r.Caller, r.Body.new())
	return ok(string(n.UID)), err
}

func (d *door) getNode(ctx context.Context, r api.Request[byID, api.None]) (reply[nodeRecord], error) {
	n, err := d.Nodes.Get(ctx, r.Caller, r.Params.ID)
	return ok(d.nodeRecord(n)), err
}

func (d *door) updateNode(ctx context.Context, r api.Request[byID, nodeBody]) (reply[nodeRecord], error) {
	n, err := d.Nodes.Update(ctx, r.Caller, r.Params.ID, r.Body.update())
	return ok(d.nodeRecord(n)), err
}

func (d *door) replaceNode(ctx context.Context, r api.Request[byID, nodeReplacement]) (reply[nodeRecord], error) {
	n, err := d.Nodes.Update(ctx, r.Caller, r.Params.ID, r.Body.replacement())
	return ok(d.nodeRecord(n)), err
}

func (d *door) deleteNode(ctx context.Context, r api.Request[byID, api.None]) (reply[bool], error) {
	return ok(true), d.Nodes.Delete(ctx, r.Caller, r.Params.ID)
}

func (d *door) getStatus(ctx context.Context, r api.Request[byID, api.None]) (reply[map[string]string], error) {
	n, err := d.Nodes.Get(ctx, r.Caller, r.Params.ID)
	return ok(orEmpty(n.Status)), err
}

func (d *door) getHardware(ctx context.Context, r api.Request[byID, api.None]) (reply[map[string]string], error) {
	n, err := d.Nodes.Get(ctx, r.Caller, r.Params.ID)
	return ok(orEmpty(n.Hardware)), err
}

func (d *door) getNodeGroups(ctx context.Context, r api.Request[byID, api.None]) (reply[[]string], error) {
	n, err := d.Nodes.Get(ctx, r.Caller, r.Params.ID)
	return ok(groupUIDs(n)), err
}

func (d *door) joinGroups(ctx context.Context, r api.Request[byID, nameList]) (reply[[]string], error) {
	n, err := d.Nodes.JoinGroups(ctx, r.Caller, r.Params.ID, r.Body...)
	return ok(groupUIDs(n)), err
}

func (d *door) setGroups(ctx context.Context, r api.Request[byID, nameList]) (reply[[]string], error) {
	n, err := d.Nodes.SetGroups(ctx, r.Caller, r.Params.ID, r.Body...)
	return ok(groupUIDs(n)), err
}

func (d *door) leaveGroups(ctx context.Context, r api.Request[byID, nameList]) (reply[[]string], error) {
	n, err := d.Nodes.LeaveGroups(ctx, r.Caller, r.Params.ID, r.Body...)
	return ok(groupUIDs(n)), err
}

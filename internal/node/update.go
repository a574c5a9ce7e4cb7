package node

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Update is a change to a node. A nil field stays as it is.
type Update struct {
	Name        *string
	Index       *int
	MAC         *string
	Cluster     *string
	Description *string
	Type        *Type
	IP          *string
	PowerURI    *string            // a password that was masked when it was read stays as it is
	Attributes  *map[string]string // replaces the node's own attributes
	Groups      *[]string          // UIDs or names; replaces the list
}

// Update changes a node. A new index also renames the node, when its name was made from the old one. It needs
// NodesWrite for the fields, and for attributes and groups what SetAttributes and SetGroups need. fault.Denied,
// fault.NotFound, fault.Invalid, fault.Conflict when MAC, index, name or IP is taken.
func (s *Service) Update(ctx context.Context, c identity.Caller, id string, up Update) (Node, error) {
	n, err := s.change(ctx, c, id, work{"node.update", up.needs(), func(n *Node) (map[string]string, error) {
		before := *n
		if err := s.apply(ctx, c, n, up); err != nil {
			return nil, err
		}
		if err := mayMove(c, before, *n); err != nil {
			return nil, err
		}
		if err := s.checkFree(ctx, c, *n); err != nil {
			return nil, err
		}
		return differences(before, *n), nil
	}})
	if err != nil {
		return Node{}, err
	}
	return s.view(c, n), nil
}

// needs returns the permissions that the change needs on its node. One of nothing needs what one of a field does.
func (up Update) needs() (ps []identity.Permission) {
	if up.Groups != nil {
		ps = append(ps, identity.NodesWriteGroups)
	}
	if up.Attributes != nil {
		ps = append(ps, nodeRights.needed(names(*up.Attributes))...)
	}
	fields := up
	fields.Groups, fields.Attributes = nil, nil
	if fields == (Update{}) && up != (Update{}) {
		return ps
	}
	return append(ps, identity.NodesWrite)
}

// mayMove refuses to give a node another name or cluster by which it would leave what the caller may write, or by which
// he would gain a right on it.
func mayMove(c identity.Caller, before, after Node) error {
	if after.Cluster != before.Cluster {
		if err := requireCluster(c, after.Cluster); err != nil {
			return err
		}
	}
	if after.Name == before.Name {
		return nil
	}
	if err := c.RequireOn(identity.NodesWrite, after.Name); err != nil {
		return err
	}
	for _, p := range identity.PerNode().List() {
		if c.CanOn(p, after.Name) && !c.CanOn(p, before.Name) {
			return fault.New(fault.Denied, "as %s the node would come under your permission %s, which you do not have on %s", after.Name, p, before.Name)
		}
	}
	return nil
}

// requireCluster refuses a cluster, or none, in which the caller's credential may have no node.
func requireCluster(c identity.Caller, cluster string) error {
	if cluster == "" && !c.InCluster("") {
		return fault.New(fault.Denied, "your token reaches the nodes of its clusters only, and the node would belong to none")
	}
	return c.RequireCluster(cluster)
}

func (s *Service) apply(ctx context.Context, c identity.Caller, n *Node, up Update) error {
	name := n.Name // by which the caller's rights go: the new one is no matter of his yet
	if err := s.applyIndex(n, up.Index); err != nil {
		return err
	}
	if up.Name != nil && *up.Name == "" || up.MAC != nil && *up.MAC == "" {
		return fault.New(fault.Invalid, "name and mac cannot be removed from a node")
	}
	set(&n.Name, up.Name)
	set(&n.MAC, up.MAC)
	set(&n.Cluster, up.Cluster)
	set(&n.Description, up.Description)
	set(&n.Type, up.Type)
	set(&n.IP, up.IP)
	if up.PowerURI != nil && *up.PowerURI != maskPassword(n.PowerURI) {
		if strings.Contains(*up.PowerURI, ":"+masked+"@") {
			return fault.New(fault.Invalid, "power_uri has the mask in place of its password; give the password, or leave power_uri as it was read")
		}
		n.PowerURI = *up.PowerURI
	}
	if up.Attributes != nil {
		if _, err := nodeRights.replace(onNode{c, name}, &n.Attributes, *up.Attributes); err != nil {
			return err
		}
	}
	if up.Groups != nil {
		groups, err := s.groupUIDs(ctx, *up.Groups)
		if err != nil {
			return err
		}
		n.Groups = groups
	}
	if err := n.normalize(); err != nil {
		return err
	}
	n.SubCluster = s.subCluster(*n)
	return nil
}

// applyIndex moves a node to another index, and its name with it when the pattern made the name.
func (s *Service) applyIndex(n *Node, index *int) error {
	if index == nil || *index == n.Index {
		return nil
	}
	if *index < 0 {
		return fault.New(fault.Invalid, "index must not be negative")
	}
	if s.patternErr == nil && n.Index >= 0 && n.Name == s.pattern.Format(n.Index) {
		n.Name = s.pattern.Format(*index)
	}
	n.Index = *index
	return nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// differences says for the audit trail which fields changed. It gives no values of attributes and power_uri, which may
// hold secrets.
func differences(before, after Node) map[string]string {
	d := map[string]string{}
	note := func(field, from, to string) {
		if from != to {
			d[field] = from + " -> " + to
		}
	}
	note("name", before.Name, after.Name)
	note("index", strconv.Itoa(before.Index), strconv.Itoa(after.Index))
	note("mac", before.MAC, after.MAC)
	note("cluster", before.Cluster, after.Cluster)
	note("description", before.Description, after.Description)
	note("type", string(before.Type), string(after.Type))
	note("ip", before.IP, after.IP)
	if before.PowerURI != after.PowerURI {
		d["power_uri"] = "changed"
	}
	if !maps.Equal(before.Attributes, after.Attributes) {
		d["attributes"] = strings.Join(names(after.Attributes), ",")
	}
	if !slices.Equal(before.Groups, after.Groups) {
		d["groups"] = joinUIDs(after.Groups)
	}
	return d
}

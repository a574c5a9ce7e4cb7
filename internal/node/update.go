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
	if err := mayUpdate(c, up); err != nil {
		return Node{}, err
	}
	n, err := s.change(ctx, c, id, "node.update", func(n *Node) (map[string]string, error) {
		before := *n
		if err := s.apply(ctx, c, n, up); err != nil {
			return nil, err
		}
		if err := s.checkFree(ctx, *n); err != nil {
			return nil, err
		}
		return differences(before, *n), nil
	})
	if err != nil {
		return Node{}, err
	}
	return s.view(c, n), nil
}

func mayUpdate(c identity.Caller, up Update) error {
	if up.Groups != nil {
		if err := c.Require(identity.NodesWriteGroups); err != nil {
			return err
		}
	}
	if up.Attributes != nil {
		if err := nodeRights.mayWrite(c, names(*up.Attributes)); err != nil {
			return err
		}
	}
	fields := up
	fields.Groups, fields.Attributes = nil, nil
	if fields == (Update{}) && up != (Update{}) {
		return nil
	}
	return c.Require(identity.NodesWrite)
}

func (s *Service) apply(ctx context.Context, c identity.Caller, n *Node, up Update) error {
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
		if _, err := nodeRights.replace(c, &n.Attributes, *up.Attributes); err != nil {
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

package node

import (
	"context"
	"fmt"
	"maps"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// NewNode is the wish for a node. Only MAC is required.
type NewNode struct {
	MAC         string
	Index       *int   // nil takes the next free one
	Name        string // "" lets the naming pattern make it from the index
	Cluster     string
	Description string
	Type        Type // "" means TypeCompute
	IP          string
	PowerURI    string
	Attributes  map[string]string
	Groups      []string // UIDs or names, in order
}

// Create adds a node. It needs NodesWrite; attributes need what SetAttributes needs, and groups NodesWriteGroups.
// fault.Denied, fault.Invalid, fault.NotFound for a group, fault.Conflict when MAC, index, name or IP is taken.
func (s *Service) Create(ctx context.Context, c identity.Caller, n NewNode) (Node, error) {
	if err := mayCreate(c, n); err != nil {
		return Node{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	node, err := s.draft(ctx, n)
	if err != nil {
		return Node{}, err
	}
	if err := s.checkFree(ctx, node); err != nil {
		return Node{}, err
	}
	nameOf := s.pattern.Format
	if n.Name != "" {
		nameOf = func(int) string { return n.Name }
	}
	now := s.clock.Now()
	node.Modified, node.ModifiedBy = now.UTC(), c.User.Name
	rec := c.Record(now, "node.create", object(node))
	rec.Details = map[string]string{"name": node.Name, "mac": node.MAC}
	created, err := s.store.CreateNode(ctx, node, nameOf, rec)
	if err != nil {
		return Node{}, fmt.Errorf("create node %s: %w", node.MAC, err)
	}
	return s.view(c, created), nil
}

func mayCreate(c identity.Caller, n NewNode) error {
	if err := c.Require(identity.NodesWrite); err != nil {
		return err
	}
	if len(n.Groups) > 0 {
		if err := c.Require(identity.NodesWriteGroups); err != nil {
			return err
		}
	}
	if len(n.Attributes) == 0 {
		return nil
	}
	return nodeRights.mayWrite(c, names(n.Attributes))
}

// draft checks the wish and makes a record of it. Its name is empty when the store has to find the index first.
func (s *Service) draft(ctx context.Context, n NewNode) (Node, error) {
	groups, err := s.groupUIDs(ctx, n.Groups)
	if err != nil {
		return Node{}, err
	}
	if n.MAC == "" {
		return Node{}, fault.New(fault.Invalid, "mac is required: each node must have a MAC address")
	}
	node := Node{
		UID: newUID(), Cluster: n.Cluster, Name: n.Name, Index: -1, Description: n.Description, Type: n.Type,
		MAC: n.MAC, IP: n.IP, Attributes: maps.Clone(n.Attributes), Groups: groups, PowerURI: n.PowerURI,
	}
	if n.Index != nil {
		if *n.Index < 0 {
			return Node{}, fault.New(fault.Invalid, "index must not be negative")
		}
		node.Index = *n.Index
	}
	if n.Name == "" {
		if s.patternErr != nil {
			return Node{}, s.patternErr
		}
		if node.Index >= 0 {
			node.Name = s.pattern.Format(node.Index)
		}
	}
	if err := node.normalize(); err != nil {
		return Node{}, err
	}
	node.SubCluster = s.subCluster(node)
	return node, nil
}

// normalize brings the addresses into the form that is stored and reports what is wrong with the record.
func (n *Node) normalize() (err error) {
	if n.MAC != "" {
		if n.MAC, err = ParseMAC(n.MAC); err != nil {
			return err
		}
	}
	if n.IP != "" {
		if n.IP, err = parseIP(n.IP); err != nil {
			return err
		}
	}
	if n.Name != "" {
		if err := validateName("node", n.Name); err != nil {
			return err
		}
	}
	switch n.Type {
	case "":
		n.Type = TypeCompute
	case TypeUnknown, TypeCompute, TypeHead, TypeSimulated:
	default:
		return fault.New(fault.Invalid, "type %q is not valid; it is one of unknown, compute, head, simulated", n.Type)
	}
	return checkAttributes(n.Attributes)
}

// checkFree refuses what another node already has, with a message that says which node it is. The store refuses MAC,
// index and name on its own as well, should another head be faster.
func (s *Service) checkFree(ctx context.Context, n Node) error {
	checks := []struct {
		what, value string
		same        func(other Node) bool
	}{
		{"MAC address", n.MAC, func(other Node) bool { return other.MAC == n.MAC }},
		{"IP address", n.IP, func(other Node) bool { return other.IP == n.IP }},
		// A record that the scheduler's reports made is not in the way: the store lets the managed node take its place.
		{"name", n.Name, func(other Node) bool {
			return other.Name == n.Name && other.Cluster == n.Cluster && other.MAC != ""
		}},
	}
	for _, check := range checks {
		if check.value == "" {
			continue
		}
		found, err := s.store.FindNodes(ctx, check.value)
		if err != nil {
			return fmt.Errorf("look for %s %q: %w", check.what, check.value, err)
		}
		for _, other := range found {
			if other.UID != n.UID && check.same(other) {
				return fault.New(fault.Conflict, "%s %s is taken by node %s (%s)", check.what, check.value, other.Name, other.UID)
			}
		}
	}
	return nil
}

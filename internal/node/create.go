package node

import (
	"context"
	"fmt"
	"maps"
	"slices"

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
	if err := requireAll(c, n.needs()); err != nil {
		return Node{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	node, err := s.draft(ctx, n)
	if err != nil {
		return Node{}, err
	}
	if err := mayPlace(c, node, n.needs()); err != nil {
		return Node{}, err
	}
	if err := s.checkFree(ctx, c, node); err != nil {
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
		return Node{}, fmt.Errorf("create node %s: %w", node.MAC, discreet(c, err))
	}
	return s.view(c, created), nil
}

// needs returns the permissions that it needs to create the node.
func (n NewNode) needs() []identity.Permission {
	ps := []identity.Permission{identity.NodesWrite}
	if len(n.Groups) > 0 {
		ps = append(ps, identity.NodesWriteGroups)
	}
	if len(n.Attributes) > 0 {
		ps = append(ps, nodeRights.needed(names(n.Attributes))...)
	}
	return ps
}

// mayPlace refuses a new node whose cluster or name the caller's rights do not reach. A name that the store would choose
// is not known before it is taken, hence who may create some nodes only has to say which.
func mayPlace(c identity.Caller, n Node, needs []identity.Permission) error {
	if err := requireCluster(c, n.Cluster); err != nil {
		return err
	}
	if n.Name != "" {
		return requireAll(onNode{c, n.Name}, needs)
	}
	for _, l := range c.Limits {
		if slices.ContainsFunc(needs, l.Permissions.Has) {
			return fault.New(fault.Denied, "you may create the nodes %s: say which by name or index", l.Nodes)
		}
	}
	return nil
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

// discreet takes the name of the other node out of a conflict, where the caller may not read every node.
func discreet(c identity.Caller, err error) error {
	limited := slices.ContainsFunc(c.Limits, func(l identity.NodeLimit) bool { return l.Permissions.Has(identity.NodesRead) })
	if fault.Is(err, fault.Conflict) && (limited || c.Clusters != nil || !c.Can(identity.NodesRead)) {
		return fault.Because(fault.Conflict, err, "MAC, index or name is taken by another node")
	}
	return err
}

// checkFree refuses what another node already has, with a message that says which node it is, unless the caller does not
// see that one. The store refuses MAC, index and name on its own as well, should another head be faster.
func (s *Service) checkFree(ctx context.Context, c identity.Caller, n Node) error {
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
			switch {
			case other.UID == n.UID || !check.same(other):
			case sees(c, other, identity.NodesRead):
				return fault.New(fault.Conflict, "%s %s is taken by node %s (%s)", check.what, check.value, other.Name, other.UID)
			default:
				return fault.New(fault.Conflict, "%s %s is taken", check.what, check.value)
			}
		}
	}
	return nil
}

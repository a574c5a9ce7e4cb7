package identity

import (
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// NodeLimit says on which nodes only some permissions hold. Several limits hold all at once.
type NodeLimit struct {
	Permissions Set
	Nodes       NodeSet
}

// NodeSet is some of the nodes, by their names.
type NodeSet interface {
	// Contains reports whether the node of that name is one of them.
	Contains(node string) bool
	// String returns the expression that people wrote.
	String() string
}

// PerNode returns the permissions that are about single nodes, which a limit to some nodes can hold for.
func PerNode() Set {
	return SetOf(NodesRead, NodesReadAttribs, NodesReadReserv, NodesWrite, NodesWriteAttribs, NodesWriteGroups,
		NodesWriteReserv, NodesPowerControl, NodesExecCommand, NodeStatesWrite)
}

// CanOn reports whether the caller has the permission on the node of that name.
func (c Caller) CanOn(p Permission, node string) bool {
	return c.Can(p) && !slices.ContainsFunc(c.Limits, func(l NodeLimit) bool { return l.Permissions.Has(p) && !l.Nodes.Contains(node) })
}

// RequireOn returns fault.Denied, naming permission and node, unless the caller has the permission on that node.
func (c Caller) RequireOn(p Permission, node string) error {
	if err := c.Require(p); err != nil {
		return err
	}
	if c.CanOn(p, node) {
		return nil
	}
	return fault.Because(fault.Denied, MissingError(p), "permission %s is required on node %s", p, node)
}

// InCluster reports whether the caller's credential reaches the cluster of that name.
func (c Caller) InCluster(name string) bool {
	return c.Clusters == nil || slices.Contains(c.Clusters, name)
}

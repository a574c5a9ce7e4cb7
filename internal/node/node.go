// Package node knows the machines of a cluster: their names and addresses, their attributes and where those come from,
// and what state they are in.
package node

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// UID identifies a node or a group: 32 lower-case hexadecimal digits.
type UID string

// Type is the kind of machine.
type Type string

// The kinds of machine (contract clusterware 4.1).
const (
	TypeUnknown   Type = "unknown"
	TypeCompute   Type = "compute"
	TypeHead      Type = "head"
	TypeSimulated Type = "simulated"
)

// Node is one machine.
type Node struct {
	UID         UID
	Cluster     string // the cluster it belongs to, "" when only managed, not monitored
	SubCluster  string
	Name        string // unique within its cluster; made from pattern and index unless it was given
	Index       int    // position in the naming pattern, -1 for a node that was only reported by the scheduler
	Description string
	Type        Type
	MAC         string            // lower case with colons; "" when only monitored
	IP          string            // "" when not known
	Attributes  map[string]string // the node's own: highest precedence
	Groups      []UID             // attribute groups, later ones override earlier ones
	PowerURI    string
	Hardware    map[string]string // reported by the node
	Status      map[string]string // reported by the node or derived
	Scheduler   SchedulerReport   // zero when never reported
	Modified    time.Time
	ModifiedBy  string
}

// SchedulerState is what the scheduler says of a node (contract clustercockpit 3.9).
type SchedulerState string

// The scheduler states.
const (
	StateAllocated SchedulerState = "allocated"
	StateReserved  SchedulerState = "reserved"
	StateIdle      SchedulerState = "idle"
	StateMixed     SchedulerState = "mixed"
	StateDown      SchedulerState = "down"
	StateUnknown   SchedulerState = "unknown"
)

// SchedulerReport is the last report of the scheduler about a node.
type SchedulerReport struct {
	Time            time.Time
	State           SchedulerState
	CPUsAllocated   int
	MemoryAllocated int64 // MB
	GPUsAllocated   int
	JobsRunning     int
}

// Group is a named set of attributes that nodes join.
type Group struct {
	UID         UID
	Name        string
	Description string
	Attributes  map[string]string
	Default     bool // every node is in it, before all others
	Modified    time.Time
	ModifiedBy  string
}

// Filter selects nodes. Zero fields do not select.
type Filter struct {
	Cluster    string
	SubCluster string
	Names      []string
}

// Store keeps nodes and attribute groups. Each change is one transaction with its audit record.
type Store interface {
	// GetNode returns the node with that UID; fault.NotFound.
	GetNode(ctx context.Context, uid UID) (Node, error)
	// FindNodes returns every node whose UID, name, MAC or IP is id, or whose UID begins with id (5 characters or more).
	FindNodes(ctx context.Context, id string) ([]Node, error)
	// ListNodes returns the matching nodes by cluster, index and name.
	ListNodes(ctx context.Context, f Filter) ([]Node, error)
	// CreateNode adds a node; a negative Index with a MAC asks for the next free index, which the store sets together
	// with the name that pattern gives. fault.Conflict when MAC, index or name is taken.
	CreateNode(ctx context.Context, n Node, pattern func(index int) string, rec audit.Record) (Node, error)
	// UpdateNode replaces the record with n.UID; fault.NotFound, fault.Conflict.
	UpdateNode(ctx context.Context, n Node, rec audit.Record) error
	// DeleteNode removes a node; fault.NotFound.
	DeleteNode(ctx context.Context, uid UID, rec audit.Record) error
	// ReportNodes notes what the scheduler says. Nodes that are not known are added as reported only.
	ReportNodes(ctx context.Context, nodes []Node) error
	// ListGroups returns all attribute groups by name.
	ListGroups(ctx context.Context) ([]Group, error)
	// SaveGroup adds a group or replaces the one with its UID; fault.Conflict when the name is taken. A group with Default
	// takes that mark away from every other one.
	SaveGroup(ctx context.Context, g Group, rec audit.Record) error
	// DeleteGroup removes a group; fault.NotFound, fault.Conflict while nodes are in it.
	DeleteGroup(ctx context.Context, uid UID, rec audit.Record) error
}

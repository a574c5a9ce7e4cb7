package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Clusters knows which sub-cluster a host belongs to.
type Clusters interface {
	// ResolveSubCluster returns the name of the host's sub-cluster; ok is false when the cluster is not known or none
	// of its sub-clusters has the host.
	ResolveSubCluster(cluster, host string) (sub string, ok bool)
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Clusters Clusters // nil when no cluster is described
	Clock    clock.Clock
	Pattern  string // naming pattern of nodes without a name of their own; "" means DefaultPattern
}

// Service has the use cases of nodes and attribute groups, with the permission that each of them needs.
type Service struct {
	store      Store
	clusters   Clusters
	clock      clock.Clock
	pattern    Pattern
	patternErr error

	// mu serialises every change, since each one reads a record, alters it and writes it back. Readers do not take it.
	mu sync.Mutex
}

// New returns a service. A naming pattern that cannot be read is reported by EnsureDefaults, which a server calls at
// its start, and by every Create that would have needed it.
func New(cfg Config) *Service {
	s := &Service{store: cfg.Store, clusters: cfg.Clusters, clock: cfg.Clock}
	if cfg.Pattern == "" {
		cfg.Pattern = DefaultPattern
	}
	s.pattern, s.patternErr = ParsePattern(cfg.Pattern)
	return s
}

// Pattern returns the naming pattern of nodes without a name of their own.
func (s *Service) Pattern() Pattern { return s.pattern }

// Get returns the node that id stands for, see resolve. It needs NodesRead. Attributes that the caller may not read are
// left out. fault.Denied, fault.NotFound, fault.Conflict when id stands for several nodes.
func (s *Service) Get(ctx context.Context, c identity.Caller, id string) (Node, error) {
	n, err := s.resolve(ctx, c, id, identity.NodesRead)
	if err != nil {
		return Node{}, err
	}
	return s.view(c, n), nil
}

// List returns the matching nodes by cluster, index and name. It needs NodesRead; nodes and attributes that the caller
// may not read are left out. fault.Denied.
func (s *Service) List(ctx context.Context, c identity.Caller, f Filter) ([]Node, error) {
	if err := c.Require(identity.NodesRead); err != nil {
		return nil, err
	}
	sub := f.SubCluster
	f.SubCluster = "" // derived here where the store has none
	nodes, err := s.store.ListNodes(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	nodes = slices.DeleteFunc(nodes, func(n Node) bool { return !sees(c, n, identity.NodesRead) })
	for i, n := range nodes {
		nodes[i] = s.view(c, n)
	}
	if sub != "" {
		nodes = slices.DeleteFunc(nodes, func(n Node) bool { return n.SubCluster != sub })
	}
	return nodes, nil
}

// Delete removes a node. It needs NodesWrite. fault.Denied, fault.NotFound, fault.Conflict.
func (s *Service) Delete(ctx context.Context, c identity.Caller, id string) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	n, err := s.resolve(ctx, c, id, identity.NodesWrite)
	if err != nil {
		return err
	}
	rec := c.Record(s.clock.Now(), "node.delete", object(n))
	rec.Details = map[string]string{"name": n.Name, "mac": n.MAC}
	if err := s.store.DeleteNode(ctx, n.UID, rec); err != nil {
		return fmt.Errorf("delete node %s: %w", n.UID, err)
	}
	return nil
}

// work is a change to one node.
type work struct {
	action string                                 // for the trail
	needs  []identity.Permission                  // on that node
	edit   func(*Node) (map[string]string, error) // returns what the record tells
}

// change reads a node, lets the work's edit alter it and writes it back with its audit record.
func (s *Service) change(ctx context.Context, c identity.Caller, id string, w work) (Node, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	n, err := s.resolve(ctx, c, id, w.needs...)
	if err != nil {
		return Node{}, err
	}
	details, err := w.edit(&n)
	if err != nil {
		return Node{}, err
	}
	now := s.clock.Now()
	n.Modified, n.ModifiedBy = now.UTC(), c.User.Name
	rec := c.Record(now, w.action, object(n))
	rec.Details = details
	if err := s.store.UpdateNode(ctx, n, rec); err != nil {
		return Node{}, fmt.Errorf("update node %s: %w", n.UID, discreet(c, err))
	}
	return n, nil
}

// view returns n as the caller may see it, with everything that is derived.
func (s *Service) view(c identity.Caller, n Node) Node {
	n.Attributes = nodeRights.readable(onNode{c, n.Name}, n.Attributes)
	n.Status = status(n, s.clock.Now())
	n.PowerURI = maskPassword(n.PowerURI)
	if n.SubCluster == "" {
		n.SubCluster = s.subCluster(n)
	}
	return n
}

func (s *Service) subCluster(n Node) string {
	if s.clusters == nil || n.Cluster == "" {
		return ""
	}
	sub, _ := s.clusters.ResolveSubCluster(n.Cluster, n.Name)
	return sub
}

// object names a node in the audit trail. Names change, the UID does not.
func object(n Node) string { return "node/" + string(n.UID) }

func newUID() UID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the runtime ends the process rather than return weak randomness
	return UID(hex.EncodeToString(b[:]))
}

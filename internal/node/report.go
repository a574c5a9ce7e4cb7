package node

import (
	"context"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Report is what the scheduler says of one host.
type Report struct {
	Host            string
	States          []string // the scheduler's flags, any case
	CPUsAllocated   int
	MemoryAllocated int64 // MB
	GPUsAllocated   int
	JobsRunning     int
}

// Report notes what the scheduler of a cluster says of its hosts (contract clustercockpit 3.9). A host that is not
// known becomes a node when a sub-cluster has it, and is passed over otherwise. A node that is managed but belongs to
// no cluster yet joins the cluster whose scheduler reports its name, unless the caller's credential is for some clusters
// only. It needs NodeStatesWrite, on each of the hosts. fault.Denied, fault.Invalid; then nothing is kept.
func (s *Service) Report(ctx context.Context, c identity.Caller, cluster string, reports []Report) error {
	if err := c.Require(identity.NodeStatesWrite); err != nil {
		return err
	}
	if cluster == "" {
		return fault.New(fault.Invalid, "cluster is required")
	}
	if err := c.RequireCluster(cluster); err != nil {
		return err
	}
	for _, r := range reports {
		if !validHost.MatchString(r.Host) {
			return fault.New(fault.Invalid, "host name %q is not valid", r.Host)
		}
		if err := c.RequireOn(identity.NodeStatesWrite, r.Host); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	known, err := s.census(ctx, cluster)
	if err != nil {
		return err
	}
	if err := s.adopt(ctx, c, cluster, known, reports); err != nil {
		return err
	}
	return s.note(ctx, c, cluster, known, reports)
}

// census is the nodes that reports about one cluster may be about.
type census struct {
	members    map[string]Node // of the cluster, by name
	unassigned map[string]Node // managed, of no cluster, by name
}

func (s *Service) census(ctx context.Context, cluster string) (census, error) {
	all, err := s.store.ListNodes(ctx, Filter{})
	if err != nil {
		return census{}, fmt.Errorf("list nodes: %w", err)
	}
	cs := census{members: map[string]Node{}, unassigned: map[string]Node{}}
	for _, n := range all {
		switch {
		case n.Cluster == cluster:
			cs.members[n.Name] = n
		case n.Cluster == "" && n.MAC != "":
			cs.unassigned[n.Name] = n
		}
	}
	return cs, nil
}

// adopt moves managed nodes of no cluster into the cluster that reports them, so that one machine is one record. A
// record that earlier reports made for it gives way.
func (s *Service) adopt(ctx context.Context, c identity.Caller, cluster string, cs census, reports []Report) error {
	for _, r := range reports {
		n, ok := cs.unassigned[r.Host]
		if !ok || cs.clashes(n) || !c.InCluster(n.Cluster) {
			continue
		}
		now := s.clock.Now()
		if old, exists := cs.members[r.Host]; exists {
			rec := c.Record(now, "node.delete", object(old))
			rec.Details = map[string]string{"name": old.Name, "merged_into": string(n.UID)}
			if err := s.store.DeleteNode(ctx, old.UID, rec); err != nil {
				return fmt.Errorf("merge node %s: %w", old.UID, err)
			}
		}
		n.Cluster = cluster
		n.SubCluster = s.subCluster(n)
		rec := c.Record(now, "node.update", object(n))
		rec.Details = map[string]string{"cluster": cluster}
		if err := s.store.UpdateNode(ctx, n, rec); err != nil {
			return fmt.Errorf("move node %s to cluster %s: %w", n.UID, cluster, err)
		}
		cs.members[r.Host] = n
		delete(cs.unassigned, r.Host)
	}
	return nil
}

// clashes reports whether the cluster has another managed machine with the node's name or index.
func (cs census) clashes(n Node) bool {
	for _, m := range cs.members {
		if m.MAC != "" && (m.Name == n.Name || m.Index == n.Index) {
			return true
		}
	}
	return false
}

// note writes the reports to the nodes that they are about.
func (s *Service) note(ctx context.Context, c identity.Caller, cluster string, cs census, reports []Report) error {
	now := s.clock.Now().UTC()
	nodes := make([]Node, 0, len(reports))
	for _, r := range reports {
		n, known := cs.members[r.Host]
		if !known {
			n = Node{
				UID: newUID(), Cluster: cluster, Name: r.Host, Index: -1, Type: TypeCompute,
				Modified: now, ModifiedBy: c.User.Name,
			}
		}
		n.SubCluster = s.subCluster(n)
		if !known && n.SubCluster == "" {
			continue
		}
		n.Scheduler = r.scheduler(now)
		nodes = append(nodes, n)
	}
	if len(nodes) == 0 {
		return nil
	}
	if err := s.store.ReportNodes(ctx, nodes); err != nil {
		return fmt.Errorf("note states of cluster %s: %w", cluster, err)
	}
	return nil
}

func (r Report) scheduler(at time.Time) SchedulerReport {
	return SchedulerReport{
		Time: at, State: FoldStates(r.States), CPUsAllocated: r.CPUsAllocated, MemoryAllocated: r.MemoryAllocated,
		GPUsAllocated: r.GPUsAllocated, JobsRunning: r.JobsRunning,
	}
}

package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// CreateNode implements node.Store. A name that only the scheduler has used so far is free: the new node takes over
// what the scheduler reports of it.
func (s *nodes) CreateNode(ctx context.Context, n node.Node, pattern func(index int) string, rec audit.Record) (_ node.Node, err error) {
	defer fault.Wrap(&err, "create node")
	err = s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		if err := nameNode(ctx, c, &n, pattern); err != nil {
			return err
		}
		adopted, err := adoptReported(ctx, c, n)
		if err != nil {
			return err
		}
		if err := checkFree(ctx, c, n); err != nil {
			return err
		}
		if adopted {
			return replaceNode(ctx, c, n)
		}
		return insertNode(ctx, c, n)
	})
	return n, err
}

// nameNode sets index and name where they are left to the store. An index whose name somebody else has is passed over.
func nameNode(ctx context.Context, c conn, n *node.Node, pattern func(index int) string) error {
	if n.Index >= 0 || n.MAC == "" {
		if n.Name == "" && n.Index >= 0 {
			n.Name = pattern(n.Index)
		}
		return nil
	}
	given := n.Name
	for from := 0; ; from = n.Index + 1 {
		index, err := nextIndex(ctx, c, n.Cluster, from)
		if err != nil {
			return err
		}
		n.Index = index
		if given != "" {
			return nil
		}
		n.Name = pattern(index)
		_, err = get(ctx, c, scalar[string], `
			SELECT uid
			FROM nodes
			WHERE cluster = ? AND name = ? AND node_index >= 0`, n.Cluster, n.Name)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// nextIndex returns the lowest index that no node of the cluster has, from on.
func nextIndex(ctx context.Context, c conn, cluster string, from int) (int, error) {
	return get(ctx, c, scalar[int], `
		SELECT MIN(free)
		FROM (
			SELECT CAST(? AS bigint) AS free
			UNION ALL
			SELECT node_index + 1
			FROM nodes
			WHERE cluster = ? AND node_index >= ?
		) AS candidates
		WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE cluster = ? AND node_index = free)`, from, cluster, from, cluster)
}

// adoptReported gives the node that only the scheduler knows under n's name the UID of n, and says whether there is one.
func adoptReported(ctx context.Context, c conn, n node.Node) (bool, error) {
	rows, err := c.exec(ctx, `
		UPDATE nodes
		SET uid = ?
		WHERE cluster = ? AND name = ? AND node_index < 0 AND mac = ''
		  AND EXISTS (SELECT 1 FROM node_reports WHERE node = nodes.uid)`, n.UID, n.Cluster, n.Name)
	return rows > 0, err
}

func insertNode(ctx context.Context, c conn, n node.Node) error {
	_, err := c.exec(ctx, `
		INSERT INTO nodes (uid, cluster, sub_cluster, name, node_index, description, type, mac, ip,
			attributes, power_uri, hardware, status, modified, modified_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append([]any{n.UID}, nodeValues(n)...)...)
	if err != nil {
		return err
	}
	return setGroups(ctx, c, n)
}

// ReportNodes implements node.Store. A node keeps what the head knows of it; only the report, and the sub-cluster where
// the report names one, change.
func (s *nodes) ReportNodes(ctx context.Context, reported []node.Node) (err error) {
	defer fault.Wrap(&err, "report %d nodes", len(reported))
	return s.db.update(ctx, func(c conn) error {
		for _, n := range reported {
			if err := reportNode(ctx, c, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func reportNode(ctx context.Context, c conn, n node.Node) error {
	n.Index = -1
	_, err := c.exec(ctx, `
		INSERT INTO nodes (uid, cluster, sub_cluster, name, node_index, description, type, mac, ip,
			attributes, power_uri, hardware, status, modified, modified_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (cluster, name) DO UPDATE
		SET sub_cluster = excluded.sub_cluster
		WHERE excluded.sub_cluster <> '' AND excluded.sub_cluster <> nodes.sub_cluster`,
		n.UID, n.Cluster, n.SubCluster, n.Name, n.Index, n.Description, n.Type, n.IP,
		jsonColumn{n.Attributes}, n.PowerURI, jsonColumn{n.Hardware}, jsonColumn{n.Status}, micros(n.Modified), n.ModifiedBy)
	if err != nil {
		return err
	}
	r := n.Scheduler
	_, err = c.exec(ctx, `
		INSERT INTO node_reports (node, time, state, cpus_allocated, memory_allocated, gpus_allocated, jobs_running)
		SELECT uid, CAST(? AS bigint), CAST(? AS text), CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bigint)
		FROM nodes
		WHERE cluster = ? AND name = ?
		ON CONFLICT (node) DO UPDATE
		SET time = excluded.time, state = excluded.state, cpus_allocated = excluded.cpus_allocated,
		    memory_allocated = excluded.memory_allocated, gpus_allocated = excluded.gpus_allocated, jobs_running = excluded.jobs_running`,
		micros(r.Time), r.State, r.CPUsAllocated, r.MemoryAllocated, r.GPUsAllocated, r.JobsRunning, n.Cluster, n.Name)
	return err
}

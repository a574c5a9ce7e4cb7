package sqlstore

import (
	"context"
	"regexp"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// nodes implements node.Store.
type nodes struct{ db *database }

const nodeQuery = `
	SELECT n.uid, n.cluster, n.sub_cluster, n.name, n.node_index, n.description, n.type, n.mac, n.ip, n.attributes, n.power_uri,
		n.hardware, n.status, n.modified, n.modified_by,
		COALESCE(r.time, 0), COALESCE(r.state, ''), COALESCE(r.cpus_allocated, 0), COALESCE(r.memory_allocated, 0),
		COALESCE(r.gpus_allocated, 0), COALESCE(r.jobs_running, 0)
	FROM nodes n LEFT JOIN node_reports r ON r.node = n.uid`

func scanNode(r row) (node.Node, error) {
	var n node.Node
	err := r.Scan(&n.UID, &n.Cluster, &n.SubCluster, &n.Name, &n.Index, &n.Description, &n.Type, &n.MAC, &n.IP,
		jsonColumn{&n.Attributes}, &n.PowerURI, jsonColumn{&n.Hardware}, jsonColumn{&n.Status},
		fromMicros(&n.Modified), &n.ModifiedBy,
		fromMicros(&n.Scheduler.Time), &n.Scheduler.State, &n.Scheduler.CPUsAllocated, &n.Scheduler.MemoryAllocated,
		&n.Scheduler.GPUsAllocated, &n.Scheduler.JobsRunning)
	return n, err
}

// listNodes returns the nodes that w selects, groups filled in.
func listNodes(ctx context.Context, c conn, w *where) ([]node.Node, error) {
	all, err := list(ctx, c, scanNode, nodeQuery+w.String()+` ORDER BY n.cluster, n.node_index, n.name`, w.args...)
	if err != nil {
		return nil, err
	}
	return all, fillGroups(ctx, c, all)
}

// GetNode implements node.Store.
func (s *nodes) GetNode(ctx context.Context, uid node.UID) (n node.Node, err error) {
	defer fault.Wrap(&err, "get node %q", uid)
	w := &where{}
	w.and(`n.uid = ?`, uid)
	err = s.db.view(ctx, func(c conn) error {
		all, err := listNodes(ctx, c, w)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return noNode(uid)
		}
		n = all[0]
		return nil
	})
	return n, err
}

// uidPrefix is what the beginning of a UID looks like.
var uidPrefix = regexp.MustCompile(`^[0-9a-f]{5,32}$`)

// FindNodes implements node.Store. UIDs and MACs are found in either case.
func (s *nodes) FindNodes(ctx context.Context, id string) (found []node.Node, err error) {
	defer fault.Wrap(&err, "find node %q", id)
	if id == "" {
		return nil, nil
	}
	lower := strings.ToLower(id)
	cond, args := `n.name = ? OR n.mac = ? OR n.ip = ?`, []any{id, lower, id}
	if uidPrefix.MatchString(lower) {
		cond, args = cond+` OR n.uid >= ? AND n.uid < ?`, append(args, lower, lower+"g") // g follows the last digit
	}
	w := &where{}
	w.and(`(`+cond+`)`, args...)
	err = s.db.view(ctx, func(c conn) error {
		found, err = listNodes(ctx, c, w)
		return err
	})
	return found, err
}

// ListNodes implements node.Store; fault.TooLarge for a filter with too many names.
func (s *nodes) ListNodes(ctx context.Context, f node.Filter) (all []node.Node, err error) {
	defer fault.Wrap(&err, "list nodes")
	w := &where{}
	equal(w, `n.cluster`, f.Cluster)
	equal(w, `n.sub_cluster`, f.SubCluster)
	in(w, `n.name`, f.Names)
	if err := w.check(); err != nil {
		return nil, err
	}
	err = s.db.view(ctx, func(c conn) error {
		all, err = listNodes(ctx, c, w)
		return err
	})
	return all, err
}

// UpdateNode implements node.Store. The scheduler's report is not part of what it replaces: the next report may have
// come since the caller read the node.
func (s *nodes) UpdateNode(ctx context.Context, n node.Node, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "update node %q", n.Name)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		if err := checkFree(ctx, c, n); err != nil {
			return err
		}
		return replaceNode(ctx, c, n)
	})
}

func replaceNode(ctx context.Context, c conn, n node.Node) error {
	rows, err := c.exec(ctx, `
		UPDATE nodes
		SET cluster = ?, sub_cluster = ?, name = ?, node_index = ?, description = ?, type = ?, mac = ?, ip = ?,
		    attributes = ?, power_uri = ?, hardware = ?, status = ?, modified = ?, modified_by = ?
		WHERE uid = ?`, append(nodeValues(n), n.UID)...)
	if err != nil {
		return err
	}
	if rows == 0 {
		return noNode(n.UID)
	}
	return setGroups(ctx, c, n)
}

// nodeValues returns the values of all columns but uid.
func nodeValues(n node.Node) []any {
	return []any{
		n.Cluster, n.SubCluster, n.Name, n.Index, n.Description, n.Type, n.MAC, n.IP,
		jsonColumn{n.Attributes},
		n.PowerURI,
		jsonColumn{n.Hardware},
		jsonColumn{n.Status},
		micros(n.Modified), n.ModifiedBy,
	}
}

// DeleteNode implements node.Store.
func (s *nodes) DeleteNode(ctx context.Context, uid node.UID, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "delete node %q", uid)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		rows, err := c.exec(ctx, `DELETE FROM nodes WHERE uid = ?`, uid)
		if err != nil {
			return err
		}
		if rows == 0 {
			return noNode(uid)
		}
		return nil
	})
}

// holder is a node that has what another one wants.
type holder struct {
	name, mac string
	index     int
}

func scanHolder(r row) (h holder, err error) {
	err = r.Scan(&h.name, &h.mac, &h.index)
	return h, err
}

// checkFree refuses a node whose MAC, index or name another node has, and says which. The unique indexes would refuse
// it as well, but not in words.
func checkFree(ctx context.Context, c conn, n node.Node) error {
	taken, err := list(ctx, c, scanHolder, `
		SELECT name, mac, node_index
		FROM nodes
		WHERE uid <> ? AND (cluster = ? AND name = ? OR mac <> '' AND mac = ? OR cluster = ? AND node_index >= 0 AND node_index = ?)
		ORDER BY name`, n.UID, n.Cluster, n.Name, n.MAC, n.Cluster, n.Index)
	if err != nil || len(taken) == 0 {
		return err
	}
	h := taken[0]
	switch {
	case n.MAC != "" && h.mac == n.MAC:
		return fault.New(fault.Conflict, "MAC %s belongs to node %s", n.MAC, h.name)
	case n.Index >= 0 && h.index == n.Index:
		return fault.New(fault.Conflict, "index %d belongs to node %s", n.Index, h.name)
	default:
		return fault.New(fault.Conflict, "there is a node %s already", h.name)
	}
}

func noNode(uid node.UID) error { return fault.New(fault.NotFound, "No node found for ID=%s", uid) }

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// nodeGroup is the membership of a node in a group.
type nodeGroup struct{ node, group node.UID }

func scanNodeGroup(r row) (g nodeGroup, err error) {
	err = r.Scan(&g.node, &g.group)
	return g, err
}

// fillGroups fills in the groups of nodes, in their order.
func fillGroups(ctx context.Context, c conn, all []node.Node) error {
	index := make(map[node.UID]int, len(all))
	uids := make([]any, len(all))
	for i, n := range all {
		index[n.UID] = i
		uids[i] = n.UID
	}
	for chunk := range slices.Chunk(uids, maxArgs) {
		found, err := list(ctx, c, scanNodeGroup, `
			SELECT node, grp
			FROM node_groups
			WHERE node IN (`+placeholders(len(chunk))+`)
			ORDER BY node, position`, chunk...)
		if err != nil {
			return err
		}
		for _, f := range found {
			n := &all[index[f.node]]
			n.Groups = append(n.Groups, f.group)
		}
	}
	return nil
}

// setGroups replaces the groups of a node; fault.Conflict when one does not exist.
func setGroups(ctx context.Context, c conn, n node.Node) error {
	if _, err := c.exec(ctx, `DELETE FROM node_groups WHERE node = ?`, n.UID); err != nil {
		return err
	}
	for i, g := range n.Groups {
		_, err := get(ctx, c, scalar[string], `SELECT uid FROM attrib_groups WHERE uid = ?`, g)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.Conflict, "there is no attribute group %q", g)
		}
		if err != nil {
			return err
		}
		if _, err := c.exec(ctx, `INSERT INTO node_groups (node, position, grp) VALUES (?, ?, ?)`, n.UID, i, g); err != nil {
			return err
		}
	}
	return nil
}

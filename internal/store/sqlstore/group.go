package sqlstore

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

const groupColumns = `uid, name, description, attributes, is_default, modified, modified_by`

func scanGroup(r row) (node.Group, error) {
	var g node.Group
	err := r.Scan(&g.UID, &g.Name, &g.Description, jsonColumn{&g.Attributes}, &g.Default, fromMicros(&g.Modified), &g.ModifiedBy)
	return g, err
}

// ListGroups implements node.Store.
func (s *nodes) ListGroups(ctx context.Context) (_ []node.Group, err error) {
	defer fault.Wrap(&err, "list attribute groups")
	return list(ctx, s.db.read(), scanGroup, `
		SELECT `+groupColumns+`
		FROM attrib_groups
		ORDER BY name`)
}

// SaveGroup implements node.Store. There is one default group: a new one takes the place of the old.
func (s *nodes) SaveGroup(ctx context.Context, g node.Group, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "save attribute group %q", g.Name)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		if g.Default {
			if _, err := c.exec(ctx, `UPDATE attrib_groups SET is_default = ? WHERE is_default = ? AND uid <> ?`, false, true, g.UID); err != nil {
				return err
			}
		}
		_, err := c.exec(ctx, `
			INSERT INTO attrib_groups (`+groupColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (uid) DO UPDATE
			SET name = excluded.name, description = excluded.description, attributes = excluded.attributes,
			    is_default = excluded.is_default, modified = excluded.modified, modified_by = excluded.modified_by`,
			g.UID, g.Name, g.Description, jsonColumn{g.Attributes}, g.Default, micros(g.Modified), g.ModifiedBy)
		if fault.Is(err, fault.Conflict) {
			return fault.Because(fault.Conflict, err, "there is an attribute group %q already", g.Name)
		}
		return err
	})
}

// DeleteGroup implements node.Store.
func (s *nodes) DeleteGroup(ctx context.Context, uid node.UID, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "delete attribute group %q", uid)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		members, err := get(ctx, c, scalar[int], `SELECT COUNT(*) FROM node_groups WHERE grp = ?`, uid)
		if err != nil {
			return err
		}
		if members > 0 {
			return fault.New(fault.Conflict, "%d nodes are in the attribute group; they have to leave it first", members)
		}
		rows, err := c.exec(ctx, `DELETE FROM attrib_groups WHERE uid = ?`, uid)
		if err != nil {
			return err
		}
		if rows == 0 {
			return fault.New(fault.NotFound, "there is no attribute group %q", uid)
		}
		return nil
	})
}

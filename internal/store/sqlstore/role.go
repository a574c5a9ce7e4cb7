package sqlstore

import (
	"context"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// roles implements identity.RoleStore.
type roles struct{ db *database }

const roleColumns = `name, display, description, permissions, delegates, nodes, max_lifetime, modified, modified_by`

func scanRole(r row) (identity.Grant, error) {
	var g identity.Grant
	var permissions, delegates []string
	var nodes string
	err := r.Scan(&g.Role, &g.Display, &g.Description, jsonColumn{&permissions}, jsonColumn{&delegates}, &nodes,
		durationColumn{&g.MaxLifetime}, fromMicros(&g.Modified), &g.ModifiedBy)
	if err != nil {
		return g, err
	}
	if g.Permissions, err = identity.ParsePermissions(permissions...); err != nil {
		return g, fault.Because(fault.Internal, err, "read role %q", g.Role)
	}
	if g.Delegates, err = identity.ParsePermissions(delegates...); err != nil {
		return g, fault.Because(fault.Internal, err, "read role %q", g.Role)
	}
	if nodes != "" {
		if g.Nodes, err = identity.ParseNodeSet(nodes); err != nil {
			return g, fault.Because(fault.Internal, err, "read role %q", g.Role)
		}
	}
	return g, nil
}

// ListRoles implements identity.RoleStore. A role that gives something this program does not know is an error: to leave
// it out would change what people may do.
func (s *roles) ListRoles(ctx context.Context) (_ []identity.Grant, err error) {
	defer fault.Wrap(&err, "list roles")
	return list(ctx, s.db.read(), scanRole, `
		SELECT `+roleColumns+`
		FROM roles
		ORDER BY name`)
}

// SaveRole implements identity.RoleStore.
func (s *roles) SaveRole(ctx context.Context, g identity.Grant, demoted []identity.UserID, rec audit.Record) (revoked []string, err error) {
	defer fault.Wrap(&err, "save role %q", g.Role)
	nodes := ""
	if g.Nodes != nil {
		nodes = g.Nodes.String()
	}
	err = s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		_, err := c.exec(ctx, `
			INSERT INTO roles (`+roleColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE
			SET display = excluded.display, description = excluded.description, permissions = excluded.permissions,
			    delegates = excluded.delegates, nodes = excluded.nodes, max_lifetime = excluded.max_lifetime,
			    modified = excluded.modified, modified_by = excluded.modified_by`,
			g.Role, g.Display, g.Description, jsonColumn{g.Permissions.Names()}, jsonColumn{g.Delegates.Names()}, nodes,
			int64(g.MaxLifetime/time.Second), micros(g.Modified), g.ModifiedBy)
		if err != nil {
			return err
		}
		revoked, err = endIssued(ctx, c, demoted, rec)
		return err
	})
	return unlessFailed(revoked, err)
}

// DeleteRole implements identity.RoleStore.
func (s *roles) DeleteRole(ctx context.Context, r identity.Role, demoted []identity.UserID, rec audit.Record) (revoked []string, err error) {
	defer fault.Wrap(&err, "delete role %q", r)
	err = s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		n, err := c.exec(ctx, `DELETE FROM roles WHERE name = ?`, r)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "there is no role %q", r)
		}
		revoked, err = endIssued(ctx, c, demoted, rec)
		return err
	})
	return unlessFailed(revoked, err)
}

// endIssued ends what users have issued for others, and adds to the record how much that was in all.
func endIssued(ctx context.Context, c conn, users []identity.UserID, rec *audit.Record) (revoked []string, err error) {
	total := map[string]int{}
	for _, id := range users {
		one := audit.Record{Time: rec.Time, Actor: rec.Actor}
		ids, err := endCredentials(ctx, c, id, identity.End{Issued: true}, &one)
		if err != nil {
			return nil, err
		}
		revoked = append(revoked, ids...)
		for what, count := range one.Details {
			n, _ := strconv.Atoi(count) // a number that endCredentials has written
			total[what] += n
		}
	}
	for what, n := range total {
		addDetail(rec, what, strconv.Itoa(n))
	}
	return revoked, nil
}

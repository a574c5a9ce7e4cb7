package identity

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// RoleStore keeps the roles of this site: those that it has made, and what it has made of those that come with the
// program. Each change is one transaction with its audit record, and with the end of the tokens that users have issued
// who may no longer administer users because of it: demoted are those users.
type RoleStore interface {
	// ListRoles returns all of them by name; System and Changed are not set.
	ListRoles(ctx context.Context) ([]Grant, error)
	// SaveRole adds a role or replaces the one of its name, and returns the ids of the tokens that it revoked.
	SaveRole(ctx context.Context, g Grant, demoted []UserID, rec audit.Record) (revoked []string, err error)
	// DeleteRole removes a role and returns the ids of the tokens that it revoked; fault.NotFound.
	DeleteRole(ctx context.Context, r Role, demoted []UserID, rec audit.Record) (revoked []string, err error)
}

// LoadRoles reads this site's roles. A server calls it at its start; until then there are those of the program only.
func (s *Service) LoadRoles(ctx context.Context) (err error) {
	defer fault.Wrap(&err, "load roles")
	if s.kept == nil {
		return nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	list, err := s.kept.ListRoles(ctx)
	if err != nil {
		return err
	}
	table := s.defaults
	for _, g := range list {
		if g.Role.isFixed() {
			continue // whatever somebody has done to the database
		}
		_, g.Changed = s.defaults.Get(g.Role)
		table = table.with(g)
	}
	s.roles.Store(table)
	return nil
}

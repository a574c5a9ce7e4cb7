package node

import (
	"context"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// GroupUpdate is a change to an attribute group. A nil field stays as it is.
type GroupUpdate struct {
	Name        *string
	Description *string
	Attributes  *map[string]string // replaces all of them
}

// UpdateGroup changes a group. It needs what SetGroupAttributes needs. fault.Denied, fault.NotFound, fault.Invalid,
// fault.Conflict.
func (s *Service) UpdateGroup(ctx context.Context, c identity.Caller, id string, up GroupUpdate) (Group, error) {
	g, _, err := s.changeGroup(ctx, c, id, nil, func(g *Group) (removed []string, err error) {
		set(&g.Name, up.Name)
		set(&g.Description, up.Description)
		if up.Attributes != nil {
			return groupRights.replace(c, &g.Attributes, *up.Attributes)
		}
		return nil, nil
	})
	return g, err
}

// SetGroupAttributes replaces the attributes of a group and returns the names that are no longer there. It needs
// AttribGroupsWrite, and AttribGroupsWriteReserv when a reserved name is set or removed. fault.Denied, fault.NotFound,
// fault.Invalid, fault.Conflict when id is ambiguous.
func (s *Service) SetGroupAttributes(ctx context.Context, c identity.Caller, id string, values map[string]string) (g Group, removed []string, err error) {
	return s.changeGroup(ctx, c, id, names(values), func(g *Group) ([]string, error) {
		return groupRights.replace(c, &g.Attributes, values)
	})
}

// MergeGroupAttributes sets some attributes of a group and keeps the others. It needs and returns what
// SetGroupAttributes does.
func (s *Service) MergeGroupAttributes(ctx context.Context, c identity.Caller, id string, values map[string]string) (Group, error) {
	g, _, err := s.changeGroup(ctx, c, id, names(values), func(g *Group) ([]string, error) {
		return nil, groupRights.merge(c, &g.Attributes, values)
	})
	return g, err
}

// ClearGroupAttributes removes some attributes of a group. It needs and returns what SetGroupAttributes does.
func (s *Service) ClearGroupAttributes(ctx context.Context, c identity.Caller, id string, gone ...string) (g Group, removed []string, err error) {
	return s.changeGroup(ctx, c, id, gone, func(g *Group) ([]string, error) {
		return groupRights.remove(c, &g.Attributes, gone)
	})
}

// changeGroup reads a group, lets edit alter it and writes it back with its audit record.
func (s *Service) changeGroup(ctx context.Context, c identity.Caller, id string, touched []string, edit func(*Group) ([]string, error)) (g Group, removed []string, err error) {
	if err := groupRights.mayWrite(c, touched); err != nil {
		return Group{}, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	g, err = s.resolveGroup(ctx, id)
	if err != nil {
		return Group{}, nil, err
	}
	before := g.Attributes
	if removed, err = edit(&g); err != nil {
		return Group{}, nil, err
	}
	if err := s.saveGroup(ctx, c, &g, "group.update", attributeDetails(before, g.Attributes, removed)); err != nil {
		return Group{}, nil, err
	}
	return viewGroup(c, g), removed, nil
}

// saveGroup checks the record, stamps it and writes it.
func (s *Service) saveGroup(ctx context.Context, c identity.Caller, g *Group, action string, details map[string]string) error {
	if err := validateName("group", g.Name); err != nil {
		return err
	}
	if err := checkAttributes(g.Attributes); err != nil {
		return err
	}
	now := s.clock.Now()
	g.Modified, g.ModifiedBy = now.UTC(), c.User.Name
	rec := c.Record(now, action, groupObject(*g))
	details["name"] = g.Name
	rec.Details = details
	if err := s.store.SaveGroup(ctx, *g, rec); err != nil {
		return fmt.Errorf("save group %s: %w", g.Name, err)
	}
	return nil
}

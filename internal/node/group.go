package node

import (
	"context"
	"fmt"
	"maps"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// NewGroup is the wish for an attribute group.
type NewGroup struct {
	Name        string
	Description string
	Attributes  map[string]string
}

// ListGroups returns the attribute groups by name. It needs AttribGroupsRead; reserved attributes are left out without
// AttribGroupsReadReserv. fault.Denied.
func (s *Service) ListGroups(ctx context.Context, c identity.Caller) ([]Group, error) {
	if err := c.Require(identity.AttribGroupsRead); err != nil {
		return nil, err
	}
	groups, err := s.store.ListGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list attribute groups: %w", err)
	}
	for i, g := range groups {
		groups[i] = viewGroup(c, g)
	}
	return groups, nil
}

// GetGroup returns the group with that UID, name, or unambiguous beginning of a UID. It needs what ListGroups needs.
// fault.Denied, fault.NotFound, fault.Conflict when id stands for several.
func (s *Service) GetGroup(ctx context.Context, c identity.Caller, id string) (Group, error) {
	if err := c.Require(identity.AttribGroupsRead); err != nil {
		return Group{}, err
	}
	g, err := s.resolveGroup(ctx, id)
	if err != nil {
		return Group{}, err
	}
	return viewGroup(c, g), nil
}

// CreateGroup adds a group. It needs AttribGroupsWrite, and AttribGroupsWriteReserv when a reserved name is set.
// fault.Denied, fault.Invalid, fault.Conflict when the name is taken.
func (s *Service) CreateGroup(ctx context.Context, c identity.Caller, n NewGroup) (Group, error) {
	if err := groupRights.mayWrite(c, names(n.Attributes)); err != nil {
		return Group{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	g := Group{UID: newUID(), Name: n.Name, Description: n.Description, Attributes: maps.Clone(n.Attributes)}
	if err := s.saveGroup(ctx, c, &g, "group.create", attributeDetails(nil, g.Attributes, nil)); err != nil {
		return Group{}, err
	}
	return viewGroup(c, g), nil
}

// DeleteGroup removes a group that no node is in. It needs AttribGroupsWrite, and AttribGroupsWriteReserv when the
// group sets a reserved name. fault.Denied, fault.NotFound, fault.Conflict while it is used or the default.
func (s *Service) DeleteGroup(ctx context.Context, c identity.Caller, id string) error {
	if err := c.Require(identity.AttribGroupsWrite); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	g, err := s.resolveGroup(ctx, id)
	if err != nil {
		return err
	}
	if err := groupRights.mayWrite(c, names(g.Attributes)); err != nil {
		return err
	}
	if g.Default {
		return fault.New(fault.Conflict, "group %s is the default group, in which every node is; it cannot be deleted", g.Name)
	}
	rec := c.Record(s.clock.Now(), "group.delete", groupObject(g))
	rec.Details = map[string]string{"name": g.Name}
	if err := s.store.DeleteGroup(ctx, g.UID, rec); err != nil {
		return fmt.Errorf("delete group %s: %w", g.UID, err)
	}
	return nil
}

func viewGroup(c identity.Caller, g Group) Group {
	g.Attributes = groupRights.readable(c, g.Attributes)
	return g
}

func groupObject(g Group) string { return "group/" + string(g.UID) }

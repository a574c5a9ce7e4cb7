package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// NewGroup is the wish for an attribute group.
type NewGroup struct {
	Name        string
	Description string
	Attributes  map[string]string
}

// GroupUpdate is a change to an attribute group. A nil field stays as it is.
type GroupUpdate struct {
	Name        *string
	Description *string
	Attributes  *map[string]string // replaces all of them
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

func (s *Service) resolveGroup(ctx context.Context, id string) (Group, error) {
	all, err := s.store.ListGroups(ctx)
	if err != nil {
		return Group{}, fmt.Errorf("list attribute groups: %w", err)
	}
	return findGroup(all, id)
}

// findGroup returns the group with that UID, else that name, else the only one whose UID begins so.
func findGroup(all []Group, id string) (Group, error) {
	var best []Group
	for _, g := range all {
		if string(g.UID) == id || g.Name == id {
			return g, nil // a name never looks like a UID
		}
		if uidPrefix.MatchString(id) && strings.HasPrefix(string(g.UID), id) {
			best = append(best, g)
		}
	}
	switch len(best) {
	case 0:
		return Group{}, fault.New(fault.NotFound, "No attribute group found for ID=%s", id)
	case 1:
		return best[0], nil
	default:
		candidates := make([]string, len(best))
		for i, g := range best {
			candidates[i] = fmt.Sprintf("%s (%s)", g.UID, g.Name)
		}
		return Group{}, ambiguous("attribute group", id, candidates)
	}
}

// defaultGroup returns the group in which every node is.
func defaultGroup(all []Group) (Group, bool) {
	i := slices.IndexFunc(all, func(g Group) bool { return g.Default })
	if i < 0 {
		return Group{}, false
	}
	return all[i], true
}

// pickGroups returns the groups with those UIDs, in that order.
func pickGroups(all []Group, uids []UID) []Group {
	picked := make([]Group, 0, len(uids))
	for _, uid := range uids {
		i := slices.IndexFunc(all, func(g Group) bool { return g.UID == uid })
		if i >= 0 {
			picked = append(picked, all[i])
		}
	}
	return picked
}

func viewGroup(c identity.Caller, g Group) Group {
	g.Attributes = groupRights.readable(c, g.Attributes)
	return g
}

func groupObject(g Group) string { return "group/" + string(g.UID) }

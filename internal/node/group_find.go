package node

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

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

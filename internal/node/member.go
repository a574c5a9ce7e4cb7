package node

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// JoinGroups puts a node into groups, given by UID or name, behind those that it is in already. A group that it is in
// keeps its place. It needs NodesWriteGroups. fault.Denied, fault.NotFound for the node or a group, fault.Invalid for
// the default group, fault.Conflict when an id is ambiguous.
func (s *Service) JoinGroups(ctx context.Context, c identity.Caller, id string, groups ...string) (Node, error) {
	return s.changeMembership(ctx, c, id, groups, func(has, want []UID) []UID {
		return unique(append(slices.Clone(has), want...))
	})
}

// SetGroups replaces the list of groups that a node is in. It needs and returns what JoinGroups does.
func (s *Service) SetGroups(ctx context.Context, c identity.Caller, id string, groups ...string) (Node, error) {
	return s.changeMembership(ctx, c, id, groups, func(_, want []UID) []UID { return want })
}

// LeaveGroups takes a node out of groups. It is no error when it is not in one of them. It needs and returns what
// JoinGroups does.
func (s *Service) LeaveGroups(ctx context.Context, c identity.Caller, id string, groups ...string) (Node, error) {
	return s.changeMembership(ctx, c, id, groups, func(has, want []UID) []UID {
		return slices.DeleteFunc(slices.Clone(has), func(u UID) bool { return slices.Contains(want, u) })
	})
}

func (s *Service) changeMembership(ctx context.Context, c identity.Caller, id string, groups []string, edit func(has, want []UID) []UID) (Node, error) {
	need := []identity.Permission{identity.NodesWriteGroups}
	n, err := s.change(ctx, c, id, work{"node.groups", need, func(n *Node) (map[string]string, error) {
		want, err := s.groupUIDs(ctx, groups)
		if err != nil {
			return nil, err
		}
		n.Groups = edit(n.Groups, want)
		return map[string]string{"groups": joinUIDs(n.Groups)}, nil
	}})
	if err != nil {
		return Node{}, err
	}
	return s.view(c, n), nil
}

// groupUIDs returns the UIDs of groups given by UID, name or beginning of a UID, without duplicates.
func (s *Service) groupUIDs(ctx context.Context, ids []string) ([]UID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := s.store.ListGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list attribute groups: %w", err)
	}
	uids := make([]UID, 0, len(ids))
	for _, id := range ids {
		g, err := findGroup(all, id)
		if err != nil {
			return nil, err
		}
		if g.Default {
			return nil, fault.New(fault.Invalid, "every node is in the default group %s; it can be neither joined nor left", g.Name)
		}
		uids = append(uids, g.UID)
	}
	return unique(uids), nil
}

// unique drops all but the first of equal UIDs.
func unique(uids []UID) []UID {
	var out []UID
	for _, u := range uids {
		if !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

func joinUIDs(uids []UID) string {
	text := make([]string, len(uids))
	for i, u := range uids {
		text[i] = string(u)
	}
	return strings.Join(text, ",")
}

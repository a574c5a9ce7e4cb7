package node

import (
	"context"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// The group that a new head begins with, and what is in it (contract clusterware 5.2, 5.6).
const (
	DefaultGroupName  = "DefaultAttribs"
	defaultBootName   = "_boot_config"
	defaultBootConfig = "DefaultBoot"
)

// EnsureDefaults makes sure that there is a default group. A server calls it at its start. It also reports a naming
// pattern that cannot be read, as fault.Invalid.
func (s *Service) EnsureDefaults(ctx context.Context) error {
	if s.patternErr != nil {
		return s.patternErr
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	all, err := s.store.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("list attribute groups: %w", err)
	}
	if _, ok := defaultGroup(all); ok {
		return nil
	}
	g, err := findGroup(all, DefaultGroupName)
	if err != nil {
		g = Group{
			UID: newUID(), Name: DefaultGroupName, Description: "Every node has these attributes unless something sets them otherwise.",
			Attributes: map[string]string{defaultBootName: defaultBootConfig},
		}
	}
	g.Default = true
	return s.saveGroup(ctx, identity.Local("bridgehead"), &g, "group.create", map[string]string{"default": "true"})
}

// SetDefaultGroup makes a group the one in which every node is, before all others. The group that was it so far becomes
// an ordinary one. It needs ClusterWrite. fault.Denied, fault.NotFound, fault.Conflict when id stands for several.
func (s *Service) SetDefaultGroup(ctx context.Context, c identity.Caller, id string) (Group, error) {
	if err := c.Require(identity.ClusterWrite); err != nil {
		return Group{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	g, err := s.resolveGroup(ctx, id)
	if err != nil {
		return Group{}, err
	}
	g.Default = true
	if err := s.saveGroup(ctx, c, &g, "group.update", map[string]string{"default": "true"}); err != nil {
		return Group{}, err
	}
	return viewGroup(c, g), nil
}

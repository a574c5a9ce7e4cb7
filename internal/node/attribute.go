package node

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Limits of attributes. They are far above what any node needs and keep a mistake from filling the database.
const (
	maxAttributes      = 1000
	maxAttributeName   = 128
	maxAttributeLength = 64 << 10
)

var attributeName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkAttributes reports the first thing that is wrong with names, values or their number, as fault.Invalid.
func checkAttributes(attributes map[string]string) error {
	if len(attributes) > maxAttributes {
		return fault.New(fault.Invalid, "%d attributes are too many; the limit is %d", len(attributes), maxAttributes)
	}
	for _, name := range names(attributes) {
		value := attributes[name]
		switch {
		case !attributeName.MatchString(name) || len(name) > maxAttributeName:
			return fault.New(fault.Invalid, "attribute name %q is not valid: letters, digits and _, not beginning with a digit", name)
		case len(value) > maxAttributeLength:
			return fault.New(fault.Invalid, "the value of attribute %s is longer than %d bytes", name, maxAttributeLength)
		case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
			return fault.New(fault.Invalid, "the value of attribute %s is not text", name)
		}
	}
	return nil
}

// Change is what a change to attributes led to.
type Change struct {
	Attributes Explained // effective afterwards, as far as the caller may read them
	Removed    []string  // names that were taken away, sorted
}

// Attributes returns a node's effective attributes with their origins. It needs NodesReadAttribs; reserved ones are
// left out without NodesReadReserv. fault.Denied, fault.NotFound, fault.Conflict when id is ambiguous.
func (s *Service) Attributes(ctx context.Context, c identity.Caller, id string) (Explained, error) {
	n, err := s.resolve(ctx, c, id, identity.NodesReadAttribs)
	if err != nil {
		return nil, err
	}
	return s.explain(ctx, c, n)
}

// SetAttributes replaces the node's own attributes. Names that are no longer there are removed from the node; its
// groups may still give them. It needs NodesWriteAttribs, and NodesWriteReserv when a reserved name is set or removed.
// fault.Denied, fault.NotFound, fault.Invalid, fault.Conflict when id is ambiguous.
func (s *Service) SetAttributes(ctx context.Context, c identity.Caller, id string, values map[string]string) (Change, error) {
	return s.changeAttributes(ctx, c, id, names(values), func(n *Node) ([]string, error) {
		return nodeRights.replace(onNode{c, n.Name}, &n.Attributes, values)
	})
}

// MergeAttributes sets some of the node's own attributes and keeps the others. It needs and returns what SetAttributes
// does.
func (s *Service) MergeAttributes(ctx context.Context, c identity.Caller, id string, values map[string]string) (Change, error) {
	return s.changeAttributes(ctx, c, id, names(values), func(n *Node) ([]string, error) {
		return nil, nodeRights.merge(onNode{c, n.Name}, &n.Attributes, values)
	})
}

// ClearAttributes removes some of the node's own attributes, so that what its groups give shows again. Names that the
// node does not have are no error. It needs and returns what SetAttributes does.
func (s *Service) ClearAttributes(ctx context.Context, c identity.Caller, id string, gone ...string) (Change, error) {
	return s.changeAttributes(ctx, c, id, gone, func(n *Node) ([]string, error) {
		return nodeRights.remove(onNode{c, n.Name}, &n.Attributes, gone)
	})
}

func (s *Service) changeAttributes(ctx context.Context, c identity.Caller, id string, touched []string, edit func(*Node) ([]string, error)) (Change, error) {
	var removed []string
	n, err := s.change(ctx, c, id, work{"node.attributes", nodeRights.needed(touched), func(n *Node) (map[string]string, error) {
		before := n.Attributes
		var err error
		removed, err = edit(n)
		return attributeDetails(before, n.Attributes, removed), err
	}})
	if err != nil {
		return Change{}, err
	}
	e, err := s.explain(ctx, c, n)
	return Change{Attributes: e, Removed: removed}, err
}

// attributeDetails names the attributes that were changed, for the audit trail. Values may be secrets.
func attributeDetails(before, after map[string]string, removed []string) map[string]string {
	var changed []string
	for _, name := range names(after) {
		if old, ok := before[name]; !ok || old != after[name] {
			changed = append(changed, name)
		}
	}
	return map[string]string{"set": strings.Join(changed, ","), "removed": strings.Join(removed, ",")}
}

// explain returns the node's effective attributes, as far as the caller may read them.
func (s *Service) explain(ctx context.Context, c identity.Caller, n Node) (Explained, error) {
	all, err := s.store.ListGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list attribute groups: %w", err)
	}
	def, _ := defaultGroup(all)
	e := Explain(def, pickGroups(all, n.Groups), n.Attributes)
	maps.DeleteFunc(e, func(name string, _ Effective) bool { return !nodeRights.mayRead(onNode{c, n.Name}, name) })
	return e, nil
}

func names(attributes map[string]string) []string { return slices.Sorted(maps.Keys(attributes)) }

package node

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// AmbiguousError is the cause of the fault.Conflict for an identifier that stands for several records.
type AmbiguousError struct {
	ID         string
	Candidates []string // UID and name of each, at most maxCandidates
}

const maxCandidates = 20

// Error names the candidates.
func (e *AmbiguousError) Error() string {
	return "candidates are " + strings.Join(e.Candidates, ", ")
}

func ambiguous(class, id string, candidates []string) error {
	if len(candidates) > maxCandidates {
		candidates = candidates[:maxCandidates]
	}
	cause := &AmbiguousError{ID: id, Candidates: candidates}
	return fault.Because(fault.Conflict, cause, "ID=%s stands for more than one %s: %s", id, class, strings.Join(candidates, ", "))
}

// resolve returns the node that id stands for, on which the caller has all those permissions. It may be, in this order, a
// UID, a name, a MAC address in any form, an IP address, or the beginning of a UID (5 characters or more). A node that the
// caller does not see is to him as if it did not exist. fault.Denied, fault.NotFound, fault.Conflict with an
// AmbiguousError.
func (s *Service) resolve(ctx context.Context, c identity.Caller, id string, needs ...identity.Permission) (Node, error) {
	if err := requireAll(c, needs); err != nil {
		return Node{}, err // before the node is looked up: who may not do it anywhere learns nothing of what there is
	}
	n, err := s.find(ctx, id, func(n Node) bool { return sees(c, n, needs...) })
	if err != nil {
		return Node{}, err
	}
	return n, requireAll(onNode{c, n.Name}, needs)
}

// sees reports whether the caller may know of the node: he may read it, or do all that he wants to do to it.
func sees(c identity.Caller, n Node, needs ...identity.Permission) bool {
	if !c.InCluster(n.Cluster) {
		return false
	}
	may := func(p identity.Permission) bool { return c.CanOn(p, n.Name) }
	return may(identity.NodesRead) || !slices.ContainsFunc(needs, func(p identity.Permission) bool { return !may(p) })
}

// find returns the node that id stands for among those that are visible.
func (s *Service) find(ctx context.Context, id string, visible func(Node) bool) (Node, error) {
	var found []Node
	for _, spelling := range spellings(id) {
		more, err := s.store.FindNodes(ctx, spelling)
		if err != nil {
			return Node{}, fmt.Errorf("find node %q: %w", id, err)
		}
		found = append(found, slices.DeleteFunc(more, func(n Node) bool { return !visible(n) })...)
	}
	switch best := bestMatches(id, found); len(best) {
	case 0:
		return Node{}, fault.New(fault.NotFound, "No node found for ID=%s", id)
	case 1:
		return best[0], nil
	default:
		names := make([]string, len(best))
		for i, n := range best {
			names[i] = fmt.Sprintf("%s (%s)", n.UID, strings.TrimPrefix(n.Cluster+"/"+n.Name, "/"))
		}
		return Node{}, ambiguous("node", id, names)
	}
}

// spellings returns id and, when it is a MAC address written otherwise, the form that is stored.
func spellings(id string) []string {
	if id == "" {
		return nil
	}
	if mac, err := ParseMAC(id); err == nil && mac != id {
		return []string{id, mac}
	}
	return []string{id}
}

// bestMatches returns those of found that id names by the strongest rule that names any.
func bestMatches(id string, found []Node) []Node {
	mac, _ := ParseMAC(id)
	rules := []func(Node) bool{
		func(n Node) bool { return string(n.UID) == id },
		// A scheduler may report a host that has the name of a managed node; whoever manages means the latter.
		func(n Node) bool { return n.Name == id && n.MAC != "" },
		func(n Node) bool { return n.Name == id },
		func(n Node) bool { return mac != "" && n.MAC == mac },
		func(n Node) bool { return n.IP != "" && n.IP == id },
		func(n Node) bool { return uidPrefix.MatchString(id) && strings.HasPrefix(string(n.UID), id) },
	}
	for _, rule := range rules {
		var best []Node
		for _, n := range found {
			known := slices.ContainsFunc(best, func(b Node) bool { return b.UID == n.UID })
			if rule(n) && !known {
				best = append(best, n)
			}
		}
		if len(best) > 0 {
			return best
		}
	}
	return nil
}

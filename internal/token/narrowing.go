package token

import (
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Narrowing is how much less a token may do than its user. Empty fields do not narrow.
type Narrowing struct {
	Permissions []string // only these
	ReadOnly    bool     // only those that read
	// Nodes leaves only permissions about single nodes, and only on these: a host list such as n[1-16],login*. Several
	// lists with & between them must all have the node.
	Nodes    string
	CIDRs    []string // only from these networks
	Clusters []string // only what is in these clusters
}

// None reports whether nothing is narrowed.
func (n Narrowing) None() bool { return !n.narrowsRights() && len(n.CIDRs) == 0 }

// narrowsRights reports whether the token may do less than its user, wherever it is used.
func (n Narrowing) narrowsRights() bool {
	return n.Permissions != nil || n.ReadOnly || n.Nodes != "" || n.Clusters != nil
}

// Narrow returns what is left of the permissions that the user has. A token never adds any; names that are not in the
// catalogue give nothing.
func (n Narrowing) Narrow(has identity.Set) identity.Set {
	if n.Permissions != nil {
		var named identity.Set
		for _, name := range n.Permissions {
			if p, ok := identity.ParsePermission(name); ok {
				named = named.Union(identity.SetOf(p))
			}
		}
		has = has.Intersect(named)
	}
	if n.ReadOnly {
		has = has.Intersect(identity.ReadOnly())
	}
	if n.Nodes != "" {
		has = has.Intersect(identity.PerNode())
	}
	if n.Clusters != nil {
		has = has.Intersect(identity.PerCluster())
	}
	return has
}

// The bounds of what a token can say.
const (
	maxNodes    = 1024 // bytes of an expression
	maxNetworks = 32
	maxClusters = 32
	conjunction = "&" // stands in no host list
)

// checked returns the narrowing in its one form; fault.Invalid for what cannot be.
func (n Narrowing) checked() (_ Narrowing, err error) {
	if _, err := identity.ParsePermissions(n.Permissions...); err != nil {
		return Narrowing{}, err
	}
	if n.Nodes, _, err = parseNodes(n.Nodes); err != nil {
		return Narrowing{}, err
	}
	if n.CIDRs, err = canonicalNetworks(n.CIDRs); err != nil {
		return Narrowing{}, err
	}
	n.Clusters, err = canonicalClusters(n.Clusters)
	return n, err
}

// inherit adds what the credential of the caller is narrowed to, beside its permissions: both hold. fault.Invalid when
// nothing would be left, fault.Denied for a cluster that the caller's credential does not reach.
func (n Narrowing) inherit(c identity.Caller) (_ Narrowing, err error) {
	if n.Nodes, err = bothNodes(n.Nodes, c.Nodes); err != nil {
		return Narrowing{}, err
	}
	if n.CIDRs, err = bothNetworks(n.CIDRs, c.CIDRs); err != nil {
		return Narrowing{}, err
	}
	switch {
	case c.Clusters == nil:
	case n.Clusters == nil:
		n.Clusters = slices.Clone(c.Clusters)
	default:
		outside := func(name string) bool { return !c.InCluster(name) }
		if i := slices.IndexFunc(n.Clusters, outside); i >= 0 {
			return Narrowing{}, c.RequireCluster(n.Clusters[i])
		}
	}
	return n, nil
}

// bothNodes returns the expression of the nodes that are in both.
func bothNodes(a, b string) (string, error) {
	if a == "" || b == "" || a == b {
		return max(a, b), nil
	}
	parts := strings.Split(a, conjunction)
	for p := range strings.SplitSeq(b, conjunction) {
		if !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	both := strings.Join(parts, conjunction)
	if len(both) > maxNodes {
		return "", fault.New(fault.Invalid, "the limit to nodes and that of your own token are too long together: %d bytes of at most %d", len(both), maxNodes)
	}
	return both, nil
}

// parseNodes reads an expression, which may be empty, and returns its one form and the sets of which all hold.
func parseNodes(expr string) (canonical string, sets []identity.NodeSet, err error) {
	if expr == "" {
		return "", nil, nil
	}
	if len(expr) > maxNodes {
		return "", nil, fault.New(fault.Invalid, "the limit to nodes is longer than %d bytes", maxNodes)
	}
	var parts []string
	for part := range strings.SplitSeq(expr, conjunction) {
		set, err := identity.ParseNodeSet(part)
		if err != nil {
			return "", nil, err
		}
		sets = append(sets, set)
		parts = append(parts, set.String())
	}
	return strings.Join(parts, conjunction), sets, nil
}

func canonicalClusters(names []string) ([]string, error) {
	if names == nil {
		return nil, nil
	}
	var out []string
	for _, name := range names {
		name = strings.TrimSpace(name)
		if !isWord(name) {
			return nil, fault.New(fault.Invalid, "the name of a cluster is not valid: 1 to %d bytes that print are expected", maxWord)
		}
		out = append(out, name)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) == 0 || len(out) > maxClusters {
		return nil, fault.New(fault.Invalid, "a token is narrowed to 1 to %d clusters, not to %d", maxClusters, len(out))
	}
	return out, nil
}

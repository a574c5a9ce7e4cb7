package identity

import (
	"path"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

// ParseNodeSet reads which nodes somebody may act on: a host list as in n[1-16],gpu03, in which names may have the
// wildcards * and ?, as in login*. fault.Invalid.
func ParseNodeSet(expr string) (NodeSet, error) {
	s := nodeSet{expr: strings.TrimSpace(expr), names: map[string]bool{}}
	if s.expr == "" {
		return nil, fault.New(fault.Invalid, "a limit to nodes names none; write it as in n[1-16],login*")
	}
	list, err := hostlist.Parse(s.expr)
	if err != nil {
		return nil, fault.Because(fault.Invalid, err, "the limit to nodes %q is not valid: %s", s.expr, fault.Message(err))
	}
	for _, name := range list.Hosts() {
		if strings.ContainsAny(name, "*?") {
			s.patterns = append(s.patterns, name)
			continue
		}
		s.names[name] = true
	}
	return s, nil
}

type nodeSet struct {
	expr     string
	names    map[string]bool
	patterns []string
}

// Contains implements NodeSet.
func (s nodeSet) Contains(node string) bool {
	if s.names[node] {
		return true
	}
	for _, p := range s.patterns {
		if ok, err := path.Match(p, node); ok && err == nil {
			return true
		}
	}
	return false
}

// String implements NodeSet.
func (s nodeSet) String() string { return s.expr }

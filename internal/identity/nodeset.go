package identity

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

// maxPatterns is how many names with wildcards a limit may stand for: each question whether a node is in it tries them all.
const maxPatterns = 1000

// ParseNodeSet reads which nodes somebody may act on: a host list as in n[1-16],gpu03, in which names may have the
// wildcards * and ?, as in login*. An item that begins with ^ takes nodes away, wildcards or not: n*,^n3. fault.Invalid.
func ParseNodeSet(expr string) (NodeSet, error) {
	s := &nodeSet{expr: strings.TrimSpace(expr)}
	if _, err := hostlist.Parse(s.expr); err != nil { // as a whole first: so that messages count from where people wrote
		return nil, badNodeSet(s.expr, err)
	}
	var with, without []string
	for _, item := range topLevel(s.expr) {
		item = strings.TrimSpace(item)
		if taken, ok := strings.CutPrefix(item, "^"); ok {
			without = append(without, taken)
		} else if item != "" {
			with = append(with, item)
		}
	}
	if len(with) == 0 {
		return nil, fault.New(fault.Invalid, "a limit to nodes names none; write it as in n[1-16],login*")
	}
	var err error
	if s.with, err = parseNames(with); err != nil {
		return nil, badNodeSet(s.expr, err)
	}
	if s.without, err = parseNames(without); err != nil {
		return nil, badNodeSet(s.expr, err)
	}
	return s, nil
}

func badNodeSet(expr string, err error) error {
	return fault.Because(fault.Invalid, err, "the limit to nodes %q is not valid: %v", expr, err)
}

// topLevel cuts an expression at the commas that stand outside of brackets.
func topLevel(expr string) []string {
	depth, from := 0, 0
	var items []string
	for i, c := range expr {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ',' && depth == 0:
			items, from = append(items, expr[from:i]), i+1
		}
	}
	return append(items, expr[from:])
}

// nodeSet is what with names but for what without names.
type nodeSet struct {
	expr          string
	with, without nodeNames
}

// nodeNames is plain names, which are not expanded, and names with wildcards, which are.
type nodeNames struct {
	plain    hostlist.List
	patterns []string
}

func parseNames(items []string) (n nodeNames, err error) {
	isWild := func(item string) bool { return strings.ContainsAny(item, "*?") }
	wild, err := hostlist.Parse(strings.Join(slices.DeleteFunc(slices.Clone(items), func(i string) bool { return !isWild(i) }), ","))
	if err != nil {
		return nodeNames{}, err
	}
	if wild.Len() > maxPatterns {
		return nodeNames{}, fmt.Errorf("it stands for more than %d names with wildcards", maxPatterns)
	}
	n.patterns = wild.Hosts()
	n.plain, err = hostlist.Parse(strings.Join(slices.DeleteFunc(slices.Clone(items), isWild), ","))
	return n, err
}

func (n nodeNames) has(node string) bool {
	return n.plain.Contains(node) || slices.ContainsFunc(n.patterns, func(p string) bool {
		ok, err := path.Match(p, node)
		return ok && err == nil
	})
}

// Contains implements NodeSet.
func (s *nodeSet) Contains(node string) bool { return s.with.has(node) && !s.without.has(node) }

// String implements NodeSet.
func (s *nodeSet) String() string { return s.expr }

// anyNodes is the nodes that are in one of the sets, of which there are two or more.
type anyNodes []NodeSet

// Contains implements NodeSet.
func (a anyNodes) Contains(node string) bool {
	return slices.ContainsFunc(a, func(s NodeSet) bool { return s.Contains(node) })
}

// String implements NodeSet. It is for people: no expression says "or" of lists that take nodes away.
func (a anyNodes) String() string {
	texts := make([]string, len(a))
	for i, s := range a {
		texts[i] = s.String()
	}
	return strings.Join(texts, " or ")
}

// nodesText returns the expression of a limit, "" when there is none.
func nodesText(s NodeSet) string {
	if s == nil {
		return ""
	}
	return s.String()
}

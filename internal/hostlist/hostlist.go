// Package hostlist reads, compares and folds lists of host names such as n[001-128,200].
//
// A list is items divided by commas. An item is a name in which each pair of brackets stands for one of the numbers in
// it: r[1-4]n[01-36]-ib is 144 hosts. A range whose first number begins with 0 keeps that width: [08-10] is 08, 09, 10
// while [8-10] is 8, 9, 10. An item that begins with ^ takes hosts away: n[1-8],^n3 is seven hosts.
package hostlist

import (
	"strconv"
	"strings"
)

// The limits of one list. They keep a short text from becoming a large answer.
const (
	MaxLength   = 64 << 10 // bytes of an expression
	MaxHosts    = 1 << 17  // hosts that an expression stands for
	MaxBrackets = 4        // brackets in one name
)

// List is a parsed list expression. The zero value contains no host. A List is immutable and safe for concurrent use.
type List struct {
	expr    string
	include []item
	exclude []item
}

// item is a name with brackets: lits[0] sets[0] lits[1] sets[1] ... lits[n]. lits has one element more than sets.
type item struct {
	lits []string
	sets [][]span
}

// span is the numbers lo..hi, written with at least width digits.
type span struct {
	lo, hi uint64
	width  int
}

// String returns the expression as it was written.
func (l List) String() string { return l.expr }

// Hosts returns every host once, in the order in which the expression names them.
func (l List) Hosts() []string {
	hosts := make([]string, 0, l.upperBound())
	seen := make(map[string]struct{}, cap(hosts))
	for _, it := range l.include {
		it.each("", func(host string) {
			if _, dup := seen[host]; dup || matchesAny(l.exclude, host) {
				return
			}
			seen[host] = struct{}{}
			hosts = append(hosts, host)
		})
	}
	return hosts
}

// Len returns the number of hosts.
func (l List) Len() int {
	if len(l.include) == 1 && len(l.exclude) == 0 && !l.include[0].mayRepeat() {
		return l.include[0].size()
	}
	return len(l.Hosts())
}

// Contains reports whether host is in the list. It does not expand the list.
func (l List) Contains(host string) bool {
	return matchesAny(l.include, host) && !matchesAny(l.exclude, host)
}

// upperBound counts hosts that are named twice twice, and those that are taken away again.
func (l List) upperBound() int {
	n := 0
	for _, it := range l.include {
		n += it.size()
	}
	return n
}

func matchesAny(items []item, host string) bool {
	for _, it := range items {
		if it.matches(host) {
			return true
		}
	}
	return false
}

// size is the product of the sizes of the brackets. Parse has made sure that it is at most MaxHosts.
func (it item) size() int {
	n := 1
	for _, set := range it.sets {
		n *= setSize(set)
	}
	return n
}

func setSize(set []span) int {
	n := 0
	for _, s := range set {
		n += s.size()
	}
	return n
}

// mayRepeat reports whether two choices can give the same name: overlapping ranges, or digits beside a bracket, as in
// n[1-11][1-11], where n111 arises twice.
func (it item) mayRepeat() bool {
	if len(it.sets) > 1 {
		return true
	}
	for _, set := range it.sets {
		if len(set) > 64 { // comparing each with each would take longer than expanding
			return true
		}
		for i, s := range set {
			for _, t := range set[:i] {
				if s.lo <= t.hi && t.lo <= s.hi {
					return true
				}
			}
		}
	}
	return false
}

// each calls yield with every name of the item, the last bracket turning fastest.
func (it item) each(prefix string, yield func(string)) {
	prefix += it.lits[0]
	if len(it.sets) == 0 {
		yield(prefix)
		return
	}
	rest := item{it.lits[1:], it.sets[1:]}
	for _, s := range it.sets[0] {
		for n := s.lo; n <= s.hi; n++ {
			rest.each(prefix+s.format(n), yield)
		}
	}
}

// matches reports whether name is one of the item's names. Brackets that touch digits or each other make it try each
// way to divide the digits; MaxBrackets bounds that.
func (it item) matches(name string) bool {
	name, ok := strings.CutPrefix(name, it.lits[0])
	if !ok {
		return false
	}
	if len(it.sets) == 0 {
		return name == ""
	}
	rest := item{it.lits[1:], it.sets[1:]}
	for n := 1; n <= min(len(name), maxDigits) && isDigit(name[n-1]); n++ {
		if setHas(it.sets[0], name[:n]) && rest.matches(name[n:]) {
			return true
		}
	}
	return false
}

func setHas(set []span, digits string) bool {
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return false
	}
	width := len(strconv.FormatUint(n, 10))
	for _, s := range set {
		if s.lo <= n && n <= s.hi && len(digits) == max(width, s.width) {
			return true
		}
	}
	return false
}

func (s span) size() int { return int(s.hi-s.lo) + 1 }

// format writes n with the width of the span.
func (s span) format(n uint64) string {
	text := strconv.FormatUint(n, 10)
	if missing := s.width - len(text); missing > 0 {
		return strings.Repeat("0", missing) + text
	}
	return text
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

package metric

import (
	"fmt"
	"strings"
)

// Reject is a line that was not taken.
type Reject struct {
	Line   int // the first one is 1
	Reason string
}

const (
	// shownReasons is how many reasons Reasons lists, and shownNumbers of how many lines.
	shownReasons = 5
	shownNumbers = 5
)

// Reasons says in one sentence what was wrong with which lines, or whatever unit they are. Lines that are wrong for the same
// reason stand together: a sender's mistake is mostly one in all of its lines.
func (r WriteResult) Reasons(unit string) string {
	var order []string
	lines := map[string][]int{}
	for _, reject := range r.Rejects {
		if lines[reject.Reason] == nil {
			order = append(order, reject.Reason)
		}
		lines[reject.Reason] = append(lines[reject.Reason], reject.Line)
	}
	var list []string
	left := r.Rejected
	for _, reason := range order[:min(shownReasons, len(order))] {
		list = append(list, numbers(unit, lines[reason])+": "+reason)
		left -= len(lines[reason])
	}
	if left > 0 {
		list = append(list, fmt.Sprintf("and %d more", left))
	}
	return strings.Join(list, "; ")
}

// numbers is "line 3", or "lines 3, 4, 9 and 12 more".
func numbers(unit string, of []int) string {
	if len(of) == 1 {
		return fmt.Sprintf("%s %d", unit, of[0])
	}
	var b strings.Builder
	b.WriteString(unit + "s ")
	for i, n := range of[:min(shownNumbers, len(of))] {
		switch {
		case i == 0:
		case i == len(of)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d", n)
	}
	if more := len(of) - shownNumbers; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

package job

import (
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// ParseState returns the state with that name in any case; fault.Invalid, naming the states, when there is none.
func ParseState(name string) (State, error) {
	s := State(strings.ToLower(name))
	if slices.Contains(States(), s) {
		return s, nil
	}
	names := make([]string, 0, len(States()))
	for _, s := range States() {
		names = append(names, string(s))
	}
	return "", fault.New(fault.Invalid, "unknown job state %q; the states are %s", name, strings.Join(names, ", "))
}

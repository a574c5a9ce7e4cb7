package checkpoint

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// Report writes the summary for people, a line each.
func (s Summary) Report(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "Imported %d samples of %d series of %d hosts from %d files.\n", s.Samples, s.Series, s.Hosts, s.Files); err != nil {
		return err
	}
	var lines []string
	if s.TooOld > 0 {
		lines = append(lines, fmt.Sprintf("Too old to be kept: %d samples.", s.TooOld))
	}
	for _, reason := range slices.Sorted(maps.Keys(s.Refused)) {
		lines = append(lines, fmt.Sprintf("Refused: %d samples: %s.", s.Refused[reason], reason))
	}
	for _, p := range s.Problems {
		lines = append(lines, "Not read: "+p)
	}
	if s.MoreProblems > 0 {
		lines = append(lines, fmt.Sprintf("Not read: and %d more.", s.MoreProblems))
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

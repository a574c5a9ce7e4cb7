package metric_test

import (
	"fmt"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// A sender's mistake is mostly the same one in all of its lines; it is told once.
func TestLinesThatAreWrongForOneReasonStandTogether(t *testing.T) {
	t.Parallel()
	reject := func(reasons ...string) []metric.Reject {
		var list []metric.Reject
		for i, reason := range reasons {
			list = append(list, metric.Reject{Line: i + 1, Reason: reason})
		}
		return list
	}
	for want, r := range map[string]metric.WriteResult{
		"":                                  {Taken: 3},
		"line 1: a":                         {Rejected: 1, Rejects: reject("a")},
		"lines 1 and 3: a; line 2: b":       {Rejected: 3, Rejects: reject("a", "b", "a")},
		"lines 1, 2, 3, 4 and 5: a":         {Rejected: 5, Rejects: reject("a", "a", "a", "a", "a")},
		"lines 1, 2, 3, 4, 5 and 2 more: a": {Rejected: 7, Rejects: reject("a", "a", "a", "a", "a", "a", "a")},
		"line 1: a; line 2: b; line 3: c; line 4: d; line 5: e; and 1 more": {Rejected: 6, Rejects: reject("a", "b", "c", "d", "e", "f")},
		"line 1: a; and 900 more": {Rejected: 901, Rejects: reject("a")}, // the others are only counted
	} {
		if got := r.Reasons("line"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func ExampleWriteResult_Reasons() {
	r := metric.WriteResult{Taken: 1, Rejected: 2, Rejects: []metric.Reject{{Line: 2, Reason: `unknown cluster "alhpa"`}, {Line: 3, Reason: `unknown cluster "alhpa"`}}}
	fmt.Println(r.Reasons("line"))
	// Output: lines 2 and 3: unknown cluster "alhpa"
}

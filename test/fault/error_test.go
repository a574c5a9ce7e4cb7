package fault_test

import (
	"fmt"
	"regexp"
	"sync/atomic"
	"testing"
)

// A disk that refuses one call, with an error or because it is full, makes at most what is being done fail: it is said to
// have failed, everything acknowledged is there, and the next thing succeeds.
func TestErrorAtAnyCallIsSaidAndPasses(t *testing.T) {
	t.Parallel()
	needStrace(t)
	for _, s := range subjects() {
		t.Run(s.worker, func(t *testing.T) {
			t.Parallel()
			total := counts(t, s)
			var list []injection
			for _, call := range s.calls {
				for _, k := range faultPoints(total[call]) {
					for _, errno := range []string{"EIO", "ENOSPC"} {
						i := injection{call: call, what: "error=" + errno, k: k}
						list = append(list, i)
						i.dies = true
						list = append(list, i)
					}
				}
			}
			if !long() {
				list = shortFaults(s, total)
			}
			var hit, silent, failures atomic.Int64
			each(list, func(i injection) {
				dir := t.TempDir()
				o := work(t.Context(), s.worker, dir, i)
				if o.err != nil || o.killed {
					t.Errorf("%s: %v: %s", i, o.err, o.stderr)
				}
				failed := failuresIn(o.said)
				if o.hits > 0 {
					hit.Add(1)
					if len(failed) == 0 {
						silent.Add(1)
					}
				}
				failures.Add(int64(len(failed)))
				if msg := lasting(failed, o.hits); msg != "" {
					t.Errorf("%s: %s", i, msg)
				}
				s.check(t, dir, o.said, i.String())
			})
			t.Logf("%d faults, of which %d made nothing fail, %d failures; calls: %v", hit.Load(), silent.Load(), failures.Load(), total)
			if int(hit.Load()) < len(list)*3/4 {
				t.Errorf("only %d of %d faults have happened", hit.Load(), len(list))
			}
		})
	}
}

// shortFaults are those of the short form: for each call one in the middle, and every sync up to the first checkpoint of
// samples, which is followed by death.
func shortFaults(s subject, total map[string]int) (list []injection) {
	for n, call := range s.calls {
		if total[call] > 0 {
			list = append(list, injection{call: call, what: "error=" + []string{"EIO", "ENOSPC"}[n%2], k: 1 + total[call]/2})
		}
	}
	if s.worker == "samples" {
		for k := range 12 {
			list = append(list, injection{call: "fsync", what: "error=EIO", k: k + 1, dies: true})
		}
	}
	return list
}

// faultPoints are the calls that are made to fail in the long form: the first three hundred and some of the others.
func faultPoints(last int) []int {
	var list []int
	for k := 1; k <= min(300, last); k++ {
		list = append(list, k)
	}
	for _, k := range spread(100, last) {
		if k > 300 {
			list = append(list, k)
		}
	}
	return list
}

func failuresIn(said []entry) (failed []entry) {
	for _, e := range said {
		if e.failed != "" {
			failed = append(failed, e)
		}
	}
	return failed
}

// lasting says what is wrong when faults have made more fail than what they hit: things that need what failed, such as the
// token of a user who was not made, have the same number and fail with it.
func lasting(failed []entry, faults int) string {
	number := regexp.MustCompile(`\d+`)
	steps := map[string]bool{}
	for _, e := range failed {
		steps[number.FindString(e.id)] = true
	}
	if len(steps) <= faults {
		return ""
	}
	last := failed[len(failed)-1]
	return fmt.Sprintf("%d faults, and %d steps fail, the last of them %s: %s", faults, len(steps), last, last.failed)
}

package fault_test

import (
	"sync/atomic"
	"testing"
)

// A process that dies at its k-th write, fsync, rename or removal has lost nothing that it had acknowledged, and has left
// nothing half done.
func TestCrashAtAnyCallLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	needStrace(t)
	for _, s := range subjects() {
		t.Run(s.worker, func(t *testing.T) {
			t.Parallel()
			total := counts(t, s)
			var list []injection
			for _, call := range s.calls {
				if total[call] == 0 {
					continue
				}
				for _, k := range spread(pick(3, 150), total[call]) {
					list = append(list, injection{call: call, what: "signal=KILL", k: k})
				}
			}
			var killed, acknowledged atomic.Int64
			each(list, func(i injection) {
				dir := t.TempDir()
				o := work(t.Context(), s.worker, dir, i)
				if o.killed {
					killed.Add(1)
				} else if o.err != nil {
					t.Errorf("%s: %v: %s", i, o.err, o.stderr)
				}
				acknowledged.Add(int64(len(o.said)))
				s.check(t, dir, o.said, i.String())
			})
			t.Logf("%d crash points, %d things acknowledged; calls: %v", killed.Load(), acknowledged.Load(), total)
			if int(killed.Load()) < len(list)*3/4 {
				t.Errorf("only %d of %d faults have killed", killed.Load(), len(list))
			}
		})
	}
}

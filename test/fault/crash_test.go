package fault_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/test/program"
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
				for _, k := range spread(pick(2, 150), total[call]) {
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

// Whoever kills -init can call it again.
func TestInitThatWasKilledIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	needStrace(t)
	bin := programs(t)
	killed := 0
	for _, call := range []string{"openat", "mkdirat", "write", "fsync", "renameat", "pwrite64"} {
		for _, k := range spread(pick(2, 12), 12) {
			h := program.Head{T: t, Bin: bin, Dir: t.TempDir(), Env: []string{"GOMAXPROCS=1"}}
			cmd := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call,
				"-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, k), filepath.Join(bin, "cc-backend"), "-init")
			cmd.Dir = h.Dir
			if cmd.Run() != nil {
				killed++
			}
			what := fmt.Sprintf("killed at %s %d", call, k)
			h.Run("", "cc-backend", "-init")
			if out, err := h.Try("", "cc-backend", "-add-user", "bot:api:"); err != nil {
				t.Errorf("%s: %v\n%s", what, err, out)
			}
			if strings.Count(h.Read(".env"), "\n") != 4 || !json.Valid([]byte(h.Read("config.json"))) {
				t.Errorf("%s: half a file", what)
			}
		}
	}
	t.Logf("killed %d times", killed)
	if killed < 6 {
		t.Error("hardly ever killed")
	}
}

package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// injection is a fault that strace puts into a worker: what happens at the k-th call of that name.
type injection struct {
	call string
	what string // "signal=KILL", "error=EIO"
	k    int
	dies bool // the worker dies soon afterwards
}

func (i injection) String() string {
	text := fmt.Sprintf("%s of %s %d", i.what, i.call, i.k)
	if i.dies {
		text += " and death"
	}
	return text
}

// outcome is how a worker has fared.
type outcome struct {
	said   []entry
	killed bool
	hits   int // how many times the fault has happened: strace counts the calls of each thread
	err    error
	stderr string
}

// work runs a worker in dir, with a fault.
func work(ctx context.Context, worker, dir string, i injection) outcome {
	trace := filepath.Join(dir, "strace")
	args := []string{"-f", "-qq", "-o", trace, "-e", "trace=" + i.call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", i.call, i.what, i.k), os.Args[0]}
	if strings.HasPrefix(i.what, "error") {
		args = append([]string{"--seccomp-bpf"}, args...) // quicker, but then signals are not put in
	}
	cmd := exec.CommandContext(ctx, "strace", args...)
	cmd.Env = append(os.Environ(), workerName+"="+worker, workerDir+"="+dir, "GOMAXPROCS=1", "GOGC=off", "GORACE=atexit_sleep_ms=0")
	if i.dies {
		cmd.Env = append(cmd.Env, workerDies+"=yes")
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	o := outcome{said: parseEntries(out.String()), stderr: stderr.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status, _ := exit.Sys().(syscall.WaitStatus)
		o.killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	if !o.killed {
		o.err = err
	}
	text, _ := os.ReadFile(trace)
	o.hits = bytes.Count(text, []byte("(INJECTED)"))
	_ = os.Remove(trace)
	return o
}

// needStrace skips a test where strace is missing or must not trace.
func needStrace(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short")
	}
	needTools(t, "strace")
	if out, err := command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"); err != nil {
		t.Skipf("strace must not trace here (in a container, give it the capability SYS_PTRACE): %s %v", out, err)
	}
}

// subject is a worker with what has to be true behind it.
type subject struct {
	worker string
	check  func(t *testing.T, dir string, said []entry, what string)
	calls  []string // that change the disk
}

func subjects() []subject {
	return []subject{
		{"database", func(t *testing.T, dir string, said []entry, what string) {
			t.Helper()
			checkDatabase(t, filepath.Join(dir, databaseFile), said, what)
		}, []string{"pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "unlinkat", "openat"}},
		{"samples", checkSamples, []string{"pwrite64", "write", "fsync", "renameat", "unlinkat", "ftruncate", "openat"}},
	}
}

// counts returns how many calls of each name the worker makes in its main thread, the one that works.
func counts(t *testing.T, s subject) map[string]int {
	t.Helper()
	dir := t.TempDir()
	trace := filepath.Join(dir, "strace")
	cmd := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-o", trace, "-e", "trace="+strings.Join(s.calls, ","), os.Args[0])
	cmd.Env = append(os.Environ(), workerName+"="+s.worker, workerDir+"="+dir, "GOMAXPROCS=1", "GOGC=off", "GORACE=atexit_sleep_ms=0")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), ": ") {
		t.Fatalf("the worker does not work: %v\n%s", err, out)
	}
	text, err := os.ReadFile(trace)
	must(t, err)
	byThread := map[string]map[string]int{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 || !strings.Contains(f[1], "(") {
			continue
		}
		name, _, _ := strings.Cut(f[1], "(")
		if byThread[f[0]] == nil {
			byThread[f[0]] = map[string]int{}
		}
		byThread[f[0]][name]++
	}
	most := map[string]int{}
	for _, calls := range byThread {
		for name, n := range calls {
			most[name] = max(most[name], n)
		}
	}
	return most
}

// spread returns at most n numbers from 1 to last, evenly.
func spread(n, last int) (list []int) {
	n = min(n, last)
	for i := range n {
		list = append(list, 1+i*last/n)
	}
	return list
}

// each runs f for every injection, two at a time.
func each(list []injection, f func(i injection)) {
	var wg sync.WaitGroup
	queue := make(chan injection)
	for range 2 {
		wg.Go(func() {
			for i := range queue {
				f(i)
			}
		})
	}
	for _, i := range list {
		queue <- i
	}
	close(queue)
	wg.Wait()
}

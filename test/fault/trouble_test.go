package fault_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/test/program"
)

// trouble is a head whose machine has a fault for a while.
type trouble struct {
	t    *testing.T
	h    *program.Head
	c    *client
	next int // step of the client
}

// inTrouble starts a head in dir and lets the client work.
func inTrouble(t *testing.T, bin, dir string) *trouble {
	t.Helper()
	tr := &trouble{t: t, h: newHead(t, bin, dir), next: 1}
	tr.c = newClient(t, tr.h)
	tr.h.Start()
	tr.well(4)
	return tr
}

// well fails the test unless everything is acknowledged. What the disk has refused before may be refused once more.
func (tr *trouble) well(steps int) {
	tr.t.Helper()
	if _, failed := tr.steps(1); failed > 0 {
		tr.steps(1)
	}
	if _, failed := tr.steps(steps); failed > 0 {
		tr.t.Errorf("%d requests fail when the trouble is over: %s", failed, tr.c.failure)
	}
}

func (tr *trouble) steps(n int) (acknowledged, failed int) {
	tr.t.Helper()
	for range n {
		ctx, cancel := context.WithTimeout(tr.t.Context(), 30*time.Second)
		a, f := tr.c.step(ctx, tr.next)
		for range 3 {
			if err := tr.c.write(ctx); err != nil {
				f++
			} else {
				a++
			}
		}
		cancel()
		acknowledged, failed = acknowledged+a, failed+f
		tr.next++
	}
	return acknowledged, failed
}

// reads fails the test unless what only reads goes on.
func (tr *trouble) reads() {
	tr.t.Helper()
	for _, path := range []string{"/api/v1/whoami", "/api/jobs/", "/api/users/", "/.well-known/token-status-list"} {
		if status, text, err := tr.c.call(tr.t.Context(), http.MethodGet, path, ""); err != nil || status != http.StatusOK {
			tr.t.Errorf("%s: %d %.200s %v", path, status, text, err)
		}
	}
}

// kept kills the head and fails the test unless everything that was acknowledged is there, what failed was said in a way
// that tells nobody about the machine, and the next start is none the worse.
func (tr *trouble) kept() {
	tr.t.Helper()
	if tr.h.HasEnded() {
		tr.t.Fatalf("the head has ended:\n%s", tail(tr.h.Read(program.Log)))
	}
	for _, text := range tr.c.refusals {
		for _, word := range []string{tr.h.Dir, "var/", ".db", "wal-", ".bh", "input/output", "no space left on", "SQL", "errno", "descriptor", "file too large"} {
			if strings.Contains(text, word) {
				tr.t.Errorf("a reply tells of %q: %s", word, text)
			}
		}
	}
	tr.h.Stop(syscall.SIGKILL)
	k := tr.c.known()
	checkFolder(tr.t, tr.c, k, tr.h.Dir, 0, "after the trouble")
	tr.h.Start()
	checkHead(tr.t, tr.h, tr.c, k, 10, "after the trouble")
	tr.well(2)
	tr.h.Stop(syscall.SIGTERM)
	tr.t.Logf("%d records and %d batches, %d refusals", len(k.done), len(k.batches), len(tr.c.refusals))
}

func tail(text string) string { return text[max(0, len(text)-2000):] }

// injectInto makes calls of a running process fail until the returned function is called.
func injectInto(t *testing.T, pid int, calls, errno string) (stop func()) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "strace", "-f", "-qq", "-o", "/dev/null", "-p", strconv.Itoa(pid), "-e", "trace="+calls, "-e", "inject="+calls+":error="+errno)
	must(t, cmd.Start())
	ended := false
	stop = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Signal(syscall.SIGINT) // it lets the process go
			_ = cmd.Wait()
		}
	}
	t.Cleanup(stop)
	var wall clock.System
	for range 500 {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		must(t, err)
		if !strings.Contains(string(status), "TracerPid:\t0") {
			return stop
		}
		<-wall.After(10 * time.Millisecond)
	}
	t.Fatal("strace does not get hold of the process")
	return stop
}

// limit sets a limit of a running process until the returned function is called.
func limit(t *testing.T, pid, resource int, soft uint64) (lift func()) {
	t.Helper()
	var was unix.Rlimit
	must(t, unix.Prlimit(pid, resource, nil, &was))
	must(t, unix.Prlimit(pid, resource, &unix.Rlimit{Cur: soft, Max: was.Max}, nil))
	return func() { must(t, unix.Prlimit(pid, resource, &was, nil)) }
}

func TestDiskThatFailsForAWhile(t *testing.T) {
	t.Parallel()
	needStrace(t)
	bin := programs(t)
	for what, c := range map[string]struct{ calls, errno string }{
		"no write succeeds":  {"pwrite64", "EIO"},
		"no sync succeeds":   {"fsync,fdatasync", "EIO"},
		"there is no room":   {"pwrite64,ftruncate", "ENOSPC"},
		"nothing is allowed": {"pwrite64,fsync,fdatasync,ftruncate,renameat,unlinkat,unlink", "EROFS"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			tr := inTrouble(t, bin, t.TempDir())
			for range pick(1, 10) {
				stop := injectInto(t, tr.h.PID(), c.calls, c.errno)
				_, failed := tr.steps(2)
				if failed == 0 {
					t.Error("nothing failed")
				}
				tr.reads()
				stop()
				tr.well(2)
			}
			tr.kept()
		})
	}
}

// Short faults of all kinds, at any moment of whatever the head is doing.
func TestStormOfShortFaults(t *testing.T) {
	t.Parallel()
	if !long() {
		t.Skip("only in the long form: BRIDGEHEAD_FAULTS=long")
	}
	needStrace(t)
	tr := inTrouble(t, programs(t), t.TempDir())
	calls := []string{"pwrite64", "fsync", "fdatasync", "ftruncate", "openat", "renameat", "unlinkat"}
	for n := range 150 {
		stop := injectInto(t, tr.h.PID(), calls[n%len(calls)], []string{"EIO", "ENOSPC"}[rand.IntN(2)])
		tr.steps(1)
		stop()
		tr.well(1)
	}
	tr.reads()
	tr.kept()
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir := t.TempDir()
	mount(t, "none", dir, "size=16m", "-t", "tmpfs")
	tr := inTrouble(t, programs(t), dir)
	for range pick(1, 5) {
		filler := filepath.Join(dir, "filler")
		if _, err := command("sh", "-c", "cat /dev/zero > "+filler+" 2>/dev/null"); err == nil {
			t.Fatal("the disk does not fill up")
		}
		failed := 0
		for range 50 {
			_, f := tr.steps(1)
			failed += f
		}
		if failed == 0 {
			t.Error("nothing failed")
		}
		tr.reads()
		must(t, os.Remove(filler))
		tr.well(2)
	}
	tr.kept()
	must(t, os.WriteFile(filepath.Join(dir, "filler"), nil, 0o600))
	_, _ = command("sh", "-c", "cat /dev/zero > "+filepath.Join(dir, "filler")+" 2>/dev/null")
	if out, err := tr.h.Try("", "cc-backend", "-server"); err == nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, "full") {
		t.Errorf("a start on a disk that is full: %v\n%s", err, out)
	}
}

func TestLimitOnTheSizeOfFiles(t *testing.T) {
	t.Parallel()
	needRoot(t)
	tr := inTrouble(t, programs(t), t.TempDir())
	lift := limit(t, tr.h.PID(), unix.RLIMIT_FSIZE, 4096)
	if _, failed := tr.steps(3); failed == 0 {
		t.Error("nothing failed")
	}
	tr.reads()
	lift()
	tr.well(2)
	tr.kept()
}

// Without descriptors nobody new gets in. Those who are in go on, and everybody gets in again when there are some.
func TestDescriptorsRunOut(t *testing.T) {
	t.Parallel()
	needRoot(t)
	tr := inTrouble(t, programs(t), t.TempDir())
	tr.reads()                                          // the connection to the head, and the head's to the database, are there
	lift := limit(t, tr.h.PID(), unix.RLIMIT_NOFILE, 3) // those that it has stay open
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		r := program.Request{Method: http.MethodGet, Path: "/healthz"}
		if reply, err := r.Send(ctx, &http.Transport{DisableKeepAlives: true}, tr.h.URL); err == nil {
			t.Errorf("somebody new has got in: %d", reply.Status)
		}
		cancel()
	}
	acknowledged, failed := tr.steps(5)
	t.Logf("without descriptors %d things were acknowledged, %d failed", acknowledged, failed)
	tr.reads()
	lift()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := program.Request{Method: http.MethodGet, Path: "/healthz"}
	if reply, err := r.Send(ctx, &http.Transport{DisableKeepAlives: true}, tr.h.URL); err != nil || reply.Status != http.StatusOK {
		t.Errorf("nobody gets in: %d %v", reply.Status, err)
	}
	tr.well(2)
	tr.kept()
}

// A file system that has gone over to reading only, as ext4 does when it finds itself damaged.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	needRoot(t, "mkfs.ext4", "e2fsck")
	base := t.TempDir()
	image, dir := filepath.Join(base, "disk.img"), filepath.Join(base, "disk")
	must(t, os.Mkdir(dir, 0o700))
	sparse(t, image, 128<<20)
	tool(t, "mkfs.ext4", "-q", image)
	unmount := mount(t, image, dir, "loop,errors=remount-ro")
	tr := inTrouble(t, programs(t), dir)
	tool(t, "sync", "-f", dir)         // the configuration was changed by hand
	<-tr.c.wall.After(3 * time.Second) // samples are as well
	device, err := command("findmnt", "-no", "SOURCE", dir)
	must(t, err)
	trigger := "/sys/fs/ext4/" + filepath.Base(strings.TrimSpace(device)) + "/trigger_fs_error"
	if err := os.WriteFile(trigger, []byte("1"), 0); err != nil {
		t.Skipf("ext4 cannot be made to find a fault here: %v", err)
	}
	if _, failed := tr.steps(3); failed == 0 {
		t.Error("nothing failed")
	}
	tr.reads()
	if tr.h.HasEnded() {
		t.Fatalf("the head has ended:\n%s", tail(tr.h.Read(program.Log)))
	}
	k := tr.c.known()
	tr.h.Stop(syscall.SIGTERM)
	out, err := tr.h.Try("", "cc-backend", "-server")
	if err == nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, "read-only") {
		t.Errorf("a start on a disk that is read only: %v\n%s", err, out)
	}
	unmount()
	// A copy, as what other tests run in network namespaces may hold the file system for a while yet: mounted again, it would
	// still be the one that is read only.
	mended := filepath.Join(base, "mended.img")
	tool(t, "cp", "--sparse=always", image, mended)
	_, _ = command("e2fsck", "-fp", mended) // its status says that it has mended something
	mount(t, mended, dir, "loop")
	checkFolder(t, tr.c, k, dir, 0, "after the trouble")
	tr.h.Start()
	checkHead(t, tr.h, tr.c, k, 10, "after the trouble")
	tr.well(2)
	tr.h.Stop(syscall.SIGTERM)
}

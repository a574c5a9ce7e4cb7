// Package fault_test takes the disk, the power and the network away from real programs, and looks whether they have kept
// what they had acknowledged. docs/durability.md says what is promised.
//
// The short form of each test belongs to the test suite. The long form, with hundreds of cuts and thousands of faults,
// runs with BRIDGEHEAD_FAULTS=long.
package fault_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bridgehead-hpc/bridgehead/test/program"
)

const (
	// workerName is the variable that makes the test program one that writes: the name of what it writes.
	workerName = "BRIDGEHEAD_FAULT_WORKER"
	// workerDir is the variable with the folder that it writes to.
	workerDir = "BRIDGEHEAD_FAULT_DIR"
	// workerDies is the variable that lets the worker die, without closing anything, some steps behind the first failure.
	workerDies = "BRIDGEHEAD_FAULT_DIES"
)

func TestMain(m *testing.M) {
	workers := map[string]func(dir string, say func(string, ...any)) error{"database": workDatabase, "samples": workSamples}
	if work := workers[os.Getenv(workerName)]; work != nil {
		runtime.LockOSThread() // strace counts the calls of each thread
		err := work(os.Getenv(workerDir), speaker(os.Getenv(workerDies) != ""))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

// programsDir is the variable with the folder of the programs.
const programsDir = "BRIDGEHEAD_FAULT_PROGRAMS"

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "bhfault")
	if err == nil {
		defer os.RemoveAll(dir)
		err = errors.Join(os.Setenv(programsDir, dir), os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build makes the programs, once for all tests.
var build = sync.OnceValue(func() error {
	return program.BuildInto(context.Background(), os.Getenv(programsDir), "cc-backend", "clustersim", "cc-metric-store")
})

// programs returns the folder of the programs.
func programs(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the programs are not built")
	}
	must(t, build())
	return os.Getenv(programsDir)
}

// speaker returns what a worker speaks with. What nobody hears was not acknowledged.
func speaker(dies bool) func(string, ...any) {
	left := -1
	return func(format string, args ...any) {
		line := fmt.Appendf(nil, format+"\n", args...)
		// By a call that nothing else uses, so that no fault meets it.
		_, _ = unix.Writev(int(os.Stdout.Fd()), [][]byte{line})
		if left < 0 && dies && strings.Contains(string(line), ": ") {
			left = 3
		}
		if left--; left == 0 {
			os.Exit(0)
		}
	}
}

// long reports whether the long form is wanted.
func long() bool { return os.Getenv("BRIDGEHEAD_FAULTS") == "long" }

// pick returns the number of the short form or of the long one.
func pick(short, inLong int) int {
	if long() {
		return inLong
	}
	return short
}

// needRoot skips a test that mounts or makes networks.
func needRoot(t *testing.T, tools ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short")
	}
	if os.Getuid() != 0 {
		t.Skip("this test mounts file systems and makes networks: run it as root")
	}
	needTools(t, tools...)
}

func needTools(t *testing.T, tools ...string) {
	t.Helper()
	packages := map[string]string{
		"strace": "strace", "mkfs.btrfs": "btrfs-progs", "mkfs.ext4": "e2fsprogs", "e2fsck": "e2fsprogs", "ip": "iproute2", "tc": "iproute2",
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: apt-get install %s", tool, packages[tool])
		}
	}
}

// command runs a tool and returns what it writes.
func command(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

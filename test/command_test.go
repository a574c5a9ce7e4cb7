package test_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // the driver

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/porttest"
)

// The commands that the scripts have beside those of testscript.

// patience is how long a script waits for something that a program does in the background.
const patience = 20 * time.Second

// retry calls try until it succeeds, without waiting much longer than needed.
func retry(try func() bool) bool {
	var wall clock.System
	for deadline := wall.Now().Add(patience); wall.Now().Before(deadline); <-wall.After(20 * time.Millisecond) {
		if try() {
			return true
		}
	}
	return false
}

// append FILE LINE is echo LINE >> FILE.
func appendLine(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = f.WriteString(args[1] + "\n")
	ts.Check(errors.Join(err, f.Close()))
}

// exits CODE PROGRAM ARG... runs a program and compares its exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var exit *exec.ExitError
	got := 0
	if err = ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// filemode MODE FILE compares a file's permissions.
func fileMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// freeport NAME... sets variables to ports that nothing else listens on while the script runs.
func freePort(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		port, release, err := porttest.Reserve()
		ts.Check(err)
		ts.Defer(release)
		ts.Setenv(name, strconv.Itoa(port))
	}
}

// let NAME PATTERN sets a variable to what the pattern's parentheses found in the last program's output.
func let(ts *testscript.TestScript, _ bool, args []string) {
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := re.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("%s: nothing matches %s", args[0], args[1])
	}
	ts.Setenv(args[0], found[1])
}

// ready URL waits until a server that was started in the background answers there.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	ok := retry(func() bool {
		resp, err := http.Get(args[0])
		if err != nil {
			return false
		}
		_ = resp.Body.Close() // only the status counts
		return resp.StatusCode == http.StatusOK
	})
	if !ok {
		ts.Fatalf("nothing answers at %s", args[0])
	}
}

// socket NAME sets a variable to a path that is short enough for a socket, wherever $WORK is.
func socket(ts *testscript.TestScript, _ bool, args []string) {
	dir, err := os.MkdirTemp("", "bh")
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(dir) })
	ts.Setenv(args[0], filepath.Join(dir, "s"))
}

// sql DATABASE STATEMENT changes a database behind its program's back.
func runSQL(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0])+"?_pragma=busy_timeout(10000)")
	ts.Check(err)
	_, err = db.Exec(args[1])
	ts.Check(errors.Join(err, db.Close()))
}

// unixtime NAME AGO STEP sets a variable to the Unix time that long ago, at a full step.
func unixTime(ts *testscript.TestScript, _ bool, args []string) {
	ago, err := time.ParseDuration(args[1])
	ts.Check(err)
	step, err := time.ParseDuration(args[2])
	ts.Check(err)
	ts.Setenv(args[0], strconv.FormatInt(clock.System{}.Now().Add(-ago).Truncate(step).Unix(), 10))
}

// waitfor PATTERN PROGRAM ARG... runs a program again and again until its output matches.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	re, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	ok := retry(func() bool {
		return ts.Exec(args[1], args[2:]...) == nil && re.MatchString(ts.ReadFile("stdout"))
	})
	if !ok {
		ts.Fatalf("%s: still no %s", strings.Join(args[1:], " "), args[0])
	}
}

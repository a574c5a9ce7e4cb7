package receiver_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/receiver"
)

func newFile(t *testing.T, path string) *receiver.File {
	t.Helper()
	f := receiver.NewFile(path)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func send(t *testing.T, f *receiver.File, records []audit.Record) {
	t.Helper()
	if err := f.Send(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func linesOf(t *testing.T, paths ...string) [][]byte {
	t.Helper()
	var all [][]byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			all = append(all, bytes.TrimSuffix(line, []byte("\n")))
		}
	}
	return all
}

func TestFileIsThePrivateTrail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "clusterware", "clusterware.audit")
	f := newFile(t, path)
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before the first record")
	}
	send(t, f, chained(t, 1, 3))
	send(t, f, chained(t, 4, 9))
	verify(t, linesOf(t, path), 9, false)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFileFollowsItsRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit")
	f := newFile(t, path)
	send(t, f, chained(t, 1, 3))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	send(t, f, chained(t, 4, 6))
	if err := os.Rename(path, path+".2"); err != nil { // and somebody puts an empty one in its place
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	send(t, f, chained(t, 7, 9))
	verify(t, linesOf(t, path+".1", path+".2", path), 9, false)
}

// TestFileHoldsEachRecordOnceWhereverACrashWas cuts the file everywhere and sends again what a program does that did not
// note how far it was.
func TestFileHoldsEachRecordOnceWhereverACrashWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	send(t, newFile(t, whole), chained(t, 1, 5))
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	third := bytes.Index(text, []byte(`"seq":3`)) // the batch of records 3 to 5 broke off somewhere
	third = bytes.LastIndexByte(text[:third], '\n') + 1
	for cut := third; cut <= len(text); cut += 3 {
		path := filepath.Join(dir, strconv.Itoa(cut))
		if err := os.WriteFile(path, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		f := receiver.NewFile(path)
		send(t, f, chained(t, 3, 5))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, text) {
			t.Fatalf("cut at %d: the file holds %d bytes, want %d", cut, len(got), len(text))
		}
	}
}

// Another trail, such as that of a database that was set up anew, is not taken for what the file has already.
func TestFileTakesAnotherTrail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit")
	send(t, newFile(t, path), chained(t, 1, 5))
	other := chained(t, 1, 5)
	for i := range other {
		other[i].Hash = fmt.Sprintf("%064d", i)
	}
	send(t, newFile(t, path), other)
	if n := len(linesOf(t, path)); n != 10 {
		t.Errorf("%d lines, want 10", n)
	}
}

func TestFileThatHoldsSomethingElseIsAppendedTo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit")
	if err := os.WriteFile(path, []byte("an older program's line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	send(t, newFile(t, path), chained(t, 1, 2))
	lines := linesOf(t, path)
	if string(lines[0]) != "an older program's line" {
		t.Errorf("it begins with %q", lines[0])
	}
	verify(t, lines[1:], 2, false)
}

func TestFileThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"a folder": dir, "below a file": filepath.Join(dir, "file", "audit"), "no space": "/dev/full"} {
		f := receiver.NewFile(path)
		if err := f.Send(context.Background(), chained(t, 1, 1)); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
	}
}

func ExampleFile() {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	f := receiver.NewFile(filepath.Join(dir, "clusterware.audit"))
	defer f.Close()
	fmt.Println(f.Send(context.Background(), []audit.Record{{Seq: 1, Actor: "admin", Action: "user.create"}}))
	// Output: <nil>
}

package wal_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/wal"
)

var kind = frame.Kind([]byte("TESTLOG\x01"))

func create(t *testing.T) (*wal.Segment, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	s, err := wal.Create(path, kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, path
}

func records(t *testing.T, path string) (all []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	sc, err := frame.NewScanner(f, info.Size(), kind)
	if err != nil {
		t.Fatal(err)
	}
	for {
		payload, err := sc.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(payload))
	}
	if len(sc.Gaps()) > 0 || sc.Torn() != info.Size() {
		t.Errorf("gaps %v, torn at %d of %d", sc.Gaps(), sc.Torn(), info.Size())
	}
	return all
}

func TestRecordsAreInTheFileBeforeEndReturns(t *testing.T) {
	s, path := create(t)
	for i, text := range []string{"one", "", "three"} {
		if err := s.End(append(s.Begin(), text...)); err != nil {
			t.Fatal(err)
		}
		if got := records(t, path); len(got) != i+1 || got[i] != text {
			t.Errorf("after %q: %q", text, got)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != s.Size() {
		t.Errorf("size %d, %v", s.Size(), err)
	}
}

func TestRecordThatIsTooLargeLeavesNoTrace(t *testing.T) {
	s, path := create(t)
	if err := s.End(append(s.Begin(), make([]byte, frame.MaxPayload+1)...)); err == nil {
		t.Error("written")
	}
	if err := s.End(append(s.Begin(), "good"...)); err != nil {
		t.Fatal(err)
	}
	if got := records(t, path); len(got) != 1 || got[0] != "good" {
		t.Errorf("%q", got)
	}
}

func TestExistingFileIsNotTouched(t *testing.T) {
	_, path := create(t)
	if _, err := wal.Create(path, kind); err == nil {
		t.Error("created over an existing file")
	}
	if got := records(t, path); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func TestSyncAfterCloseIsHarmless(t *testing.T) {
	s, _ := create(t)
	if err := s.End(append(s.Begin(), "x"...)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(); err != nil {
		t.Error(err)
	}
}

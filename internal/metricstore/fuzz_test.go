package metricstore_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
)

// sample files of a real store, as seeds.
func seeds(f *testing.F, pattern string, end func(*metricstore.DB) error) [][]byte {
	f.Helper()
	dir := f.TempDir()
	db := open(f, dir, metricstore.Options{Shards: 1})
	write(f, db, point{load("n01"), 2, 1.5}, point{thread("n01", "7"), 1, -2})
	if _, err := db.Free([]string{"alpha", "n01", "hwthread7"}, now); err != nil {
		f.Fatal(err)
	}
	if err := end(db); err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	var all [][]byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// checkFile opens a folder with one file, twice, and expects to find the same both times. It writes nothing: waiting for
// the disk would make it slow.
func checkFile(t *testing.T, name string, data []byte) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	var found [2]map[metricstore.Key][]metricstore.Extent
	for i := range found {
		found[i] = map[metricstore.Key][]metricstore.Extent{}
		db := open(t, dir, metricstore.Options{})
		db.Inspect(nil, func(k metricstore.Key, held []metricstore.Extent) {
			found[i][k] = append(found[i][k], held...)
			for _, e := range held {
				if e.Slots < 1 || e.From >= e.To {
					t.Errorf("%+v holds %+v", k, e)
				}
			}
		})
		if err := db.Abandon(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(found[0], found[1]); diff != "" {
		t.Errorf("the second time it is different:\n%s", diff)
	}
}

// framed returns a file with one intact record: the decoder behind the checksums has to be careful as well.
func framed(kind frame.Kind, payload []byte) []byte {
	const salt = 42
	data := frame.AppendHeader(nil, kind, salt)
	start := len(data)
	data = append(frame.Begin(data), payload...)
	frame.End(data, start, salt)
	return data
}

func FuzzLogReader(f *testing.F) {
	for _, data := range seeds(f, "*.bhw", (*metricstore.DB).Abandon) {
		f.Add(data, false)
		f.Add(data[frame.HeaderSize+frame.Overhead:], true)
	}
	f.Fuzz(func(t *testing.T, data []byte, wrap bool) {
		if wrap {
			data = framed(metricstore.LogKind(), data)
		}
		checkFile(t, "wal-0000000000000007-00.bhw", data)
	})
}

func FuzzCheckpointReader(f *testing.F) {
	for _, data := range seeds(f, "*.bhc", (*metricstore.DB).Close) {
		f.Add(data, false)
		f.Add(data[frame.HeaderSize+frame.Overhead:], true)
	}
	f.Fuzz(func(t *testing.T, data []byte, wrap bool) {
		if wrap {
			data = framed(metricstore.CheckpointKind(), data)
		}
		checkFile(t, "checkpoint-0000000000000007.bhc", data)
	})
}

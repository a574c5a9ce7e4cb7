package segment_test

import (
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
)

// slots is what a series holds.
type slots map[int64]float64

// drawSegment draws some series with some stretches each.
func drawSegment(t *rapid.T) map[uint32][]stretch {
	all := map[uint32][]stretch{}
	for _, n := range rapid.SliceOfNDistinct(rapid.Uint32Range(1, 80), 1, 40, rapid.ID[uint32]).Draw(t, "series") {
		at := rapid.Int64Range(-300, 300).Draw(t, "first")
		for range rapid.IntRange(1, 3).Draw(t, "stretches") {
			values := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1, 150).Draw(t, "values")
			if len(values) > 4 {
				values[2] = math.NaN()
			}
			all[n] = append(all[n], stretch{at, values})
			at += int64(len(values)) + rapid.Int64Range(0, 200).Draw(t, "gap")
		}
	}
	return all
}

// A merged segment holds what a map holds into which all were put in their order, without what was not kept.
func TestMergedSegmentsAreLaidOverEachOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(rt, "segments")
		floors := map[uint32]int64{}
		for _, series := range rapid.SliceOfN(rapid.Uint32Range(1, 80), 0, 5).Draw(rt, "with floors") {
			floors[series] = rapid.Int64Range(-300, 600).Draw(rt, "floor")
		}
		keep := func(series uint32, place int) int64 {
			if floor, ok := floors[series]; ok && place < 2 {
				return floor
			}
			return math.MinInt64
		}
		model := map[uint32]slots{}
		var list []*segment.Segment
		for i := range n {
			content := drawSegment(rt)
			path := filepath.Join(dir, string(rune('a'+i)))
			writeTo(rt, path, content)
			s, err := segment.Open(path)
			if err != nil {
				rt.Fatal(err)
			}
			defer s.Close()
			list = append(list, s)
			put(model, content, func(series uint32) int64 { return keep(series, i) })
		}
		merged := filepath.Join(dir, "merged")
		if err := segment.Merge(merged, list, keep); err != nil {
			rt.Fatal(err)
		}
		s, err := segment.Open(merged)
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		for series := range uint32(82) {
			found, err := read(s, series, math.MinInt64, math.MaxInt64)
			if err != nil {
				rt.Fatal(err)
			}
			got := map[uint32]slots{}
			put(got, map[uint32][]stretch{series: found}, func(uint32) int64 { return math.MinInt64 })
			if !maps.Equal(got[series], model[series]) {
				rt.Fatalf("series %d has %v, want %v", series, got[series], model[series])
			}
			for i := 1; i < len(found); i++ {
				if found[i].first < found[i-1].first+int64(len(found[i-1].values)) {
					rt.Fatalf("series %d has stretches that lie over each other", series)
				}
			}
		}
	})
}

func put(model map[uint32]slots, content map[uint32][]stretch, from func(uint32) int64) {
	for series, stretches := range content {
		for _, st := range stretches {
			for i, v := range st.values {
				if at := st.first + int64(i); !math.IsNaN(v) && at >= from(series) {
					if model[series] == nil {
						model[series] = slots{}
					}
					model[series][at] = v
				}
			}
		}
	}
}

func writeTo(t failer, path string, all map[uint32][]stretch) {
	t.Helper()
	w := segment.NewWriter()
	for series, stretches := range all {
		w.Begin(series)
		for _, st := range stretches {
			w.Add(st.first, st.values, st.first*60, (st.first+int64(len(st.values)))*60)
		}
	}
	if err := w.WriteFile(path); err != nil {
		t.Fatalf("%v", err)
	}
}

// failer is what tests and drawn tests have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func TestDamagedSegmentsAreNotMerged(t *testing.T) {
	t.Parallel()
	path := write(t, content(8))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := slices.Clone(data)
	bad[len(bad)/3] ^= 1
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	merged := filepath.Join(t.TempDir(), "merged")
	err = segment.Merge(merged, []*segment.Segment{open(t, path)}, func(uint32, int) int64 { return math.MinInt64 })
	if !errors.Is(err, segment.ErrDamaged) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(merged); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
}

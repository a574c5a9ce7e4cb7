package segment_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
)

// stretch is what a test puts into a segment.
type stretch struct {
	first  int64
	values []float64
}

// content is what a test's segment holds: some series with some stretches each, with gaps.
func content(series int) map[uint32][]stretch {
	r := rand.New(rand.NewPCG(7, 7))
	all := map[uint32][]stretch{}
	for range series {
		number := r.Uint32N(uint32(4*series)) + 1
		if len(all[number]) > 0 {
			continue
		}
		slot := int64(r.IntN(1000)) - 500
		for range 1 + r.IntN(4) {
			st := stretch{first: slot, values: make([]float64, 1+r.IntN(128))}
			for i := range st.values {
				st.values[i] = math.Round(r.Float64()*1000) / 10
				if i > 0 && i < len(st.values)-1 && r.IntN(9) == 0 {
					st.values[i] = math.NaN()
				}
			}
			all[number] = append(all[number], st)
			slot += int64(len(st.values) + r.IntN(50))
		}
	}
	return all
}

func write(tb testing.TB, all map[uint32][]stretch) string {
	tb.Helper()
	w := segment.NewWriter()
	numbers := slices.Collect(maps.Keys(all)) // in any order
	for _, n := range numbers {
		w.Begin(n)
		for _, st := range all[n] {
			w.Add(st.first, st.values, st.first*60, (st.first+int64(len(st.values)))*60)
		}
	}
	if w.Len() != len(all) {
		tb.Fatalf("%d series have a block, want %d", w.Len(), len(all))
	}
	path := filepath.Join(tb.TempDir(), "s.bhs")
	if err := w.WriteFile(path); err != nil {
		tb.Fatal(err)
	}
	return path
}

func open(tb testing.TB, path string) *segment.Segment {
	tb.Helper()
	s, err := segment.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// read returns the stretches of a series, as far as they lie in a window.
func read(s *segment.Segment, series uint32, from, to int64) (found []stretch, err error) {
	var buf segment.Buffer
	b, err := s.Find(series, segment.Range{From: from, To: to})
	if err != nil {
		return nil, err
	}
	span := b.Span()
	values := make([]float64, max(span.To-span.From, 0))
	if _, err := b.Lay(values, span.From, span.From, span.From, &buf); err != nil {
		return nil, err
	}
	err = b.Stretches(func(st segment.Stretch) {
		if first, end := max(st.First, from), min(st.End(), to); first < end {
			found = append(found, stretch{first, values[first-span.From : end-span.From]})
		}
	})
	return found, err
}

func equal(a, b stretch) bool {
	return a.first == b.first && slices.EqualFunc(a.values, b.values, func(x, y float64) bool {
		return x == y || math.IsNaN(x) && math.IsNaN(y)
	})
}

func TestEverySeriesComesBack(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 31, 33, 500} {
		all := content(n)
		s := open(t, write(t, all))
		if s.Series() != len(all) {
			t.Errorf("%d series, want %d", s.Series(), len(all))
		}
		for number := range uint32(4*n + 3) {
			got, err := read(s, number, math.MinInt64, math.MaxInt64)
			if err != nil || !slices.EqualFunc(got, all[number], equal) {
				t.Fatalf("of %d series, series %d has %v, %v; want %v", n, number, got, err, all[number])
			}
			var places []int64
			b, err := s.Block(number)
			if err != nil || b.Empty() != (len(all[number]) == 0) {
				t.Fatal(number, b.Empty(), err)
			}
			if err := b.Stretches(func(st segment.Stretch) { places = append(places, st.First, st.End()) }); err != nil {
				t.Fatal(err)
			}
			for i, st := range all[number] {
				if places[2*i] != st.first || places[2*i+1] != st.first+int64(len(st.values)) {
					t.Errorf("series %d stretch %d lies at %v", number, i, places)
				}
			}
		}
	}
}

func TestOnlyStretchesOfTheWindowAreRead(t *testing.T) {
	t.Parallel()
	all := map[uint32][]stretch{5: {{0, []float64{1, 2, 3}}, {10, []float64{4}}, {20, []float64{5, 6}}}}
	s := open(t, write(t, all))
	for _, tt := range []struct {
		from, to int64
		want     []int64
	}{{0, 1, []int64{0}}, {3, 10, nil}, {2, 11, []int64{2, 10}}, {11, 20, nil}, {21, 99, []int64{21}}, {-9, 0, nil}, {22, 99, nil}} {
		got, err := read(s, 5, tt.from, tt.to)
		var firsts []int64
		for _, st := range got {
			firsts = append(firsts, st.first)
		}
		if err != nil || !slices.Equal(firsts, tt.want) {
			t.Errorf("[%d, %d) gives %v, %v; want %v", tt.from, tt.to, firsts, err, tt.want)
		}
	}
	if from, to := s.Span(); from != 0 || to != 22*60 || s.Samples() != 6 {
		t.Errorf("it spans %d to %d with %d samples", from, to, s.Samples())
	}
}

// Whatever bit is flipped and wherever the file is cut: what is read is right, or an error says that it is not.
func TestDamageIsNeverTakenForSamples(t *testing.T) {
	t.Parallel()
	all := content(12)
	path := write(t, all)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, data []byte) (noticed bool) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := segment.Open(path)
		if err != nil {
			if !errors.Is(err, segment.ErrDamaged) {
				t.Fatalf("%s: %v", what, err)
			}
			return true
		}
		defer s.Close()
		for number := range uint32(50) {
			got, err := read(s, number, math.MinInt64, math.MaxInt64)
			if err != nil {
				noticed = true
				continue
			}
			if !slices.EqualFunc(got, all[number], equal) && len(got) > 0 {
				t.Fatalf("%s: series %d has %v; want %v", what, number, got, all[number])
			}
			noticed = noticed || len(got) != len(all[number])
		}
		return noticed
	}
	edge := func(i int) bool { return i < 32 || i >= len(good)-96 } // what the file begins and ends with
	for cut := range good {
		if cut%7 > 0 && !edge(cut) {
			continue
		}
		if !check(fmt.Sprintf("cut to %d bytes", cut), good[:cut]) {
			t.Errorf("a cut to %d of %d bytes is not noticed", cut, len(good))
		}
	}
	for i := range good {
		bits := []int{i % 8}
		if edge(i) {
			bits = []int{0, 1, 2, 3, 4, 5, 6, 7}
		}
		for _, bit := range bits {
			bad := slices.Clone(good)
			bad[i] ^= 1 << bit
			if !check(fmt.Sprintf("bit %d of byte %d", bit, i), bad) {
				t.Errorf("flipped bit %d in byte %d of %d is not noticed", bit, i, len(good))
			}
		}
	}
}

func TestWhatCannotBeWrittenLeavesNothing(t *testing.T) {
	t.Parallel()
	w := segment.NewWriter()
	w.Begin(1)
	w.Add(0, []float64{1}, 0, 60)
	path := filepath.Join(t.TempDir(), "missing", "s.bhs")
	if err := w.WriteFile(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(path)), "*")); len(left) > 0 || err != nil {
		t.Errorf("%v is left, %v", left, err)
	}
}

func FuzzOpen(f *testing.F) {
	path := write(f, content(3))
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := segment.Open(path)
		if err != nil {
			return
		}
		defer s.Close()
		for number := range uint32(16) {
			_, _ = read(s, number, math.MinInt64, math.MaxInt64) // it must return
		}
	})
}

// Whatever lies over each other, in whatever window, later blocks are on top, and what is freed does not count.
func TestBlocksAreLaidOverEachOther(t *testing.T) {
	t.Parallel()
	const slots = 600
	r := rand.New(rand.NewPCG(5, 6))
	for range 25 {
		var blocks []*segment.Segment
		var laid [slots]float64
		from, to := r.Int64N(slots), r.Int64N(slots)
		from, to = min(from, to), max(from, to)
		for i := range laid {
			laid[i] = math.NaN()
		}
		var floors []int64
		for range 1 + r.IntN(4) {
			all, floor := randomStretches(r, slots), r.Int64N(slots)*r.Int64N(2)
			blocks = append(blocks, open(t, write(t, map[uint32][]stretch{1: all})))
			floors = append(floors, floor)
			for _, st := range all {
				for i, v := range st.values {
					if slot := st.first + int64(i); slot >= floor && !math.IsNaN(v) {
						laid[slot] = v
					}
				}
			}
		}
		got, done := make([]float64, to-from), from
		var buf segment.Buffer
		for i, s := range blocks {
			b, err := s.Find(1, segment.Range{From: from, To: to})
			if err == nil {
				done, err = b.Lay(got, from, max(from, floors[i]), done, &buf)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := done - from; i < to-from; i++ {
			got[i] = math.NaN()
		}
		if !equal(stretch{0, got}, stretch{0, laid[from:to]}) {
			t.Fatalf("[%d, %d) of %d blocks gives %v, not %v", from, to, len(blocks), got, laid[from:to])
		}
	}
}

// randomStretches returns stretches with gaps between them and in them.
func randomStretches(r *rand.Rand, slots int64) (all []stretch) {
	for at := r.Int64N(100); at < slots; at += 1 + r.Int64N(80) {
		st := stretch{first: at}
		for ; at < slots && (len(st.values) == 0 || r.IntN(60) > 0); at++ {
			v := float64(r.IntN(1000)) / 10
			if r.IntN(10) == 0 {
				v = math.NaN()
			}
			st.values = append(st.values, v)
		}
		all = append(all, st)
	}
	return all
}

func ExampleWriter() {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("example-%d.bhs", os.Getpid()))
	defer os.Remove(path)
	w := segment.NewWriter()
	w.Begin(7) // the series with the number 7, with a sample a minute
	w.Add(100, []float64{20.5, math.NaN(), 20.7}, 6000, 6180)
	if err := w.WriteFile(path); err != nil {
		fmt.Println(err)
		return
	}
	s, err := segment.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	var buf segment.Buffer
	values := make([]float64, 3) // of slots 100 to 102
	b, err := s.Find(7, segment.Range{From: 100, To: 103})
	if err == nil {
		_, err = b.Lay(values, 100, 100, 100, &buf)
	}
	fmt.Println(b.Span(), values, err, s.Close())
	// Output:
	// {100 103} [20.5 NaN 20.7] <nil> <nil>
}

func BenchmarkLay(b *testing.B) {
	all := map[uint32][]stretch{}
	for n := range uint32(1000) {
		for k := range int64(11) {
			st := stretch{first: k * 128, values: make([]float64, 128)}
			for i := range st.values {
				st.values[i] = math.Round(100*math.Sin(float64(i)/9)) / 10
			}
			all[n] = append(all[n], st)
		}
	}
	s := open(b, write(b, all))
	b.ReportMetric(float64(s.Size())/float64(s.Samples()), "bytes/sample")
	var buf segment.Buffer
	values, n := make([]float64, 1408), uint32(0)
	for b.Loop() {
		n = (n + 1) % 1000
		block, err := s.Find(n, segment.Range{From: 0, To: 1408})
		if err == nil {
			_, err = block.Lay(values, 0, 0, 0, &buf)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1408, "ns/sample")
}

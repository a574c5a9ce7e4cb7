package chunk_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
)

// A chunk holds what a map would hold, whatever the order in which its slots are set and cleared.
func TestChunkEqualsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Int64Range(-3, 3).Draw(t, "number")
		slots := rapid.Int64Range(number*chunk.Slots, (number+1)*chunk.Slots-1)
		first := slots.Draw(t, "first")
		c, model := chunk.New(first, 1), map[int64]float64{first: 1}
		bytes := c.Bytes()
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			slot := slots.Draw(t, "slot")
			if rapid.IntRange(0, 9).Draw(t, "action") == 0 && len(model) > 1 {
				for s := range model {
					if s < slot {
						delete(model, s)
					}
				}
				if c.ClearBefore(slot) != (len(model) == 0) {
					t.Fatal("wrong about whether the chunk is empty")
				}
				if len(model) == 0 {
					return
				}
				bytes = c.Bytes()
			} else {
				v := value(t)
				bytes += c.Set(slot, v)
				model[slot] = v
			}
			compare(t, &c, model)
		}
		if c.Bytes() != bytes || c.Number() != number {
			t.Fatalf("%d bytes, not %d; number %d", c.Bytes(), bytes, c.Number())
		}
	})
}

// What lies just at the borders of a form is held as what it is: 32.767 times a thousand is a little more than 32767.
func TestValuesAtTheBordersOfFormsAreKept(t *testing.T) {
	t.Parallel()
	for _, border := range []float64{math.MaxInt16, math.MaxInt32} {
		for exponent := range 11 {
			for step := -2.0; step <= 2; step++ {
				v := (border + step) / math.Pow10(exponent)
				for _, v := range []float64{v, -v, math.Nextafter(v, 0), math.Nextafter(v, math.Inf(1))} {
					added, set := chunk.New(0, v), chunk.New(0, 0.1)
					set.Set(0, v)
					restored, _ := chunk.Restore(0, []float64{v})
					for how, c := range map[string]*chunk.Chunk{"new": &added, "set": &set, "restored": &restored} {
						if got := c.Append(nil, 0, 1)[0]; math.Float64bits(got) != math.Float64bits(v) {
							t.Errorf("%s: %v has become %v", how, v, got)
						}
					}
				}
			}
		}
	}
}

// A reader who reads on from where a mark says holds what the chunk holds.
func TestNothingChangesBeforeWhereAMarkSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := chunk.New(rapid.Int64Range(0, 20).Draw(t, "first"), 1)
		var mark chunk.Mark
		read := make([]float64, chunk.Slots)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				if rapid.IntRange(0, 20).Draw(t, "action") == 0 && c.First()+1 < c.End() {
					c.ClearBefore(c.First() + 1)
					continue
				}
				slot := c.End() + rapid.Int64Range(-2, 3).Draw(t, "slot")
				c.Set(min(max(slot, 0), chunk.Slots-1), value(t))
			}
			from := c.Since(mark)
			for i := from; i < chunk.Slots; i++ {
				read[i] = math.NaN()
			}
			c.CopyTo(read[from:], from)
			for i, v := range c.Append(nil, c.First(), c.End()) {
				if have := read[c.First()+int64(i)]; math.Float64bits(have) != math.Float64bits(v) && v == v { //nolint:gocritic // no gap
					t.Fatalf("slot %d has been read as %v and is %v", c.First()+int64(i), have, v)
				}
			}
			if mark = c.Mark(); c.Since(mark) != c.End() {
				t.Fatalf("read up to %d, and to be read from %d on", c.End(), c.Since(mark))
			}
		}
	})
}

// Later samples, and nothing else, are read alone.
func TestLaterSamplesAreReadAlone(t *testing.T) {
	c := chunk.New(5, 1)
	mark := c.Mark()
	c.Set(6, 1.0/3)
	c.Set(9, 2)
	if slot := c.Since(mark); slot != 6 {
		t.Errorf("from %d on", slot)
	}
	c.Set(5, 7)
	if slot := c.Since(mark); slot != 0 {
		t.Errorf("from %d on", slot)
	}
	if slot := c.Since(chunk.Mark{}); slot != 0 {
		t.Errorf("for the first time, from %d on", slot)
	}
}

// value draws what is measured, and what is not but may be sent all the same.
func value(t *rapid.T) float64 {
	switch rapid.IntRange(0, 5).Draw(t, "of what") {
	case 0:
		return rapid.Float64().Draw(t, "value")
	case 1:
		return float64(rapid.Int64Range(-40_000, 40_000).Draw(t, "whole"))
	case 2:
		return rapid.SampledFrom([]float64{
			0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1 + 0.2,
			math.MaxInt16, math.MinInt16, math.MaxInt16 + 1, math.MaxInt32, math.MinInt32, math.MaxInt32 + 1, 2147483647.5, 1 << 53,
			3276.7, -3276.8, 2.147483647, -2.147483648, 1e-9, 1e-10, float64(float32(0.1)),
		}).Draw(t, "edge")
	default:
		decimals := rapid.IntRange(0, 4).Draw(t, "decimals")
		return float64(rapid.Int64Range(-2_000_000, 2_000_000).Draw(t, "digits")) / math.Pow10(decimals)
	}
}

func compare(t *rapid.T, c *chunk.Chunk, model map[int64]float64) {
	from := c.Number() * chunk.Slots
	got := make([]float64, chunk.Slots+20)
	for i := range got {
		got[i] = math.NaN()
	}
	c.CopyTo(got, from-10)
	first, end := int64(math.MaxInt64), int64(math.MinInt64)
	for i, v := range got {
		slot := from - 10 + int64(i)
		want, ok := model[slot]
		if ok != !math.IsNaN(v) || ok && math.Float64bits(v) != math.Float64bits(want) {
			t.Fatalf("slot %d: %v, not %v (%v)", slot, v, want, ok)
		}
		if ok {
			first, end = min(first, slot), max(end, slot+1)
		}
	}
	if c.First() != first || c.End() != end {
		t.Fatalf("from %d to %d, not from %d to %d", c.First(), c.End(), first, end)
	}
	if a, b := c.Span(math.MinInt64, math.MaxInt64); a != first || b != end {
		t.Fatalf("span %d to %d", a, b)
	}
	compareCopies(t, c, got[first-from+10:end-from+10])
}

// compareCopies looks at the other ways to get at what a chunk holds.
func compareCopies(t *rapid.T, c *chunk.Chunk, want []float64) {
	decoded, err := codec.Decode(nil, c.Encode(nil, new(codec.Encoder)))
	if err != nil {
		t.Fatal(err)
	}
	restored, ok := chunk.Restore(c.First(), decoded)
	if !ok || restored.End() != c.End() || restored.Bytes() > 8*chunk.Slots {
		t.Fatalf("restored %v from %d to %d in %d bytes", ok, restored.First(), restored.End(), restored.Bytes())
	}
	half := c.First() + int64(c.Len())/2
	for name, got := range map[string][]float64{
		"encoded": decoded, "appended": c.Append(nil, c.First(), c.End()), "restored": restored.Append(nil, c.First(), c.End()),
		"in two parts": c.Append(c.Append(nil, c.First(), half), half, c.End()),
	} {
		if len(got) != len(want) {
			t.Fatalf("%s: %d slots, not %d", name, len(got), len(want))
		}
		for i, v := range got {
			if math.Float64bits(v) != math.Float64bits(want[i]) && !(math.IsNaN(v) && math.IsNaN(want[i])) {
				t.Fatalf("%s: slot %d is %v, not %v", name, i, v, want[i])
			}
		}
	}
}

func TestSpanLeavesOutWhatIsAbsent(t *testing.T) {
	c := chunk.New(10, 1)
	c.Set(20, 2)
	for _, s := range []struct{ from, to, first, end int64 }{
		{0, 100, 10, 21}, {10, 21, 10, 21}, {11, 100, 20, 21}, {0, 20, 10, 11}, {11, 20, 20, 20}, {30, 40, 30, 30}, {0, 5, 10, 10},
	} {
		if first, end := c.Span(s.from, s.to); first != s.first && s.first < s.end || end-first != s.end-s.first {
			t.Errorf("span of %d to %d is %d to %d", s.from, s.to, first, end)
		}
	}
}

func TestRestoreRefusesWhatNoChunkHolds(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		first  int64
		values []float64
		ok     bool
	}{
		"good": {5, []float64{1, nan, 2}, true}, "empty": {5, nil, false}, "begins absent": {5, []float64{nan, 1}, false},
		"ends absent": {5, []float64{1, nan}, false}, "over the edge": {chunk.Slots - 1, []float64{1, 2}, false},
		"too many": {0, make([]float64, chunk.Slots+1), false}, "negative": {-3, []float64{1, 2, 3}, true},
	} {
		if _, ok := chunk.Restore(c.first, c.values); ok != c.ok {
			t.Errorf("%s: %v", name, ok)
		}
	}
}

func TestChunksAreAsNarrowAsTheirValues(t *testing.T) {
	third := 1.0 / 3
	for name, c := range map[string]struct {
		values []float64
		each   int // bytes
	}{
		"whole":           {[]float64{0, 1, 30_000}, 2},
		"percent":         {[]float64{99.9, 12.34, 0.05}, 2},
		"four decimals":   {[]float64{1, 50.1234}, 4},
		"large and small": {[]float64{0.001, 2_000_000}, 4},
		"too far apart":   {[]float64{0.001, 20_000_000}, 8},
		"not a decimal":   {[]float64{1, third}, 8},
		"negative zero":   {[]float64{1, math.Copysign(0, -1)}, 8},
	} {
		grown := chunk.New(0, c.values[0])
		values := make([]float64, chunk.Slots)
		for i := range values {
			values[i] = c.values[i%len(c.values)]
			grown.Set(int64(i), values[i])
		}
		restored, _ := chunk.Restore(0, values)
		if grown.Bytes() != chunk.Slots*c.each || restored.Bytes() != grown.Bytes() {
			t.Errorf("%s: %d bytes, restored %d", name, grown.Bytes(), restored.Bytes())
		}
	}
}

func BenchmarkSet(b *testing.B) {
	for name, v := range map[string]float64{"short": 12.5, "long": 1234.5678, "float": 1.0 / 3} {
		b.Run(name, func(b *testing.B) {
			c := chunk.New(0, v)
			for i := 0; b.Loop(); i++ {
				c.Set(int64(i)%chunk.Slots, v)
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for name, v := range map[string]float64{"short": 12.5, "long": 1234.5678, "float": 1.0 / 3} {
		b.Run(name, func(b *testing.B) {
			c := chunk.New(0, v)
			c.Set(chunk.Slots-1, v)
			b.SetBytes(8 * chunk.Slots)
			var values []float64
			for b.Loop() {
				values = c.Append(values[:0], 0, chunk.Slots)
			}
		})
	}
}

package chunk_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
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
				v := rapid.Float64().Draw(t, "value")
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

func TestFullChunkTakesNoMoreThanItsSlots(t *testing.T) {
	c := chunk.New(0, 0)
	for slot := range int64(chunk.Slots) {
		c.Set(slot, float64(slot))
	}
	if c.Bytes() != chunk.Slots*8 {
		t.Errorf("%d bytes", c.Bytes())
	}
}

package metric

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestASeriesThatRestsGoesToWhoeverComes(t *testing.T) {
	t.Parallel()
	var c claims
	const at = int64(1_000_000)
	for _, step := range []struct {
		origin Origin
		after  time.Duration
		want   bool
	}{
		{1, 0, true}, {2, 0, false}, {1, 5 * time.Minute, true}, {2, 14 * time.Minute, false}, {2, 15 * time.Minute, true}, {1, 16 * time.Minute, false},
	} {
		now := at + int64(step.after.Seconds())
		if got := c.hold(7, step.origin, now, now+restOf(10*time.Second)); got != step.want {
			t.Errorf("origin %d after %v: %v", step.origin, step.after, got)
		}
	}
}

func TestClaimsHaveABound(t *testing.T) {
	t.Parallel()
	const most = maxClaims / claimParts
	var c claims
	p := &c[0]
	p.held = make(map[uint64]*claim, most)
	fill := func(until func(n uint64) int64) {
		for n := range uint64(most) {
			p.held[n*claimParts] = &claim{until: until(n)}
		}
	}
	fill(func(n uint64) int64 { return int64(n % 2 * 100) })
	const one, two = 1e6 * claimParts, 2e6 * claimParts
	if !c.hold(one, 1, 1000, 1600) || c.hold(one, 2, 1000, 1600) {
		t.Error("there was room after the lapsed ones were forgotten")
	}
	if len(p.held) != 1 {
		t.Errorf("%d are held", len(p.held))
	}
	fill(func(uint64) int64 { return 5000 })
	if !c.hold(two, 1, 1000, 1600) || !c.hold(two, 2, 1000, 1600) || len(p.held) > most+1 {
		t.Error("what cannot be watched is let in, and the memory is bounded")
	}
}

// Series of a large cluster are spread over all parts, and none has the hash of another.
func TestEverySeriesHasAHashOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[uint64]bool{}
	var parts [claimParts]int
	const hosts, series = 300, 300
	for host := range hosts {
		own := hostHash([]byte("alpha"), fmt.Appendf(nil, "n%03d", host))
		for n := range series {
			l := Line{}
			l.Metric, l.Type, l.TypeID = fmt.Appendf(nil, "m%d", n%4), []byte("hwthread"), fmt.Append(nil, n/4)
			h := seriesHash(own, namesHash(&l))
			seen[h] = true
			parts[h%claimParts]++
		}
	}
	if len(seen) != hosts*series {
		t.Errorf("%d hashes of %d series", len(seen), hosts*series)
	}
	if fair := hosts * series / claimParts; slices.Min(parts[:]) < fair/2 || slices.Max(parts[:]) > fair*2 {
		t.Errorf("parts of %v", parts)
	}
}

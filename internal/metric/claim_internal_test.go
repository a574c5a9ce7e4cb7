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
		if got := c.hold(7, 8, step.origin, now, now+restOf(10*time.Second)); got != step.want {
			t.Errorf("origin %d after %v: %v", step.origin, step.after, got)
		}
	}
}

func TestClaimsHaveABound(t *testing.T) {
	t.Parallel()
	var c claims
	const some = 3000
	for names := range uint64(some) {
		if !c.hold(names%3, names, 0, 0, int64(names%2*100)) { // of three hosts, half of them until 100
			t.Fatal("a new series is held by another origin")
		}
	}
	if n := c.count.Load(); n != some {
		t.Fatalf("%d are held", n)
	}
	c.count.Store(maxClaims) // as if other hosts had the rest
	const host, one, two = 1, 1 << 40, 1 << 41
	if !c.hold(host, one, 1, 50, 650) || c.hold(host, one, 2, 51, 651) {
		t.Error("there was room after the lapsed ones of the host were forgotten")
	}
	if n := c.count.Load(); n != maxClaims-some/6+1 || len(c.parts[host].held) != some/6+1 {
		t.Errorf("%d are held", n)
	}
	for names := uint64(one + 1); c.count.Load() < maxClaims; names++ {
		c.hold(host, names, 0, 51, 5000)
	}
	if !c.hold(host, two, 1, 52, 652) || !c.hold(host, two, 2, 53, 653) || c.count.Load() > maxClaims {
		t.Error("what cannot be watched is let in, and the memory is bounded")
	}
}

// The hosts of a large cluster are spread over all parts, and no series has the hash of another.
func TestEverySeriesHasAHashOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[uint64]bool{}
	var parts [claimParts]int
	const hosts, series = 1000, 100
	for host := range hosts {
		own := hostHash([]byte("alpha"), fmt.Appendf(nil, "n%03d", host))
		for n := range series {
			l := Line{}
			l.Metric, l.Type, l.TypeID = fmt.Appendf(nil, "m%d", n%4), []byte("hwthread"), fmt.Append(nil, n/4)
			seen[seriesHash(own, namesHash(&l))] = true
			parts[own%claimParts]++
		}
	}
	if len(seen) != hosts*series {
		t.Errorf("%d hashes of %d series", len(seen), hosts*series)
	}
	if fair := hosts * series / claimParts; slices.Min(parts[:]) == 0 || slices.Max(parts[:]) > fair*3 {
		t.Errorf("parts of %v", parts)
	}
}

package metric

import (
	"testing"
	"time"
)

func TestASeriesThatRestsGoesToWhoeverComes(t *testing.T) {
	t.Parallel()
	var c claims
	l := Line{}
	l.Cluster, l.Host, l.Metric = []byte("alpha"), []byte("n1"), []byte("ipc")
	const at = int64(1_000_000)
	for _, step := range []struct {
		origin Origin
		after  time.Duration
		want   bool
	}{
		{1, 0, true}, {2, 0, false}, {1, 5 * time.Minute, true}, {2, 14 * time.Minute, false}, {2, 15 * time.Minute, true}, {1, 16 * time.Minute, false},
	} {
		if got := c.hold(&l, step.origin, at+int64(step.after.Seconds()), 10*time.Second); got != step.want {
			t.Errorf("origin %d after %v: %v", step.origin, step.after, got)
		}
	}
}

func TestClaimsHaveABound(t *testing.T) {
	t.Parallel()
	c := claims{held: make(map[uint64]claim, maxClaims)}
	for i := range uint64(maxClaims) {
		c.held[i] = claim{until: int64(i % 2 * 100)}
	}
	l := Line{}
	l.Host = []byte("n1")
	if !c.hold(&l, 1, 1000, time.Second) || c.hold(&l, 2, 1000, time.Second) {
		t.Error("there was room after the lapsed ones were forgotten")
	}
	if len(c.held) != 1 {
		t.Errorf("%d are held", len(c.held))
	}
	for i := range uint64(maxClaims) {
		c.held[i] = claim{until: 5000}
	}
	l.Host = []byte("n2")
	if !c.hold(&l, 1, 1000, time.Second) || !c.hold(&l, 2, 1000, time.Second) || len(c.held) > maxClaims+1 {
		t.Error("what cannot be watched is let in, and the memory is bounded")
	}
}

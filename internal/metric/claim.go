package metric

import (
	"sync"
	"time"
)

// Origin is made of what a sender says about a series beyond the names that the store has for one. Two series that
// differ only there would be one here; by their origins they are told apart. Its zero value is that of a sender who says
// nothing more.
type Origin uint64

// FNV-1a with 64 bits.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

func hash(h uint64, name []byte) uint64 {
	for _, c := range name {
		h = (h ^ uint64(c)) * hashPrime
	}
	return (h ^ 0xff) * hashPrime // the byte is in no UTF-8, so two names are never taken for one
}

// Add adds a name with its value. The order does not matter.
func (o *Origin) Add(name, value []byte) {
	*o += Origin(hash(hash(hashStart, name), value))
}

const (
	// maxClaims is how many series are watched; about 50 MB.
	maxClaims = 1 << 20
	// claimSteps is after how many steps without a sample a series is free for another origin, and leastClaim is the
	// shortest time.
	claimSteps = 10
	leastClaim = 10 * time.Minute
)

// claims remembers from which origin a series comes, so that two sources do not take turns in writing to one series. It is
// safe for concurrent use.
type claims struct {
	mu   sync.Mutex
	held map[uint64]claim // by hash of the series
}

type claim struct {
	origin Origin
	until  int64
}

// hold claims the series of l for an origin, and reports whether it is that origin's. A series that has not been written
// for some time goes to whoever comes next: a sender that was updated may say other things about itself.
func (c *claims) hold(l *Line, origin Origin, now int64, step time.Duration) bool {
	h := uint64(hashStart)
	for _, name := range [...][]byte{l.Cluster, l.Host, l.Metric, l.Type, l.TypeID, l.SubType, l.SubTypeID} {
		h = hash(h, name)
	}
	until := now + int64(max(claimSteps*step, leastClaim).Seconds())
	c.mu.Lock()
	defer c.mu.Unlock()
	was, ok := c.held[h]
	if ok && was.origin != origin && was.until > now {
		return false
	}
	if !ok && len(c.held) >= maxClaims && !c.sweep(now) {
		return true // too many to be watched
	}
	if c.held == nil {
		c.held = map[uint64]claim{}
	}
	c.held[h] = claim{origin, until}
	return true
}

// sweep forgets claims that have lapsed and reports whether there is room. The caller holds mu.
func (c *claims) sweep(now int64) bool {
	for h, held := range c.held {
		if held.until <= now {
			delete(c.held, h)
		}
	}
	return len(c.held) < maxClaims
}

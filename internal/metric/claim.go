package metric

import (
	"sync"
	"sync/atomic"
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
	// maxClaims is how many series are watched; about 60 MB.
	maxClaims = 1 << 20
	// claimSteps is after how many steps without a sample a series is free for another origin, and leastClaim is the
	// shortest time.
	claimSteps = 10
	leastClaim = 10 * time.Minute
)

// claims remembers from which origin a series comes, so that two sources do not take turns in writing to one series. It is
// safe for concurrent use.
type claims struct {
	parts [claimParts]claimPart
	count atomic.Int64 // in all parts
}

// claimParts is into how many parts the hosts are divided: so that writers seldom wait for each other, and so that what is
// looked at for one host after the other lies together.
const claimParts = 64

type claimPart struct {
	mu    sync.Mutex
	held  map[uint64]*claim // by hash of the series
	swept int64             // when there was no room the last time
}

type claim struct {
	origin Origin
	until  int64
}

// restOf returns how many seconds without a sample a series is an origin's.
func restOf(step time.Duration) int64 { return int64(max(claimSteps*step, leastClaim).Seconds()) }

// hostHash returns the part of a series' hash that is its host's.
func hostHash(cluster, host []byte) uint64 { return hash(hash(hashStart, cluster), host) }

// namesHash returns the part of a series' hash that is the same on all hosts.
func namesHash(l *Line) uint64 {
	h := uint64(hashStart)
	for _, name := range [...][]byte{l.Metric, l.Type, l.TypeID, l.SubType, l.SubTypeID} {
		h = hash(h, name)
	}
	return h
}

// seriesHash joins the two parts. Each of its steps can be undone, so that nothing of them is lost before they meet.
func seriesHash(host, names uint64) uint64 {
	host ^= host >> 32
	host *= 0x9e3779b97f4a7c15
	host ^= host >> 29
	h := (host ^ names) * hashPrime
	return h ^ h>>32
}

// hold claims the series with these two parts of a hash for an origin until a time, and reports whether it is that origin's. A
// series that has not been written for some time goes to whoever comes next: a sender that was updated may say other things
// about itself.
func (c *claims) hold(host, names uint64, origin Origin, now, until int64) bool {
	p := &c.parts[host%claimParts]
	h := seriesHash(host, names)
	p.mu.Lock()
	defer p.mu.Unlock()
	if was := p.held[h]; was != nil {
		if was.origin != origin && was.until > now {
			return false
		}
		was.origin, was.until = origin, until
		return true
	}
	if !c.room(p, now) {
		return true // too many to be watched
	}
	if p.held == nil {
		p.held = map[uint64]*claim{}
	}
	p.held[h] = &claim{origin, until}
	c.count.Add(1)
	return true
}

// room reports whether another series can be watched, and to that end forgets claims of the part that have lapsed, but not
// for every sample. The caller holds its mu.
func (c *claims) room(p *claimPart, now int64) bool {
	if c.count.Load() >= maxClaims && p.swept != now {
		p.swept = now
		for h, held := range p.held {
			if held.until <= now {
				delete(p.held, h)
				c.count.Add(-1)
			}
		}
	}
	return c.count.Load() < maxClaims
}

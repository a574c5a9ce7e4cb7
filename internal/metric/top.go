package metric

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Usage is what series take up.
type Usage struct {
	Series int
	metricstore.Usage
}

// BytesPerSlot returns what a slot of the series takes up on average, 0 when there are none.
func (u Usage) BytesPerSlot() float64 {
	if u.Slots == 0 {
		return 0
	}
	return float64(u.Memory+u.Disk) / float64(u.Slots)
}

func (u *Usage) add(more metricstore.Usage) {
	u.Series++
	u.Slots += more.Slots
	u.Memory += more.Memory
	u.Disk += more.Disk
}

// UsageOf is what the series of a metric or of a host of a cluster take up.
type UsageOf struct {
	Cluster, Name string
	Usage
}

// Top tells who takes up how much, the largest first.
type Top struct {
	Total          Usage
	Metrics, Hosts []UsageOf
}

// Top tells what the series take up of the hosts that sees lets through; nil is all.
func (s *Service) Top(_ context.Context, sees func(cluster, host string) bool) Top {
	var total Usage
	metrics, hosts := map[[2]string]*Usage{}, map[[2]string]*Usage{}
	s.engine.Usage(func(k *metricstore.Key, u metricstore.Usage) {
		if sees != nil && !sees(k.Cluster, k.Host) {
			return
		}
		total.add(u)
		tally(metrics, [2]string{k.Cluster, k.Metric}, u)
		tally(hosts, [2]string{k.Cluster, k.Host}, u)
	})
	return Top{total, ranked(metrics), ranked(hosts)}
}

func tally(by map[[2]string]*Usage, key [2]string, u metricstore.Usage) {
	if by[key] == nil {
		by[key] = &Usage{}
	}
	by[key].add(u)
}

// ranked returns the largest first.
func ranked(by map[[2]string]*Usage) []UsageOf {
	list := make([]UsageOf, 0, len(by))
	for key, u := range by {
		list = append(list, UsageOf{key[0], key[1], *u})
	}
	slices.SortFunc(list, func(a, b UsageOf) int {
		return cmp.Or(b.Series-a.Series, cmp.Compare(b.Slots, a.Slots), strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Name, b.Name))
	})
	return list
}

// Rejection is a line that was rejected.
type Rejection struct {
	Time   time.Time
	Source string // who sent it
	Reject
}

const (
	// maxRejections is how many rejected lines are remembered, and perBatch how many of one batch: a sender that gets
	// everything wrong must not hide the others.
	maxRejections = 100
	perBatch      = 5
)

// rejections remembers the last rejected lines. It is safe for concurrent use.
type rejections struct {
	mu   sync.Mutex
	last []Rejection // a ring
	next int         // the oldest, once the ring is full
}

func (r *rejections) note(now time.Time, source string, rejects []Reject) {
	if len(rejects) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, reject := range rejects[:min(len(rejects), perBatch)] {
		rejection := Rejection{now, source, reject}
		if len(r.last) < maxRejections {
			r.last = append(r.last, rejection)
			continue
		}
		r.last[r.next] = rejection
		r.next = (r.next + 1) % maxRejections
	}
}

// Rejections returns the last lines that were rejected, the newest first.
func (s *Service) Rejections() []Rejection {
	r := &s.refusals
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Concat(r.last[r.next:], r.last[:r.next])
	slices.Reverse(list)
	return list
}

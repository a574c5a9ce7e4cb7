package authn

import (
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// Once remembers what has been used until it could not be used any more anyway. It is safe for concurrent use. Only what
// was found good should be put into it: then nobody can fill it.
type Once struct {
	clock clock.Clock
	most  int

	mu    sync.Mutex // guards all below
	used  map[string]time.Time
	swept time.Time
}

// NewOnce returns an empty memory for at most so many things at once.
func NewOnce(c clock.Clock, most int) *Once {
	return &Once{clock: c, most: most, used: map[string]time.Time{}, swept: c.Now()}
}

// Use notes that id is used, which is good until the given time. It fails with fault.Conflict when it was used before, and
// with fault.TooMany when there is no room to remember it.
func (o *Once) Use(id string, until time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.clock.Now()
	if now.Sub(o.swept) >= time.Minute || len(o.used) >= o.most {
		o.sweep(now)
	}
	if end, ok := o.used[id]; ok && now.Before(end) {
		return fault.New(fault.Conflict, "it has been used before")
	}
	if len(o.used) >= o.most {
		return fault.New(fault.TooMany, "too many logins; try again in a moment")
	}
	o.used[id] = until
	return nil
}

// sweep forgets what is over. It needs mu.
func (o *Once) sweep(now time.Time) {
	o.swept = now
	for id, end := range o.used {
		if !now.Before(end) {
			delete(o.used, id)
		}
	}
}

package token

import (
	"context"
	"fmt"
	"sync"
)

// indexes hands out places in the status list from blocks that nobody else has. The blocks grow, so that a command line
// that makes one token takes one place, and a server asks the store seldom. What is left of a block at the end is a gap,
// which costs an eighth of a byte.
type indexes struct {
	mu        sync.Mutex // guards all below
	next, end int64      // the places left: next, and those up to end
	block     int        // how many were reserved last
}

const (
	// maxBlock is how many places are reserved at once.
	maxBlock = 256
	// maxPlaces is how many places a status list has. Then they are given out again from the start: a token that had one
	// of them is long expired, unless more tokens than that are made in the longest lifetime.
	maxPlaces = 1 << 26
)

// nextIndex returns a place in the status list that no other token has; 0 when there is no status list.
func (s *Service) nextIndex(ctx context.Context) (int64, error) {
	if s.status.store == nil {
		return 0, nil
	}
	x := &s.indexes
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.next >= x.end {
		x.block = min(max(1, x.block*2), maxBlock)
		first, err := s.status.store.ReserveStatusIndexes(ctx, x.block)
		if err != nil {
			return 0, fmt.Errorf("get a place in the status list: %w", err)
		}
		x.next, x.end = first, first+int64(x.block)
	}
	place := x.next
	x.next++
	if place %= maxPlaces; place == 0 { // 0 is no place
		place = x.next % maxPlaces
		x.next++
	}
	return place, nil
}

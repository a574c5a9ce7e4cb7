package token

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// uses collects when and from where tokens were last used, until they are written in one go.
type uses struct {
	mu   sync.Mutex // guards last
	last map[string]Use
}

// maxUses bounds what is collected between two flushes. Uses of further tokens are not noted: this is a convenience for
// people, not the audit trail.
const maxUses = 100_000

func (u *uses) note(use Use) {
	use.At = use.At.UTC().Truncate(time.Minute)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = make(map[string]Use)
	}
	if known, ok := u.last[use.ID]; ok && known.At.After(use.At) || !ok && len(u.last) >= maxUses {
		return
	}
	u.last[use.ID] = use
}

func (u *uses) take() map[string]Use {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.last
	u.last = nil
	return taken
}

// FlushUses writes when and from where tokens were used since the last flush. What could not be written is kept for the
// next one. Call it now and then, and once at the end.
func (s *Service) FlushUses(ctx context.Context) error {
	taken := s.uses.take()
	if len(taken) == 0 {
		return nil
	}
	list := make([]Use, 0, len(taken))
	for _, use := range taken {
		list = append(list, use)
	}
	if err := s.store.TouchTokens(ctx, list); err != nil {
		for _, use := range list {
			s.uses.note(use)
		}
		return fmt.Errorf("write last uses of tokens: %w", err)
	}
	return nil
}

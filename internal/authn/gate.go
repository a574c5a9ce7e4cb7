package authn

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// waitingChecks is how many wait for a check at most. At some 40 ms for a hash, nobody waits for much longer
// than a second.
const waitingChecks = 32

// gate lets few through at the same time and few wait. It is safe for concurrent use.
type gate struct {
	slots   chan struct{}
	waiting atomic.Int64
}

func newGate(parallel int) *gate { return &gate{slots: make(chan struct{}, parallel)} }

// do runs work when there is room for it; fault.TooMany when too many are waiting.
func (g *gate) do(ctx context.Context, work func()) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for a password check: %w", err)
	}
	if g.waiting.Add(1) > int64(cap(g.slots))+waitingChecks {
		g.waiting.Add(-1)
		return fault.New(fault.TooMany, "too many logins at the same time; try again in a moment")
	}
	defer g.waiting.Add(-1)
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for a password check: %w", ctx.Err())
	}
	defer func() { <-g.slots }()
	work()
	return nil
}

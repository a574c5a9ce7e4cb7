package server

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/cockpit"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// messageBus is what brings messages. *bus.Conn is one.
type messageBus interface {
	// Listen calls handle with messages until ctx ends, and then with those that have arrived.
	Listen(ctx context.Context, s bus.Subscription, handle func(bus.Arrivals)) error
}

// eventFeed does what schedulers publish on a subject. There is nobody to answer, so what is wrong is logged.
type eventFeed struct {
	bus    messageBus
	sub    bus.Subscription
	events *cockpit.Events
	lanes  int
	caller identity.Caller
	clock  clock.Clock
	log    *slog.Logger

	done, wrong, lost atomic.Int64
	quiet             sparse
}

const (
	// laneLength is how many events wait in a lane. Further ones wait on the bus.
	laneLength = 64
	// eventTimeout is how long one event may take.
	eventTimeout = 30 * time.Second
	// eventAttempts is how often an event is tried that fails for a reason of the head's own.
	eventAttempts = 5
)

// run works off events until ctx ends, those that have arrived by then included. Events of one job stay in order: they go
// through the same lane.
func (f *eventFeed) run(ctx context.Context) error {
	lanes := make([]chan cockpit.Event, f.lanes)
	var wg sync.WaitGroup
	for i := range lanes {
		lanes[i] = make(chan cockpit.Event, laneLength)
		wg.Go(func() {
			for e := range lanes[i] {
				f.do(ctx, e)
			}
		})
	}
	err := f.bus.Listen(ctx, f.sub, func(a bus.Arrivals) {
		f.lost.Add(a.Lost)
		if a.Lost > 0 {
			f.warn("events from NATS were lost: more came than could be worked off", "messages", a.Lost)
		}
		for _, m := range a.Messages {
			events, err := f.events.Parse(m)
			if err != nil {
				f.wrong.Add(1)
				f.warn("an event from NATS is wrong", "error", err)
			}
			for _, e := range events {
				lanes[e.Order%uint64(len(lanes))] <- e
			}
		}
	})
	for _, lane := range lanes {
		close(lane)
	}
	wg.Wait()
	return err
}

// do does one event, and again when the head itself could not.
func (f *eventFeed) do(ctx context.Context, e cockpit.Event) {
	for attempt := 1; ; attempt++ {
		err := f.try(ctx, e)
		kind := fault.KindOf(err)
		switch {
		case err == nil:
			f.done.Add(1)
			return
		case kind != fault.Internal && kind != fault.Unavailable || attempt == eventAttempts || ctx.Err() != nil:
			f.wrong.Add(1)
			f.warn("an event from NATS was not followed", "event", e.Name, "error", err)
			return
		}
		_ = clock.Sleep(ctx, f.clock, time.Duration(attempt)*time.Second) // when ctx ends it is tried once more
	}
}

// try does one event. It outlives ctx, but not for long.
func (f *eventFeed) try(ctx context.Context, e cockpit.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventTimeout)
	defer cancel()
	return e.Do(ctx, f.caller)
}

// warn logs, but not everything when everything is wrong.
func (f *eventFeed) warn(message string, args ...any) {
	ok, before := f.quiet.allow(f.clock.Now())
	if !ok {
		return
	}
	if before > 0 {
		args = append(args, "not_logged_before", before)
	}
	f.log.Warn(message, append([]any{"subject", f.sub.Subject}, args...)...) //nolint:sloglint // the callers' messages are constants
}

// sparse lets so many lines a minute through. It is safe for concurrent use.
type sparse struct {
	mu      sync.Mutex
	began   time.Time
	allowed int
	held    int
}

// allow reports whether a line may be logged, and how many were not since the last one that was.
func (s *sparse) allow(now time.Time) (ok bool, held int) {
	const most = 20
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.began) >= time.Minute {
		s.began, s.allowed = now, 0
	}
	if s.allowed == most {
		s.held++
		return false, 0
	}
	s.allowed++
	held, s.held = s.held, 0
	return true, held
}

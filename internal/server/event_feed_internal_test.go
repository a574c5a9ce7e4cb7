package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/cockpit"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// script is a bus on which these messages arrive at once; then ctx has to end.
type script []string

func (s script) Listen(ctx context.Context, _ bus.Subscription, handle func(bus.Arrivals)) error {
	for _, m := range s {
		handle(bus.Arrivals{Messages: [][]byte{[]byte(m)}, Lost: 1})
	}
	<-ctx.Done()
	return nil
}

// ledger notes the ends of jobs, slowly, and fails so many times first.
type ledger struct {
	cockpit.Jobs
	mu    sync.Mutex
	fail  int
	ended []int64
}

func (l *ledger) Stop(ctx context.Context, c identity.Caller, r job.StopRequest) (job.Job, error) {
	_ = clock.Sleep(ctx, clock.System{}, time.Duration(r.Key.JobID%3)*time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail > 0 {
		l.fail--
		return job.Job{}, errors.New("disk is full")
	}
	if r.Key.JobID == 0 {
		return job.Job{}, fault.New(fault.NotFound, "no such job")
	}
	l.ended = append(l.ended, 1000*r.Key.JobID+r.At.Unix())
	return job.Job{}, c.Require(identity.JobsWrite)
}

func stop(id, at int) string {
	return fmt.Sprintf(`job,function=stop_job event="{\"jobId\":%d,\"stopTime\":%d}"`, id, at)
}

// play runs a feed over the messages for as long as said and returns the log.
func play(t *testing.T, l *ledger, s script, last time.Duration) (string, *eventFeed) {
	t.Helper()
	var buf bytes.Buffer
	f := &eventFeed{
		bus: s, sub: bus.Subscription{Subject: "jobs"}, events: cockpit.NewEvents(cockpit.Config{Jobs: l}), lanes: 4,
		caller: identity.Bus("jobs", identity.SetOf(identity.JobsWrite), nil), clock: clock.System{}, log: slog.New(slog.NewTextHandler(&buf, nil)),
	}
	ctx, cancel := context.WithTimeout(t.Context(), last)
	defer cancel()
	if err := f.run(ctx); err != nil {
		t.Error(err)
	}
	return buf.String(), f
}

func TestEventsOfAJobStayInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s script
		for at := range 100 {
			s = append(s, stop(1+at%7, at)+"\n"+stop(100+at, at))
		}
		l := &ledger{}
		_, f := play(t, l, s, time.Millisecond) // ends long before they are done
		if len(l.ended) != 200 || f.done.Load() != 200 || f.lost.Load() != 100 {
			t.Fatalf("%d of 200, %d done, %d lost", len(l.ended), f.done.Load(), f.lost.Load())
		}
		for id := range int64(7) {
			of := slices.DeleteFunc(slices.Clone(l.ended), func(v int64) bool { return v/1000 != id+1 })
			if !slices.IsSorted(of) || len(of) < 14 {
				t.Errorf("job %d: %v", id+1, of)
			}
		}
	})
}

func TestEventsAreTriedAgainWhenTheHeadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{fail: 3}
		if log, f := play(t, l, script{stop(5, 1)}, time.Minute); len(l.ended) != 1 || f.done.Load() != 1 || strings.Contains(log, "full") {
			t.Errorf("%v, %s", l.ended, log)
		}
		l = &ledger{fail: 100}
		if log, f := play(t, l, script{stop(5, 1)}, time.Minute); l.fail != 95 || f.wrong.Load() != 1 || !strings.Contains(log, "disk is full") {
			t.Errorf("%d left, %s", l.fail, log)
		}
	})
}

func TestWrongEventsAreLoggedSparsely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script(slices.Repeat([]string{stop(0, 1), "bad"}, 500))
		log, f := play(t, &ledger{}, s, time.Second)
		if n := strings.Count(log, "\n"); n != 20 || f.wrong.Load() != 1000 {
			t.Errorf("%d lines, %d wrong", n, f.wrong.Load())
		}
	})
}

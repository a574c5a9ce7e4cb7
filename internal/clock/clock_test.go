package clock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func TestManualWakesInTime(t *testing.T) {
	c := clock.NewManual(start)
	early, late, now := c.After(time.Second), c.After(time.Minute), c.After(0)
	<-now
	c.Advance(30 * time.Second)
	if got := <-early; !got.Equal(start.Add(30 * time.Second)) {
		t.Errorf("woken at %s", got)
	}
	select {
	case <-late:
		t.Error("woken half a minute too early")
	default:
	}
	c.Advance(30 * time.Second)
	<-late
	if got := c.Now(); !got.Equal(start.Add(time.Minute)) {
		t.Errorf("clock shows %s", got)
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := clock.Sleep(ctx, clock.NewManual(start), time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := clock.Sleep(t.Context(), clock.NewManual(start), -time.Hour); err != nil {
		t.Errorf("nothing to wait for, and yet: %v", err)
	}
}

func TestSystemClockIsTheMachines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.System
		before := c.Now()
		if err := clock.Sleep(t.Context(), c, time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := c.Now().Sub(before); got != time.Hour {
			t.Errorf("slept %s", got)
		}
	})
}

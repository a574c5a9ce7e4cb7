package trail

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// Receiver takes records outside the house: a file, a log server, a bus.
type Receiver interface {
	// Send passes records on, in their order. It returns nil when they have arrived, as far as the receiver can tell.
	// After an error the same records come again, so that a receiver may see a record twice, but never misses one.
	Send(ctx context.Context, records []audit.Record) error
}

// Cursors keeps how far each receiver is.
type Cursors interface {
	// GetCursor returns the last record that the receiver has, 0 for none.
	GetCursor(ctx context.Context, receiver string) (int64, error)
	// SetCursor notes the last record that the receiver has.
	SetCursor(ctx context.Context, receiver string, seq int64) error
}

// Store is all that this package needs of a database.
type Store interface {
	Log
	Cursors
}

// ExporterConfig is what an Exporter needs.
type ExporterConfig struct {
	// Name is the receiver's, such as "syslog"; Target is where that is. A receiver that moves gets the whole trail again.
	Name, Target string
	Receiver     Receiver
	Store        Store
	Clock        clock.Clock
	Log          *slog.Logger
}

// Exporter passes the trail on to one receiver: from its first record, in order, each at least once, across restarts of
// either side. It reads the trail from the database at its own pace; a receiver that is slow or away holds up nobody.
type Exporter struct {
	ExporterConfig
	sent atomic.Int64 // the last record that the receiver has
}

// NewExporter returns an exporter.
func NewExporter(c ExporterConfig) *Exporter { return &Exporter{ExporterConfig: c} }

const (
	batchSize  = 256
	firstPause = time.Second // after a failure; each further one doubles it
	longPause  = time.Minute
)

// Run passes records on until ctx ends. Failures of the receiver or the database are logged, once for each time that it
// goes away, and tried again.
func (e *Exporter) Run(ctx context.Context) error {
	pause := firstPause
	down := false
	for started := false; ctx.Err() == nil; {
		more := e.Store.Appended()
		n, err := e.step(ctx, !started)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil //nolint:nilerr // the end was asked for
		case err != nil:
			if !down {
				e.Log.Error("audit records cannot be passed on; they wait", "receiver", e.Name, "target", e.Target, "error", err)
			}
			down = true
			_ = clock.Sleep(ctx, e.Clock, pause) // the loop ends with ctx
			pause = min(2*pause, longPause)
			continue
		case down:
			e.Log.Warn("audit records are passed on again", "receiver", e.Name, "target", e.Target)
			down = false
		}
		started, pause = true, firstPause
		if n == batchSize {
			continue
		}
		select {
		case <-more:
			_ = clock.Sleep(ctx, e.Clock, linger) // the loop ends with ctx
		case <-e.Clock.After(elsewhere):
		case <-ctx.Done():
		}
	}
	return nil
}

// step passes one batch on and returns how many records it had.
func (e *Exporter) step(ctx context.Context, first bool) (int, error) {
	if first {
		if err := e.begin(ctx); err != nil {
			return 0, err
		}
	}
	batch, err := e.Store.List(ctx, audit.Filter{Ascending: true, After: e.sent.Load(), Limit: batchSize})
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	if err := e.Receiver.Send(ctx, batch); err != nil {
		return 0, fmt.Errorf("send records %d to %d: %w", batch[0].Seq, batch[len(batch)-1].Seq, err)
	}
	last := batch[len(batch)-1].Seq
	if err := e.Store.SetCursor(ctx, e.cursor(), last); err != nil {
		return 0, err
	}
	e.sent.Store(last)
	return len(batch), nil
}

// begin finds out how far the receiver is. One that has more than there is knows of records that are gone: the database
// has been replaced by an older one, or its end has been cut off.
func (e *Exporter) begin(ctx context.Context) error {
	has, err := e.Store.GetCursor(ctx, e.cursor())
	if err != nil {
		return err
	}
	end, err := e.Store.Head(ctx)
	if err != nil {
		return err
	}
	if has > end.Seq {
		e.Log.Error("the audit trail is shorter than what a receiver has of it: records are gone from the database",
			"receiver", e.Name, "target", e.Target, "trail_ends_at", end.Seq, "receiver_has", has)
		has = end.Seq
		if err := e.Store.SetCursor(ctx, e.cursor(), has); err != nil {
			return err
		}
	}
	e.sent.Store(has)
	return nil
}

func (e *Exporter) cursor() string { return e.Name + " " + e.Target }

// Lag returns how many records the receiver does not have yet.
func (e *Exporter) Lag(ctx context.Context) (int64, error) {
	end, err := e.Store.Head(ctx)
	if err != nil {
		return 0, err
	}
	return max(0, end.Seq-e.sent.Load()), nil
}

package trail_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/trail"
)

// sink is a receiver that can be away.
type sink struct {
	mu    sync.Mutex // guards all below
	away  bool
	lossy int // answers with an error after having taken so many records
	got   []int64
	tries int
}

func (s *sink) Send(_ context.Context, records []audit.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if s.away {
		return errors.New("nobody answers")
	}
	if s.lossy > 0 {
		s.got = append(s.got, seqs(records[:min(s.lossy, len(records))])...)
		s.lossy = 0
		return errors.New("broken off")
	}
	s.got = append(s.got, seqs(records)...)
	return nil
}

func (s *sink) setAway(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = on
}

// received returns what has come so far.
func (s *sink) received() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// tried returns how often it was sent something.
func (s *sink) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// notes is a log that can be read while it is written.
type notes struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

type exporting struct {
	*trail.Exporter
	log  *notes
	stop func()
}

// export runs an exporter until it is stopped, as one life of the program.
func export(t *testing.T, m trail.Store, to trail.Receiver) exporting {
	t.Helper()
	log := &notes{}
	e := trail.NewExporter(trail.ExporterConfig{
		Name: "sink", Target: "here", Receiver: to, Store: m, Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	return exporting{e, log, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	}}
}

func upTo(n int64) []int64 {
	var all []int64
	for i := int64(1); i <= n; i++ {
		all = append(all, i)
	}
	return all
}

func TestReceiverGetsTheTrailFromItsBeginningAndGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, to := newMemory(), &sink{}
		m.write(t, "ann", 1000)
		e := export(t, m, to)
		time.Sleep(time.Second)
		if got := to.received(); !slices.Equal(got, upTo(1000)) {
			t.Errorf("%d records at the start", len(got))
		}
		for range 20 {
			m.write(t, "ann", 1)
		}
		time.Sleep(time.Second)
		if got := to.received(); !slices.Equal(got, upTo(1020)) {
			t.Errorf("%d records after that", len(got))
		}
		if lag, err := e.Lag(t.Context()); lag != 0 || err != nil {
			t.Errorf("lag %d, %v", lag, err)
		}
		e.stop()
	})
}

func TestRestartGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, to := newMemory(), &sink{}
		for life := int64(1); life <= 3; life++ {
			m.write(t, "ann", 300)
			e := export(t, m, to)
			time.Sleep(time.Second)
			e.stop()
			if got := to.received(); !slices.Equal(got, upTo(300*life)) {
				t.Errorf("life %d: %d records", life, len(got))
			}
		}
	})
}

func TestOutageLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, to := newMemory(), &sink{away: true}
		m.write(t, "ann", 10)
		e := export(t, m, to)
		time.Sleep(time.Hour)
		if n := to.tried(); n < 60 || n > 70 {
			t.Errorf("%d tries in an hour", n)
		}
		if n := strings.Count(e.log.String(), "cannot be passed on"); n != 1 {
			t.Errorf("the outage was told %d times", n)
		}
		if lag, err := e.Lag(t.Context()); lag != 10 || err != nil {
			t.Errorf("lag %d, %v", lag, err)
		}
		m.write(t, "ann", 10)
		to.setAway(false)
		time.Sleep(2 * time.Minute)
		if got := to.received(); !slices.Equal(got, upTo(20)) {
			t.Errorf("received %v", got)
		}
		if !strings.Contains(e.log.String(), "passed on again") {
			t.Error("nobody was told that it is over")
		}
		m.fail(true)
		m.write(t, "ann", 10)
		time.Sleep(time.Minute)
		m.fail(false)
		time.Sleep(2 * time.Minute)
		if got := to.received(); !slices.Equal(got, upTo(30)) {
			t.Errorf("after the database failed: %v", got)
		}
		e.stop()
	})
}

// A batch that broke off comes again as a whole: the receiver may see records twice, but in order and all of them.
func TestBrokenBatchIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, to := newMemory(), &sink{lossy: 3}
		m.write(t, "ann", 5)
		e := export(t, m, to)
		time.Sleep(time.Minute)
		e.stop()
		if got := to.received(); !slices.Equal(got, []int64{1, 2, 3, 1, 2, 3, 4, 5}) {
			t.Errorf("received %v", got)
		}
	})
}

func TestShorterTrailThanTheReceiversIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, to := newMemory(), &sink{}
		m.write(t, "ann", 10)
		e := export(t, m, to)
		time.Sleep(time.Second)
		e.stop()
		m.records = m.records[:7]
		e = export(t, m, to)
		synctest.Wait()
		m.write(t, "ann", 1)
		time.Sleep(10 * time.Second)
		e.stop()
		if !strings.Contains(e.log.String(), "trail_ends_at=7 receiver_has=10") {
			t.Errorf("log: %s", e.log)
		}
		if got := to.received(); !slices.Equal(got, append(upTo(10), 8)) {
			t.Errorf("received %v", got)
		}
	})
}

func TestBusyTrailIsPassedOnInBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, to := newMemory(), &sink{}
		e := export(t, m, to)
		for range 1000 { // one a millisecond
			m.write(t, "ann", 1)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		e.stop()
		if got := to.received(); !slices.Equal(got, upTo(1000)) || to.tried() > 20 {
			t.Errorf("%d records in %d batches", len(got), to.tried())
		}
	})
}

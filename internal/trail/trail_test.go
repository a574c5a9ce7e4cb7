package trail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/trail"
)

func newService(m *memory) *trail.Service {
	return trail.New(trail.Config{Log: m, Clock: clock.System{}})
}

func TestWhoSeesWhat(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.write(t, "ann", 2)
	m.write(t, "bob", 2)
	m.records = append(m.records, audit.Record{Seq: 5, Actor: "bob", Subject: "ann", Time: noon.Add(time.Hour)})
	s := newService(m)
	newcomer := ann()
	newcomer.User.Created = noon.Add(90 * time.Second) // the first record is of another who had her name
	for name, c := range map[string]struct {
		caller identity.Caller
		filter audit.Filter
		want   []int64
		kind   fault.Kind
	}{
		"everything":               {auditor(), audit.Filter{}, []int64{5, 4, 3, 2, 1}, 0},
		"of somebody":              {auditor(), audit.Filter{Who: "bob"}, []int64{5, 4, 3}, 0},
		"ann without asking":       {ann(), audit.Filter{}, []int64{5, 2, 1}, 0},
		"ann asking for herself":   {ann(), audit.Filter{Who: "ann"}, []int64{5, 2, 1}, 0},
		"ann asking for bob":       {ann(), audit.Filter{Who: "bob"}, nil, fault.Denied},
		"the new ann":              {newcomer, audit.Filter{}, []int64{5, 2}, 0},
		"the new ann, since later": {newcomer, audit.Filter{Since: noon.Add(30 * time.Minute)}, []int64{5}, 0},
		"page":                     {auditor(), audit.Filter{Before: 3, Limit: 1}, []int64{2}, 0},
		"other way":                {auditor(), audit.Filter{After: 3, Ascending: true}, []int64{4, 5}, 0},
		"limit below":              {auditor(), audit.Filter{Limit: -1}, nil, fault.Invalid},
		"limit above":              {auditor(), audit.Filter{Limit: 1001}, nil, fault.Invalid},
		"place":                    {auditor(), audit.Filter{After: -1}, nil, fault.Invalid},
		"times":                    {auditor(), audit.Filter{Since: noon, Until: noon.Add(-1)}, nil, fault.Invalid},
		"outcome":                  {auditor(), audit.Filter{Outcome: "perhaps"}, nil, fault.Invalid},
		"ann's outcome":            {ann(), audit.Filter{Outcome: "perhaps"}, nil, fault.Invalid},
	} {
		got, err := s.List(t.Context(), c.caller, c.filter)
		if c.kind != 0 {
			if !fault.Is(err, c.kind) {
				t.Errorf("%s: %v, want %s", name, err, c.kind)
			}
			continue
		}
		if err != nil || !slices.Equal(seqs(got), c.want) {
			t.Errorf("%s: %v, %v, want %v", name, seqs(got), err, c.want)
		}
	}
	m.fail(true)
	if _, err := s.List(t.Context(), auditor(), audit.Filter{}); !errors.Is(err, errFails) {
		t.Errorf("a database that fails: %v", err)
	}
}

func TestNewRecordEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.write(t, "bob", 1)
		s := newService(m)
		begin := time.Now()
		go func() {
			time.Sleep(2 * time.Second)
			m.write(t, "ann", 1)
		}()
		got, err := s.Wait(t.Context(), auditor(), audit.Filter{After: 1, Ascending: true}, time.Minute)
		if err != nil || !slices.Equal(seqs(got), []int64{2}) || time.Since(begin) > 2500*time.Millisecond {
			t.Errorf("%v, %v after %s", seqs(got), err, time.Since(begin))
		}
	})
}

func TestWaitEndsByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := newService(m)
		begin := time.Now()
		if got, err := s.Wait(t.Context(), auditor(), audit.Filter{}, 30*time.Second); len(got) > 0 || err != nil || time.Since(begin) != 30*time.Second {
			t.Errorf("%v, %v after %s", got, err, time.Since(begin))
		}
		if m.lists > 8 {
			t.Errorf("looked %d times while nothing happened", m.lists)
		}
		if _, err := s.Wait(t.Context(), ann(), audit.Filter{Who: "bob"}, time.Hour); !fault.Is(err, fault.Denied) {
			t.Errorf("who may not see it waits: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Wait(ctx, auditor(), audit.Filter{}, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("whose client has gone: %v", err)
		}
		stop, end := context.WithCancel(t.Context())
		go func() { _ = s.Run(stop) }()
		go func() { time.Sleep(time.Second); end() }()
		begin = time.Now()
		if _, err := s.Wait(t.Context(), auditor(), audit.Filter{}, time.Hour); err != nil || time.Since(begin) != time.Second {
			t.Errorf("the program stops: %v after %s", err, time.Since(begin))
		}
	})
}

// The command line writes in a process of its own, of which no channel tells.
func TestRecordOfAnotherProcessEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := newService(m)
		go func() {
			time.Sleep(time.Second)
			m.mu.Lock()
			defer m.mu.Unlock()
			m.records = append(m.records, audit.Record{Seq: 1})
		}()
		if got, err := s.Wait(t.Context(), auditor(), audit.Filter{}, time.Minute); len(got) != 1 || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestWalkTakesEverythingInOrder(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.write(t, "ann", 1500)
	m.write(t, "bob", 600)
	s := newService(m)
	for name, c := range map[string]struct {
		caller            identity.Caller
		filter            audit.Filter
		first, last, many int64
	}{
		"all":        {auditor(), audit.Filter{}, 1, 2100, 2100},
		"ann's":      {ann(), audit.Filter{}, 1, 1500, 1500},
		"a part":     {auditor(), audit.Filter{After: 500, Before: 1501}, 501, 1500, 1000},
		"some":       {auditor(), audit.Filter{Limit: 1200}, 1, 1200, 1200},
		"more":       {auditor(), audit.Filter{Limit: 9000}, 1, 2100, 2100},
		"descending": {auditor(), audit.Filter{Limit: 3, Ascending: false}, 1, 3, 3},
	} {
		var got []int64
		err := s.Walk(t.Context(), c.caller, c.filter, func(page []audit.Record) error {
			got = append(got, seqs(page)...)
			return nil
		})
		if err != nil || int64(len(got)) != c.many || got[0] != c.first || got[len(got)-1] != c.last || !slices.IsSorted(got) {
			t.Errorf("%s: %d records, %v", name, len(got), err)
		}
	}
	if err := s.Walk(t.Context(), auditor(), audit.Filter{}, func([]audit.Record) error { return errFails }); !errors.Is(err, errFails) {
		t.Errorf("who walks fails: %v", err)
	}
	if err := s.Walk(t.Context(), ann(), audit.Filter{Who: "bob"}, func([]audit.Record) error { return nil }); !fault.Is(err, fault.Denied) {
		t.Errorf("ann walks bob's: %v", err)
	}
}

func TestVerifyReportsTheFirstBreak(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.write(t, "ann", 2500)
	s := newService(m)
	h, err := s.Head(t.Context(), auditor())
	if err != nil || h.Seq != 2500 || h.Hash != m.records[2499].Hash {
		t.Fatalf("head %+v, %v", h, err)
	}
	report, err := s.Verify(t.Context(), auditor(), h)
	if err != nil || report.Broken != nil || report.Walked != 2500 || report.Head != h {
		t.Fatalf("%+v, %v", report, err)
	}
	m.records[1700].Actor = "eve"
	report, err = s.Verify(t.Context(), auditor(), audit.Head{})
	if err != nil || report.Broken == nil || report.Broken.Seq != 1701 || report.Broken.Break != audit.BrokenHash || report.Walked != 1700 {
		t.Errorf("altered: %+v, %v", report, err)
	}
	m.records = m.records[:1600]
	if report, err = s.Verify(t.Context(), auditor(), audit.Head{}); err != nil || report.Broken != nil {
		t.Errorf("cut off, of which the chain says nothing: %+v, %v", report, err)
	}
	if report, err = s.Verify(t.Context(), auditor(), h); err != nil || report.Broken == nil || report.Broken.Break != audit.BrokenEnd {
		t.Errorf("cut off, head noted: %+v, %v", report, err)
	}
	for _, do := range []func() error{
		func() error { _, err := s.Verify(t.Context(), ann(), audit.Head{}); return err },
		func() error { _, err := s.Head(t.Context(), ann()); return err },
	} {
		if err := do(); !fault.Is(err, fault.Denied) {
			t.Errorf("ann: %v", err)
		}
	}
	m.fail(true)
	if _, err := s.Verify(t.Context(), auditor(), audit.Head{}); !errors.Is(err, errFails) {
		t.Errorf("a database that fails: %v", err)
	}
}

func TestOneVerificationAtATime(t *testing.T) {
	t.Parallel()
	m := &slow{memory: newMemory(), entered: make(chan struct{}), leave: make(chan struct{})}
	s := trail.New(trail.Config{Log: m, Clock: clock.System{}})
	done := make(chan error, 1)
	go func() {
		_, err := s.Verify(context.WithoutCancel(t.Context()), auditor(), audit.Head{})
		done <- err
	}()
	<-m.entered
	if _, err := s.Verify(t.Context(), auditor(), audit.Head{}); !fault.Is(err, fault.TooMany) {
		t.Errorf("the second: %v", err)
	}
	close(m.leave)
	if err := <-done; err != nil {
		t.Errorf("the first: %v", err)
	}
}

// slow is a trail whose head takes its time.
type slow struct {
	*memory
	entered, leave chan struct{}
}

func (s *slow) Head(ctx context.Context) (audit.Head, error) {
	close(s.entered)
	<-s.leave
	return s.memory.Head(ctx)
}

func ExampleService_Verify() {
	s := trail.New(trail.Config{Log: newMemory(), Clock: clock.System{}})
	report, err := s.Verify(context.Background(), identity.Local("root"), audit.Head{Seq: 7, Hash: "noted down last week"})
	fmt.Println(report.Walked, report.Broken, err)
	// Output: 0 the trail ends with record 0, but record 7 was noted down: its end has been cut off <nil>
}

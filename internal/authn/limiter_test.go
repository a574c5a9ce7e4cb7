package authn_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

func newLimiter() (*authn.Limiter, *clock.Manual) {
	clk := clock.NewManual(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))
	return authn.NewLimiter(clk), clk
}

// attempts counts how many of n attempts pass.
func attempts(l *authn.Limiter, n int, account, addr func(int) string) (passed int) {
	for i := range n {
		if ok, _ := l.Take(account(i), addr(i)); ok {
			passed++
		}
	}
	return passed
}

func always(s string) func(int) string   { return func(int) string { return s } }
func numbered(f string) func(int) string { return func(i int) string { return fmt.Sprintf(f, i) } }
func spread(i int) string                { return fmt.Sprintf("10.%d.%d.1", i/250, i%250) }

func TestFailuresAreLimited(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		account, addr func(int) string
		want          int
	}{
		"one account from one address": {always("alice"), always("192.0.2.1"), 5},
		"spraying from one address":    {numbered("u%d"), always("192.0.2.1"), 30},
		"one account from everywhere":  {always("alice"), spread, 60},
		"one IPv6 customer":            {numbered("u%d"), numbered("2001:db8:0:1::%x"), 30},
		"other IPv6 customers":         {always("alice"), numbered("2001:db8:0:%x::1"), 60},
		"names that cannot be":         {always(string(make([]byte, 5000))), always("192.0.2.1"), 5},
		"mapped IPv4":                  {always("alice"), func(i int) string { return []string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2] }, 5},
		"local":                        {always("alice"), always(""), 5},
	} {
		l, _ := newLimiter()
		if got := attempts(l, 1000, c.account, c.addr); got != c.want {
			t.Errorf("%s: %d attempts pass, want %d", what, got, c.want)
		}
	}
}

func TestBudgetComesBackWithTime(t *testing.T) {
	t.Parallel()
	l, clk := newLimiter()
	if got := attempts(l, 10, always("a"), always("192.0.2.1")); got != 5 {
		t.Fatal(got)
	}
	clk.Advance(3 * time.Minute)
	if got := attempts(l, 10, always("a"), always("192.0.2.1")); got != 1 {
		t.Errorf("after a fifth of the window %d pass", got)
	}
	clk.Advance(time.Hour)
	if got := attempts(l, 10, always("a"), always("192.0.2.1")); got != 5 {
		t.Errorf("after all of it %d pass", got)
	}
	clk.Advance(-time.Hour)
	if got := attempts(l, 10, always("a"), always("192.0.2.1")); got != 0 {
		t.Errorf("with the clock set back %d pass", got)
	}
}

func TestSuccessGivesBackOneAttemptAndNoMore(t *testing.T) {
	t.Parallel()
	l, _ := newLimiter()
	for range 1000 {
		if ok, _ := l.Take("own", "192.0.2.1"); !ok {
			t.Fatal("successes count")
		}
		l.Return("own", "192.0.2.1")
	}
	guesses := 0
	for range 1000 { // an attacker with one good account guesses at another
		if ok, _ := l.Take("victim", "192.0.2.1"); ok {
			guesses++
		}
		if ok, _ := l.Take("own", "192.0.2.1"); ok {
			l.Return("own", "192.0.2.1")
		}
	}
	if guesses != 5 {
		t.Errorf("%d guesses", guesses)
	}
}

func TestRefusalIsReportedOnce(t *testing.T) {
	t.Parallel()
	l, clk := newLimiter()
	reported := func() (n int) {
		for range 100 {
			if ok, first := l.Take("a", "192.0.2.1"); !ok && first {
				n++
			}
		}
		return n
	}
	if n := reported(); n != 1 {
		t.Errorf("reported %d times", n)
	}
	clk.Advance(time.Hour)
	if n := reported(); n != 1 {
		t.Errorf("the next time %d times", n)
	}
}

func TestAttemptsAtTheSameTimeShareTheBudget(t *testing.T) {
	t.Parallel()
	l, _ := newLimiter()
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if ok, _ := l.Take("a", "192.0.2.1"); ok {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 5 {
		t.Errorf("%d pass", passed.Load())
	}
}

func TestMemoryIsBoundedUnderAFlood(t *testing.T) {
	l, clk := newLimiter()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range 400_000 { // three budgets each
		l.Take(fmt.Sprintf("u%d", i), fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff))
	}
	if used := int64(heap()) - int64(before); used > 64<<20 {
		t.Errorf("the flood takes %d MiB", used>>20)
	}
	clk.Advance(time.Hour)
	if got := attempts(l, 10, always("alice"), always("192.0.2.1")); got != 5 {
		t.Errorf("afterwards %d pass", got)
	}
}

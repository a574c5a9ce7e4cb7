package metricstore_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// gathering is a store that keeps what the devices of a host have together.
type gathering struct {
	*testing.T
	db *metricstore.DB
}

// put stores samples of a device, that many minutes after a fixed time.
func (g gathering) put(device int, from, to int64, v float64) {
	g.Helper()
	a := g.db.Appender()
	defer a.Close()
	l := thread("n01", strconv.Itoa(device)).Labels()
	for m := from; m < to; m++ {
		if err := a.Append(&l, 60, began+60*m, v); err != nil {
			g.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		g.Fatal(err)
	}
}

// began is where chunks begin: it is a multiple of all their slots.
var began = now.Unix() / (128 * 60) * (128 * 60)

// sums asks, twice and in several ways, and holds the answers against each other.
func (g gathering) sums(from, to int64) string {
	g.Helper()
	w := metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "flops_any", From: began + 60*from, To: began + 60*to}
	var all, sums, again metricstore.Aggregate
	sums.SumsOnly = true
	for _, a := range []*metricstore.Aggregate{&sums, &all, &again} {
		if !g.db.ReadAggregate(a, w) {
			g.Fatal("no answer")
		}
	}
	want := make([]float64, len(all.Sum))
	for i := range want {
		want[i] = math.NaN()
	}
	for _, s := range g.db.Read(nil, w, nil) {
		for i, v := range s.Values {
			switch at := &want[i+int((s.First-all.First)/60)]; {
			case math.IsNaN(v):
			case math.IsNaN(*at):
				*at = v
			default:
				*at += v
			}
		}
	}
	text := fmt.Sprint(all.Sum)
	for _, other := range [][]float64{sums.Sum, again.Sum, want} {
		if fmt.Sprint(other) != text {
			g.Errorf("%v, not %s", other, text)
		}
	}
	return text
}

func TestWhatDevicesHaveTogetherFollowsEveryChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change   func(gathering)
		from, to int64 // of the question
		want     string
	}{
		"nothing":                     {func(gathering) {}, 0, 9, "[3 3 3 3]"},
		"a part of it":                {func(gathering) {}, 1, 3, "[3 3]"},
		"one more of each":            {func(g gathering) { g.put(0, 4, 5, 1); g.put(1, 4, 5, 2) }, 0, 9, "[3 3 3 3 3]"},
		"one more of one":             {func(g gathering) { g.put(1, 4, 5, 2) }, 0, 9, "[3 3 3 3 2]"},
		"another value":               {func(g gathering) { g.put(1, 2, 3, 7) }, 0, 9, "[3 3 8 3]"},
		"another value and two more":  {func(g gathering) { g.put(1, 2, 3, 7); g.put(1, 5, 6, 2) }, 0, 6, "[3 3 8 3 NaN 2]"},
		"an earlier one":              {func(g gathering) { g.put(0, -3, -2, 5) }, -9, 9, "[5 NaN NaN 3 3 3 3]"},
		"an earlier one of the chunk": {func(g gathering) { g.put(0, 0, 4, 5) }, 0, 9, "[7 7 7 7]"},
		"a device more":               {func(g gathering) { g.put(2, 1, 2, 4) }, 0, 9, "[3 7 3 3]"},
		"freed and written anew": {func(g gathering) {
			g.free(9)
			g.put(0, 0, 4, 10)
			g.put(1, 0, 4, 20)
		}, 0, 9, "[30 30 30 30]"},
		"partly freed":       {func(g gathering) { g.free(2) }, 0, 9, "[3 3]"},
		"sealed and changed": {func(g gathering) { g.seal(); g.put(1, 2, 3, 7) }, 0, 9, "[3 3 8 3]"},
		"the next chunk":     {func(g gathering) { g.put(0, 126, 130, 4) }, 120, 140, "[4 4 4 4]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := gathering{t, open(t, t.TempDir(), metricstore.Options{MaxFuture: 100 * time.Hour})}
			g.db.GatherFrom(2)
			g.put(0, 0, 4, 1)
			g.put(1, 0, 4, 2)
			if got := g.sums(0, 9); got != "[3 3 3 3]" || g.db.Gathered("alpha", "n01") != 1 {
				t.Fatalf("%s, kept of %d chunks", got, g.db.Gathered("alpha", "n01"))
			}
			c.change(g)
			if got := g.sums(c.from, c.to); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

func (g gathering) free(before int64) {
	g.Helper()
	if _, err := g.db.Free([]string{"alpha"}, time.Unix(began+60*before, 0)); err != nil {
		g.Fatal(err)
	}
}

func (g gathering) seal() {
	g.Helper()
	if err := g.db.Seal(); err != nil {
		g.Fatal(err)
	}
	if n := g.db.Gathered("alpha", "n01"); n != 0 {
		g.Errorf("it is kept of %d chunks what is in a segment", n)
	}
}

// A few devices are added up each time: that takes no longer, and nothing is kept.
func TestWhatFewDevicesHaveTogetherIsNotKept(t *testing.T) {
	t.Parallel()
	g := gathering{t, open(t, t.TempDir(), metricstore.Options{})}
	g.put(0, 0, 1, 1)
	g.put(1, 0, 1, 2)
	if got := g.sums(0, 9); got != "[3]" || g.db.Gathered("alpha", "n01") != 0 {
		t.Errorf("%s, kept of %d chunks", got, g.db.Gathered("alpha", "n01"))
	}
}

// Several readers keep what they have added up, while samples come, are freed and leave memory.
func TestDevicesAreReadTogetherWhileTheyChange(t *testing.T) {
	t.Parallel()
	g := gathering{t, open(t, t.TempDir(), metricstore.Options{MaxFuture: 100 * time.Hour})}
	g.db.GatherFrom(2)
	for device := range 4 {
		g.put(device, 0, 1, 1)
	}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			var a metricstore.Aggregate
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				a.SumsOnly = n%2 == 0
				if !g.db.ReadAggregate(&a, metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "flops_any", From: began, To: began + 60*400}) {
					t.Error("no answer")
					return
				}
				for i, v := range a.Sum {
					if v > 4 {
						t.Errorf("%v at %d", v, i)
						return
					}
				}
			}
		})
	}
	for m := range int64(300) {
		for device := range 4 {
			g.put(device, m+1, m+2, 1)
		}
		if m%100 == 50 {
			if err := g.db.Checkpoint(); err != nil {
				t.Error(err)
			}
			g.free(m - 20)
		}
	}
	close(done)
	readers.Wait()
	want := strings.Repeat("4 ", 301-230)
	if got := g.sums(0, 400); got != "["+strings.TrimSpace(want)+"]" {
		t.Error(got)
	}
}

// What is kept belongs to no reader: several may copy from it at the same time.
func TestSumsAreReadBySeveralAtTheSameTime(t *testing.T) {
	t.Parallel()
	g := gathering{t, open(t, t.TempDir(), metricstore.Options{MaxFuture: 100 * time.Hour})}
	g.db.GatherFrom(2)
	g.put(0, 0, 4, 1)
	g.put(1, 0, 4, 2)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			a := metricstore.Aggregate{SumsOnly: true, Min: []float64{1}}
			for range 100 {
				if !g.db.ReadAggregate(&a, metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "flops_any", From: began, To: began + 60*400}) ||
					fmt.Sprint(a.Sum) != "[3 3 3 3]" || len(a.Min)+len(a.Max) > 0 {
					t.Errorf("%+v", a)
					return
				}
			}
		})
	}
	readers.Wait()
}

// BenchmarkGathered asks for what 72 threads have together in memory, for the first time, which is the baseline, and again.
func BenchmarkGathered(b *testing.B) {
	var a metricstore.Aggregate
	a.SumsOnly = true
	for _, first := range []bool{true, false} {
		b.Run(map[bool]string{true: "first", false: "again"}[first], func(b *testing.B) {
			db := open(b, b.TempDir(), metricstore.Options{MaxFuture: 1 << 62})
			put := func(minute int64) {
				app := db.Appender()
				defer app.Close()
				for id := range 72 {
					l := thread("n01", strconv.Itoa(id)).Labels()
					if err := app.Append(&l, 60, began+60*minute, float64(id)+float64(minute)/100); err != nil {
						b.Fatal(err)
					}
				}
				if err := app.Commit(); err != nil {
					b.Fatal(err)
				}
			}
			for m := range int64(127) {
				put(m)
			}
			if first {
				db.GatherFrom(math.MaxInt)
			}
			w := metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "flops_any", From: began, To: began + 60*200}
			for b.Loop() {
				if !db.ReadAggregate(&a, w) {
					b.Fatal("no answer")
				}
			}
		})
	}
}

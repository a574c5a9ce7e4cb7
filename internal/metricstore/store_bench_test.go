package metricstore_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/benchtest"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

const benchSeries = 456 // of one node: 72 threads x 6 metrics and some more

func benchLabels(host string) []metricstore.Labels {
	labels := make([]metricstore.Labels, 0, benchSeries)
	for i := range benchSeries {
		k := thread(host, strconv.Itoa(i%72))
		k.Metric = "metric" + strconv.Itoa(i/72)
		labels = append(labels, k.Labels())
	}
	return labels
}

// fill stores one sample a series and host in each of so many minutes.
func fill(tb testing.TB, db *metricstore.DB, hosts, minutes int) {
	tb.Helper()
	for h := range hosts {
		labels := benchLabels(fmt.Sprintf("n%03d", h))
		for m := range minutes {
			appendAll(tb, db, labels, now.Unix()-60*int64(minutes-m))
		}
	}
}

func appendAll(tb testing.TB, db *metricstore.DB, labels []metricstore.Labels, at int64) {
	tb.Helper()
	a := db.Appender()
	for i := range labels {
		if err := a.Append(&labels[i], 60, at, float64(i)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		tb.Fatal(err)
	}
	a.Close()
}

// The samples of series that are known cost no memory of their own.
func TestAppendToKnownSeriesDoesNotAllocate(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	labels := benchLabels("n001")
	a := db.Appender()
	defer a.Close()
	at := now.Unix() - 400*60 // far from the end of a chunk
	store := func() {
		for i := range labels {
			if err := a.Append(&labels[i], 60, at, float64(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
		at += 60
	}
	for range 17 { // chunks grow by doubling, from 16 slots on
		store()
	}
	if n := testing.AllocsPerRun(10, store); n != 0 {
		t.Errorf("%v allocations for %d samples", n, len(labels))
	}
}

// BenchmarkAppend is beside copying what one sample is: which series, when, and how much.
func BenchmarkAppend(b *testing.B) {
	db := open(b, b.TempDir(), metricstore.Options{MaxFuture: 1 << 62})
	labels := benchLabels("n001")
	at, n := now.Unix(), 0
	from, to := make([]byte, 24*benchSeries), make([]byte, 24*benchSeries)
	benchtest.Against(b, benchSeries, func() {
		if n++; n%16 == 0 {
			at += 60
		}
		appendAll(b, db, labels, at)
	}, benchtest.Limit{Name: "copy", Run: func() { copy(to, from) }})
}

// BenchmarkJob is a question about one job, 4 hosts and 6 hours, in a small store and in one with eight times as many hosts
// and four times as many days: it takes about as long.
func BenchmarkJob(b *testing.B) {
	small, large := jobStore(b, 4, 1), jobStore(b, 32, 4)
	var a metricstore.Aggregate
	var buf []metricstore.Samples
	ask := func(db *metricstore.DB) func() {
		return func() {
			for h := range 4 {
				w := metricstore.Window{Cluster: "alpha", Host: fmt.Sprintf("n%03d", h), Metric: "metric0", From: now.Unix() - 9*3600, To: now.Unix() - 3*3600}
				buf = db.Read(buf[:0], w, nil)
				if !db.ReadAggregate(&a, w) || len(buf) != 72 || len(a.Sum) != 360 {
					b.Fatal(len(buf), len(a.Sum))
				}
			}
		}
	}
	benchtest.Against(b, 4*72*360, ask(large), benchtest.Limit{Name: "small", Run: ask(small)})
}

// jobStore is a store with some days of one metric of 72 threads of each host, a checkpoint every six hours.
func jobStore(b *testing.B, hosts, days int) *metricstore.DB {
	b.Helper()
	db := open(b, b.TempDir(), metricstore.Options{})
	for m := range 1440 * days {
		for h := range hosts {
			appendAll(b, db, benchLabels(fmt.Sprintf("n%03d", h))[:72], now.Unix()-60*int64(1440*days-m))
		}
		if m%360 == 359 {
			if err := db.Checkpoint(); err != nil {
				b.Fatal(err)
			}
		}
	}
	return db
}

func BenchmarkRead(b *testing.B) {
	db := open(b, b.TempDir(), metricstore.Options{})
	fill(b, db, 1, 1440)
	w := metricstore.Window{Cluster: "alpha", Host: "n000", Metric: "metric0", From: 0, To: now.Unix()}
	buf := db.Read(nil, w, nil)
	b.ReportAllocs()
	b.SetBytes(int64(len(buf) * 1440 * 8))
	for b.Loop() {
		buf = db.Read(buf[:0], w, nil)
	}
}

func BenchmarkCheckpoint(b *testing.B) {
	db := open(b, b.TempDir(), metricstore.Options{})
	fill(b, db, 5, 440) // a million samples
	for b.Loop() {
		if err := db.Checkpoint(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRestart(b *testing.B) {
	for name, end := range map[string]func(*metricstore.DB) error{"checkpoint": (*metricstore.DB).Close, "log": (*metricstore.DB).Abandon} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			db := open(b, dir, metricstore.Options{})
			fill(b, db, 5, 440)
			if err := end(db); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := open(b, dir, metricstore.Options{}).Abandon(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

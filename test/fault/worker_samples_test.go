package fault_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// What the worker does to a metric store: batches in their order, each with slots of its own for every series and a late
// sample for each; a checkpoint, which seals what is complete, after every fourth, and merging when there are enough segments;
// once, samples are freed.
const (
	batches         = 80
	batchSlots      = 32
	checkpointEvery = 4
	freeAt          = 41 // the batch after which
	freeBefore      = 100
	freedHost       = "n1"
	firstSlot       = 1_699_999_980 // Unix time, a full minute
)

func sampleOptions() metricstore.Options { return metricstore.Options{Shards: 2} }

// sampleSeries are the series that it writes.
func sampleSeries() (list []metricstore.Key) {
	for h := range 3 {
		for d := range 2 {
			list = append(list, metricstore.Key{Cluster: "alpha", Host: "n" + strconv.Itoa(h), Metric: "flops_any", Type: "hwthread", TypeID: strconv.Itoa(d)})
		}
	}
	return list
}

// sampleValue is what batch n writes into a slot of series s: no two are alike, and many bits differ.
func sampleValue(s int, slot int64, n int) float64 {
	return math.Sqrt(float64(s+1)*1e12 + float64(slot)*1e5 + float64(n) + 0.5)
}

// lateSlot is where batch n writes a sample that is late: in any batch before.
func lateSlot(n int) int64 { return int64(n) * 7919 % max(1, int64(n)*batchSlots) }

// batchSamples calls f for each sample of batch n.
func batchSamples(n int, f func(s int, slot int64, v float64)) {
	for s := range sampleSeries() {
		for i := range int64(batchSlots) {
			slot := int64(n)*batchSlots + i
			f(s, slot, sampleValue(s, slot, n))
		}
		f(s, lateSlot(n), sampleValue(s, lateSlot(n), n))
	}
}

func workSamples(dir string, say func(string, ...any)) error {
	db, err := metricstore.Open(dir, sampleOptions())
	if err != nil { // a fault that passes must not last
		say("open: %s", oneLine(err))
		if db, err = metricstore.Open(dir, sampleOptions()); err != nil {
			return err
		}
	}
	say("open")
	did := func(what string, n int, err error) {
		if err != nil {
			say("%s %d: %s", what, n, oneLine(err))
			return
		}
		say("%s %d", what, n)
	}
	for n := range batches {
		did("batch", n, writeBatch(db, n))
		if n%2 == 1 {
			did("sync", n, db.Sync())
		}
		if n%checkpointEvery == checkpointEvery-1 {
			did("checkpoint", n, db.Checkpoint())
			_, err := db.Compact()
			did("merge", n, err)
		}
		if n == freeAt {
			_, err := db.Free([]string{"alpha", freedHost}, time.Unix(firstSlot+60*freeBefore, 0))
			did("free", n, err)
		}
	}
	if st := db.Stats(); st.Segments == 0 {
		say("segments 0: nothing was sealed")
	}
	did("close", 0, db.Close())
	return nil
}

func writeBatch(db *metricstore.DB, n int) error {
	a := db.Appender()
	defer a.Close()
	keys := sampleSeries()
	var failed error
	batchSamples(n, func(s int, slot int64, v float64) {
		l := keys[s].Labels()
		if err := a.Append(&l, 60, firstSlot+60*slot, v); err != nil {
			failed = err
		}
	})
	if failed != nil {
		return failed
	}
	return a.Commit()
}

// cell is a slot of a series.
type cell struct {
	series int
	slot   int64
}

// allowed returns what each slot may hold, NaN for nothing, when the worker was told this of its batches. What it was not
// told of a batch, or that it failed, leaves it open whether its samples are there. One batch may have come behind the
// last of which it could say anything.
func allowed(list []entry) map[cell][]float64 {
	may := map[cell][]float64{}
	put := func(n int, sure bool) {
		batchSamples(n, func(s int, slot int64, v float64) {
			c := cell{s, slot}
			switch before, known := may[c]; {
			case sure:
				may[c] = []float64{v}
			case known:
				may[c] = append(slices.Clip(before), v)
			default:
				may[c] = []float64{math.NaN(), v}
			}
		})
	}
	freed := func(sure bool) {
		for c, before := range may {
			switch {
			case sampleSeries()[c.series].Host != freedHost || c.slot >= freeBefore:
			case sure:
				may[c] = []float64{math.NaN()}
			default:
				may[c] = append(slices.Clip(before), math.NaN())
			}
		}
	}
	next, freeSaid := 0, false
	for _, e := range list {
		switch e.kind {
		case "batch":
			put(next, e.failed == "")
			next++
		case "free":
			freed(e.failed == "")
			freeSaid = true
		}
	}
	if next == freeAt+1 && !freeSaid {
		freed(false)
	}
	if next < batches {
		put(next, false)
	}
	return may
}

// checkSamples fails the test unless the store in dir is undamaged and each slot holds what it may, bit for bit.
func checkSamples(t *testing.T, dir string, list []entry, what string) {
	t.Helper()
	db, err := metricstore.Open(dir, sampleOptions())
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer db.Close()
	if r := db.Recovered(); len(r.Damage) > 0 {
		t.Errorf("%s: damage: %v", what, r.Damage)
	}
	if wrong := wrongSamples(db, allowed(list)); len(wrong) > 0 {
		t.Errorf("%s: %d samples are gone or wrong: %v", what, len(wrong), wrong[:min(3, len(wrong))])
	}
	if n := db.Stats().Unreadable; n > 0 {
		t.Errorf("%s: %d segments cannot be read", what, n)
	}
}

func wrongSamples(db *metricstore.DB, may map[cell][]float64) (wrong []string) {
	have := map[cell]float64{}
	for s, k := range sampleSeries() {
		w := metricstore.Window{Cluster: k.Cluster, Host: k.Host, Metric: k.Metric, From: firstSlot - 3600, To: firstSlot + 60*batchSlots*batches + 3600}
		for _, read := range db.Read(nil, w, func(have *metricstore.Key) bool { return *have == k }) {
			for i, v := range read.Values {
				have[cell{s, (read.First-firstSlot)/60 + int64(i)}] = v
			}
		}
	}
	for c, values := range may {
		v, known := have[c]
		if !known {
			v = math.NaN()
		}
		if !slices.ContainsFunc(values, func(want float64) bool { return sameBits(v, want) }) {
			wrong = append(wrong, fmt.Sprintf("series %d, slot %d is %v, not one of %v", c.series, c.slot, v, values))
		}
	}
	for c, v := range have {
		if _, known := may[c]; !known && !math.IsNaN(v) {
			wrong = append(wrong, fmt.Sprintf("series %d, slot %d is %v, and nobody wrote it", c.series, c.slot, v))
		}
	}
	return wrong
}

func sameBits(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

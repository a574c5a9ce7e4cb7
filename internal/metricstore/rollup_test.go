package metricstore_test

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// threads stores a sample a minute of so many hardware threads over ten chunks.
func threads(tb testing.TB, db *metricstore.DB, n int) {
	tb.Helper()
	a := db.Appender()
	defer a.Close()
	for id := range n {
		k := thread("n01", strconv.Itoa(id))
		l := k.Labels()
		for m := range int64(1280) {
			if err := a.Append(&l, 60, now.Unix()-60*m, float64(id)+float64(m)/100); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := a.Commit(); err != nil {
		tb.Fatal(err)
	}
}

func whole(host string) metricstore.Window {
	return metricstore.Window{Cluster: "alpha", Host: host, Metric: "flops_any", From: 0, To: now.Unix() + 60}
}

// Rollups are made of what is sealed, outlive every end, and are no longer used where a sample comes late or is freed.
func TestRollupsAreGoodUntilSomethingChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	threads(t, db, 4)
	if n := db.RolledUp("alpha", "n01", "flops_any"); n != 0 {
		t.Fatalf("%d chunks are rolled up in memory", n)
	}
	if err := db.Seal(); err != nil {
		t.Fatal(err)
	}
	made := db.RolledUp("alpha", "n01", "flops_any")
	if made < 10 {
		t.Fatalf("%d chunks are rolled up", made)
	}
	sums := func() (sum float64, n int) {
		var a metricstore.Aggregate
		if !db.ReadAggregate(&a, whole("n01")) || a.Devices != 4 || a.Type != "hwthread" {
			t.Fatalf("%+v", a)
		}
		for i, c := range a.Count {
			if c > 0 {
				sum += a.Sum[i]
				n++
			}
		}
		return sum, n
	}
	before, slots := sums()
	if slots != 1280 {
		t.Errorf("%d slots have samples", slots)
	}
	put := func(id string, minutes int64, v float64) {
		a := db.Appender()
		defer a.Close()
		l := thread("n01", id).Labels()
		if err := a.Append(&l, 60, now.Unix()-60*minutes, v); err != nil {
			t.Fatal(err)
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	put("2", 700, 1002+7.0) // a thousand more than there was
	if n := db.RolledUp("alpha", "n01", "flops_any"); n != made-1 {
		t.Errorf("%d of %d chunks are still good after a late sample", n, made)
	}
	if sum, _ := sums(); math.Abs(sum-before-1000) > 1e-6 {
		t.Errorf("the late sample makes a difference of %v", sum-before)
	}
	if err := db.Abandon(); err != nil { // the sample is in the log only
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	if sum, _ := sums(); math.Abs(sum-before-1000) > 1e-6 || db.RolledUp("alpha", "n01", "flops_any") != made-1 {
		t.Errorf("after a death: %v more, %d good", sum-before, db.RolledUp("alpha", "n01", "flops_any"))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	if sum, _ := sums(); math.Abs(sum-before-1000) > 1e-6 || db.RolledUp("alpha", "n01", "flops_any") != made-1 {
		t.Errorf("after a stop: %v more, %d good", sum-before, db.RolledUp("alpha", "n01", "flops_any"))
	}
}

// What is freed while a checkpoint writes it down stands in the checkpoint's rollups, but is not shown.
func TestWhatIsFreedDuringACheckpointIsNotRolledUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	threads(t, db, 2)
	before := now.Add(-700 * time.Minute)
	db.Meanwhile(func() {
		if _, err := db.Free([]string{"alpha"}, before); err != nil {
			t.Error(err)
		}
	})
	if err := db.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		var a metricstore.Aggregate
		if !db.ReadAggregate(&a, whole("n01")) || a.First < before.Unix() {
			t.Errorf("%s: begins %d seconds too early", when, before.Unix()-a.First)
		}
		if all := db.Read(nil, whole("n01"), nil); len(all) != 2 || all[0].First != a.First || len(all[0].Values) != len(a.Sum) {
			t.Errorf("%s: the devices begin %d seconds later", when, all[0].First-a.First)
		}
	}
	check("afterwards")
	db.Meanwhile(nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	check("after a restart")
}

func TestDevicesThatDoNotFitTogetherAreNotAggregated(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), metricstore.Options{})
	var a metricstore.Aggregate
	if db.ReadAggregate(&a, whole("n01")) {
		t.Error("a host that there is not")
	}
	threads(t, db, 1)
	if db.ReadAggregate(&a, whole("n01")) {
		t.Error("one device alone")
	}
	threads(t, db, 2)
	if !db.ReadAggregate(&a, whole("n01")) {
		t.Error("two threads")
	}
	app := db.Appender()
	defer app.Close()
	l := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: "flops_any", Type: "socket", TypeID: "0"}.Labels()
	if err := app.Append(&l, 60, now.Unix(), 1); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if db.ReadAggregate(&a, whole("n01")) {
		t.Error("threads and a socket")
	}
}

// BenchmarkAggregate asks for 72 threads taken together, from rollups and, as the baseline, by reading each.
func BenchmarkAggregate(b *testing.B) {
	db := open(b, b.TempDir(), metricstore.Options{})
	threads(b, db, 72)
	if err := db.Seal(); err != nil {
		b.Fatal(err)
	}
	b.Run("rolled up", func(b *testing.B) {
		var a metricstore.Aggregate
		for b.Loop() {
			if !db.ReadAggregate(&a, whole("n01")) {
				b.Fatal("no answer")
			}
		}
	})
	b.Run("each", func(b *testing.B) {
		var buf []metricstore.Samples
		for b.Loop() {
			buf = db.Read(buf[:0], whole("n01"), nil)
		}
	})
}

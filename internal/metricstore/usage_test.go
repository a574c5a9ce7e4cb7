package metricstore_test

import (
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

func TestUsageCountsWhatIsLeftAfterFreeing(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_795_463_680, 0)
	db, err := metricstore.Open(t.TempDir(), metricstore.Options{Clock: clock.NewManual(start)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	a := db.Appender()
	l := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: "cpu_load"}.Labels()
	const n = 1000
	for i := range int64(n) {
		if err := a.Append(&l, 10, start.Unix()-10*(n-i), float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	a.Close()
	usage := func() (u metricstore.Usage) {
		series := 0
		db.Usage(func(k *metricstore.Key, of metricstore.Usage) {
			series++
			u = of
		})
		if series != 1 {
			t.Errorf("%d series", series)
		}
		return u
	}
	if u := usage(); u.Slots != n || u.Memory < n || u.Disk != 0 {
		t.Errorf("in memory: %+v", u)
	}
	if err := db.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	sealed := usage()
	if sealed.Slots != n || sealed.Disk == 0 {
		t.Errorf("sealed: %+v", sealed)
	}
	if _, err := db.Free([]string{"alpha"}, start.Add(-5000*time.Second)); err != nil {
		t.Fatal(err)
	}
	if u := usage(); u.Slots != n/2 || u.Disk >= sealed.Disk {
		t.Errorf("freed: %+v of %+v", u, sealed)
	}
}

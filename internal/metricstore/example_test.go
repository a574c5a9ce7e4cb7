package metricstore_test

import (
	"fmt"
	"os"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Samples go in through an appender and come out of a window of time; a slot without a sample is NaN.
func Example() {
	dir, err := os.MkdirTemp("", "metricstore")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	db, err := metricstore.Open(dir, metricstore.Options{Clock: clock.NewManual(noon)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()

	a := db.Appender()
	labels := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: "cpu_load"}.Labels()
	for _, minutes := range []int64{-5, -4, -2} {
		if err := a.Append(&labels, 60, noon.Unix()+60*minutes, 10.5+float64(minutes)); err != nil {
			fmt.Println(err)
		}
	}
	if err := a.Commit(); err != nil { // from here on, the samples survive the death of the process
		fmt.Println(err)
	}
	a.Close()

	w := metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "cpu_load", From: noon.Unix() - 3600, To: noon.Unix()}
	for _, s := range db.Read(nil, w, nil) {
		fmt.Println(time.Unix(s.First, 0).UTC().Format(time.TimeOnly), s.Values)
	}
	// Output: 11:55:00 [5.5 6.5 NaN 8.5]
}

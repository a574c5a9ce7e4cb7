// Package benchtest measures code beside what the machine could do at best: both in the same run, so that the ratio is good
// on a busy machine as well, and on another one.
package benchtest

import "testing"

// Limit is what is measured beside: copying as many bytes, or the library's way.
type Limit struct {
	Name string
	Run  func()
}

// Against measures the limits and run, each as a benchmark of its own; that of run is called "here". Each call handles so
// many values, so there is a figure ns/value, and for run one x-NAME for each limit: how many times as long it takes.
func Against(b *testing.B, values int, run func(), limits ...Limit) {
	b.Helper()
	took := make([]float64, len(limits))
	for i, l := range limits {
		b.Run(l.Name, func(b *testing.B) { took[i] = measure(b, values, l.Run) })
	}
	b.Run("here", func(b *testing.B) {
		b.ReportAllocs()
		ns := measure(b, values, run)
		for i, l := range limits {
			if took[i] > 0 { // 0: it was not asked for
				b.ReportMetric(ns/took[i], "x-"+l.Name)
			}
		}
	})
}

// measure returns how many nanoseconds a value takes.
func measure(b *testing.B, values int, run func()) float64 {
	b.Helper()
	for b.Loop() {
		run()
	}
	ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N*values)
	b.ReportMetric(ns, "ns/value")
	return ns
}

package promql

import (
	"cmp"
	"fmt"
	"time"
)

// Limits are what a question may take. Those that are zero have their defaults. The names in the configuration of both
// programs are timeout, max-samples, max-series, max-steps and concurrency.
type Limits struct {
	// Timeout is how long a question may take, with the time in which it waits for others; default a minute.
	Timeout time.Duration
	// MaxSamples is how many samples a question may have in memory at a time; default 20 million, of 16 bytes each.
	MaxSamples int
	// MaxSeries is how many series one selector may select; default 200,000.
	MaxSeries int
	// MaxSteps is how many times a range may have; default 11,000, and Grafana never asks for as many.
	MaxSteps int
	// Concurrency is how many questions are answered at a time; default 8.
	Concurrency int
}

func (l *Limits) setDefaults() {
	l.Timeout = cmp.Or(l.Timeout, time.Minute)
	l.MaxSamples = cmp.Or(l.MaxSamples, 20_000_000)
	l.MaxSeries = cmp.Or(l.MaxSeries, 200_000)
	l.MaxSteps = cmp.Or(l.MaxSteps, 11_000)
	l.Concurrency = cmp.Or(l.Concurrency, 8)
}

// Check says which limit cannot be one, by its name in the configuration.
func (l Limits) Check() error {
	defaults := Limits{}
	defaults.setDefaults()
	if l.Timeout < 0 {
		return fmt.Errorf("timeout is %s; it is a length of time, and %s where nothing is said", l.Timeout, defaults.Timeout)
	}
	for _, n := range []struct {
		key           string
		value, absent int
	}{
		{"max-samples", l.MaxSamples, defaults.MaxSamples},
		{"max-series", l.MaxSeries, defaults.MaxSeries},
		{"max-steps", l.MaxSteps, defaults.MaxSteps},
		{"concurrency", l.Concurrency, defaults.Concurrency},
	} {
		if n.value < 0 {
			return fmt.Errorf("%s is %d; it is at least 1, and %d where nothing is said", n.key, n.value, n.absent)
		}
	}
	return nil
}

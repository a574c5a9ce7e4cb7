package server

import (
	"testing"
	"time"
)

// The metric store takes 0 for its default. An operator who writes "0s" means that nothing may be lost.
func TestNoTimeForTheDiskIsNotTheDefault(t *testing.T) {
	for interval, want := range map[Duration]time.Duration{0: -1, Duration(time.Minute): time.Minute, DefaultConfig().MetricStore.SyncInterval: time.Second} {
		if got := (MetricStoreConfig{SyncInterval: interval}).syncEvery(); got != want {
			t.Errorf("%v: %v, want %v", time.Duration(interval), got, want)
		}
	}
}

package server

import (
	"fmt"
	"math"
	"time"
)

// CleanupConfig is metric-store.cleanup: what becomes of samples beyond the retention.
type CleanupConfig struct {
	// Mode is "delete", or "archive", which is not done yet.
	Mode string `json:"mode"`
	// Directory is where "archive" would put them.
	Directory string `json:"directory"`
}

// check returns what is wrong with the section metric-store.
func (c MetricStoreConfig) check() error {
	switch {
	case c.RetentionInMemory <= 0:
		return fmt.Errorf("metric-store.retention-in-memory must be longer than nothing, for example %q", "48h")
	case c.MemoryCap < 0 || c.MemoryCap > math.MaxInt64>>30:
		return fmt.Errorf("metric-store.memory-cap is %d; it is a number of GB, or 0 for no limit", c.MemoryCap)
	case c.CheckpointInterval < 0:
		return fmt.Errorf("metric-store.checkpoint-interval must not be negative; it is %q where nothing is said", "12h")
	case c.SyncInterval < 0:
		return fmt.Errorf("metric-store.sync-interval must not be negative; with %q every write waits for the disk", "0s")
	case c.Checkpoints.MaxWALSize < 0:
		return fmt.Errorf("metric-store.checkpoints.max-wal-size is %d; it is a number of bytes", c.Checkpoints.MaxWALSize)
	}
	if v := c.Checkpoints.FileFormat; v != "" && v != "wal" && v != "json" {
		return fmt.Errorf(`metric-store.checkpoints.file-format is %q; it is "wal" or "json"`, v)
	}
	if v := c.Cleanup.Mode; v != "" && v != "delete" && v != "archive" {
		return fmt.Errorf(`metric-store.cleanup.mode is %q; it is "delete" or "archive"`, v)
	}
	return nil
}

// notes says which of the settings have no effect.
func (c MetricStoreConfig) notes() (notes []string) {
	if c.Checkpoints.FileFormat == "json" {
		notes = append(notes, "metric-store.checkpoints.file-format has no effect: files have a form of their own; those of ClusterCockpit's store are read by -import-checkpoints")
	}
	if c.Cleanup.Mode == "archive" {
		notes = append(notes, "metric-store.cleanup.mode archive is not supported yet; samples beyond the retention are deleted")
	}
	return notes
}

// syncEvery is sync-interval as the metric store wants it: when nothing may be lost, every write waits for the disk.
func (c MetricStoreConfig) syncEvery() time.Duration {
	if c.SyncInterval == 0 {
		return -1
	}
	return time.Duration(c.SyncInterval)
}

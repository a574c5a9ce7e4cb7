package metricserver

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
)

// mainSection is the section main of a file of 1.5.
type mainSection struct {
	Addr       string `json:"addr"`
	CertFile   string `json:"https-cert-file"`
	KeyFile    string `json:"https-key-file"`
	User       string `json:"user"`
	Group      string `json:"group"`
	BackendURL string `json:"backend-url"`
	PublicKey  string `json:"jwt-public-key"`
	// HeadURL and StatusInterval are ours: who says which tokens have been revoked, and how often he is asked.
	HeadURL        string   `json:"head-url"`
	StatusInterval duration `json:"status-interval"`
	Debug          struct {
		DumpToFile string `json:"dump-to-file"`
		Gops       bool   `json:"gops"`
	} `json:"debug"`
}

// storeSection is the section metric-store of a file of 1.5.
type storeSection struct {
	Retention          duration `json:"retention-in-memory"`
	MemoryCap          int64    `json:"memory-cap"`
	Workers            int      `json:"num-workers"`
	CheckpointInterval duration `json:"checkpoint-interval"`
	// SyncInterval is ours: what a power cut may cost.
	SyncInterval *duration `json:"sync-interval"`
	Checkpoints  struct {
		FileFormat string `json:"file-format"`
		Directory  string `json:"directory"`
		MaxWALSize int64  `json:"max-wal-size"`
	} `json:"checkpoints"`
	Cleanup struct {
		Mode      string `json:"mode"`
		Directory string `json:"directory"`
	} `json:"cleanup"`
	Subscriptions []natsSubscription `json:"nats-subscriptions"`
}

// prometheusSection is the section prometheus, which is ours, of a file of either generation: what a question in PromQL may
// take.
type prometheusSection struct {
	Timeout     duration `json:"timeout"`
	MaxSamples  int      `json:"max-samples"`
	MaxSeries   int      `json:"max-series"`
	MaxSteps    int      `json:"max-steps"`
	Concurrency int      `json:"concurrency"`
}

func (c *Config) readLimits(f file) error {
	var p prometheusSection
	if _, err := f.section("prometheus", &p); err != nil {
		return err
	}
	c.Limits = promql.Limits{
		Timeout: time.Duration(p.Timeout), MaxSamples: p.MaxSamples, MaxSeries: p.MaxSeries, MaxSteps: p.MaxSteps, Concurrency: p.Concurrency,
	}
	if err := c.Limits.Check(); err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	return nil
}

// fromSections reads a file of 1.5.
func (c *Config) fromSections(f file) error {
	var m mainSection
	var s storeSection
	var metrics map[string]json.RawMessage
	if _, err := f.section("main", &m); err != nil {
		return err
	}
	if ok, err := f.section("metric-store", &s); err != nil || !ok {
		if err == nil {
			err = fmt.Errorf("section metric-store is missing; it has at least %s", `"retention-in-memory": "48h"`)
		}
		return err
	}
	if _, err := f.section("metrics", &metrics); err != nil {
		return err
	}
	c.Addr, c.CertFile, c.KeyFile = m.Addr, m.CertFile, m.KeyFile
	c.User, c.Group, c.PublicKey = m.User, m.Group, m.PublicKey
	c.BackendURL = m.BackendURL
	c.HeadURL, c.StatusInterval = m.HeadURL, time.Duration(m.StatusInterval)
	if err := c.setMetrics(metrics); err != nil {
		return err
	}
	c.noteUnsupported(m, s)
	if err := c.readNATS(f, s.Subscriptions); err != nil {
		return err
	}
	return c.setStore(s)
}

func (c *Config) setStore(s storeSection) error {
	if s.MemoryCap > math.MaxInt64>>30 {
		return fmt.Errorf("metric-store: memory-cap is %d; it is a number of GB", s.MemoryCap)
	}
	if s.MemoryCap < 0 || s.Checkpoints.MaxWALSize < 0 {
		return fmt.Errorf("metric-store: memory-cap (%d) and max-wal-size (%d) cannot be negative", s.MemoryCap, s.Checkpoints.MaxWALSize)
	}
	if v := s.Checkpoints.FileFormat; v != "" && v != "wal" && v != "json" {
		return fmt.Errorf(`metric-store: checkpoints: file-format is %q; it is "wal" or "json"`, v)
	}
	if v := s.Cleanup.Mode; v != "" && v != "delete" && v != "archive" {
		return fmt.Errorf(`metric-store: cleanup: mode is %q; it is "delete" or "archive"`, v)
	}
	c.Retention, c.CheckpointEvery = time.Duration(s.Retention), time.Duration(s.CheckpointInterval)
	if s.SyncInterval != nil {
		c.SyncEvery = cmp.Or(time.Duration(*s.SyncInterval), -1)
	}
	c.MemoryCap = s.MemoryCap << 30
	c.Dir, c.MaxLogBytes = s.Checkpoints.Directory, s.Checkpoints.MaxWALSize
	return nil
}

// noteUnsupported tells the operator which of his settings have no effect here.
func (c *Config) noteUnsupported(m mainSection, s storeSection) {
	if m.Debug.DumpToFile != "" {
		c.note("main.debug.dump-to-file has no effect; /api/debug shows what is stored")
	}
	if s.Checkpoints.FileFormat == "json" {
		c.note("metric-store.checkpoints.file-format has no effect: files have a form of their own; those of ClusterCockpit's store are read by -import-checkpoints")
	}
	if s.Cleanup.Mode == "archive" {
		c.note("metric-store.cleanup.mode archive is not supported yet; samples beyond the retention are deleted")
	}
}

// flatHTTP is the section http-api of a file of the generations before 1.5.
type flatHTTP struct {
	Address  string `json:"address"`
	CertFile string `json:"https-cert-file"`
	KeyFile  string `json:"https-key-file"`
}

// flatCheckpoints is the section checkpoints of such a file.
type flatCheckpoints struct {
	Interval  duration `json:"interval"`
	Directory string   `json:"directory"`
	Restore   duration `json:"restore"`
}

// fromFlat reads a file of the generations before 1.5.
func (c *Config) fromFlat(f file) error {
	var http flatHTTP
	var checkpoints flatCheckpoints
	var retention duration
	var metrics map[string]json.RawMessage
	for _, s := range []struct {
		name string
		into any
	}{
		{"http-api", &http},
		{"checkpoints", &checkpoints},
		{"retention-in-memory", &retention},
		{"metrics", &metrics},
		{"jwt-public-key", &c.PublicKey},
	} {
		if _, err := f.section(s.name, s.into); err != nil {
			return err
		}
	}
	if err := c.readNATS(f, nil); err != nil {
		return err
	}
	if f["archive"] != nil {
		c.note("archive is not supported yet; samples beyond the retention are deleted")
	}
	c.Addr, c.CertFile, c.KeyFile = http.Address, http.CertFile, http.KeyFile
	c.Dir, c.CheckpointEvery = checkpoints.Directory, time.Duration(checkpoints.Interval)
	c.Retention = time.Duration(retention)
	return c.setMetrics(metrics)
}

package ingest

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// figure is one of the program's own metrics.
type figure struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(metricstore.Stats, metric.Counters) float64
}

// collector tells Prometheus how the store is.
type collector struct {
	db      *metricstore.DB
	service *metric.Service
	figures []figure
}

// NewCollector returns the figures of a metric store and of what was written to it, for Prometheus.
func NewCollector(db *metricstore.DB, service *metric.Service) prometheus.Collector {
	return &collector{db, service, figures()}
}

func figures() []figure {
	counter := func(name, help string, value func(metricstore.Stats, metric.Counters) float64) figure {
		return figure{prometheus.NewDesc("metricstore_"+name, help, nil, nil), prometheus.CounterValue, value}
	}
	gauge := func(name, help string, value func(metricstore.Stats, metric.Counters) float64) figure {
		return figure{prometheus.NewDesc("metricstore_"+name, help, nil, nil), prometheus.GaugeValue, value}
	}
	return []figure{
		counter("lines_taken_total", "Lines whose samples were stored.", func(_ metricstore.Stats, c metric.Counters) float64 { return float64(c.Taken) }),
		counter("lines_dropped_total", "Lines of metrics that are not configured.", func(_ metricstore.Stats, c metric.Counters) float64 { return float64(c.Dropped) }),
		counter("lines_rejected_total", "Lines that were wrong.", func(_ metricstore.Stats, c metric.Counters) float64 { return float64(c.Rejected) }),
		counter("samples_total", "Samples stored.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Samples) }),
		counter("samples_late_total", "Samples stored that were not later than all of their series.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Late) }),
		counter("samples_replaced_total", "Samples stored in the place of another of the same time, in memory.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Replaced) }),
		counter("samples_refused_total", "Samples not stored: too old, too new, or beyond limits.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Refused) }),
		counter("unreadable_total", "Times that something in a segment was found damaged.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Unreadable) }),
		gauge("segments", "Files of sealed samples.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Segments) }),
		gauge("segment_bytes", "Disk that files of sealed samples take up.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.SegmentBytes) }),
		gauge("segment_slots", "Slots that files of sealed samples hold.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Sealed) }),
		counter("failures_total", "Syncs and checkpoints that failed.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Failures) }),
		gauge("hosts", "Hosts with series.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Hosts) }),
		gauge("series", "Series in memory.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Series) }),
		gauge("sample_bytes", "Memory that samples take up.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.Bytes) }),
		gauge("log_bytes", "Write-ahead log that a restart would have to read.", func(s metricstore.Stats, _ metric.Counters) float64 { return float64(s.LogBytes) }),
		gauge("checkpoint_timestamp_seconds", "When the last checkpoint was begun.", func(s metricstore.Stats, _ metric.Counters) float64 {
			if s.LastCheckpoint.IsZero() {
				return 0
			}
			return float64(s.LastCheckpoint.Unix())
		}),
		gauge("checkpoint_duration_seconds", "How long the last checkpoint took.", func(s metricstore.Stats, _ metric.Counters) float64 { return s.CheckpointTook.Seconds() }),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range c.figures {
		ch <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	stats, counters := c.db.Stats(), c.service.Counters()
	for _, f := range c.figures {
		ch <- prometheus.MustNewConstMetric(f.desc, f.kind, f.value(stats, counters))
	}
}

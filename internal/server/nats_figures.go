package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
)

// figures are those of what comes over NATS.
func (m messages) figures() []prometheus.Collector {
	var list []prometheus.Collector
	if m.feed != nil {
		list = append(list, ingest.Feeds{m.feed})
	}
	if len(m.events) > 0 {
		list = append(list, &eventFigures{m.events, prometheus.NewDesc("bridgehead_nats_events_total",
			"Events of schedulers that came over NATS; lost are messages that were dropped because more came than could be worked off.",
			[]string{"subject", "outcome"}, nil)})
	}
	return list
}

// eventFigures are those of the schedulers' events.
type eventFigures struct {
	feeds []*eventFeed
	total *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (f *eventFigures) Describe(ch chan<- *prometheus.Desc) { ch <- f.total }

// Collect implements prometheus.Collector.
func (f *eventFigures) Collect(ch chan<- prometheus.Metric) {
	for _, feed := range f.feeds {
		for outcome, n := range map[string]int64{"done": feed.done.Load(), "refused": feed.wrong.Load(), "lost": feed.lost.Load()} {
			ch <- prometheus.MustNewConstMetric(f.total, prometheus.CounterValue, float64(n), feed.sub.Subject, outcome)
		}
	}
}

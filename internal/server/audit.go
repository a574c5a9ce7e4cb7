package server

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/receiver"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
	"github.com/bridgehead-hpc/bridgehead/internal/trail"
)

// openTrail makes the readers of the audit trail: the service, and an exporter for each receiver.
func (s *Server) openTrail(secrets Secrets) error {
	s.trail = trail.New(trail.Config{Log: s.store.Trail(), Clock: s.clock})
	c := s.config.Audit
	if path := c.path(); path != "" {
		s.export("file", path, receiver.NewFile(path))
	}
	if c := c.Syslog; c != nil {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("find out this head's name: %w", err)
		}
		r, err := receiver.NewSyslog(c.receiver(host, s.clock))
		if err != nil {
			return fmt.Errorf("audit.syslog: %w", err)
		}
		s.export("syslog", r.Network+":"+r.Addr, r)
	}
	if c := c.NATS; c != nil {
		conn, err := bus.Connect(bus.Config{
			URL: c.URL, Name: "bridgehead audit", Username: c.Username, Password: secrets.AuditNATSPassword, Token: secrets.AuditNATSToken,
			CredsFile: c.CredsFile, CAFile: c.CAFile,
		})
		if err != nil {
			return fmt.Errorf("audit.nats: %w", err)
		}
		s.export("nats", c.URL+" "+c.Subject, &receiver.NATS{Bus: conn, Subject: c.Subject, Stream: c.Stream})
	}
	return nil
}

func (c AuditSyslogConfig) receiver(host string, clk clock.Clock) receiver.SyslogConfig {
	return receiver.SyslogConfig{Network: c.Network, Addr: c.Addr, Facility: c.Facility, Tag: c.Tag, Host: host, Clock: clk}
}

func (s *Server) export(name, target string, r trail.Receiver) {
	s.exporters = append(s.exporters, trail.NewExporter(trail.ExporterConfig{
		Name: name, Target: target, Receiver: r, Store: s.store.Trail(), Clock: s.clock, Log: s.log,
	}))
}

// trailTasks are the tasks of the trail's readers.
func (s *Server) trailTasks() []run.Task {
	tasks := []run.Task{s.trail.Run}
	for _, e := range s.exporters {
		tasks = append(tasks, e.Run)
	}
	return tasks
}

// recordFree writes the record of samples that are about to be forgotten: they are in no database whose transaction could
// hold both.
func (s *Server) recordFree(ctx context.Context, c identity.Caller, paths [][]string, before time.Time) error {
	rec := c.Record(s.clock.Now(), "metrics.free", "metrics")
	selected := make([]string, len(paths))
	for i, p := range paths {
		selected[i] = strings.Join(p, ":")
	}
	rec.Details = map[string]string{"before": before.UTC().Format(time.RFC3339), "selected": strings.Join(selected, " ")}
	if err := s.store.Audit().Append(ctx, rec); err != nil {
		return fmt.Errorf("record what is to be freed: %w", err)
	}
	return nil
}

// trailFigures are the figures of the trail and of its receivers.
type trailFigures struct {
	server        *Server
	lag, refusals *prometheus.Desc
}

func (s *Server) newTrailFigures() *trailFigures {
	return &trailFigures{
		server: s,
		lag:    prometheus.NewDesc("bridgehead_audit_lag_records", "Audit records that a receiver does not have yet.", []string{"receiver"}, nil),
		refusals: prometheus.NewDesc("bridgehead_audit_refusals_dropped_total",
			"Refused requests that were only counted in the audit trail, because there were too many at once.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (f *trailFigures) Describe(ch chan<- *prometheus.Desc) {
	ch <- f.lag
	ch <- f.refusals
}

// Collect implements prometheus.Collector.
func (f *trailFigures) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(f.refusals, prometheus.CounterValue, float64(f.server.refused.all.Load()))
	for _, e := range f.server.exporters {
		lag, err := e.Lag(context.Background())
		if err != nil {
			ch <- prometheus.NewInvalidMetric(f.lag, err)
			continue
		}
		ch <- prometheus.MustNewConstMetric(f.lag, prometheus.GaugeValue, float64(lag), e.Name)
	}
}

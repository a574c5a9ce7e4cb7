package server

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/api/cockpit"
	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

// messages is what comes over NATS; its zero value is nothing.
type messages struct {
	conn   *bus.Conn
	feed   *ingest.Feed // of samples; nil when there are no subscriptions
	events []*eventFeed // of schedulers
}

// openNATS connects to the server that the configuration names. One that is away is no error; it is tried until it is
// there.
func (s *Server) openNATS(secrets Secrets) error {
	c := s.config.NATS
	if c == nil {
		return nil
	}
	b := c.bus(secrets)
	b.Log = s.log
	conn, err := bus.Connect(b)
	if err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	s.messages.conn = conn
	if subs := s.config.MetricStore.NATSSubscriptions; len(subs) > 0 {
		fc := ingest.FeedConfig{Bus: conn, Metrics: s.samples, Clock: s.clock, Log: s.log}
		if len(c.Clusters) > 0 {
			fc.Reaches = func(cluster string) bool { return slices.Contains(c.Clusters, cluster) }
		}
		for _, sub := range subs {
			fc.Subscriptions = append(fc.Subscriptions, sub.subscription())
		}
		s.messages.feed = ingest.NewFeed(fc)
	}
	if a := s.config.Main.APISubjects; a != nil {
		s.openEvents(*a)
	}
	return nil
}

// openEvents makes what listens to schedulers. What a subject may do depends on which it is.
func (s *Server) openEvents(a APISubjectsConfig) {
	jobs, nodes := identity.SetOf(identity.JobsWrite, identity.TagsWrite), identity.SetOf(identity.NodeStatesWrite)
	events := cockpit.NewEvents(cockpit.Config{Jobs: s.jobs, Nodes: s.nodes})
	listen := func(subject string, lanes int, may identity.Set) {
		if subject == "" {
			return
		}
		s.messages.events = append(s.messages.events, &eventFeed{
			bus: s.messages.conn, sub: bus.Subscription{Subject: subject, Queue: a.QueueGroup}, events: events, lanes: lanes,
			caller: identity.Bus(subject, may, s.natsClusters()), clock: s.clock, log: s.log,
		})
	}
	if a.SubjectJobEvent == a.SubjectNodeState {
		listen(a.SubjectJobEvent, cmp.Or(a.JobConcurrency, 8), jobs.Union(nodes))
		return
	}
	listen(a.SubjectJobEvent, cmp.Or(a.JobConcurrency, 8), jobs)
	listen(a.SubjectNodeState, cmp.Or(a.NodeConcurrency, 2), nodes)
}

// natsClusters are the clusters that messages may be about, nil for all.
func (s *Server) natsClusters() []string {
	if len(s.config.NATS.Clusters) == 0 {
		return nil
	}
	return s.config.NATS.Clusters
}

func (m messages) tasks() []run.Task {
	var tasks []run.Task
	if m.feed != nil {
		tasks = append(tasks, m.feed.Run)
	}
	for _, e := range m.events {
		tasks = append(tasks, e.run)
	}
	return tasks
}

func (m messages) close() {
	if m.conn != nil {
		m.conn.Close()
	}
}

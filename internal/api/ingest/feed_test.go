package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// messages is a bus on which these arrive, one after the other; then ctx has to end.
type messages []bus.Arrivals

func (m messages) Listen(ctx context.Context, _ bus.Subscription, handle func(bus.Arrivals)) error {
	for _, a := range m {
		handle(a)
	}
	<-ctx.Done()
	return nil
}

func arrived(lost int64, texts ...string) bus.Arrivals {
	a := bus.Arrivals{Lost: lost}
	for _, text := range texts {
		a.Messages = append(a.Messages, []byte(text))
	}
	return a
}

// store notes what is written, and fails so many times first.
type store struct {
	fail    int
	written []string
	from    metric.Source
}

func (s *store) WriteMixed(_ context.Context, from metric.Source, messages [][]byte) (metric.WriteResult, error) {
	if s.fail > 0 {
		s.fail--
		return metric.WriteResult{}, fault.Because(fault.Unavailable, errors.New("disk full"), "the samples could not be stored")
	}
	data := bytes.Join(messages, []byte("\n"))
	s.written, s.from = append(s.written, string(data)), from
	bad := strings.Count(string(data), "bad")
	r := metric.WriteResult{Rejected: bad}
	for range bad {
		r.Rejects = append(r.Rejects, metric.Reject{Line: 1, Reason: "it is bad"})
	}
	return r, nil
}

// feed runs a feed over the messages until it is quiet, for as long as said, and returns the log.
func feed(t *testing.T, s *store, m messages, last time.Duration) (log string, f *ingest.Feed) {
	t.Helper()
	var buf bytes.Buffer
	f = ingest.NewFeed(ingest.FeedConfig{
		Bus: m, Metrics: s, Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(&buf, nil)), Reaches: func(c string) bool { return c == "alpha" },
		Subscriptions: []ingest.Subscription{{Subscription: bus.Subscription{Subject: "alpha.metrics"}, Cluster: "alpha"}},
	})
	ctx, cancel := context.WithTimeout(t.Context(), last)
	defer cancel()
	if err := f.Run(ctx); err != nil {
		t.Error(err)
	}
	return buf.String(), f
}

func TestMessagesBecomeLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		log, f := feed(t, s, messages{arrived(0, "a", "b\n"), arrived(0, "c")}, time.Second)
		if strings.Join(s.written, "|") != "a\nb\n|c" || s.from.Cluster != "alpha" || s.from.Name != "nats alpha.metrics" || s.from.Reaches("beta") || log != "" {
			t.Errorf("%q from %+v, log %s", s.written, s.from, log)
		}
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(ingest.Feeds{f})
		figures, err := registry.Gather()
		if err != nil || len(figures) != 3 || figures[2].GetName() != "metricstore_nats_messages_total" || figures[2].GetMetric()[0].GetCounter().GetValue() != 3 {
			t.Errorf("%v, %v", figures, err)
		}
	})
}

func TestBadLinesAreLoggedSparsely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _ := feed(t, &store{}, messages{arrived(0, "bad"), arrived(3, "bad bad"), arrived(0, "bad")}, time.Second)
		if strings.Count(log, "not all lines") != 1 || !strings.Contains(log, `subject=alpha.metrics rejected=1 messages_lost=0 last_reason="it is bad"`) {
			t.Error(log)
		}
	})
}

func TestLinesThatCannotBeStoredAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{fail: 90}
		log, _ := feed(t, s, messages{arrived(0, "a")}, time.Hour)
		if strings.Join(s.written, "|") != "a" || strings.Count(log, "disk full") != 2 { // in a minute and a half
			t.Errorf("%q, %s", s.written, log)
		}
		s = &store{fail: 1e6}
		if log, _ := feed(t, s, messages{arrived(0, "a")}, time.Minute); s.written != nil || !strings.Contains(log, "are lost") {
			t.Errorf("%q, %s", s.written, log)
		}
	})
}

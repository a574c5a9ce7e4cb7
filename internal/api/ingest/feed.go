package ingest

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

// Subscription is a subject on which lines come (contract clustercockpit 3.15).
type Subscription struct {
	bus.Subscription
	// Cluster is that of lines that name none.
	Cluster string
}

// Bus brings messages. *bus.Conn is one.
type Bus interface {
	// Listen calls handle with messages until ctx ends, and then with those that have arrived; an error when the
	// subscription is wrong or the connection was closed.
	Listen(ctx context.Context, s bus.Subscription, handle func(bus.Arrivals)) error
}

// Lines is what a feed needs of the metric store. *metric.Service implements it.
type Lines interface {
	// WriteMixed stores messages with lines, ClusterCockpit's and InfluxDB's; fault.Unavailable when it cannot.
	WriteMixed(ctx context.Context, from metric.Source, messages [][]byte) (metric.WriteResult, error)
}

// FeedConfig is what a feed needs.
type FeedConfig struct {
	Bus           Bus
	Subscriptions []Subscription
	Metrics       Lines
	// Reaches says into which clusters messages may write; nil is all. Whoever may publish on a subject is trusted with that.
	Reaches func(cluster string) bool
	Clock   clock.Clock
	Log     *slog.Logger
}

// Feed takes in samples that come as messages. There is nobody to answer: what is wrong with them is counted, and logged
// now and then.
type Feed struct {
	FeedConfig
	messages, lost, failures atomic.Int64
}

// NewFeed returns a feed.
func NewFeed(c FeedConfig) *Feed { return &Feed{FeedConfig: c} }

// Run listens to all subjects until ctx ends, and stores what has arrived by then.
func (f *Feed) Run(ctx context.Context) error {
	tasks := make([]run.Task, len(f.Subscriptions))
	for i, s := range f.Subscriptions {
		in := &intake{feed: f, source: metric.Source{Cluster: s.Cluster, Name: "nats " + s.Subject, Reaches: f.Reaches}, subject: s.Subject}
		tasks[i] = func(ctx context.Context) error {
			return f.Bus.Listen(ctx, s.Subscription, func(a bus.Arrivals) { in.take(ctx, a) })
		}
	}
	return run.Tasks(ctx, tasks...)
}

// intake is what is known of one subject. Listen calls it from one goroutine.
type intake struct {
	feed    *Feed
	source  metric.Source
	subject string

	// Since the last line in the log.
	logged         time.Time
	rejected, lost int64
	reason         string
}

const (
	// logEvery is how often at most something about a subject is logged.
	logEvery = time.Minute
	// retryAfter is how long to wait before lines are stored again that could not be.
	retryAfter = time.Second
)

// take stores the lines of messages. When the store cannot, it tries again until it can: meanwhile messages wait, and
// when too many do, the bus drops them and says so. At the end of ctx it tries once more.
func (in *intake) take(ctx context.Context, a bus.Arrivals) {
	f := in.feed
	f.messages.Add(int64(len(a.Messages)))
	f.lost.Add(a.Lost)
	in.lost += a.Lost
	for {
		ended := ctx.Err() != nil
		result, err := f.Metrics.WriteMixed(context.WithoutCancel(ctx), in.source, a.Messages)
		if err == nil {
			in.note(result)
			return
		}
		f.failures.Add(1)
		in.note(metric.WriteResult{Rejects: []metric.Reject{{Reason: err.Error()}}})
		if ended {
			f.Log.Error("samples from NATS could not be stored and are lost", "subject", in.subject, "messages", len(a.Messages), "error", err)
			return
		}
		_ = clock.Sleep(ctx, f.Clock, retryAfter) // when ctx ends it is tried once more
	}
}

// note counts what went wrong, and says so when it has not for some time.
func (in *intake) note(r metric.WriteResult) {
	in.rejected += int64(r.Rejected)
	if len(r.Rejects) > 0 {
		in.reason = r.Rejects[len(r.Rejects)-1].Reason
	}
	now := in.feed.Clock.Now()
	if in.rejected+in.lost == 0 && in.reason == "" || now.Sub(in.logged) < logEvery {
		return
	}
	in.feed.Log.Warn("not all lines from NATS were taken", "subject", in.subject, "rejected", in.rejected, "messages_lost", in.lost, "last_reason", in.reason)
	in.logged, in.rejected, in.lost, in.reason = now, 0, 0, ""
}

// Feeds tells Prometheus how feeds are, all together.
type Feeds []*Feed

// Describe implements prometheus.Collector.
func (f Feeds) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(f, ch) }

// Collect implements prometheus.Collector.
func (f Feeds) Collect(ch chan<- prometheus.Metric) {
	var messages, lost, failures int64
	for _, feed := range f {
		messages += feed.messages.Load()
		lost += feed.lost.Load()
		failures += feed.failures.Load()
	}
	count := func(name, help string, n int64) {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("metricstore_nats_"+name, help, nil, nil), prometheus.CounterValue, float64(n))
	}
	count("messages_total", "Messages with lines that came over NATS.", messages)
	count("lost_total", "Messages that were dropped because more came than could be stored.", lost)
	count("failures_total", "Attempts to store lines from NATS that failed.", failures)
}

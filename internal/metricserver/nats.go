package metricserver

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// openFeeds connects to the NATS servers. One that is away is no error; it is tried until it is there. closeAll ends the
// connections.
func openFeeds(c Config, service *metric.Service, clk clock.Clock, log *slog.Logger) (feeds ingest.Feeds, closeAll func(), err error) {
	var conns []*bus.Conn
	closeAll = func() {
		for _, conn := range conns {
			conn.Close()
		}
	}
	for _, n := range c.NATS {
		if len(n.Subscriptions) == 0 {
			log.Warn("a NATS server is configured without a subject, so nothing is listened to", "server", n.URL)
			continue
		}
		n.Log = log
		conn, err := bus.Connect(n.Config)
		if err != nil {
			closeAll()
			return nil, nil, fmt.Errorf("nats: %w", err)
		}
		conns = append(conns, conn)
		fc := ingest.FeedConfig{Bus: conn, Subscriptions: n.Subscriptions, Metrics: service, Clock: clk, Log: log}
		if n.Clusters != nil {
			fc.Reaches = func(cluster string) bool { return slices.Contains(n.Clusters, cluster) }
		}
		feeds = append(feeds, ingest.NewFeed(fc))
	}
	return feeds, closeAll, nil
}

package metric

import (
	"context"
	"math"
)

// HealthState says how much of what a host should send arrives.
type HealthState string

// The states (contract clustercockpit 3.9, 3.11).
const (
	HealthFull    HealthState = "full"
	HealthPartial HealthState = "partial"
	HealthFailed  HealthState = "failed"
)

// staleSteps is after how many steps without a sample a metric counts as degraded.
const staleSteps = 5

// Health says how a host's metrics arrive.
type Health struct {
	State    HealthState
	Degraded []string // metrics that have stopped
	Missing  []string // metrics without any sample
}

// Health tells for each host how the named metrics arrive; without names, all measured metrics that the host should send.
// A derived metric arrives as its operands do. A host without any recent metric has failed.
func (s *Service) Health(_ context.Context, cluster string, hosts, named []string) map[string]Health {
	catalogue, _ := s.catalogue(cluster)
	now := s.clock.Now().Unix()
	health := make(map[string]Health, len(hosts))
	for _, host := range hosts {
		h := Health{State: HealthPartial}
		metrics := named
		if len(metrics) == 0 {
			metrics = s.expected(cluster, host)
		}
		for _, metric := range metrics {
			newest, step, ok := s.latest(catalogue, cluster, host, metric)
			switch {
			case !ok:
				h.Missing = append(h.Missing, metric)
			case now-newest > staleSteps*step:
				h.Degraded = append(h.Degraded, metric)
			}
		}
		switch len(h.Missing) + len(h.Degraded) {
		case 0:
			h.State = HealthFull
		case len(metrics):
			h.State = HealthFailed
		}
		health[host] = h
	}
	return health
}

// latest returns when the newest sample of a metric is and how many seconds lie between two.
func (s *Service) latest(catalogue Catalogue, cluster, host, metric string) (newest, step int64, ok bool) {
	config := catalogue[metric]
	if config.Derived == nil {
		return s.engine.Latest(cluster, host, metric)
	}
	newest = math.MaxInt64
	for _, operand := range config.Derived.operands {
		t, _, ok := s.latest(catalogue, cluster, host, operand)
		if !ok {
			return 0, 0, false
		}
		newest = min(newest, t)
	}
	return newest, int64(config.Frequency.Seconds()), true
}

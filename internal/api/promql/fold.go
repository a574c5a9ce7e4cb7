package promql

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// fold gives the engine one series for all devices of a host when the expression takes them together anyway, as in
// sum by (hostname) (flops_any): the store has done that for the samples that it has sealed. It is done where it makes no
// difference, but for the last bits of sums: when at each time either all devices have a sample or none has.
type fold struct {
	q   *querier
	how metric.Aggregation
}

// folding returns how the devices of a host are taken together by what surrounds a selector; nil when they are not.
func (q *querier) folding(hints *storage.SelectHints, ms matchers) *fold {
	if hints == nil || !groupsDevices(hints) || ms.nameDevices() {
		return nil
	}
	switch how := metric.Aggregation(hints.Func); how { //nolint:exhaustive // PromQL has no other
	case metric.AggregateAvg:
		if !groupsByHost(hints, q.clusters(ms)) {
			return nil // the mean of hosts' means is none of devices, unless the hosts have as many
		}
		return &fold{q, how}
	case metric.AggregateSum, metric.AggregateMin, metric.AggregateMax:
		return &fold{q, how}
	default:
		return nil
	}
}

// groupsDevices reports whether the devices of a host come into one group, whatever they are.
func groupsDevices(hints *storage.SelectHints) bool {
	named := slices.Contains(hints.Grouping, labelTypeID)
	if hints.By {
		return !named
	}
	return named
}

// groupsByHost reports whether every group is of one host.
func groupsByHost(hints *storage.SelectHints, clusters []string) bool {
	separates := func(label string) bool { return slices.Contains(hints.Grouping, label) == hints.By }
	return separates(labelHost) && (separates(labelCluster) || len(clusters) == 1)
}

// nameDevices reports whether a selector is about some devices of a type, perhaps.
func (ms matchers) nameDevices() bool {
	return slices.ContainsFunc(ms, func(m *labels.Matcher) bool {
		return m.Name == labelTypeID || m.Name == labelSubType || m.Name == labelSubTypeID
	})
}

// host returns the one series that the devices of a host make; ok is false when each has to be looked at.
func (f *fold) host(own metricstore.Key, config metric.Config) (_ series, ok bool) {
	from, to := f.q.slots(config)
	s, ok := f.q.metrics.Together(f.how, metricstore.Window{Cluster: own.Cluster, Host: own.Host, Metric: own.Metric, From: from, To: to})
	return series{key: s.Key, config: config, folded: &s}, ok
}

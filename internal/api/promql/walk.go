package promql

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// The names of labels. A label type is always there, the others only with a value.
const (
	labelMetric    = "__name__"
	labelCluster   = "cluster"
	labelHost      = "hostname"
	labelType      = "type"
	labelTypeID    = "type_id"
	labelSubType   = "stype"
	labelSubTypeID = "stype_id"
)

// allLabels is every label that a series can have.
func allLabels() []string {
	return []string{labelMetric, labelCluster, labelHost, labelSubType, labelSubTypeID, labelType, labelTypeID}
}

// scope is what one caller may see.
type scope struct {
	metrics Metrics
	caller  identity.Caller
	// sees says the samples of which hosts the caller may read, nil for all.
	sees func(host string) bool
}

func newScope(m Metrics, c identity.Caller) scope {
	limited := func(l identity.NodeLimit) bool { return l.Permissions.Has(identity.MetricsRead) }
	if !slices.ContainsFunc(c.Limits, limited) {
		return scope{m, c, nil}
	}
	return scope{m, c, func(host string) bool { return c.CanOn(identity.MetricsRead, host) }}
}

// clusters returns the clusters that may be seen and match.
func (s scope) clusters(ms matchers) []string {
	return slices.DeleteFunc(s.metrics.Clusters(), func(name string) bool {
		return !s.caller.InCluster(name) || !ms.match(labelCluster, name)
	})
}

// names returns the metrics of a cluster that match, sorted.
func (s scope) names(cluster string, ms matchers) []string {
	var names []string
	for name := range s.metrics.Catalogue(cluster) {
		if ms.match(labelMetric, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// hosts returns the hosts of a cluster that may be seen and match.
func (s scope) hosts(cluster string, ms matchers) []string {
	return slices.DeleteFunc(s.metrics.Hosts(cluster), func(name string) bool {
		return s.sees != nil && !s.sees(name) || !ms.match(labelHost, name)
	})
}

// series is what a selector has found: measured samples of a key, or what the devices of a host make together.
type series struct {
	labels labels.Labels
	key    metricstore.Key
	config metric.Config
	whole  bool
	folded *metricstore.Samples // the samples, when they have been read already
}

// walk calls visit with every series that may be seen and matches, until it returns false. A series in which the devices
// of a host are combined is among them when the label type is asked to be node and the host has no samples of its own,
// and for derived metrics, which are in no other series and only where all operands are.
func (s scope) walk(ctx context.Context, ms matchers, visit func(series) bool) error {
	return s.walker(ms, visit).walk(ctx)
}

func (s scope) walker(ms matchers, visit func(series) bool) *walker {
	return &walker{scope: s, matchers: ms, visit: visit, together: ms.wantsHost()}
}

type walker struct {
	scope
	matchers matchers
	visit    func(series) bool
	together bool     // the devices of a host are wanted together
	fold     *fold    // nil: each device is wanted
	operands []string // of what the metric is computed, the metric itself when it is measured
	keys     []metricstore.Key
}

func (w *walker) walk(ctx context.Context) error {
	if !w.matchers.known() {
		return nil
	}
	for _, cluster := range w.clusters(w.matchers) {
		catalogue, hosts := w.metrics.Catalogue(cluster), w.hosts(cluster, w.matchers)
		for _, name := range w.names(cluster, w.matchers) {
			w.operands = measured(nil, catalogue, name)
			for _, host := range hosts {
				if err := ctx.Err(); err != nil {
					return err
				}
				if !w.host(cluster, host, name, catalogue[name]) {
					return nil
				}
			}
		}
	}
	return nil
}

// measured appends the metrics of which a metric is computed in the end. The catalogue has no circles.
func measured(names []string, catalogue metric.Catalogue, name string) []string {
	derived := catalogue[name].Derived
	if derived == nil {
		return append(names, name)
	}
	for _, operand := range derived.Operands() {
		names = measured(names, catalogue, operand)
	}
	return names
}

// host visits the series of a metric on a host and reports whether to go on.
func (w *walker) host(cluster, host, name string, config metric.Config) bool {
	own := metricstore.Key{Cluster: cluster, Host: host, Metric: name}
	if config.Derived != nil {
		for _, operand := range w.operands {
			if w.keys = w.metrics.Keys(w.keys[:0], cluster, host, operand); len(w.keys) == 0 {
				return true
			}
		}
		return w.see(series{key: own, config: config, whole: true})
	}
	if w.fold != nil && !w.together {
		if s, ok := w.fold.host(own, config); ok {
			return w.see(s)
		}
	}
	w.keys = w.metrics.Keys(w.keys[:0], cluster, host, name)
	if w.together && len(w.keys) > 0 && config.Aggregation != metric.AggregateNone && !slices.Contains(w.keys, own) {
		return w.see(series{key: own, config: config, whole: true})
	}
	for _, k := range w.keys {
		if !w.see(series{key: k, config: config}) {
			return false
		}
	}
	return true
}

// see visits a series when it matches.
func (w *walker) see(s series) bool {
	for name, value := range device(s.key) {
		if !w.matchers.match(name, value) {
			return true
		}
	}
	s.labels = labelsOf(s.key)
	return w.visit(s)
}

// device calls yield with the labels of a key's device, the empty ones too.
func device(k metricstore.Key) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		t := k.Type
		if t == "" {
			t = string(metric.ScopeNode)
		}
		_ = yield(labelType, t) && yield(labelTypeID, k.TypeID) && yield(labelSubType, k.SubType) && yield(labelSubTypeID, k.SubTypeID)
	}
}

func labelsOf(k metricstore.Key) labels.Labels {
	all := []labels.Label{{Name: labelMetric, Value: k.Metric}, {Name: labelCluster, Value: k.Cluster}, {Name: labelHost, Value: k.Host}}
	for name, value := range device(k) {
		if value != "" {
			all = append(all, labels.Label{Name: name, Value: value})
		}
	}
	return labels.New(all...)
}

// matchers are those of one selector; all of them have to match.
type matchers []*labels.Matcher

// match reports whether a label with that value may be in the result.
func (ms matchers) match(name, value string) bool {
	for _, m := range ms {
		if m.Name == name && !m.Matches(value) {
			return false
		}
	}
	return true
}

// known reports whether series can match at all: none has a label of another name.
func (ms matchers) known() bool {
	for _, m := range ms {
		if !slices.Contains(allLabels(), m.Name) && !m.Matches("") {
			return false
		}
	}
	return true
}

// wantsHost reports whether the selector says type="node", and not only something that node matches as well.
func (ms matchers) wantsHost() bool {
	return slices.ContainsFunc(ms, func(m *labels.Matcher) bool {
		return m.Name == labelType && m.Type == labels.MatchEqual && m.Value == string(metric.ScopeNode)
	})
}

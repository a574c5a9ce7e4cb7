package promql

import (
	"context"
	"maps"
	"net/http"
	"runtime"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// listParams are the parameters of lists. Times are not looked at but for mistakes: what the store has is listed, whenever
// it was.
type listParams struct {
	api.AnyQuery
	Match []string `query:"match[]" doc:"Selectors; what one of them selects is listed." example:"cpu_load{cluster=\"alpha\"}"`
	Limit string   `query:"limit" doc:"So many at most; 0, or none, is all." example:"40000"`
}

// listed are the parameters of lists, read.
func listed(r *http.Request, body api.RawBody) (selectors []matchers, limit int, err error) {
	p, err := paramsOf(r, body)
	if err != nil {
		return nil, 0, err
	}
	limit = p.limit()
	p.bound("start")
	p.bound("end")
	if p.err != nil {
		return nil, 0, p.err
	}
	selectors, err = p.selectors()
	return selectors, limit, err
}

// visit calls visit with all series that one of the selectors selects, or all that there are. A series that several of
// them select comes several times.
func (d *dialect) visit(ctx context.Context, s scope, selectors []matchers, visit func(series) bool) error {
	if len(selectors) == 0 {
		selectors = []matchers{nil}
	}
	for _, ms := range selectors {
		if err := s.walk(ctx, ms, visit); err != nil {
			return executionError(ctx, err)
		}
	}
	return nil
}

func (d *dialect) series(ctx context.Context, r api.Request[listParams, api.RawBody]) (limited[map[string]string], error) {
	var none limited[map[string]string]
	selectors, limit, err := listed(r.HTTP, r.Body)
	if err != nil {
		return none, err
	}
	if len(selectors) == 0 {
		return none, fault.New(fault.Invalid, "a selector is needed: parameter match[]")
	}
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	most := d.MaxSeries
	if limit > 0 && limit <= most {
		most = limit
	}
	found := map[string]labels.Labels{}
	err = d.visit(ctx, newScope(d.Metrics, r.Caller), selectors, func(s series) bool {
		found[s.labels.String()] = s.labels
		return len(found) <= most
	})
	if err != nil {
		return none, err
	}
	if len(found) > most && most != limit {
		return none, tooManySeries(d.MaxSeries)
	}
	list := make([]map[string]string, 0, len(found))
	for _, text := range slices.Sorted(maps.Keys(found)) {
		list = append(list, found[text].Map())
	}
	return cut(list, limit), nil
}

func (d *dialect) labels(ctx context.Context, r api.Request[listParams, api.RawBody]) (limited[string], error) {
	selectors, limit, err := listed(r.HTTP, r.Body)
	if err != nil {
		return limited[string]{}, err
	}
	if len(selectors) == 0 {
		return cut(allLabels(), limit), nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	found := map[string]bool{}
	err = d.visit(ctx, newScope(d.Metrics, r.Caller), selectors, func(s series) bool {
		s.labels.Range(func(l labels.Label) { found[l.Name] = true })
		return len(found) < len(allLabels())
	})
	return cut(sorted(found), limit), err
}

// valuesParams are those of a list of values.
type valuesParams struct {
	listParams
	Name string `path:"name" doc:"The label." example:"hostname"`
}

func (d *dialect) labelValues(ctx context.Context, r api.Request[valuesParams, api.None]) (limited[string], error) {
	selectors, limit, err := listed(r.HTTP, api.RawBody{})
	if err != nil {
		return limited[string]{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	s, found := newScope(d.Metrics, r.Caller), map[string]bool{}
	if len(selectors) == 0 && d.shortcut(s, r.Params.Name, found) {
		return cut(sorted(found), limit), nil
	}
	err = d.visit(ctx, s, selectors, func(s series) bool {
		if v := s.labels.Get(r.Params.Name); v != "" {
			found[v] = true
		}
		return true
	})
	return cut(sorted(found), limit), err
}

// shortcut finds the values of labels for which no series has to be looked at. ok is false for others.
func (d *dialect) shortcut(s scope, name string, found map[string]bool) (ok bool) {
	for _, cluster := range s.clusters(nil) {
		var values []string
		switch name {
		case labelMetric:
			values = s.names(cluster, nil)
		case labelHost:
			values = s.hosts(cluster, nil)
		case labelCluster:
			values = []string{cluster}
		default:
			return false
		}
		for _, v := range values {
			found[v] = true
		}
	}
	return true
}

// sorted returns the names that are there; never nil, which JSON tells apart.
func sorted(found map[string]bool) []string {
	return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(found))))
}

// metadataParams are those of a question about metrics.
type metadataParams struct {
	api.AnyQuery
	Metric string `query:"metric" doc:"The one metric that is asked about."`
	Limit  string `query:"limit" doc:"So many metrics at most; 0, or none, is all." example:"1000"`
}

// metadata is what is known of a metric.
type metadata struct {
	Type string `json:"type" doc:"gauge, or unknown for what is computed."`
	Help string `json:"help" doc:"How it is measured."`
	Unit string `json:"unit"`
}

func (d *dialect) metadata(_ context.Context, r api.Request[metadataParams, api.None]) (map[string][]metadata, error) {
	p := params{Values: r.HTTP.URL.Query()}
	limit := p.limit()
	if p.err != nil {
		return nil, p.err
	}
	known := map[string][]metadata{}
	s := newScope(d.Metrics, r.Caller)
	for _, cluster := range s.clusters(nil) {
		catalogue := d.Metrics.Catalogue(cluster)
		for _, name := range s.names(cluster, nil) {
			m := describe(catalogue[name])
			if r.Params.Metric != "" && r.Params.Metric != name || slices.Contains(known[name], m) {
				continue
			}
			if limit == 0 || len(known) < limit || known[name] != nil {
				known[name] = append(known[name], m)
			}
		}
	}
	return known, nil
}

func describe(c metric.Config) metadata {
	m := metadata{Type: "gauge", Help: "measured every " + c.Frequency.String()}
	if c.Derived != nil {
		m.Type, m.Help = "unknown", "computed every "+c.Frequency.String()
	}
	if c.Aggregation != metric.AggregateNone {
		m.Help += ", aggregated by " + string(c.Aggregation)
	}
	return m
}

// buildInfo tells clients what they can ask for.
type buildInfo struct {
	Version   string `json:"version" doc:"Version of Prometheus whose engine answers." example:"3.15.1"`
	Revision  string `json:"revision"`
	Branch    string `json:"branch"`
	BuildUser string `json:"buildUser"`
	BuildDate string `json:"buildDate"`
	GoVersion string `json:"goVersion"`
}

// engineVersion is the version of Prometheus that has the engine's release; go.mod calls 3.15.1 v0.315.1.
const engineVersion = "3.15.1"

func (d *dialect) buildInfo(context.Context, api.Request[api.None, api.None]) (buildInfo, error) {
	return buildInfo{Version: engineVersion, GoVersion: runtime.Version()}, nil
}

package job

import (
	"context"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Data returns a job with its samples: from the archive when the job is there, else from the metric store. Metrics that
// the job does not have are left out, and those that are restricted are for callers with JobsReadAll. It fails with
// fault.NotFound as Get does and when archived samples are gone, and with fault.TooLarge.
func (s *Service) Data(ctx context.Context, c identity.Caller, id ID, sel Selection) (Job, Data, error) {
	j, err := s.Get(ctx, c, id)
	if err != nil {
		return Job{}, nil, err
	}
	sub, metrics, err := s.metricsOf(j)
	if len(sel.Scopes) == 0 {
		sel.Scopes = []metric.Scope{metric.ScopeNode}
	}
	hidden := map[string]bool{}
	for _, m := range metrics {
		hidden[m.Name] = m.Restrict && !c.Can(identity.JobsReadAll)
	}
	wanted := func(name string) bool {
		return !hidden[name] && (sel.Metrics == nil || slices.Contains(sel.Metrics, name))
	}
	if j.Monitoring == MonitoringArchived { // does not need the cluster to be configured any more
		data, err := s.archived(ctx, j, sel, wanted)
		return j, data, err
	}
	if err != nil {
		return Job{}, nil, err
	}
	metrics = slices.DeleteFunc(metrics, func(m cluster.MetricConfig) bool { return !wanted(m.Name) })
	data, err := s.load(ctx, reading{j, sub.Topology, metrics, sel.Scopes, maxAnswer, func(md *MetricData) {
		md.Bands = newBands(md.Series)
		md.thin(sel.Resolution, sel.Points)
	}})
	return j, data, err
}

// metricsOf returns the sub-cluster of a job and its metrics; fault.NotFound when it is no longer configured.
func (s *Service) metricsOf(j Job) (*cluster.SubCluster, []cluster.MetricConfig, error) {
	cl, ok := s.clusters.Get(j.Cluster)
	if !ok {
		return nil, nil, fault.New(fault.NotFound, "cluster %q is not configured", j.Cluster)
	}
	sub, ok := cl.SubCluster(j.SubCluster)
	if !ok {
		return nil, nil, fault.New(fault.NotFound, "cluster %s has no sub-cluster %q", cl.Name, j.SubCluster)
	}
	return sub, cl.MetricsOf(sub.Name), nil
}

func (s *Service) archived(ctx context.Context, j Job, sel Selection, wanted func(string) bool) (Data, error) {
	all, err := s.archive.ReadData(ctx, j)
	if err != nil {
		return nil, err
	}
	data := Data{}
	for name, scopes := range all {
		if !wanted(name) {
			continue
		}
		for _, w := range sel.Scopes {
			scope, ok := archivedScope(scopes, w)
			if !ok {
				continue
			}
			if data[name] == nil {
				data[name] = map[metric.Scope]MetricData{}
			}
			if _, done := data[name][scope]; done {
				continue
			}
			md := scopes[scope]
			if md.Bands == nil {
				md.equalize()
				md.Bands = newBands(md.Series)
			}
			md.thin(sel.Resolution, sel.Points)
			data[name][scope] = md
		}
	}
	return data, nil
}

// archivedScope returns which of the archived scopes answers a wanted one: itself, else the finest that is coarser.
func archivedScope(have map[metric.Scope]MetricData, wanted metric.Scope) (metric.Scope, bool) {
	if _, ok := have[wanted]; ok {
		return wanted, true
	}
	var best metric.Scope
	for scope := range have {
		if _, ok := answerScope(scope, wanted); !ok || !scope.CoarserThan(wanted) {
			continue
		}
		if best == "" || best.CoarserThan(scope) {
			best = scope
		}
	}
	return best, best != ""
}

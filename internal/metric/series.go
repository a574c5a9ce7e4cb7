package metric

import (
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Clusters returns the clusters that have samples, sorted.
func (s *Service) Clusters() []string { return s.engine.Clusters() }

// Catalogue returns the metrics of a cluster, nil when there is no such cluster.
func (s *Service) Catalogue(cluster string) Catalogue {
	c, _ := s.catalogue(cluster)
	return c
}

// Keys appends the series of a metric on a host to dst, in the order of their devices.
func (s *Service) Keys(dst []metricstore.Key, cluster, host, metric string) []metricstore.Key {
	first := len(dst)
	s.engine.Read(nil, metricstore.Window{Cluster: cluster, Host: host, Metric: metric}, func(k *metricstore.Key) bool {
		if n := len(dst); n == first || dst[n-1] != *k { // there is one for each step that the metric was measured in
			dst = append(dst, *k)
		}
		return false
	})
	return dst
}

// Read appends what a series has in a window of time to dst, once for each step that it was measured in. What it has was
// measured, not derived. The values of results that are beyond dst's length but within its capacity are used again.
func (s *Service) Read(dst []metricstore.Samples, k metricstore.Key, from, to int64) []metricstore.Samples {
	w := metricstore.Window{Cluster: k.Cluster, Host: k.Host, Metric: k.Metric, From: from, To: to}
	return s.engine.Read(dst, w, func(other *metricstore.Key) bool { return *other == k })
}

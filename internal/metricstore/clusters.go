package metricstore

import "slices"

// Clusters returns the clusters that have hosts, sorted.
func (db *DB) Clusters() []string {
	var names []string
	for _, sh := range db.shards {
		sh.mu.RLock()
		for _, h := range sh.hosts {
			if !slices.Contains(names, h.cluster) {
				names = append(names, h.cluster)
			}
		}
		sh.mu.RUnlock()
	}
	slices.Sort(names)
	return names
}

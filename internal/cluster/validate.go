package cluster

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// problems collects what is wrong, so that one run shows everything.
type problems []error

func (p *problems) add(at, format string, args ...any) {
	*p = append(*p, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
}

func (p *problems) err() error { return errors.Join(*p...) }

// clusterName keeps names usable as folders and in URLs.
var clusterName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// Validate reports everything that is wrong with the cluster, each problem naming the member of cluster.json.
func (c *Cluster) Validate() error {
	var p problems
	c.check(&p)
	return p.err()
}

func (c *Cluster) check(p *problems) {
	if !clusterName.MatchString(c.Name) {
		p.add("name", "%q is not a cluster's name: 1 to 100 letters, digits or _ . -, beginning with a letter, digit or _", c.Name)
	}
	subs := map[string]bool{}
	for i, s := range c.SubClusters {
		at := fmt.Sprintf("subClusters[%d]", i)
		if subs[s.Name] {
			p.add(at+".name", "sub-cluster %q is there twice", s.Name)
		}
		subs[s.Name] = true
		s.check(p, at)
	}
	metrics := map[string]bool{}
	for i, m := range c.Metrics {
		at := fmt.Sprintf("metricConfig[%d]", i)
		if metrics[m.Name] {
			p.add(at+".name", "metric %q is there twice", m.Name)
		}
		metrics[m.Name] = true
		m.check(p, at, subs)
	}
	catalogue := c.Catalogue()
	for i, m := range c.Metrics {
		if err := catalogue.Check(m.Name); err != nil {
			p.add(fmt.Sprintf("metricConfig[%d].derived", i), "%v", err)
		}
	}
}

func (m *MetricConfig) check(p *problems, at string, subs map[string]bool) {
	if m.Name == "" {
		p.add(at+".name", "is missing")
	}
	if _, err := metric.ParseScope(string(m.Scope)); err != nil {
		p.add(at+".scope", "%v", err)
	}
	if m.Timestep < time.Second || m.Timestep%time.Second != 0 {
		p.add(at+".timestep", "must be whole seconds, at least 1, is %v", m.Timestep)
	}
	if _, err := metric.ParseAggregation(string(m.Aggregation)); err != nil {
		p.add(at+".aggregation", "%v, or absent", err)
	}
	m.Limits.check(p, at)
	seen := map[string]bool{}
	for i, o := range m.SubClusters {
		at := fmt.Sprintf("%s.subClusters[%d]", at, i)
		switch {
		case !subs[o.Name]:
			p.add(at+".name", "there is no sub-cluster %q", o.Name)
		case seen[o.Name]:
			p.add(at+".name", "sub-cluster %q is there twice", o.Name)
		}
		seen[o.Name] = true
		o.Limits.check(p, at)
	}
}

func (l Limits) check(p *problems, at string) {
	switch l.Footprint {
	case "", "avg", "max", "min":
	default:
		p.add(at+".footprint", "unknown statistic %q: it is avg, max or min, or absent", l.Footprint)
	}
	switch l.Energy {
	case "", "power", "energy":
	default:
		p.add(at+".energy", "unknown kind %q: it is power or energy, or absent", l.Energy)
	}
}

func (s *SubCluster) check(p *problems, at string) {
	if s.Name == "" {
		p.add(at+".name", "is missing")
	}
	if s.NodesExpr == "" {
		p.add(at+".nodes", `is missing: a list such as n[01-16], or "*" for every node that no other sub-cluster has`)
	}
	t := s.Topology
	checkThreads(p, at+".topology.node", t.Node)
	checkThreads(p, at+".topology.socket", t.Socket...)
	checkThreads(p, at+".topology.memoryDomain", t.MemoryDomain...)
	checkThreads(p, at+".topology.die", t.Die...)
	checkThreads(p, at+".topology.core", t.Core...)
	ids := map[string]bool{}
	for i, a := range t.Accelerators {
		at := fmt.Sprintf("%s.topology.accelerators[%d].id", at, i)
		switch {
		case a.ID == "":
			p.add(at, "is missing")
		case ids[a.ID]:
			p.add(at, "accelerator %q is there twice", a.ID)
		}
		ids[a.ID] = true
	}
}

// checkThreads reports threads that cannot be. Lists of real sites leave threads out here and there; that is no reason
// to refuse the cluster.
func checkThreads(p *problems, at string, domains ...[]int) {
	seen := map[int]bool{}
	for _, t := range slices.Concat(domains...) {
		switch {
		case t < 0:
			p.add(at, "hardware thread %d is negative", t)
		case seen[t]:
			p.add(at, "hardware thread %d is there twice", t)
		}
		seen[t] = true
	}
}

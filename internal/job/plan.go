package job

import (
	"slices"
	"strconv"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// plan is the queries that give metrics of a job at some scopes, and what their results mean.
type plan struct {
	queries []metric.Query
	targets []target // one a query
}

// target says where the results of a query belong.
type target struct {
	metric cluster.MetricConfig
	scope  metric.Scope
	host   string
	ids    []string // device of each result; one "" at node scope
}

// newPlan plans the metrics for every host of the job. A metric that is stored at a finer scope than the wanted one is
// combined over the job's devices, one that is stored at a coarser scope is taken as it is (contract clustercockpit 5.7).
func newPlan(j Job, top cluster.Topology, metrics []cluster.MetricConfig, wanted []metric.Scope) plan {
	var p plan
	for _, m := range metrics {
		var done []metric.Scope
		for _, w := range wanted {
			scope, ok := answerScope(m.Scope, w)
			if !ok || slices.Contains(done, scope) {
				continue
			}
			done = append(done, scope)
			for _, r := range j.Resources {
				p.addHost(host{j, r, top}, m, scope)
			}
		}
	}
	return p
}

// answerScope returns the scope at which a metric is answered, false when it has nothing to say at the wanted one:
// accelerators mix with nodes only.
func answerScope(stored, wanted metric.Scope) (metric.Scope, bool) {
	switch {
	case wanted == metric.ScopeNode || wanted == stored:
		return wanted, true
	case wanted == metric.ScopeAccelerator || stored == metric.ScopeAccelerator:
		return "", false
	case stored.CoarserThan(wanted):
		return stored, true
	}
	return wanted, true
}

// host is what a job has of one host.
type host struct {
	job Job
	Resource
	top cluster.Topology
}

// restricted reports whether the job has only a part of the host. A job that shares its host with nobody has all of it,
// whatever threads the scheduler bound it to.
func (h host) restricted() bool { return h.job.Shared != SharedNone && len(h.HWThreads) > 0 }

func (h host) threads() []int {
	if h.restricted() {
		return h.HWThreads
	}
	return h.top.Node
}

// accelerators returns the devices that the scheduler gave to the job, or all of the host when it did not say which.
func (h host) accelerators() []string {
	if len(h.Accelerators) > 0 || h.job.NumAcc == 0 {
		return h.Accelerators
	}
	ids := make([]string, len(h.top.Accelerators))
	for i, a := range h.top.Accelerators {
		ids[i] = a.ID
	}
	return ids
}

// device is one place of a host at which a metric is stored.
type device struct {
	id     string
	thread int // one of its threads: tells which socket or core it belongs to
}

// devices returns the devices of a scope on which the job runs.
func (h host) devices(s metric.Scope) []device {
	var list []device
	if s == metric.ScopeAccelerator {
		for _, id := range h.accelerators() {
			list = append(list, device{id: id})
		}
		return list
	}
	seen := map[int]bool{}
	for _, t := range h.threads() {
		d, ok := t, true
		if s != metric.ScopeHWThread {
			d, ok = h.top.DomainOf(s, t)
		}
		if ok && !seen[d] {
			seen[d] = true
			list = append(list, device{id: strconv.Itoa(d), thread: t})
		}
	}
	return list
}

func (p *plan) add(q metric.Query, t target) {
	p.queries = append(p.queries, q)
	p.targets = append(p.targets, t)
}

func (p *plan) addHost(h host, m cluster.MetricConfig, scope metric.Scope) {
	q := metric.Query{Metric: m.Name, Host: h.Hostname}
	t := target{metric: m, scope: scope, host: h.Hostname, ids: []string{""}}
	whole := m.Scope == metric.ScopeNode || m.Scope != metric.ScopeAccelerator && !h.restricted()
	if scope == metric.ScopeNode && whole {
		p.add(q, t) // the store knows best what makes up a node
		return
	}
	devices := h.devices(m.Scope)
	if len(devices) == 0 {
		return
	}
	q.Type = string(m.Scope)
	if scope != m.Scope && scope != metric.ScopeNode {
		p.addGroups(h, q, t, devices)
		return
	}
	q.TypeIDs, q.Aggregate = ids(devices), scope != m.Scope
	if !q.Aggregate {
		t.ids = q.TypeIDs
	}
	p.add(q, t)
}

// addGroups plans one result for each domain of t.scope. Domains with a single device, such as cores without
// hyper-threads, need no combining and share one query.
func (p *plan) addGroups(h host, q metric.Query, t target, devices []device) {
	groups := map[int][]device{}
	var order []int
	for _, d := range devices {
		domain, ok := h.top.DomainOf(t.scope, d.thread)
		if !ok {
			continue // the topology leaves the thread out
		}
		if groups[domain] == nil {
			order = append(order, domain)
		}
		groups[domain] = append(groups[domain], d)
	}
	single := q
	singles := t
	singles.ids = nil
	for _, domain := range order {
		id, group := strconv.Itoa(domain), groups[domain]
		if len(group) == 1 {
			single.TypeIDs = append(single.TypeIDs, group[0].id)
			singles.ids = append(singles.ids, id)
			continue
		}
		q.TypeIDs, q.Aggregate = ids(group), true
		t.ids = []string{id}
		p.add(q, t)
	}
	if len(single.TypeIDs) > 0 {
		p.add(single, singles)
	}
}

func ids(devices []device) []string {
	list := make([]string, len(devices))
	for i, d := range devices {
		list[i] = d.id
	}
	return list
}

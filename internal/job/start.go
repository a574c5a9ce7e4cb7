package job

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Start registers a job that has begun to run (contract clustercockpit 3.4) and returns its id. Whatever the scheduler
// says of state, duration, statistics and footprints is replaced. It fails with fault.Invalid for the first thing that is
// wrong, and with *DuplicateError when the job is known.
func (s *Service) Start(ctx context.Context, c identity.Caller, j Job) (ID, error) {
	if err := c.Require(identity.JobsWrite); err != nil {
		return 0, err
	}
	j.applyDefaults()
	if err := c.RequireCluster(j.Cluster); err != nil && j.Cluster != "" {
		return 0, err
	}
	if err := s.checkCluster(c, &j); err != nil {
		return 0, err
	}
	if err := j.checkStart(); err != nil {
		return 0, err
	}
	if err := checkTags(c, j.Tags); err != nil {
		return 0, err
	}
	return s.store.CreateJob(ctx, j)
}

// applyDefaults fills in what the scheduler need not say and removes what it cannot know.
func (j *Job) applyDefaults() {
	if j.Shared == "" {
		j.Shared = SharedNone
	}
	if j.Monitoring != MonitoringDisabled {
		j.Monitoring = MonitoringPending
	}
	if !j.Start.IsZero() {
		j.Start = j.Start.UTC().Truncate(time.Second)
	}
	j.ID, j.State, j.Duration = 0, Running, 0
	j.Statistics, j.Footprint, j.EnergyFootprint, j.Energy = nil, nil, nil, 0
	j.ArchiveAttempts, j.NextArchiveAfter = 0, time.Time{}
	j.Tags = slices.Clone(j.Tags)
	for i := range j.Tags {
		if j.Tags[i].Scope == "" {
			j.Tags[i].Scope = tagScopeGlobal
		}
	}
}

// checkCluster makes sure that the cluster is configured, and resolves the sub-cluster by the first host unless it is
// given.
func (s *Service) checkCluster(c identity.Caller, j *Job) error {
	if j.Cluster == "" {
		return required("cluster")
	}
	cl, ok := s.clusters.Get(j.Cluster)
	if !ok {
		return fault.New(fault.Invalid, "unknown cluster %q: %s", j.Cluster, s.knownClusters(c))
	}
	if j.SubCluster != "" {
		if _, ok := cl.SubCluster(j.SubCluster); !ok {
			return fault.New(fault.Invalid, "cluster %s has no sub-cluster %q", cl.Name, j.SubCluster)
		}
		return nil
	}
	if len(j.Resources) == 0 {
		return required("resources")
	}
	host := j.Resources[0].Hostname
	sub, ok := cl.ResolveSubCluster(host)
	if !ok {
		return fault.New(fault.Invalid, "host %q belongs to no sub-cluster of cluster %s", host, cl.Name)
	}
	j.SubCluster = sub.Name
	return nil
}

// knownClusters lists those of the configured clusters that the caller's credential reaches.
func (s *Service) knownClusters(c identity.Caller) string {
	var names []string
	for _, cl := range s.clusters.List() {
		if c.InCluster(cl.Name) {
			names = append(names, cl.Name)
		}
	}
	if len(names) == 0 {
		return "no cluster is configured"
	}
	return "configured are " + strings.Join(names, ", ")
}

// checkStart reports the first thing that is wrong with the job itself.
func (j *Job) checkStart() error {
	switch {
	case !slices.Contains([]Shared{SharedNone, SharedSingleUser, SharedMultiUser}, j.Shared):
		return fault.New(fault.Invalid, "unknown value %q of shared: it is none, single_user or multi_user", j.Shared)
	case len(j.Resources) == 0:
		return required("resources")
	case j.User == "":
		return required("user")
	case j.JobID == 0:
		return required("jobId")
	}
	if err := j.checkCounts(); err != nil {
		return err
	}
	if err := j.checkResources(); err != nil {
		return err
	}
	return checkTime("startTime", j.Start)
}

func (j *Job) checkCounts() error {
	for _, count := range []struct {
		field string
		value int64
		least int64
	}{
		{"jobId", j.JobID, 1},
		{"numNodes", int64(j.NumNodes), 1},
		{"numHwthreads", int64(j.NumHWThreads), 0},
		{"numAcc", int64(j.NumAcc), 0},
		{"smt", int64(j.SMT), 0},
		{"arrayJobId", j.ArrayJobID, 0},
		{"walltime", int64(j.Walltime), 0},
		{"requestedMemory", j.RequestedMemory, 0},
	} {
		if count.value < count.least {
			return fault.New(fault.Invalid, "the field '%s' must be at least %d", count.field, count.least)
		}
	}
	if j.NumNodes != len(j.Resources) {
		return fault.New(fault.Invalid, "numNodes is %d, but resources lists %d hosts", j.NumNodes, len(j.Resources))
	}
	return nil
}

func (j *Job) checkResources() error {
	for i, r := range j.Resources {
		if r.Hostname == "" {
			return fault.New(fault.Invalid, "resources[%d]: the field 'hostname' is required", i)
		}
		for _, t := range r.HWThreads {
			if t < 0 {
				return fault.New(fault.Invalid, "resources[%d]: hardware thread %d is negative", i, t)
			}
		}
	}
	return nil
}

// maxSeconds is far in the future: a larger time stamp does not count seconds.
const maxSeconds = 100_000_000_000

func checkTime(field string, t time.Time) error {
	switch sec := t.Unix(); {
	case t.IsZero() || sec == 0:
		return required(field)
	case sec < 0:
		return fault.New(fault.Invalid, "the field '%s' must be greater than 0", field)
	case sec > maxSeconds:
		return fault.New(fault.Invalid, "%s %d is no time in seconds since 1970; is it in milliseconds?", field, sec)
	}
	return nil
}

func required(field string) error {
	return fault.New(fault.Invalid, "the field '%s' is required", field)
}

// The scopes of tags that are no user's name.
const (
	tagScopeGlobal = "global"
	tagScopeAdmin  = "admin"
)

// checkTags makes sure that the tags have names and that the caller may set them: everyone his own, those of all with
// TagsWrite.
func checkTags(c identity.Caller, tags []Tag) error {
	for i, t := range tags {
		if t.Type == "" || t.Name == "" {
			return fault.New(fault.Invalid, "tags[%d]: the fields 'type' and 'name' are required", i)
		}
		if t.Scope == tagScopeGlobal || t.Scope == tagScopeAdmin {
			if err := c.Require(identity.TagsWrite); err != nil {
				return err
			}
			continue
		}
		if t.Scope != c.User.Name {
			return fault.New(fault.Denied, "tags[%d]: only %s may set a tag of scope %q", i, t.Scope, t.Scope)
		}
	}
	return nil
}

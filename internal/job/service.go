package job

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Config is what a Service is made of. All but the last three fields are needed.
type Config struct {
	Store    Store
	Clusters *cluster.Registry
	Live     Querier // samples of jobs that are not archived
	Archive  Archive
	Clock    clock.Clock
	Log      *slog.Logger // nil: nothing is logged
	// Grace is how long the archiver leaves a job alone after its end, so that samples under way can arrive.
	Grace time.Duration
	// Retention is how long Live keeps the samples of a job: archiving is not tried again later than that. 0 means 48
	// hours.
	Retention time.Duration
}

// Service is the use cases of jobs. It is safe for concurrent use.
type Service struct {
	store     Store
	clusters  *cluster.Registry
	live      Querier
	archive   Archive
	clock     clock.Clock
	log       *slog.Logger
	grace     time.Duration
	retention time.Duration

	wake     chan struct{} // tells RunArchiver that a job has stopped
	draining sync.Mutex    // held while the queue is worked off, so that no job is archived twice at once
}

// New returns a service. Nothing runs until RunArchiver is called.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Retention == 0 {
		c.Retention = 48 * time.Hour
	}
	return &Service{
		store: c.Store, clusters: c.Clusters, live: c.Live, archive: c.Archive, clock: c.Clock, log: c.Log,
		grace: c.Grace, retention: c.Retention, wake: make(chan struct{}, 1),
	}
}

// visibility says which jobs the caller may see (contract clustercockpit 1.4); fault.Denied when it is none.
func visibility(c identity.Caller) (Visibility, error) {
	v := Visibility{All: c.Can(identity.JobsReadAll), Clusters: c.Clusters}
	if c.Can(identity.JobsRead) {
		v.User = c.User.Name
	}
	if c.Can(identity.JobsReadProject) {
		v.Projects = c.User.Projects
	}
	if !v.All && v.User == "" && len(v.Projects) == 0 {
		return Visibility{}, identity.DeniedError(identity.JobsRead)
	}
	return v, nil
}

// Get returns a job; fault.NotFound when there is none or the caller may not see it.
func (s *Service) Get(ctx context.Context, c identity.Caller, id ID) (Job, error) {
	v, err := visibility(c)
	if err != nil {
		return Job{}, err
	}
	j, err := s.get(ctx, c, id)
	if err != nil {
		return Job{}, err
	}
	if !v.Sees(j) {
		return Job{}, noJob(id)
	}
	return asOf(s.clock.Now(), j), nil
}

// get returns a job of a cluster that the caller's credential reaches; fault.NotFound.
func (s *Service) get(ctx context.Context, c identity.Caller, id ID) (Job, error) {
	j, err := s.store.GetJob(ctx, id)
	if err == nil && !c.InCluster(j.Cluster) {
		return Job{}, noJob(id)
	}
	return j, err
}

func noJob(id ID) error { return fault.New(fault.NotFound, "there is no job with id %d", id) }

// List returns the page of jobs that f selects from those that the caller may see, and how many there are in all.
func (s *Service) List(ctx context.Context, c identity.Caller, f Filter) (jobs []Job, total int, err error) {
	if f.Visible, err = visibility(c); err != nil {
		return nil, 0, err
	}
	f.Now = s.clock.Now()
	jobs, total, err = s.store.ListJobs(ctx, f)
	for i, j := range jobs {
		jobs[i] = asOf(f.Now, j)
	}
	return jobs, total, err
}

// asOf gives a running job the duration that it has reached.
func asOf(now time.Time, j Job) Job {
	if j.State == Running {
		j.Duration = max(0, now.Sub(j.Start).Truncate(time.Second))
	}
	return j
}

// UsedNodes returns the hosts of each cluster on which jobs run that started before that time, in natural order. It
// needs JobsReadAll: an incomplete answer would let the metric store drop samples that are still needed.
func (s *Service) UsedNodes(ctx context.Context, c identity.Caller, before time.Time) (map[string][]string, error) {
	if err := c.Require(identity.JobsReadAll); err != nil {
		return nil, err
	}
	jobs, _, err := s.store.ListJobs(ctx, Filter{Visible: Visibility{All: true, Clusters: c.Clusters}, States: []State{Running}, StartTo: before})
	if err != nil {
		return nil, err
	}
	used := map[string][]string{}
	for _, j := range jobs {
		if !j.Start.Before(before) {
			continue
		}
		for _, r := range j.Resources {
			used[j.Cluster] = append(used[j.Cluster], r.Hostname)
		}
	}
	for name, hosts := range used {
		slices.SortFunc(hosts, hostlist.Compare)
		used[name] = slices.Compact(hosts)
	}
	return used, nil
}

// Delete removes a job; fault.NotFound. Its archived data stays.
func (s *Service) Delete(ctx context.Context, c identity.Caller, id ID) error {
	if err := c.Require(identity.JobsWrite); err != nil {
		return err
	}
	j, err := s.get(ctx, c, id)
	if err != nil {
		return err
	}
	rec := c.Record(s.clock.Now(), "job.delete", fmt.Sprintf("job/%d", id))
	rec.Details = map[string]string{
		"cluster": j.Cluster, "job_id": strconv.FormatInt(j.JobID, 10), "start": strconv.FormatInt(j.Start.Unix(), 10), "user": j.User,
	}
	return s.store.DeleteJob(ctx, id, rec)
}

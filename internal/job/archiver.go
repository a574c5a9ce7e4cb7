package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

const (
	archiveWorkers = 2
	archivePage    = 64               // jobs read from the queue at once
	archivePoll    = 30 * time.Second // how often the queue is looked at when no job stops
	archiveTimeout = 5 * time.Minute  // for one job; also bounds how long the end is put off
	maxCoreNodes   = 8                // up to so many nodes, cores are archived as well
	firstRetry     = 30 * time.Second
	lastRetry      = time.Hour
)

// RunArchiver works off the queue of stopped jobs until ctx ends: at once when a job stops, and from time to time for
// those that failed before. The queue is the store, so that nothing is lost when the program ends. It finishes the jobs
// that it holds before it returns.
func (s *Service) RunArchiver(ctx context.Context) error {
	for ctx.Err() == nil {
		wait, err := s.workOff(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "archiving is interrupted", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-s.clock.After(wait):
		}
	}
	return nil
}

// Drain archives what is waiting, once. It fails when the store does; a job that cannot be archived is tried again by
// RunArchiver.
func (s *Service) Drain(ctx context.Context) error {
	_, err := s.workOff(ctx)
	return err
}

// workOff archives what is due and returns when to look again.
func (s *Service) workOff(ctx context.Context) (wait time.Duration, err error) {
	s.draining.Lock()
	defer s.draining.Unlock()
	for ctx.Err() == nil {
		now := s.clock.Now()
		jobs, err := s.store.ListUnarchived(ctx, now, archivePage)
		if err != nil {
			return archivePoll, err
		}
		due, wait := s.due(jobs, now)
		if len(due) == 0 {
			return wait, nil
		}
		if err := s.archiveAll(ctx, due); err != nil {
			return archivePoll, err
		}
	}
	return archivePoll, nil
}

// due leaves out the jobs whose last samples may be under way, and returns when the first of them will be due. A job
// that ends in the future, by a clock that is wrong, is not waited for.
func (s *Service) due(jobs []Job, now time.Time) (due []Job, wait time.Duration) {
	wait = archivePoll
	for _, j := range jobs {
		end := j.Start.Add(j.Duration)
		if left := end.Add(s.grace).Sub(now); left > 0 && !end.After(now) {
			wait = min(wait, left)
			continue
		}
		due = append(due, j)
	}
	return due, wait
}

// archiveAll archives jobs with a few workers. Once ctx has ended no further job is begun. It fails when the store cannot
// note how a job went: the job would be taken from the queue for ever.
func (s *Service) archiveAll(ctx context.Context, jobs []Job) error {
	queue := make(chan Job)
	var mu sync.Mutex // guards errs
	var errs []error
	tasks := []run.Task{func(ctx context.Context) error {
		defer close(queue)
		for _, j := range jobs {
			select {
			case queue <- j:
			case <-ctx.Done():
				return nil
			}
		}
		return nil
	}}
	for range archiveWorkers {
		tasks = append(tasks, func(context.Context) error {
			for j := range queue {
				if err := s.archiveOne(ctx, j); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
			return nil
		})
	}
	if err := run.Tasks(ctx, tasks...); err != nil {
		return err
	}
	return errors.Join(errs...)
}

// archiveOne archives a job, or notes that it failed and when to try again. It outlives ctx.
func (s *Service) archiveOne(ctx context.Context, j Job) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), archiveTimeout)
	defer cancel()
	outcome, err := s.freezeSafely(ctx, j)
	if err == nil {
		err = s.store.SetArchived(ctx, j.ID, outcome)
		return ignoreNotFound(err)
	}
	again := s.retryAt(j)
	s.log.WarnContext(ctx, "job could not be archived", slog.Int64("job_id", j.JobID), slog.String("cluster", j.Cluster),
		slog.Int("attempt", j.ArchiveAttempts+1), slog.Bool("gives_up", again.IsZero()), slog.Any("error", err))
	return ignoreNotFound(s.store.SetArchiveFailed(ctx, j.ID, again))
}

// ignoreNotFound forgives that a job was deleted while it was being archived.
func ignoreNotFound(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// retryAt waits twice as long after each attempt. It is zero when the samples will be gone by then.
func (s *Service) retryAt(j Job) time.Time {
	wait := lastRetry
	if j.ArchiveAttempts < 8 { // firstRetry << 7 exceeds lastRetry
		wait = min(lastRetry, firstRetry<<j.ArchiveAttempts)
	}
	again := s.clock.Now().Add(wait)
	if again.After(j.Start.Add(j.Duration).Add(s.retention)) {
		return time.Time{}
	}
	return again
}

// freezeSafely makes an error of a panic, so that one odd job cannot hold up the queue.
func (s *Service) freezeSafely(ctx context.Context, j Job) (o Outcome, err error) {
	done := false
	err = run.Tasks(ctx, func(ctx context.Context) (err error) {
		o, err = s.freeze(ctx, j)
		done = err == nil
		return err
	})
	if err == nil && !done {
		err = context.Cause(ctx)
	}
	return o, err
}

// freeze reads the samples of a job from the metric store and writes them to the archive.
func (s *Service) freeze(ctx context.Context, j Job) (Outcome, error) {
	sub, metrics, err := s.metricsOf(j)
	if err != nil {
		return Outcome{}, err
	}
	scopes := []metric.Scope{metric.ScopeNode}
	if j.NumNodes <= maxCoreNodes {
		scopes = append(scopes, metric.ScopeCore)
	}
	if j.NumAcc > 0 {
		scopes = append(scopes, metric.ScopeAccelerator)
	}
	data, err := s.load(ctx, reading{j, sub.Topology, metrics, scopes, maxArchive, func(md *MetricData) {
		md.Bands = newBands(md.Series)
	}})
	if err != nil {
		return Outcome{}, err
	}
	if len(data) == 0 {
		return Outcome{}, fmt.Errorf("the metric store has no samples of job %d", j.JobID)
	}
	o := newOutcome(j, metrics, data)
	j.Monitoring = MonitoringArchived
	j.Statistics, j.Footprint, j.EnergyFootprint, j.Energy = o.Statistics, o.Footprint, o.EnergyFootprint, o.Energy
	if err := s.archive.WriteJob(ctx, j, data); err != nil {
		return Outcome{}, err
	}
	return o, nil
}

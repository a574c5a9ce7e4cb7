package job

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

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

package server

import (
	"context"
	"errors"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

// Run serves until ctx ends. Then it stops taking requests, lets running ones finish, archives the jobs that are in
// hand, and closes everything; samples and jobs that were acknowledged are on disk at any moment.
func (s *Server) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	listeners, err := s.listen(ctx)
	if err != nil {
		return err
	}
	tasks := []run.Task{
		func(ctx context.Context) error { s.metrics.Run(ctx); return nil },
		s.jobs.RunArchiver,
		s.refused.run,
		s.every(30*time.Second, s.signing.Renew),
		s.every(10*time.Minute, s.sessions.Sweep),
		s.every(24*time.Hour, s.store.Refresh),
	}
	tasks = append(tasks, s.trailTasks()...)
	tasks = append(tasks, s.tokenTasks()...)
	tasks = append(tasks, s.messages.tasks()...)
	if s.logins.directory != nil {
		tasks = append(tasks, s.syncDirectory)
	}
	for _, l := range listeners {
		tasks = append(tasks, l.serve)
		if s.listened != nil {
			s.listened(l.Addr())
		}
	}
	return run.Tasks(ctx, tasks...)
}

// every returns a task that does something regularly, and once more at the end. A failure is logged and tried again: none
// of these may take the server down.
func (s *Server) every(d time.Duration, do func(context.Context) error) run.Task {
	return func(ctx context.Context) error {
		for ctx.Err() == nil {
			_ = clock.Sleep(ctx, s.clock, d) // when ctx ends it is done once more
			if err := withTimeout(ctx, do); err != nil {
				s.log.Error("regular work failed", "error", err)
			}
		}
		return nil
	}
}

// withTimeout does something that outlives ctx, but not for long.
func withTimeout(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return do(ctx)
}

package job

import (
	"context"
	"errors"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Stop ends a running job and wakes the archiver. It fails with fault.Invalid when the request makes no sense,
// fault.NotFound when there is no such job, and *NotRunningError when it has ended before.
func (s *Service) Stop(ctx context.Context, c identity.Caller, r StopRequest) (Job, error) {
	if err := c.Require(identity.JobsWrite); err != nil {
		return Job{}, err
	}
	state, err := r.endState()
	if err != nil {
		return Job{}, err
	}
	j, err := s.find(ctx, c, r)
	if err != nil {
		return Job{}, err
	}
	if j.State != Running {
		return Job{}, &NotRunningError{JobID: j.JobID, State: j.State}
	}
	if err := checkTime("stopTime", r.At); err != nil {
		return Job{}, err
	}
	j.State, j.Duration = state, r.At.Truncate(time.Second).Sub(j.Start)
	if j.Duration < 0 {
		return Job{}, fault.New(fault.Invalid, "stopTime %d lies before the job's startTime %d", r.At.Unix(), j.Start.Unix())
	}
	if err := s.store.StopJob(ctx, j.ID, j.State, j.Duration); err != nil {
		return Job{}, s.stopError(ctx, j, err)
	}
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
	return j, nil
}

// endState returns the state that the job is to end in.
func (r StopRequest) endState() (State, error) {
	if r.State == "" {
		return Completed, nil
	}
	state, err := ParseState(string(r.State))
	if err == nil && state == Running {
		return "", fault.New(fault.Invalid, "a job cannot end in the state running")
	}
	return state, err
}

func (s *Service) find(ctx context.Context, c identity.Caller, r StopRequest) (Job, error) {
	switch {
	case r.ID != 0:
		return s.get(ctx, c, r.ID)
	case r.Key.JobID == 0:
		return Job{}, fault.New(fault.Invalid, "the field 'jobId' is required")
	case r.Key.Cluster != "":
		if err := c.RequireCluster(r.Key.Cluster); err != nil {
			return Job{}, err
		}
		return s.store.FindJob(ctx, r.Key)
	case c.Clusters == nil:
		return s.store.FindJob(ctx, r.Key)
	}
	return s.findAmong(ctx, c.Clusters, r.Key)
}

// findAmong returns the latest job with that key on one of the clusters.
func (s *Service) findAmong(ctx context.Context, clusters []string, k Key) (latest Job, err error) {
	for _, k.Cluster = range clusters {
		j, err := s.store.FindJob(ctx, k)
		switch {
		case fault.Is(err, fault.NotFound):
		case err != nil:
			return Job{}, err
		case latest.ID == 0 || j.Start.After(latest.Start):
			latest = j
		}
	}
	if latest.ID == 0 {
		return Job{}, fault.New(fault.NotFound, "there is no job %d", k.JobID)
	}
	return latest, nil
}

// stopError makes a NotRunningError of the conflict with somebody who was quicker to stop j.
func (s *Service) stopError(ctx context.Context, j Job, err error) error {
	var known *NotRunningError
	if !fault.Is(err, fault.Conflict) || errors.As(err, &known) {
		return err
	}
	if now, getErr := s.store.GetJob(ctx, j.ID); getErr == nil {
		j = now
	}
	return &NotRunningError{JobID: j.JobID, State: j.State}
}

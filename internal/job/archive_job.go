package job

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

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

package sqlstore

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// ListUnarchived implements job.Store.
func (s *jobs) ListUnarchived(ctx context.Context, now time.Time, limit int) (all []job.Job, err error) {
	defer fault.Wrap(&err, "list jobs to archive")
	err = s.db.view(ctx, func(c conn) error {
		// A job whose archiving has failed for good is 2 with no time to try again.
		all, err = list(ctx, c, scanJob, `
			SELECT `+jobColumns+`
			FROM jobs
			WHERE state <> 'running' AND monitoring IN (1, 2)
			  AND (monitoring = 1 OR archive_after > 0) AND archive_after <= ?
			ORDER BY start_time, id
			LIMIT ?`, seconds(now), limitOf(limit))
		if err != nil {
			return err
		}
		return fillTags(ctx, c, all)
	})
	return all, err
}

// SetArchived implements job.Store; fault.NotFound.
func (s *jobs) SetArchived(ctx context.Context, id job.ID, o job.Outcome) (err error) {
	defer fault.Wrap(&err, "set outcome of job with id %d", id)
	return s.db.update(ctx, func(c conn) error {
		n, err := c.exec(ctx, `
			UPDATE jobs
			SET monitoring = ?, statistics = ?, footprint = ?, energy_footprint = ?, energy = ?,
			    archive_attempts = archive_attempts + 1, archive_after = 0
			WHERE id = ?`,
			job.MonitoringArchived, statisticsColumn{&o.Statistics}, numberMap{&o.Footprint}, numberMap{&o.EnergyFootprint},
			o.Energy, id)
		if err != nil {
			return err
		}
		return someJob(n, id)
	})
}

// SetArchiveFailed implements job.Store; fault.NotFound.
func (s *jobs) SetArchiveFailed(ctx context.Context, id job.ID, again time.Time) (err error) {
	defer fault.Wrap(&err, "set failure of archiving job with id %d", id)
	return s.db.update(ctx, func(c conn) error {
		n, err := c.exec(ctx, `
			UPDATE jobs
			SET monitoring = ?, archive_attempts = archive_attempts + 1, archive_after = ?
			WHERE id = ?`, job.MonitoringFailed, seconds(again), id)
		if err != nil {
			return err
		}
		return someJob(n, id)
	})
}

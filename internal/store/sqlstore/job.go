package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// jobs implements job.Store.
type jobs struct{ db *database }

// duplicateWindow is how far apart, in seconds, two jobs with one number on one cluster must start (contract
// clustercockpit 3.4).
const duplicateWindow = 86400

// CreateJob implements job.Store. Tags of the job that do not exist yet are made.
func (s *jobs) CreateJob(ctx context.Context, j job.Job) (id job.ID, err error) {
	defer fault.Wrap(&err, "create job %d", j.JobID)
	err = s.db.update(ctx, func(c conn) error {
		if err := checkDuplicate(ctx, c, j); err != nil {
			return err
		}
		id, err = insertJob(ctx, c, j)
		if err != nil {
			return err
		}
		return tagJob(ctx, c, id, j.Tags)
	})
	return id, err
}

func checkDuplicate(ctx context.Context, c conn, j job.Job) error {
	id, err := get(ctx, c, scalar[job.ID], `
		SELECT id
		FROM jobs
		WHERE job_id = ? AND cluster = ? AND start_time > ? AND start_time < ?
		ORDER BY start_time DESC
		LIMIT 1`, j.JobID, j.Cluster, seconds(j.Start)-duplicateWindow, seconds(j.Start)+duplicateWindow)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return &job.DuplicateError{ID: id, JobID: j.JobID}
}

func insertJob(ctx context.Context, c conn, j job.Job) (job.ID, error) {
	id, err := get(ctx, c, scalar[job.ID], `
		INSERT INTO jobs (job_id, cluster, sub_cluster, job_partition, user_name, project, array_job_id,
			num_nodes, num_hwthreads, num_acc, shared, smt, state, start_time, submit_time, duration, walltime, requested_memory,
			monitoring, resources, meta_data, statistics, footprint, energy_footprint, energy, archive_attempts, archive_after, name)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		RETURNING id`, jobValues(j)...)
	if err != nil {
		return 0, err
	}
	for _, res := range j.Resources {
		_, err := c.exec(ctx, `
			INSERT INTO job_hosts (hostname, job)
			VALUES (?, ?)
			ON CONFLICT (hostname, job) DO NOTHING`, res.Hostname, id)
		if err != nil {
			return 0, err
		}
	}
	return id, nil
}

// GetJob implements job.Store.
func (s *jobs) GetJob(ctx context.Context, id job.ID) (j job.Job, err error) {
	defer fault.Wrap(&err, "get job with id %d", id)
	err = s.db.view(ctx, func(c conn) error {
		j, err = getJob(ctx, c, id)
		return err
	})
	return j, err
}

func getJob(ctx context.Context, c conn, id job.ID) (job.Job, error) {
	j, err := get(ctx, c, scanJob, `
		SELECT `+jobColumns+`
		FROM jobs
		WHERE id = ?`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return job.Job{}, fault.New(fault.NotFound, "there is no job with id %d", id)
	}
	if err != nil {
		return job.Job{}, err
	}
	tagged := []job.Job{j}
	err = fillTags(ctx, c, tagged)
	return tagged[0], err
}

// FindJob implements job.Store.
func (s *jobs) FindJob(ctx context.Context, k job.Key) (j job.Job, err error) {
	defer fault.Wrap(&err, "find job %d", k.JobID)
	w := &where{}
	w.and(`job_id = ?`, k.JobID)
	equal(w, `cluster`, k.Cluster)
	if !k.Start.IsZero() {
		w.and(`start_time = ?`, seconds(k.Start))
	}
	err = s.db.view(ctx, func(c conn) error {
		id, err := get(ctx, c, scalar[job.ID], `
			SELECT id
			FROM jobs`+w.String()+`
			ORDER BY start_time DESC, id DESC
			LIMIT 1`, w.args...)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no job %d", k.JobID)
		}
		if err != nil {
			return err
		}
		j, err = getJob(ctx, c, id)
		return err
	})
	return j, err
}

// StopJob implements job.Store. The conflict is a *job.NotRunningError.
func (s *jobs) StopJob(ctx context.Context, id job.ID, state job.State, d time.Duration) (err error) {
	defer fault.Wrap(&err, "stop job with id %d", id)
	return s.db.update(ctx, func(c conn) error {
		j, err := getJob(ctx, c, id)
		if err != nil {
			return err
		}
		if j.State != job.Running {
			return &job.NotRunningError{JobID: j.JobID, State: j.State}
		}
		_, err = c.exec(ctx, `
			UPDATE jobs
			SET state = ?, duration = ?
			WHERE id = ?`, state, durationColumn{&d}, id)
		return err
	})
}

// DeleteJob implements job.Store.
func (s *jobs) DeleteJob(ctx context.Context, id job.ID, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "delete job with id %d", id)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		j, err := getJob(ctx, c, id)
		if err != nil {
			return err
		}
		// The index of hosts begins with the host: one row each is found, all rows of a job are not.
		for _, res := range j.Resources {
			if _, err := c.exec(ctx, `DELETE FROM job_hosts WHERE hostname = ? AND job = ?`, res.Hostname, id); err != nil {
				return err
			}
		}
		_, err = c.exec(ctx, `DELETE FROM jobs WHERE id = ?`, id)
		return err
	})
}

func someJob(rows int64, id job.ID) error {
	if rows == 0 {
		return fault.New(fault.NotFound, "there is no job with id %d", id)
	}
	return nil
}

package sqlstore

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// ListJobs implements job.Store; fault.Invalid for a sort that does not exist, fault.TooLarge for a filter with too
// many values.
func (s *jobs) ListJobs(ctx context.Context, f job.Filter) (page []job.Job, total int, err error) {
	defer fault.Wrap(&err, "list jobs")
	order, orderArgs, err := jobOrder(f)
	if err != nil {
		return nil, 0, err
	}
	w, sees := jobWhere(f)
	if !sees {
		return nil, 0, nil
	}
	if err := w.check(); err != nil {
		return nil, 0, err
	}
	err = s.db.view(ctx, func(c conn) error {
		// The page is found by ids alone, so that sorting and skipping do not carry whole rows about.
		args := append(append([]any{}, w.args...), orderArgs...)
		args = append(append(args, limitOf(f.Limit), f.Offset), orderArgs...)
		page, err = list(ctx, c, scanJob, `
			SELECT `+jobColumns+`
			FROM jobs
			WHERE id IN (SELECT id FROM jobs`+w.String()+` ORDER BY `+order+` LIMIT ? OFFSET ?)
			ORDER BY `+order, args...)
		if err != nil {
			return err
		}
		total, err = countJobs(ctx, c, w, f, len(page))
		if err != nil {
			return err
		}
		return fillTags(ctx, c, page)
	})
	return page, total, err
}

// countJobs returns how many jobs match in all. The last page answers that by itself.
func countJobs(ctx context.Context, c conn, w *where, f job.Filter, onPage int) (int, error) {
	if full := f.Limit > 0 && onPage == f.Limit; !full && (onPage > 0 || f.Offset == 0) {
		return f.Offset + onPage, nil
	}
	return get(ctx, c, scalar[int], `SELECT COUNT(*) FROM jobs`+w.String(), w.args...)
}

// jobWhere returns the conditions of f, and false when f sees nothing.
func jobWhere(f job.Filter) (w *where, sees bool) {
	w = &where{}
	if !jobVisible(w, f.Visible) {
		return nil, false
	}
	in(w, `id`, f.IDs)
	in(w, `job_id`, f.JobIDs)
	in(w, `state`, f.States)
	in(w, `user_name`, f.Users)
	in(w, `project`, f.Projects)
	in(w, `cluster`, f.Clusters)
	in(w, `sub_cluster`, f.SubClusters)
	in(w, `job_partition`, f.Partitions)
	in(w, `shared`, f.Shared)
	jobRanges(w, f)
	if f.Node != "" {
		w.and(`id IN (SELECT job FROM job_hosts WHERE hostname = ?)`, f.Node)
	}
	if f.Name != "" {
		w.and(`LOWER(name) LIKE LOWER(?) ESCAPE '\'`, contains(f.Name))
	}
	if f.Search != "" {
		jobSearch(w, f.Search)
	}
	if len(f.Tags) > 0 {
		w.and(`id IN (SELECT job FROM job_tags WHERE tag IN (`+placeholders(len(f.Tags))+`))`, anys(f.Tags)...)
	}
	return w, true
}

// jobVisible limits a query to what v sees. A visibility that says nothing sees nothing.
func jobVisible(w *where, v job.Visibility) bool {
	if v.Clusters != nil && len(v.Clusters) == 0 {
		return false
	}
	in(w, `cluster`, v.Clusters)
	if v.All {
		return true
	}
	var projects []string
	for _, p := range v.Projects {
		if p != "" {
			projects = append(projects, p)
		}
	}
	switch {
	case v.User == "" && len(projects) == 0:
		return false
	case v.User == "":
		in(w, `project`, projects)
	case len(projects) == 0:
		equal(w, `user_name`, v.User)
	default:
		w.and(`(user_name = ? OR project IN (`+placeholders(len(projects))+`))`, append([]any{v.User}, anys(projects)...)...)
	}
	return true
}

func jobRanges(w *where, f job.Filter) {
	if !f.StartFrom.IsZero() {
		w.and(`start_time >= ?`, seconds(f.StartFrom))
	}
	if !f.StartTo.IsZero() {
		w.and(`start_time <= ?`, seconds(f.StartTo))
	}
	if f.NodesFrom > 0 {
		w.and(`num_nodes >= ?`, f.NodesFrom)
	}
	if f.NodesTo > 0 {
		w.and(`num_nodes <= ?`, f.NodesTo)
	}
	duration, now := jobDuration(f.Now)
	if f.DurationFrom > 0 {
		w.and(duration+` >= ?`, append(now, int64(f.DurationFrom/time.Second))...)
	}
	if f.DurationTo > 0 {
		w.and(duration+` <= ?`, append(now, int64(f.DurationTo/time.Second))...)
	}
}

// jobDuration returns the duration of a job at that time as an expression with its arguments: the column has none of
// jobs that run. The column comes first, so that nearly all rows are done with one comparison.
func jobDuration(now time.Time) (expression string, args []any) {
	if now.IsZero() {
		return `duration`, nil
	}
	at := seconds(now)
	return `CASE WHEN state <> 'running' THEN duration WHEN start_time < ? THEN ? - start_time ELSE 0 END`, []any{at, at}
}

func jobSearch(w *where, text string) {
	cond := `(LOWER(name) LIKE LOWER(?) ESCAPE '\' OR user_name = ? OR project = ?`
	args := []any{contains(text), text, text}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		cond += ` OR job_id = ?`
		args = append(args, n)
	}
	w.and(cond+`)`, args...)
}

// footprintKey is what a key of a footprint looks like. JSON paths of SQLite, which begin with $ or [, do not.
var footprintKey = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:+-]*$`)

// jobOrder returns the ORDER BY of a sort. Jobs that are equal in it are ordered by id, so that pages do not overlap.
func jobOrder(f job.Filter) (order string, args []any, err error) {
	s := f.Sort
	direction := ` DESC`
	if s.Ascending {
		direction = ` ASC`
	}
	var column string
	switch s.By {
	case job.SortStart:
		column = `start_time`
	case job.SortDuration:
		column, args = jobDuration(f.Now)
	case job.SortNumNodes:
		column = `num_nodes`
	case job.SortNumHWThreads:
		column = `num_hwthreads`
	case job.SortNumAcc:
		column = `num_acc`
	case job.SortWalltime:
		column = `walltime`
	case job.SortEnergy:
		column = `energy`
	case job.SortFootprint:
		if !footprintKey.MatchString(s.Footprint) {
			return "", nil, fault.New(fault.Invalid, "%q is no key of a footprint; one looks like flops_any_avg", s.Footprint)
		}
		return fmt.Sprintf(`CAST(footprint ->> ? AS double precision)%s NULLS LAST, id%s`, direction, direction), []any{s.Footprint}, nil
	default:
		return "", nil, fault.New(fault.Invalid, "unknown order %d of jobs", s.By)
	}
	return column + direction + `, id` + direction, args, nil
}

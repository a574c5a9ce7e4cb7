package storetest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

// unarchived returns the numbers of the jobs that wait at that time.
func unarchived(t *testing.T, s *sqlstore.Store, now time.Time, limit int) []int64 {
	t.Helper()
	all, err := s.Jobs().ListUnarchived(t.Context(), now, limit)
	must(t, err)
	return jobNumbers(all)
}

func testJobUnarchived(db Database) {
	t := db.t
	jobs := db.Store.Jobs()
	createJob(t, db.Store, sampleJob(1)) // runs
	disabled := sampleJob(2)
	disabled.Monitoring = job.MonitoringDisabled
	stopped, failed, gaveUp, done := sampleJob(3), sampleJob(4), sampleJob(5), sampleJob(6)
	for i, j := range []*job.Job{&disabled, &stopped, &failed, &gaveUp, &done} {
		j.Start = jobStart().Add(time.Duration(i) * time.Second)
		*j = createJob(t, db.Store, *j)
		must(t, jobs.StopJob(t.Context(), j.ID, job.Completed, time.Minute))
	}
	must(t, jobs.SetArchiveFailed(t.Context(), failed.ID, noon().Add(time.Hour)))
	must(t, jobs.SetArchiveFailed(t.Context(), gaveUp.ID, time.Time{}))
	must(t, jobs.SetArchived(t.Context(), done.ID, job.Outcome{}))

	same(t, "jobs that wait", unarchived(t, db.Store, noon(), 10), []int64{3})
	same(t, "jobs that wait later", unarchived(t, db.Store, noon().Add(time.Hour), 10), []int64{3, 4})
	got, err := jobs.GetJob(t.Context(), failed.ID)
	must(t, err)
	again := noon().Add(time.Hour).Truncate(time.Second)
	if got.Monitoring != job.MonitoringFailed || got.ArchiveAttempts != 1 || !got.NextArchiveAfter.Equal(again) {
		t.Errorf("monitoring %d, %d attempts, again at %v", got.Monitoring, got.ArchiveAttempts, got.NextArchiveAfter)
	}
}

func testJobUnarchivedOrder(db Database) {
	t := db.t
	for i := range int64(4) {
		j := sampleJob(i)
		j.State, j.Start = job.Completed, jobStart().Add(-time.Duration(i)*time.Second)
		createJob(t, db.Store, j)
	}
	same(t, "jobs that wait", unarchived(t, db.Store, noon(), 3), []int64{3, 2, 1})
	same(t, "all jobs that wait", unarchived(t, db.Store, noon(), 0), []int64{3, 2, 1, 0})
}

func testJobArchived(db Database) {
	t := db.t
	want := createJob(t, db.Store, sampleJob(1))
	must(t, db.Store.Jobs().StopJob(t.Context(), want.ID, job.Completed, time.Minute))
	outcome := job.Outcome{
		Statistics: map[string]job.JobStatistics{
			"mem_bw": {Unit: metric.Unit{Base: "B/s", Prefix: "G"}, Statistics: metric.Statistics{Min: 1.5, Avg: 2, Max: 1e300}},
			"absent": {Statistics: metric.Statistics{Min: math.NaN(), Avg: math.NaN(), Max: math.NaN()}},
		},
		Footprint:       map[string]float64{"mem_bw_avg": 2, "absent_avg": math.NaN()},
		EnergyFootprint: map[string]float64{},
		Energy:          0.25,
	}
	must(t, db.Store.Jobs().SetArchived(t.Context(), want.ID, outcome))
	want.State, want.Duration, want.Monitoring, want.ArchiveAttempts = job.Completed, time.Minute, job.MonitoringArchived, 1
	want.Statistics, want.Footprint, want.EnergyFootprint, want.Energy = outcome.Statistics, outcome.Footprint, outcome.EnergyFootprint, outcome.Energy
	got, err := db.Store.Jobs().GetJob(t.Context(), want.ID)
	must(t, err)
	same(t, "jobs", got, want)
}

func testJobDelete(db Database) {
	t := db.t
	j := sampleJob(1)
	j.Tags = []job.Tag{{Type: "t", Name: "n", Scope: "global"}}
	gone, stays := createJob(t, db.Store, j), createJob(t, db.Store, sampleJob(2))
	must(t, db.Store.Jobs().DeleteJob(t.Context(), gone.ID, record("job.delete", fmt.Sprintf("job/%d", gone.ID))))
	_, err := db.Store.Jobs().GetJob(t.Context(), gone.ID)
	wantKind(t, err, fault.NotFound)
	for name, f := range map[string]job.Filter{"node": {Node: "n01"}, "all": {}} {
		f.Visible.All = true
		left, total, err := db.Store.Jobs().ListJobs(t.Context(), f)
		must(t, err)
		if total != 1 || len(left) != 1 || left[0].ID != stays.ID {
			t.Errorf("%s: %d jobs are left", name, total)
		}
	}
	wantLast(t, db.Store, "job.delete")
}

package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func jobTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComesBackAsWritten":               testJobRoundTrip,
		"UnknownIsNotFound":                testJobNotFound,
		"LessThanADayApartIsDuplicate":     testJobDuplicate,
		"FindTakesTheLatest":               testJobFind,
		"StopsOnce":                        testJobStop,
		"ArchiverSeesWhatWaits":            testJobUnarchived,
		"OutcomeIsStored":                  testJobArchived,
		"DeleteTakesEverythingWithIt":      testJobDelete,
		"IdsAreNotUsedAgain":               testJobIDs,
		"ArchiverTakesTheOldestUpToALimit": testJobUnarchivedOrder,
	}
}

// jobStart is when sample jobs start: whole seconds.
func jobStart() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

// sampleJob returns a running job with something in every field.
func sampleJob(number int64) job.Job {
	return job.Job{
		JobID: number, Cluster: "alpha", SubCluster: "main", Partition: "work", User: "alice", Project: "p1", ArrayJobID: 77,
		NumNodes: 2, NumHWThreads: 8, NumAcc: 1, Shared: job.SharedMultiUser, SMT: 2, State: job.Running,
		Start: jobStart(), Submit: jobStart().Add(-time.Hour), Walltime: 2 * time.Hour, RequestedMemory: 4096,
		Monitoring: job.MonitoringPending,
		Resources: []job.Resource{
			{Hostname: "n01", HWThreads: []int{0, 1}, Accelerators: []string{"00000000:49:00.0"}, Configuration: "c"},
			{Hostname: "n02"},
		},
		MetaData: map[string]string{"jobName": "Simulation 50%", "jobScript": "#!/bin/sh\n"},
	}
}

// createJob stores j and returns it with its id.
func createJob(t *testing.T, s *sqlstore.Store, j job.Job) job.Job {
	t.Helper()
	id, err := s.Jobs().CreateJob(t.Context(), j)
	must(t, err)
	j.ID = id
	return j
}

func testJobRoundTrip(db Database) {
	t := db.t
	j := sampleJob(1)
	j.Tags = []job.Tag{{Type: "b", Name: "x", Scope: "global"}, {Type: "a", Name: "y", Scope: "alice"}, {Type: "b", Name: "x", Scope: "global"}}
	want := createJob(t, db.Store, j)
	got, err := db.Store.Jobs().GetJob(t.Context(), want.ID)
	must(t, err)
	if len(got.Tags) != 2 || got.Tags[0].ID == got.Tags[1].ID {
		t.Fatalf("tags are %v", got.Tags)
	}
	want.Tags = []job.Tag{
		{ID: got.Tags[0].ID, Type: "a", Name: "y", Scope: "alice"},
		{ID: got.Tags[1].ID, Type: "b", Name: "x", Scope: "global"},
	}
	same(t, "jobs", got, want)

	bare := createJob(t, db.Store, job.Job{JobID: 2, Cluster: "alpha", User: "u", State: job.Running, Start: jobStart()})
	got, err = db.Store.Jobs().GetJob(t.Context(), bare.ID)
	must(t, err)
	same(t, "bare jobs", got, bare)
}

func testJobNotFound(db Database) {
	t := db.t
	jobs := db.Store.Jobs()
	_, err := jobs.GetJob(t.Context(), 1)
	wantKind(t, err, fault.NotFound)
	_, err = jobs.FindJob(t.Context(), job.Key{JobID: 1})
	wantKind(t, err, fault.NotFound)
	wantKind(t, jobs.StopJob(t.Context(), 1, job.Completed, 0), fault.NotFound)
	wantKind(t, jobs.SetArchived(t.Context(), 1, job.Outcome{}), fault.NotFound)
	wantKind(t, jobs.SetArchiveFailed(t.Context(), 1, noon()), fault.NotFound)
	wantKind(t, jobs.DeleteJob(t.Context(), 1, record("job.delete", "x")), fault.NotFound)
}

func testJobDuplicate(db Database) {
	t := db.t
	first := createJob(t, db.Store, sampleJob(1))
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		number  int64
		cluster string
		shift   time.Duration
		want    bool
	}{
		"same start":           {1, "alpha", 0, true},
		"a second less, later": {1, "alpha", day - time.Second, true},
		"a second less, ahead": {1, "alpha", time.Second - day, true},
		"a day later":          {1, "alpha", day, false},
		"a day ahead":          {1, "alpha", -day, false},
		"another cluster":      {1, "beta", 0, false},
		"another number":       {2, "alpha", 0, false},
	} {
		j := sampleJob(c.number)
		j.Cluster, j.Start = c.cluster, jobStart().Add(c.shift)
		id, err := db.Store.Jobs().CreateJob(t.Context(), j)
		if !c.want {
			must(t, err)
			must(t, db.Store.Jobs().DeleteJob(t.Context(), id, record("job.delete", "x")))
			continue
		}
		wantKind(t, err, fault.Conflict)
		var duplicate *job.DuplicateError
		if !errors.As(err, &duplicate) || *duplicate != (job.DuplicateError{ID: first.ID, JobID: 1}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func testJobFind(db Database) {
	t := db.t
	older, newer, other := sampleJob(1), sampleJob(1), sampleJob(1)
	newer.Start = jobStart().AddDate(0, 0, 2)
	other.Start, other.Cluster = jobStart().AddDate(0, 0, 4), "beta"
	older, newer, other = createJob(t, db.Store, older), createJob(t, db.Store, newer), createJob(t, db.Store, other)
	for name, c := range map[string]struct {
		key  job.Key
		want job.Job
	}{
		"number":            {job.Key{JobID: 1}, other},
		"and cluster":       {job.Key{JobID: 1, Cluster: "alpha"}, newer},
		"and start":         {job.Key{JobID: 1, Start: older.Start}, older},
		"cluster and start": {job.Key{JobID: 1, Cluster: "alpha", Start: older.Start}, older},
	} {
		got, err := db.Store.Jobs().FindJob(t.Context(), c.key)
		must(t, err)
		same(t, "jobs by "+name, got, c.want)
	}
	_, err := db.Store.Jobs().FindJob(t.Context(), job.Key{JobID: 1, Cluster: "alpha", Start: other.Start})
	wantKind(t, err, fault.NotFound)
}

func testJobStop(db Database) {
	t := db.t
	want := createJob(t, db.Store, sampleJob(5))
	must(t, db.Store.Jobs().StopJob(t.Context(), want.ID, job.Timeout, 90*time.Second))
	want.State, want.Duration = job.Timeout, 90*time.Second
	got, err := db.Store.Jobs().GetJob(t.Context(), want.ID)
	must(t, err)
	same(t, "jobs", got, want)

	err = db.Store.Jobs().StopJob(t.Context(), want.ID, job.Completed, time.Hour)
	wantKind(t, err, fault.Conflict)
	var stopped *job.NotRunningError
	if !errors.As(err, &stopped) || *stopped != (job.NotRunningError{JobID: 5, State: job.Timeout}) {
		t.Fatal(err)
	}
	got, err = db.Store.Jobs().GetJob(t.Context(), want.ID)
	must(t, err)
	same(t, "jobs", got, want)
}

func jobNumbers(all []job.Job) []int64 {
	numbers := make([]int64, len(all))
	for i, j := range all {
		numbers[i] = j.JobID
	}
	return numbers
}

func testJobIDs(db Database) {
	t := db.t
	first := createJob(t, db.Store, sampleJob(1))
	must(t, db.Store.Jobs().DeleteJob(t.Context(), first.ID, record("job.delete", "x")))
	if second := createJob(t, db.Store, sampleJob(1)); second.ID == first.ID {
		t.Fatalf("id %d was used again", first.ID)
	}
}

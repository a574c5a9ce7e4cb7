package job_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

func TestStartSetsWhatTheSchedulerCannotKnow(t *testing.T) {
	h := newHarness(t)
	j := newJob(123, "n07", "n08")
	j.State, j.Duration, j.Energy = job.Failed, time.Hour, 7
	j.Footprint = map[string]float64{"load_avg": 1}
	j.Start = start.Add(300 * time.Millisecond)
	j.Tags = []job.Tag{{Type: "test", Name: "x"}}
	id := h.start(t, j)

	got := h.get(t, id)
	want := newJob(123, "n07", "n08")
	want.ID, want.State, want.SubCluster, want.Shared = id, job.Running, "main", job.SharedNone
	want.Tags = []job.Tag{{ID: got.Tags[0].ID, Type: "test", Name: "x", Scope: "global"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stored job (-want +got):\n%s", diff)
	}
	if j.Tags[0].Scope != "" {
		t.Error("Start changed the caller's tags")
	}
}

func TestStartChecksInTheOrderOfTheContract(t *testing.T) {
	broken := func(change ...func(*job.Job)) job.Job {
		j := newJob(1, "n01")
		for _, c := range change {
			c(&j)
		}
		return j
	}
	noUser := func(j *job.Job) { j.User = "" }
	noHosts := func(j *job.Job) { j.Resources = nil }
	badCount := func(j *job.Job) { j.NumHWThreads = -1 }
	tests := []struct {
		name string
		job  job.Job
		want string
	}{
		{"cluster missing", broken(func(j *job.Job) { j.Cluster = "" }, noUser), "the field 'cluster' is required"},
		{"cluster unknown", broken(func(j *job.Job) { j.Cluster = "beta" }, noUser), `unknown cluster "beta": configured are alpha`},
		{"sub-cluster unknown", broken(func(j *job.Job) { j.SubCluster = "big" }, noUser), `cluster alpha has no sub-cluster "big"`},
		{"host unknown", broken(func(j *job.Job) { j.Resources[0].Hostname = "x1" }, noUser), `host "x1" belongs to no sub-cluster of cluster alpha`},
		{"shared unknown", broken(func(j *job.Job) { j.Shared = "all" }, noUser), `unknown value "all" of shared: it is none, single_user or multi_user`},
		{"resources missing", broken(noHosts, noUser), "the field 'resources' is required"},
		{"resources missing with sub-cluster", broken(noHosts, noUser, func(j *job.Job) { j.SubCluster = "main" }), "the field 'resources' is required"},
		{"user missing", broken(noUser, badCount), "the field 'user' is required"},
		{"job id missing", broken(func(j *job.Job) { j.JobID = 0 }), "the field 'jobId' is required"},
		{"job id negative", broken(func(j *job.Job) { j.JobID = -1 }), "the field 'jobId' must be at least 1"},
		{"nodes", broken(func(j *job.Job) { j.NumNodes = 0 }), "the field 'numNodes' must be at least 1"},
		{"threads", broken(badCount), "the field 'numHwthreads' must be at least 0"},
		{"accelerators", broken(func(j *job.Job) { j.NumAcc = -1 }), "the field 'numAcc' must be at least 0"},
		{"walltime", broken(func(j *job.Job) { j.Walltime = -1 }), "the field 'walltime' must be at least 0"},
		{"nodes and hosts differ", broken(func(j *job.Job) { j.NumNodes = 2 }), "numNodes is 2, but resources lists 1 hosts"},
		{"host name missing", broken(func(j *job.Job) { j.Resources[0].Hostname, j.SubCluster = "", "main" }), "resources[0]: the field 'hostname' is required"},
		{"thread negative", broken(func(j *job.Job) { j.Resources[0].HWThreads = []int{-1} }), "resources[0]: hardware thread -1 is negative"},
		{"start missing", broken(func(j *job.Job) { j.Start = time.Time{} }), "the field 'startTime' is required"},
		{"start zero", broken(func(j *job.Job) { j.Start = time.Unix(0, 0) }), "the field 'startTime' is required"},
		{"start negative", broken(func(j *job.Job) { j.Start = time.Unix(-5, 0) }), "the field 'startTime' must be greater than 0"},
		{"start in milliseconds", broken(func(j *job.Job) { j.Start = time.Unix(1795459836000, 0) }), "startTime 1795459836000 is no time in seconds since 1970; is it in milliseconds?"},
		{"tag without name", broken(func(j *job.Job) { j.Tags = []job.Tag{{Type: "a"}} }), "tags[0]: the fields 'type' and 'name' are required"},
	}
	h := newHarness(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := h.Start(t.Context(), api(), test.job)
			if !fault.Is(err, fault.Invalid) || fault.Message(err) != test.want {
				t.Errorf("error is %v (%v)\nwant %s", err, fault.KindOf(err), test.want)
			}
		})
	}
	if _, total, err := h.List(t.Context(), api(), job.Filter{}); total != 0 || err != nil {
		t.Errorf("%d jobs are stored, %v", total, err)
	}
}

func TestStartTwiceIsADuplicate(t *testing.T) {
	h := newHarness(t)
	id := h.start(t, newJob(123, "n01"))
	again := newJob(123, "n01")
	again.Start = start.Add(time.Hour)
	_, err := h.Start(t.Context(), api(), again)
	var dup *job.DuplicateError
	if !errors.As(err, &dup) || dup.ID != id || dup.JobID != 123 {
		t.Fatalf("error is %v, want a DuplicateError", err)
	}
	if want := "a job with that jobId, cluster and startTime already exists: dbid: 1, jobid: 123"; fault.Message(err) != want || fault.KindOf(err) != fault.Conflict {
		t.Errorf("%v: %s, want %s", fault.KindOf(err), fault.Message(err), want)
	}
	again.Start = start.Add(25 * time.Hour)
	if _, err := h.Start(t.Context(), api(), again); err != nil {
		t.Errorf("a day later the number is free again, but: %v", err)
	}
}

func TestWritingNeedsJobsWrite(t *testing.T) {
	h := newHarness(t)
	id := h.start(t, newJob(1, "n01"))
	bob := as("bob", identity.RoleUser)
	_, startErr := h.Start(t.Context(), bob, newJob(2, "n01"))
	_, stopErr := h.Stop(t.Context(), bob, job.StopRequest{ID: id, At: start})
	for what, err := range map[string]error{"start": startErr, "stop": stopErr, "delete": h.Delete(t.Context(), bob, id)} {
		if !fault.Is(err, fault.Denied) || fault.Message(err) != "permission JobsWrite is required" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestPrivateTagsAreForTheirOwner(t *testing.T) {
	h := newHarness(t)
	j := newJob(1, "n01")
	j.Tags = []job.Tag{{Type: "a", Name: "b", Scope: "adapter"}}
	h.start(t, j)
	j = newJob(2, "n01")
	j.Tags = []job.Tag{{Type: "a", Name: "b", Scope: "bob"}}
	if _, err := h.Start(t.Context(), api(), j); !fault.Is(err, fault.Denied) {
		t.Errorf("error is %v, want denied", err)
	}
	writer := identity.Caller{User: identity.User{Name: "w"}, Permissions: identity.SetOf(identity.JobsWrite)}
	j.Tags[0].Scope = "admin"
	if _, err := h.Start(t.Context(), writer, j); !fault.Is(err, fault.Denied) {
		t.Errorf("error is %v, want denied", err)
	}
}

func TestStopEndsTheJobAtOnce(t *testing.T) {
	h := newHarness(t)
	id := h.start(t, newJob(123, "n01"))
	got, err := h.Stop(t.Context(), api(), job.StopRequest{
		Key: job.Key{JobID: 123, Cluster: "alpha", Start: start}, At: start.Add(90*time.Second + 500*time.Millisecond), State: "TIMEOUT",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.State != job.Timeout || got.Duration != 90*time.Second || got.ID != id {
		t.Errorf("answer: %s after %v, id %d", got.State, got.Duration, got.ID)
	}
	if diff := cmp.Diff(h.get(t, id), got); diff != "" {
		t.Errorf("the answer differs from what is stored (-stored +answer):\n%s", diff)
	}
}

func TestStopWithoutStateCompletes(t *testing.T) {
	h := newHarness(t)
	id := h.start(t, newJob(1, "n01"))
	if j, err := h.Stop(t.Context(), api(), job.StopRequest{Key: job.Key{JobID: 1}, At: start}); err != nil || j.State != job.Completed || j.ID != id {
		t.Errorf("%v, %v", j, err)
	}
}

func TestStopRefuses(t *testing.T) {
	h := newHarness(t)
	running := h.start(t, newJob(1, "n01"))
	stopped := h.start(t, newJob(2, "n01"))
	h.stop(t, stopped, time.Minute)
	at := start.Add(time.Minute)
	tests := []struct {
		name string
		req  job.StopRequest
		kind fault.Kind
		want string
	}{
		{"no number", job.StopRequest{At: at}, fault.Invalid, "the field 'jobId' is required"},
		{"unknown state", job.StopRequest{ID: running, At: at, State: "done"}, fault.Invalid, `unknown job state "done"; the states are boot_fail, cancelled`},
		{"running", job.StopRequest{ID: running, At: at, State: job.Running}, fault.Invalid, "a job cannot end in the state running"},
		{"unknown job", job.StopRequest{Key: job.Key{JobID: 9}, At: at}, fault.NotFound, "there is no job 9"},
		{"unknown id", job.StopRequest{ID: 99, At: at}, fault.NotFound, "there is no job with id 99"},
		{"other cluster", job.StopRequest{Key: job.Key{JobID: 1, Cluster: "beta"}, At: at}, fault.NotFound, "there is no job 1"},
		{"stopped before", job.StopRequest{ID: stopped, At: at}, fault.Conflict, "job 2 is not running any more: its state is completed"},
		{"no time", job.StopRequest{ID: running}, fault.Invalid, "the field 'stopTime' is required"},
		{"too early", job.StopRequest{ID: running, At: start.Add(-time.Second)}, fault.Invalid, "stopTime 1772366419 lies before the job's startTime 1772366420"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := h.Stop(t.Context(), api(), test.req)
			if fault.KindOf(err) != test.kind || !strings.HasPrefix(fault.Message(err), test.want) {
				t.Errorf("%v: %v\nwant %v: %s", fault.KindOf(err), err, test.kind, test.want)
			}
		})
	}
	if h.get(t, running).State != job.Running {
		t.Error("a refused request stopped the job")
	}
}

// slowStore loses every race: somebody else stops the job between the look and the change.
type slowStore struct{ job.Store }

func (s slowStore) StopJob(ctx context.Context, id job.ID, state job.State, d time.Duration) error {
	if err := s.Store.StopJob(ctx, id, job.Cancelled, time.Second); err != nil {
		return err
	}
	if err := s.Store.StopJob(ctx, id, state, d); err == nil {
		return errors.New("the store stopped a job twice")
	}
	return fault.New(fault.Conflict, "too late")
}

func TestStopThatLosesARaceSaysHowTheJobEnded(t *testing.T) {
	h := newHarness(t, func(c *job.Config) { c.Store = slowStore{c.Store} })
	id := h.start(t, newJob(5, "n01"))
	_, err := h.Stop(t.Context(), api(), job.StopRequest{ID: id, At: start})
	var late *job.NotRunningError
	if !errors.As(err, &late) || late.State != job.Cancelled || late.JobID != 5 {
		t.Errorf("error is %v, want a NotRunningError", err)
	}
}

func TestWhoSeesWhichJobs(t *testing.T) {
	h := newHarness(t)
	owners := []struct{ user, project string }{{"bob", "p1"}, {"bob", "p2"}, {"eve", "p1"}, {"eve", "p2"}}
	ids := map[job.ID]int64{}
	for i, o := range owners {
		j := newJob(int64(i+1), "n01")
		j.User, j.Project = o.user, o.project
		ids[h.start(t, j)] = j.JobID
	}
	tests := []struct {
		name   string
		caller identity.Caller
		want   []int64
	}{
		{"user", as("bob", identity.RoleUser), []int64{1, 2}},
		{"manager", as("bob", identity.RoleManager), []int64{1, 2, 3}},
		{"stranger", as("joe", identity.RoleUser), nil},
		{"support", as("joe", identity.RoleSupport), []int64{1, 2, 3, 4}},
		{"admin", as("joe", identity.RoleAdmin), []int64{1, 2, 3, 4}},
		{"script", api(), []int64{1, 2, 3, 4}},
		{"user who sends samples", as("bob", identity.RoleUser, identity.RoleAPI), []int64{1, 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// a filter cannot widen what is visible
			jobs, total, err := h.List(t.Context(), test.caller, job.Filter{Visible: job.Visibility{All: true}, Sort: job.Sort{Ascending: true}})
			if err != nil || total != len(test.want) {
				t.Fatalf("%d jobs, %v", total, err)
			}
			var got []int64
			for _, j := range jobs {
				got = append(got, j.JobID)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("listed jobs (-want +got):\n%s", diff)
			}
			got = nil
			for id := job.ID(1); int(id) <= len(ids); id++ {
				j, err := h.Get(t.Context(), test.caller, id)
				switch {
				case err == nil:
					got = append(got, j.JobID)
				case !fault.Is(err, fault.NotFound):
					t.Errorf("get %d: %v", id, err)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("jobs one by one (-want +got):\n%s", diff)
			}
		})
	}
	nobody := identity.Caller{User: identity.User{Name: "bob"}}
	if _, _, err := h.List(t.Context(), nobody, job.Filter{}); !fault.Is(err, fault.Denied) {
		t.Errorf("without permissions: %v", err)
	}
	if _, err := h.Get(t.Context(), nobody, 1); !fault.Is(err, fault.Denied) {
		t.Errorf("without permissions: %v", err)
	}
}

func TestInvisibleJobsLookAsIfTheyWereNotThere(t *testing.T) {
	h := newHarness(t)
	id := h.start(t, newJob(1, "n01"))
	eve := as("eve", identity.RoleUser)
	_, hidden := h.Get(t.Context(), eve, id)
	if err := h.Delete(t.Context(), api(), id); err != nil {
		t.Fatal(err)
	}
	_, gone := h.Get(t.Context(), eve, id)
	if fault.Message(hidden) != fault.Message(gone) {
		t.Errorf("hidden: %q, gone: %q", fault.Message(hidden), fault.Message(gone))
	}
}

func TestRunningJobsAnswerWithTheDurationSoFar(t *testing.T) {
	h := newHarness(t)
	id := h.start(t, newJob(1, "n01"))
	h.clock.Advance(90*time.Second + time.Millisecond)
	j, err := h.Get(t.Context(), api(), id)
	if err != nil || j.Duration != 90*time.Second {
		t.Errorf("get: %v, %v", j.Duration, err)
	}
	jobs, _, err := h.List(t.Context(), api(), job.Filter{})
	if err != nil || jobs[0].Duration != 90*time.Second {
		t.Errorf("list: %v, %v", jobs, err)
	}
	h.stop(t, id, 2*time.Minute)
	h.clock.Advance(time.Hour)
	if j, err := h.Get(t.Context(), api(), id); err != nil || j.Duration != 2*time.Minute {
		t.Errorf("stopped: %v, %v", j.Duration, err)
	}
}

func TestListsMeasureRunningJobsUntilNow(t *testing.T) {
	h := newHarness(t)
	h.stop(t, h.start(t, newJob(1, "n01")), 10*time.Minute)
	h.start(t, newJob(2, "n02")) // runs, and has been for as long as the clock says
	for d, want := range map[time.Duration][]int64{5 * time.Minute: {1, 2}, 15 * time.Minute: {2, 1}} {
		h.clock.Advance(start.Add(d).Sub(h.clock.Now()))
		jobs, _, err := h.List(t.Context(), api(), job.Filter{Sort: job.Sort{By: job.SortDuration}, Now: start.AddDate(1, 0, 0)})
		if err != nil || len(jobs) != 2 || jobs[0].JobID != want[0] || jobs[1].JobID != want[1] {
			t.Errorf("after %v: %v, %v", d, jobs, err)
		}
		for i, from := range []time.Duration{d, d + time.Second} {
			_, total, err := h.List(t.Context(), api(), job.Filter{DurationFrom: from, States: []job.State{job.Running}})
			if err != nil || total != 1-i {
				t.Errorf("after %v, of at least %v: %d, %v", d, from, total, err)
			}
		}
	}
}

func TestAJobFromTheFutureHasNoDuration(t *testing.T) {
	h := newHarness(t)
	j := newJob(1, "n01")
	j.Start = start.Add(time.Hour)
	id := h.start(t, j)
	if j, err := h.Get(t.Context(), api(), id); err != nil || j.Duration != 0 {
		t.Errorf("%v, %v", j.Duration, err)
	}
}

func TestUsedNodesAreThoseOfRunningJobsThatStartedBefore(t *testing.T) {
	h := newHarness(t)
	h.start(t, newJob(1, "n10", "n02"))
	h.start(t, newJob(2, "n02", "n01"))
	h.stop(t, h.start(t, newJob(3, "n03")), time.Minute)
	late := newJob(4, "n04")
	late.Start = start.Add(time.Hour)
	h.start(t, late)

	got, err := h.UsedNodes(t.Context(), api(), late.Start)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"alpha": {"n01", "n02", "n10"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := h.UsedNodes(t.Context(), as("bob", identity.RoleUser), start); !fault.Is(err, fault.Denied) {
		t.Errorf("for a user: %v", err)
	}
}

func TestSamplesAreNeededOfJobsThatRunOrWaitForTheArchiver(t *testing.T) {
	h := newHarness(t)
	day := 24 * time.Hour
	run := func(number int64, host string, walltime time.Duration) job.ID {
		j := newJob(number, host)
		j.Walltime = walltime
		return h.start(t, j)
	}
	run(1, "n01", 0)
	run(2, "n02", day)
	h.stop(t, run(3, "n03", 0), time.Minute)
	h.stop(t, run(4, "n04", 0), time.Minute)
	for _, c := range []struct {
		after time.Duration
		want  []string
	}{
		{time.Hour, []string{"n01", "n02", "n03", "n04"}},
		{7 * day, []string{"n01", "n02", "n03", "n04"}},
		{9 * day, []string{"n01", "n03", "n04"}}, // nobody has told the end of the second job
		{91 * day, []string{"n03", "n04"}},
	} {
		needed, err := job.Needed(t.Context(), h.store, start.Add(c.after))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, host := range []string{"n01", "n02", "n03", "n04", "n05"} {
			if needed("alpha", host) {
				got = append(got, host)
			}
			if needed("beta", host) {
				t.Errorf("%s of another cluster is needed", host)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("after %v: %q, want %q", c.after, got, c.want)
		}
	}
	h.clock.Advance(time.Hour)
	h.live.set("n03", "load", "", constant(1))
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	needed, err := job.Needed(t.Context(), h.store, start.Add(time.Hour))
	if err != nil || needed("alpha", "n03") {
		t.Errorf("an archived job still needs its samples, %v", err)
	}
}

func TestDeleteIsRecorded(t *testing.T) {
	var rec audit.Record
	h := newHarness(t, func(c *job.Config) { c.Store = recordingStore{c.Store, &rec} })
	id := h.start(t, newJob(77, "n01"))
	if err := h.Delete(t.Context(), api(), id); err != nil {
		t.Fatal(err)
	}
	want := audit.Record{
		Time: start, Actor: "adapter", Subject: "adapter", Via: "token", Action: "job.delete", Object: "job/1", Outcome: audit.Done,
		Details: map[string]string{"cluster": "alpha", "job_id": "77", "start": "1772366420", "user": "bob"},
	}
	if diff := cmp.Diff(want, rec); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if err := h.Delete(t.Context(), api(), id); !fault.Is(err, fault.NotFound) {
		t.Errorf("deleting again: %v", err)
	}
}

type recordingStore struct {
	job.Store
	last *audit.Record
}

func (s recordingStore) DeleteJob(ctx context.Context, id job.ID, rec audit.Record) error {
	*s.last = rec
	return s.Store.DeleteJob(ctx, id, rec)
}

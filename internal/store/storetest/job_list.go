package storetest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func jobListTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"FilterSelects":                testJobFilter,
		"VisibilityAlwaysApplies":      testJobVisibility,
		"SortsByEveryColumn":           testJobSort,
		"RunningJobsLastUntilNow":      testJobRunningDuration,
		"UnknownSortIsInvalid":         testJobBadSort,
		"PagesAndTotalAgree":           testJobPages,
		"TagsAreFilledInForEachJob":    testJobListTags,
		"TooManyValuesAreTooLarge":     testJobTooMany,
		"WhatUsersTypeIsNeverAPattern": testJobPatterns,
	}
}

// jobZoo stores six jobs that differ in everything that can be selected, and returns them by number, from 1.
func jobZoo(t *testing.T, s *sqlstore.Store) []job.Job {
	t.Helper()
	zoo := make([]job.Job, 7)
	for i := int64(1); i <= 6; i++ {
		zoo[i] = sampleJob(i)
		zoo[i].Start = jobStart().Add(time.Duration(i) * time.Minute)
	}
	zoo[2].User, zoo[2].Project, zoo[2].MetaData = "bob", "p2", map[string]string{"jobName": "Röntgen_run"}
	zoo[3].User, zoo[3].Cluster, zoo[3].SubCluster, zoo[3].Partition = "carol", "beta", "spare", "debug"
	zoo[4].Project, zoo[4].Shared, zoo[4].Resources = "p3", job.SharedNone, []job.Resource{{Hostname: "n09"}}
	zoo[4].NumNodes, zoo[4].NumHWThreads, zoo[4].NumAcc = 1, 64, 0
	zoo[5].State, zoo[5].Duration, zoo[5].NumNodes, zoo[5].Walltime, zoo[5].Energy = job.Failed, time.Hour, 16, 9*time.Hour, 3
	zoo[5].Footprint = map[string]float64{"flops_any_avg": 10, "mem.bw-max": 1}
	zoo[6].State, zoo[6].Duration, zoo[6].Energy = job.Completed, time.Minute, 1
	zoo[6].Footprint = map[string]float64{"flops_any_avg": 9}
	zoo[6].Tags = []job.Tag{{Type: "t", Name: "n", Scope: "global"}}
	for i := 1; i <= 6; i++ {
		zoo[i] = createJob(t, s, zoo[i])
	}
	return zoo
}

func testJobFilter(db Database) {
	t := db.t
	zoo := jobZoo(t, db.Store)
	tagged, err := db.Store.Jobs().GetJob(t.Context(), zoo[6].ID)
	must(t, err)
	for name, c := range map[string]struct {
		filter job.Filter
		want   []int64
	}{
		"everything":        {job.Filter{}, []int64{6, 5, 4, 3, 2, 1}},
		"ids":               {job.Filter{IDs: []job.ID{zoo[1].ID, zoo[4].ID}}, []int64{4, 1}},
		"numbers":           {job.Filter{JobIDs: []int64{2, 99}}, []int64{2}},
		"states":            {job.Filter{States: []job.State{job.Failed, job.Completed}}, []int64{6, 5}},
		"users":             {job.Filter{Users: []string{"bob", "carol"}}, []int64{3, 2}},
		"projects":          {job.Filter{Projects: []string{"p2"}}, []int64{2}},
		"clusters":          {job.Filter{Clusters: []string{"beta"}}, []int64{3}},
		"sub-clusters":      {job.Filter{SubClusters: []string{"spare"}}, []int64{3}},
		"partitions":        {job.Filter{Partitions: []string{"debug"}}, []int64{3}},
		"shared":            {job.Filter{Shared: []job.Shared{job.SharedNone}}, []int64{4}},
		"node":              {job.Filter{Node: "n09"}, []int64{4}},
		"part of a node":    {job.Filter{Node: "n0"}, []int64{}},
		"name":              {job.Filter{Name: "SIMUL"}, []int64{6, 5, 4, 3, 1}},
		"search name":       {job.Filter{Search: "ntgen_r"}, []int64{2}},
		"search number":     {job.Filter{Search: "4"}, []int64{4}},
		"search user":       {job.Filter{Search: "carol"}, []int64{3}},
		"search project":    {job.Filter{Search: "p3"}, []int64{4}},
		"search part of it": {job.Filter{Search: "caro"}, []int64{}},
		"tags":              {job.Filter{Tags: []job.TagID{tagged.Tags[0].ID, 9999}}, []int64{6}},
		"start":             {job.Filter{StartFrom: zoo[2].Start, StartTo: zoo[4].Start}, []int64{4, 3, 2}},
		"nodes":             {job.Filter{NodesFrom: 2, NodesTo: 2}, []int64{6, 3, 2, 1}},
		"duration":          {job.Filter{DurationFrom: time.Minute, DurationTo: 59 * time.Minute}, []int64{6}},
		"two at once":       {job.Filter{Users: []string{"alice"}, States: []job.State{job.Running}}, []int64{4, 1}},
		"nothing":           {job.Filter{Clusters: []string{"gamma"}}, []int64{}},
	} {
		t.Run(name, func(t *testing.T) {
			c.filter.Visible.All = true
			got, total, err := db.Store.Jobs().ListJobs(t.Context(), c.filter)
			must(t, err)
			same(t, "jobs", jobNumbers(got), c.want)
			if total != len(c.want) {
				t.Errorf("total is %d, want %d", total, len(c.want))
			}
		})
	}
}

func testJobVisibility(db Database) {
	t := db.t
	zoo := jobZoo(t, db.Store)
	for name, c := range map[string]struct {
		visible job.Visibility
		want    []int64
	}{
		"nothing set":        {job.Visibility{}, []int64{}},
		"empty project":      {job.Visibility{Projects: []string{""}}, []int64{}},
		"own":                {job.Visibility{User: "bob"}, []int64{2}},
		"project":            {job.Visibility{Projects: []string{"p2", "p3"}}, []int64{4, 2}},
		"own and project":    {job.Visibility{User: "carol", Projects: []string{"p3"}}, []int64{4, 3}},
		"everything":         {job.Visibility{All: true}, []int64{6, 5, 4, 3, 2, 1}},
		"of no cluster":      {job.Visibility{All: true, Clusters: []string{}}, []int64{}},
		"of one cluster":     {job.Visibility{All: true, Clusters: []string{"beta"}}, []int64{3}},
		"of two clusters":    {job.Visibility{User: "carol", Projects: []string{"p3"}, Clusters: []string{"alpha", "gamma"}}, []int64{4}},
		"nobody's":           {job.Visibility{User: "mallory"}, []int64{}},
		"a pattern":          {job.Visibility{User: "%"}, []int64{}},
		"a piece of SQL":     {job.Visibility{User: "x' OR '1'='1"}, []int64{}},
		"all but with names": {job.Visibility{All: true, User: "bob"}, []int64{6, 5, 4, 3, 2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, total, err := db.Store.Jobs().ListJobs(t.Context(), job.Filter{Visible: c.visible})
			must(t, err)
			same(t, "jobs", jobNumbers(got), c.want)
			if total != len(c.want) {
				t.Errorf("total is %d, want %d", total, len(c.want))
			}
			for _, j := range zoo[1:] { // the store and the noun agree on who sees what
				asked, _, err := db.Store.Jobs().ListJobs(t.Context(), job.Filter{Visible: c.visible, IDs: []job.ID{j.ID}})
				must(t, err)
				if sees := len(asked) == 1; sees != c.visible.Sees(j) {
					t.Errorf("the store shows job %d: %v; Visibility.Sees says %v", j.JobID, sees, !sees)
				}
			}
		})
	}
}

func testJobSort(db Database) {
	t := db.t
	jobZoo(t, db.Store)
	for name, c := range map[string]struct {
		sort job.Sort
		want []int64
	}{
		"start":              {job.Sort{}, []int64{6, 5, 4, 3, 2, 1}},
		"start, ascending":   {job.Sort{Ascending: true}, []int64{1, 2, 3, 4, 5, 6}},
		"duration":           {job.Sort{By: job.SortDuration}, []int64{5, 6, 4, 3, 2, 1}},
		"nodes":              {job.Sort{By: job.SortNumNodes}, []int64{5, 6, 3, 2, 1, 4}},
		"nodes, ascending":   {job.Sort{By: job.SortNumNodes, Ascending: true}, []int64{4, 1, 2, 3, 6, 5}},
		"threads":            {job.Sort{By: job.SortNumHWThreads}, []int64{4, 6, 5, 3, 2, 1}},
		"accelerators":       {job.Sort{By: job.SortNumAcc}, []int64{6, 5, 3, 2, 1, 4}},
		"walltime":           {job.Sort{By: job.SortWalltime}, []int64{5, 6, 4, 3, 2, 1}},
		"energy":             {job.Sort{By: job.SortEnergy}, []int64{5, 6, 4, 3, 2, 1}},
		"footprint":          {job.Sort{By: job.SortFootprint, Footprint: "flops_any_avg"}, []int64{5, 6, 4, 3, 2, 1}},
		"footprint, asc":     {job.Sort{By: job.SortFootprint, Footprint: "flops_any_avg", Ascending: true}, []int64{6, 5, 1, 2, 3, 4}},
		"footprint, odd key": {job.Sort{By: job.SortFootprint, Footprint: "mem.bw-max"}, []int64{5, 6, 4, 3, 2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := db.Store.Jobs().ListJobs(t.Context(), job.Filter{Visible: job.Visibility{All: true}, Sort: c.sort})
			must(t, err)
			same(t, "jobs", jobNumbers(got), c.want)
		})
	}
}

// testJobRunningDuration has four jobs that run, started 1 to 4 minutes after jobStart, one of an hour and one of a
// minute.
func testJobRunningDuration(db Database) {
	t := db.t
	jobZoo(t, db.Store)
	at := func(d time.Duration) time.Time { return jobStart().Add(d) }
	for name, c := range map[string]struct {
		filter job.Filter
		want   []int64
	}{
		"longest":               {job.Filter{Now: at(20 * time.Minute), Sort: job.Sort{By: job.SortDuration}}, []int64{5, 1, 2, 3, 4, 6}},
		"longest, later":        {job.Filter{Now: at(2 * time.Hour), Sort: job.Sort{By: job.SortDuration}}, []int64{1, 2, 3, 4, 5, 6}},
		"shortest":              {job.Filter{Now: at(20 * time.Minute), Sort: job.Sort{By: job.SortDuration, Ascending: true}}, []int64{6, 4, 3, 2, 1, 5}},
		"a page of the longest": {job.Filter{Now: at(20 * time.Minute), Sort: job.Sort{By: job.SortDuration}, Offset: 1, Limit: 2}, []int64{1, 2}},
		"from":                  {job.Filter{Now: at(20 * time.Minute), DurationFrom: 17 * time.Minute}, []int64{5, 3, 2, 1}},
		"from, a second more":   {job.Filter{Now: at(20 * time.Minute), DurationFrom: 17*time.Minute + time.Second}, []int64{5, 2, 1}},
		"to":                    {job.Filter{Now: at(20 * time.Minute), DurationTo: 17 * time.Minute}, []int64{6, 4, 3}},
		"from and to":           {job.Filter{Now: at(20 * time.Minute), DurationFrom: 2 * time.Minute, DurationTo: 18 * time.Minute, Sort: job.Sort{By: job.SortDuration}}, []int64{2, 3, 4}},
		"and another condition": {job.Filter{Now: at(20 * time.Minute), DurationFrom: 17 * time.Minute, Users: []string{"bob"}, States: []job.State{job.Running}}, []int64{2}},
		"part of a second":      {job.Filter{Now: at(20*time.Minute + 999*time.Millisecond), DurationTo: 17 * time.Minute}, []int64{6, 4, 3}},
		"from the future":       {job.Filter{Now: at(2*time.Minute + 30*time.Second), DurationTo: time.Minute, Sort: job.Sort{By: job.SortDuration}}, []int64{6, 2, 4, 3}},
		"a moment long ago":     {job.Filter{Now: at(-time.Hour), Sort: job.Sort{By: job.SortDuration}}, []int64{5, 6, 4, 3, 2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			c.filter.Visible.All = true
			got, _, err := db.Store.Jobs().ListJobs(t.Context(), c.filter)
			must(t, err)
			same(t, "jobs", jobNumbers(got), c.want)
		})
	}
}

func testJobBadSort(db Database) {
	t := db.t
	for _, sort := range []job.Sort{
		{By: 99},
		{By: job.SortFootprint},
		{By: job.SortFootprint, Footprint: "$"},
		{By: job.SortFootprint, Footprint: "$.a"},
		{By: job.SortFootprint, Footprint: "[0]"},
		{By: job.SortFootprint, Footprint: `a" || x`},
		{By: job.SortFootprint, Footprint: `a'`},
	} {
		_, _, err := db.Store.Jobs().ListJobs(t.Context(), job.Filter{Visible: job.Visibility{All: true}, Sort: sort})
		wantKind(t, err, fault.Invalid)
	}
}

func testJobPages(db Database) {
	t := db.t
	for i := range int64(10) { // all start at the same time: the id decides
		createJob(t, db.Store, sampleJob(i))
	}
	for _, c := range []struct {
		offset, limit int
		want          []int64
	}{
		{0, 4, []int64{9, 8, 7, 6}},
		{4, 4, []int64{5, 4, 3, 2}},
		{8, 4, []int64{1, 0}},
		{5, 5, []int64{4, 3, 2, 1, 0}},
		{12, 4, []int64{}},
		{7, 0, []int64{2, 1, 0}},
	} {
		t.Run(fmt.Sprintf("offset %d limit %d", c.offset, c.limit), func(t *testing.T) {
			f := job.Filter{Visible: job.Visibility{User: "alice"}, Offset: c.offset, Limit: c.limit}
			got, total, err := db.Store.Jobs().ListJobs(t.Context(), f)
			must(t, err)
			same(t, "jobs", jobNumbers(got), c.want)
			if total != 10 {
				t.Errorf("total is %d, want 10", total)
			}
		})
	}
}

func testJobListTags(db Database) {
	t := db.t
	want := map[int64][]job.Tag{}
	for i := range int64(3) {
		j := sampleJob(i)
		for k := range i {
			j.Tags = append(j.Tags, job.Tag{Type: "type", Name: strconv.FormatInt(k, 10), Scope: "global"})
		}
		createJob(t, db.Store, j)
		want[i] = j.Tags
	}
	all, _, err := db.Store.Jobs().ListJobs(t.Context(), job.Filter{Visible: job.Visibility{All: true}})
	must(t, err)
	ids := map[job.Tag]job.TagID{}
	for _, j := range all {
		for i := range j.Tags {
			id := j.Tags[i].ID
			j.Tags[i].ID = 0
			if known, ok := ids[j.Tags[i]]; id == 0 || ok && known != id {
				t.Errorf("tag %v has id %d and %d", j.Tags[i], id, known)
			}
			ids[j.Tags[i]] = id
		}
		same(t, "tags", j.Tags, want[j.JobID])
	}
}

func testJobTooMany(db Database) {
	t := db.t
	f := job.Filter{Visible: job.Visibility{All: true}, JobIDs: make([]int64, 50_000)}
	_, _, err := db.Store.Jobs().ListJobs(t.Context(), f)
	wantKind(t, err, fault.TooLarge)
}

func testJobPatterns(db Database) {
	t := db.t
	for i, name := range []string{`a%b`, `a_b`, `a\b`, `axb`} {
		j := sampleJob(int64(i))
		j.MetaData = map[string]string{"jobName": name}
		createJob(t, db.Store, j)
	}
	for text, want := range map[string][]int64{`%`: {0}, `_`: {1}, `\`: {2}, `a_b`: {1}, `'`: {}, `b`: {3, 2, 1, 0}} {
		got, _, err := db.Store.Jobs().ListJobs(t.Context(), job.Filter{Visible: job.Visibility{All: true}, Name: text})
		must(t, err)
		same(t, "jobs with "+text, jobNumbers(got), want)
	}
}

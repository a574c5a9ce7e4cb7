package job

import (
	"context"
	"time"
)

const (
	// tolerance is how long a job counts as running after the time that it has asked for: it may have been suspended. Later,
	// its end has not been told.
	tolerance = 7 * 24 * time.Hour
	// longest is how long a job counts as running that has not said how long it will.
	longest = 90 * 24 * time.Hour
	// mostUnarchived is of how many finished jobs the samples are held back.
	mostUnarchived = 10_000
)

// Needed returns of which hosts samples are needed however old they are: jobs run there, or have run and wait to be
// archived. A job of which nobody has told the end, long after it must have come, needs nothing.
func Needed(ctx context.Context, store Store, now time.Time) (func(cluster, host string) bool, error) {
	running, _, err := store.ListJobs(ctx, Filter{Visible: Visibility{All: true}, States: []State{Running}, Now: now})
	if err != nil {
		return nil, err
	}
	waiting, err := store.ListUnarchived(ctx, now.Add(lastRetry), mostUnarchived)
	if err != nil {
		return nil, err
	}
	type place struct{ cluster, host string }
	needed := map[place]bool{}
	note := func(j Job) {
		for _, r := range j.Resources {
			needed[place{j.Cluster, r.Hostname}] = true
		}
	}
	for _, j := range running {
		if !j.overdue(now) {
			note(j)
		}
	}
	for _, j := range waiting {
		note(j)
	}
	return func(cluster, host string) bool { return needed[place{cluster, host}] }, nil
}

// overdue reports whether a running job must have ended.
func (j Job) overdue(now time.Time) bool {
	limit := longest
	if j.Walltime > 0 {
		limit = j.Walltime + tolerance
	}
	return now.Sub(j.Start) > limit
}

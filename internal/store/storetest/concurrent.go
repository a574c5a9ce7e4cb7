package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

// testConcurrency writes from many goroutines and reads beside them: nothing fails, nothing is lost, one chain.
func testConcurrency(db Database) {
	t := db.t
	const writers, each = 8, 12
	var tasks []run.Task
	for w := range writers {
		tasks = append(tasks, func(ctx context.Context) error {
			for i := range each {
				name := fmt.Sprintf("u%d-%d", w, i)
				if err := db.Store.Users().CreateUser(ctx, sampleUser(name), record("user.create", name)); err != nil {
					return err
				}
				if _, err := db.Store.Jobs().CreateJob(ctx, sampleJob(int64(w*each+i))); err != nil {
					return err
				}
			}
			return nil
		}, func(ctx context.Context) error {
			for range each {
				_, total, err := db.Store.Jobs().ListJobs(ctx, job.Filter{Visible: job.Visibility{All: true}, Limit: 5})
				if err != nil {
					return err
				}
				if total > writers*each {
					return fmt.Errorf("%d jobs", total)
				}
			}
			return nil
		})
	}
	must(t, run.Tasks(t.Context(), tasks...))
	if n := len(trailOf(t, db.Store)); n != writers*each {
		t.Errorf("%d audit records, want %d", n, writers*each)
	}
	_, total, err := db.Store.Jobs().ListJobs(t.Context(), job.Filter{Visible: job.Visibility{All: true}, Limit: 1})
	must(t, err)
	if total != writers*each {
		t.Errorf("%d jobs, want %d", total, writers*each)
	}
}

// testRace starts the same job, and makes nodes, from many goroutines at once.
func testRace(db Database) {
	t := db.t
	const racers = 10
	var mu sync.Mutex // guards started
	started := 0
	var tasks []run.Task
	for i := range racers {
		tasks = append(tasks, func(ctx context.Context) error {
			j := sampleJob(1)
			j.Start = jobStart().Add(time.Duration(i) * time.Minute)
			_, err := db.Store.Jobs().CreateJob(ctx, j)
			if fault.Is(err, fault.Conflict) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			started++
			return err
		}, func(ctx context.Context) error {
			_, err := db.Store.Nodes().CreateNode(ctx, sampleNode(i), pattern, record("node.create", "x"))
			return err
		})
	}
	must(t, run.Tasks(t.Context(), tasks...))
	if started != 1 {
		t.Errorf("the job was started %d times", started)
	}
	all, err := db.Store.Nodes().ListNodes(t.Context(), node.Filter{})
	must(t, err)
	for i, n := range all {
		if n.Index != i {
			t.Errorf("node %d of %d has index %d", i, len(all), n.Index)
		}
	}
}

func testCancel(db Database) {
	t := db.t
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := db.Store.Users().CreateUser(ctx, sampleUser("alice"), record("user.create", "x"))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want the cancellation", err)
	}
	_, err = db.Store.Users().GetUser(t.Context(), "alice")
	wantKind(t, err, fault.NotFound)
	createUser(t, db.Store, "alice") // the connection that writes is good for more
}

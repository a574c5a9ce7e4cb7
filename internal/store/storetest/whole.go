package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func wholeTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"FailedRecordUndoesTheChange": testAtomic,
		"WritersDoNotDisturbOthers":   testConcurrency,
		"OneOfManyTwinsWins":          testRace,
		"ReopenKeepsEverything":       testReopen,
		"CancelledChangeIsNotMade":    testCancel,
	}
}

// testAtomic takes the audit trail away, so that each change fails when all but its record is written.
func testAtomic(db Database) {
	t := db.t
	s := db.Store
	alice := createUser(t, s, "alice")
	createToken(t, s, "t1", alice, alice)
	createSession(t, s, "h1", alice.ID)
	j := createJob(t, s, sampleJob(1))
	n := createNode(t, s, sampleNode(1))
	saveGroup(t, s, sampleGroup("a"))
	before := snapshot(t, s)
	rec := record("x.y", "z")

	changes := []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"CreateUser", func(ctx context.Context) error { return s.Users().CreateUser(ctx, sampleUser("bob"), rec) }},
		{"UpdateUser", func(ctx context.Context) error {
			_, err := s.Users().UpdateUser(ctx, renamed(alice), identity.End{}, rec)
			return err
		}},
		{"SetLastLogin", func(ctx context.Context) error { return s.Users().SetLastLogin(ctx, alice.ID, time.Unix(9, 0), rec) }},
		{"CreateToken", func(ctx context.Context) error {
			return s.Tokens().CreateToken(ctx, sampleToken("t2", alice, alice), rec)
		}},
		{"RevokeTokens", func(ctx context.Context) error {
			_, err := s.Tokens().RevokeTokens(ctx, token.Filter{ID: "t1"}, rec)
			return err
		}},
		{"CreateSession", func(ctx context.Context) error {
			return s.Sessions().CreateSession(ctx, token.Session{Hash: "h2", UserID: alice.ID}, rec)
		}},
		{"DeleteSession", func(ctx context.Context) error { return s.Sessions().DeleteSession(ctx, "h1", rec) }},
		{"DeleteJob", func(ctx context.Context) error { return s.Jobs().DeleteJob(ctx, j.ID, rec) }},
		{"CreateNode", func(ctx context.Context) error {
			_, err := s.Nodes().CreateNode(ctx, sampleNode(2), pattern, rec)
			return err
		}},
		{"UpdateNode", func(ctx context.Context) error {
			return s.Nodes().UpdateNode(ctx, node.Node{UID: n.UID, Index: 9}, rec)
		}},
		{"DeleteNode", func(ctx context.Context) error { return s.Nodes().DeleteNode(ctx, n.UID, rec) }},
		{"SaveGroup", func(ctx context.Context) error { return s.Nodes().SaveGroup(ctx, sampleGroup("b"), rec) }},
		{"DeleteGroup", func(ctx context.Context) error { return s.Nodes().DeleteGroup(ctx, "uid-of-a", rec) }},
		{"UpdateUser and end", func(ctx context.Context) error {
			_, err := s.Users().UpdateUser(ctx, alice, everything(), rec)
			return err
		}},
		{"DeleteUser", func(ctx context.Context) error {
			_, err := s.Users().DeleteUser(ctx, alice.ID, rec)
			return err
		}},
		{"Append", func(ctx context.Context) error { return s.Audit().Append(ctx, rec) }},
	}
	must(t, db.Exec(`ALTER TABLE audit_records RENAME TO audit_elsewhere`))
	for _, c := range changes {
		if err := c.do(t.Context()); err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s without audit trail: %v", c.name, err)
		}
	}
	must(t, db.Exec(`ALTER TABLE audit_elsewhere RENAME TO audit_records`))
	same(t, "contents", snapshot(t, s), before)
	for _, c := range changes { // it was the missing trail that they failed of
		if err := c.do(t.Context()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if n := len(trailOf(t, s)) - len(before.Trail); n != len(changes) {
		t.Errorf("%d audit records of %d changes", n, len(changes))
	}
}

// contents is all that a store holds.
type contents struct {
	Users   any
	Tokens  any
	Session token.Session
	Jobs    []job.Job
	Nodes   []node.Node
	Groups  []node.Group
	Trail   []audit.Record
}

func snapshot(t *testing.T, s *sqlstore.Store) contents {
	t.Helper()
	ctx := t.Context()
	users, err1 := s.Users().ListUsers(ctx)
	tokens, err2 := s.Tokens().ListTokens(ctx, token.Filter{})
	session, err3 := s.Sessions().GetSession(ctx, "h1")
	jobs, _, err4 := s.Jobs().ListJobs(ctx, job.Filter{Visible: job.Visibility{All: true}})
	nodes, err5 := s.Nodes().ListNodes(ctx, node.Filter{})
	groups, err6 := s.Nodes().ListGroups(ctx)
	must(t, errors.Join(err1, err2, err3, err4, err5, err6))
	return contents{users, tokens, session, jobs, nodes, groups, trailOf(t, s)}
}

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

func testReopen(db Database) {
	t := db.t
	alice := createUser(t, db.Store, "alice")
	createToken(t, db.Store, "t1", alice, alice)
	createSession(t, db.Store, "h1", alice.ID)
	createJob(t, db.Store, sampleJob(1))
	saveGroup(t, db.Store, sampleGroup("a"))
	n := sampleNode(1)
	n.Groups = []node.UID{"uid-of-a"}
	createNode(t, db.Store, n)
	must(t, db.Store.Nodes().ReportNodes(t.Context(), []node.Node{reported(50, "n0", node.StateIdle)}))

	before := snapshot(t, db.Store)
	s := db.Reopen()
	same(t, "contents", snapshot(t, s), before)
	createUser(t, s, "bob")
	trailOf(t, s)
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

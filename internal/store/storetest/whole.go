package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
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

// attempt is a change that may fail.
type attempt struct {
	name string
	do   func(ctx context.Context) error
}

// testAtomic takes the audit trail away, so that each change fails when all but its record is written.
func testAtomic(db Database) {
	t := db.t
	s := db.Store
	alice := createUser(t, s, "alice")
	createToken(t, s, "t1", alice, alice)
	createSession(t, s, "h0", alice.ID)
	createSession(t, s, "h1", alice.ID)
	j := createJob(t, s, sampleJob(1))
	n := createNode(t, s, sampleNode(1))
	saveGroup(t, s, sampleGroup("a"))
	saveRole(t, s, sampleRole(t, "role.A"))
	bound := createUser(t, s, "bound")
	must(t, s.Bindings().BindUser(t.Context(), bound.ID, identity.Binding{Issuer: "https://idp", Subject: "bound"}, record("user.bind", "x")))
	before := snapshot(t, s)
	rec := record("x.y", "z")

	changes := slices.Concat(sessionChanges(s, alice.ID, rec), bindingChanges(s, alice.ID, bound.ID, rec), []attempt{
		{"CreateUser", func(ctx context.Context) error { return s.Users().CreateUser(ctx, sampleUser("bob"), rec) }},
		{"UpdateUser", func(ctx context.Context) error {
			_, err := s.Users().UpdateUser(ctx, renamed(alice), identity.End{}, rec)
			return err
		}},
		{"SetLastLogin", func(ctx context.Context) error { return s.Users().SetLastLogin(ctx, alice.ID, time.Unix(9, 0), rec) }},
		{"CreateToken", func(ctx context.Context) error {
			return s.Tokens().CreateToken(ctx, sampleToken("t2", alice, alice), nil, rec)
		}},
		{"RevokeTokens", func(ctx context.Context) error {
			_, err := s.Tokens().RevokeTokens(ctx, token.Filter{ID: "t1"}, rec)
			return err
		}},
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
		{"SaveRole", func(ctx context.Context) error {
			_, err := s.Roles().SaveRole(ctx, sampleRole(t, "role.B"), []identity.UserID{alice.ID}, rec)
			return err
		}},
		{"DeleteRole", func(ctx context.Context) error {
			_, err := s.Roles().DeleteRole(ctx, "role.A", []identity.UserID{alice.ID}, rec)
			return err
		}},
		{"UpdateUser and end", func(ctx context.Context) error {
			_, err := s.Users().UpdateUser(ctx, alice, everything(), rec)
			return err
		}},
		{"DeleteUser", func(ctx context.Context) error {
			_, err := s.Users().DeleteUser(ctx, alice.ID, rec)
			return err
		}},
		{"Append", func(ctx context.Context) error { return s.Audit().Append(ctx, rec) }},
	})
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
	Roles   any
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
	return contents{users, listRoles(t, s), tokens, session, jobs, nodes, groups, trailOf(t, s)}
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

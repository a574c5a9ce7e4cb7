package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

// killPath is the variable that makes the test program the victim: the path of the database that it writes to.
const killPath = "BRIDGEHEAD_TEST_KILL_PATH"

func TestMain(m *testing.M) {
	if path := os.Getenv(killPath); path != "" {
		if err := writeUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeUntilKilled makes users, roles and jobs and prints each one's number when the store has acknowledged all three.
func writeUntilKilled(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	_, total, err := s.Jobs().ListJobs(ctx, job.Filter{Visible: job.Visibility{All: true}, Limit: 1})
	if err != nil {
		return err
	}
	for n := total; ; n++ {
		u, j := victim(n)
		err := s.Users().CreateUser(ctx, u, audit.Record{Time: time.Unix(1, 0), Action: "user.create", Object: u.Name})
		if err == nil {
			role := identity.Grant{Role: identity.Role("role." + u.Name), Permissions: identity.All()}
			_, err = s.Roles().SaveRole(ctx, role, []identity.UserID{u.ID}, audit.Record{Time: time.Unix(1, 0), Action: "role.create", Object: u.Name})
		}
		if err == nil {
			_, err = s.Jobs().CreateJob(ctx, j)
		}
		if err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func victim(n int) (identity.User, job.Job) {
	name := "u" + strconv.Itoa(n)
	return identity.User{ID: identity.UserID(name + "-" + strconv.Itoa(os.Getpid())), Name: name + "-" + strconv.Itoa(os.Getpid())},
		job.Job{JobID: int64(n), Cluster: "alpha", User: name, State: job.Running, Start: time.Unix(1e9, 0)}
}

func TestKilledProgramLosesNothingAcknowledged(t *testing.T) {
	rounds := 30
	switch {
	case testing.Short():
		rounds = 3
	case os.Getenv("BRIDGEHEAD_FAULTS") == "long":
		rounds = 600
	}
	path := filepath.Join(t.TempDir(), "store.db")
	acknowledged := 0
	for round := range rounds {
		acknowledged += killAfter(t, path, 3+7*round%40)
		checkAfterKill(t, path, acknowledged)
	}
	t.Logf("%d rounds, %d acknowledged", rounds, acknowledged)
}

// killAfter lets the victim write, kills it in the midst of its work once it has acknowledged so many, and returns how
// many it acknowledged until it died.
func killAfter(t *testing.T, path string, enough int) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killPath+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for lines := bufio.NewScanner(out); lines.Scan(); n++ {
		if n+1 == enough {
			if err := cmd.Process.Kill(); err != nil { // SIGKILL: it cannot tidy up
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if n < enough {
		t.Fatalf("the victim ended by itself: %s", stderr.String())
	}
	return n
}

func checkAfterKill(t *testing.T, path string, acknowledged int) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, total, err := s.Jobs().ListJobs(t.Context(), job.Filter{Visible: job.Visibility{All: true}})
	if err != nil {
		t.Fatal(err)
	}
	if total < acknowledged {
		t.Errorf("%d jobs were acknowledged, %d are there", acknowledged, total)
	}
	users, err := s.Users().ListUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(users) < len(all) {
		t.Errorf("%d users for %d jobs, each of which was written after its user", len(users), len(all))
	}
	roles, err := s.Roles().ListRoles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(roles) < len(all) || len(roles) > len(users) {
		t.Errorf("%d roles for %d users and %d jobs, each of which was written between the two", len(roles), len(users), len(all))
	}
	checkTrail(t, s, len(users)+len(roles))
	raw(t, path, func(db *sql.DB) {
		var verdict string
		if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("integrity check: %s, %v", verdict, err)
		}
	})
}

// checkTrail fails unless there is one record a change, in an unbroken chain.
func checkTrail(t *testing.T, s *sqlstore.Store, changes int) {
	t.Helper()
	newest, err := s.Audit().List(t.Context(), audit.Filter{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if len(newest) != changes {
		t.Errorf("%d audit records for %d changes", len(newest), changes)
	}
	var records []audit.Record
	for i := len(newest) - 1; i >= 0; i-- {
		records = append(records, newest[i])
	}
	if broken, err := audit.Verify("", records); broken != 0 || err != nil {
		t.Errorf("the chain is broken at %d: %v", broken, err)
	}
}

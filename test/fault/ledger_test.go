package fault_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// entry is one thing that a writer was told about: "user u7", "token t7", "revoke t7", "session s7", "job 7", "stop 7",
// "audit x.7", or that something failed: then nothing is known of it.
type entry struct {
	kind, id string
	failed   string // the reason
}

func (e entry) String() string { return e.kind + " " + e.id }

// parseEntries reads what a worker has said. The last line may be torn.
func parseEntries(out string) (list []entry) {
	lines := strings.SplitAfter(out, "\n")
	for _, line := range lines {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		line, failed, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		kind, id, _ := strings.Cut(line, " ")
		list = append(list, entry{kind, id, failed})
	}
	return list
}

// stored is what a database holds.
type stored struct {
	kept     map[string]bool // "user u7" and so on
	trail    []audit.Record
	archived []job.Job // those of which it says that the archive has them
}

// readDatabase opens the database at path and reads all of it that writers are told about.
func readDatabase(ctx context.Context, path string) (_ stored, err error) {
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return stored{}, err
	}
	defer func() {
		if cerr := s.Close(); err == nil {
			err = cerr
		}
	}()
	if err := integrity(ctx, path); err != nil {
		return stored{}, err
	}
	return readAll(ctx, s)
}

func integrity(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		return fmt.Errorf("integrity check of %s: %s, %w", filepath.Base(path), verdict, err)
	}
	return nil
}

func readAll(ctx context.Context, s *sqlstore.Store) (stored, error) {
	got := stored{kept: map[string]bool{}}
	users, err := s.Users().ListUsers(ctx)
	if err != nil {
		return got, err
	}
	for _, u := range users {
		got.kept["user "+u.Name] = true
	}
	tokens, err := s.Tokens().ListTokens(ctx, token.Filter{})
	if err != nil {
		return got, err
	}
	for _, t := range tokens {
		got.kept["token "+t.ID] = true
		if !t.Revoked.IsZero() {
			got.kept["revoke "+t.ID] = true
		}
	}
	sessions, err := s.Sessions().ListSessions(ctx, token.SessionFilter{})
	if err != nil {
		return got, err
	}
	for _, x := range sessions {
		got.kept["session "+x.Hash] = true
	}
	jobs, _, err := s.Jobs().ListJobs(ctx, job.Filter{Visible: job.Visibility{All: true}})
	if err != nil {
		return got, err
	}
	for _, j := range jobs {
		got.kept[fmt.Sprint("job ", j.JobID)] = true
		if j.Monitoring == job.MonitoringArchived {
			got.archived = append(got.archived, j)
		}
		if j.State != job.Running {
			got.kept[fmt.Sprint("stop ", j.JobID)] = true
		}
	}
	got.trail, err = s.Audit().List(ctx, audit.Filter{Limit: 1 << 20})
	if err != nil {
		return got, err
	}
	slices.Reverse(got.trail)
	for _, r := range got.trail {
		got.kept["audit "+r.Action] = true
	}
	if broken, err := audit.Verify("", got.trail); broken != 0 || err != nil {
		return got, fmt.Errorf("the chain of audit records is broken at %d: %w", broken, err)
	}
	return got, nil
}

// missing returns what was acknowledged and is not there.
func (s stored) missing(list []entry) (gone []string) {
	for _, e := range list {
		if e.failed == "" && !s.kept[e.String()] && isRecord(e.kind) {
			gone = append(gone, e.String())
		}
	}
	return gone
}

// isRecord reports whether such a thing is one that the database holds.
func isRecord(kind string) bool {
	return slices.Contains([]string{"user", "token", "revoke", "session", "job", "stop", "audit"}, kind)
}

// half returns changes without their record in the trail, and records without their change.
func (s stored) half() (odd []string) {
	recorded := map[string]bool{}
	for _, r := range s.trail {
		object := r.Object[strings.LastIndexByte(r.Object, '/')+1:]
		switch r.Action {
		case "user.create":
			recorded["user "+object] = true
		case "token.create":
			recorded["token "+object] = true
		case "token.revoke":
			recorded["revoke "+object] = true
		}
	}
	for name := range recorded {
		if !s.kept[name] {
			odd = append(odd, "only the record of "+name)
		}
	}
	for name := range s.kept {
		if kind, _, _ := strings.Cut(name, " "); (kind == "user" || kind == "token" || kind == "revoke") && !recorded[name] {
			odd = append(odd, "no record of "+name)
		}
	}
	return odd
}

// checkDatabase fails the test unless the database at path is whole and has everything that was acknowledged.
func checkDatabase(t *testing.T, path string, list []entry, what string) (got stored) {
	t.Helper()
	got, err := readDatabase(t.Context(), path)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return got
	}
	if gone := got.missing(list); len(gone) > 0 {
		t.Errorf("%s: %d of %d acknowledged records are gone: %v", what, len(gone), len(list), gone[:min(5, len(gone))])
	}
	if odd := got.half(); len(odd) > 0 {
		t.Errorf("%s: half a change: %v", what, odd[:min(5, len(odd))])
	}
	return got
}

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func benchOpen(b *testing.B, path string) *sqlstore.Store {
	b.Helper()
	s, err := sqlite.Open(b.Context(), path, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// filled opens a database that statement has filled past the store.
func filled(b *testing.B, statement string) *sqlstore.Store {
	b.Helper()
	path := filepath.Join(b.TempDir(), "store.db")
	db, reader, err := sqlite.Connections(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.ExecContext(b.Context(), statement); err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(reader.Close(), db.Close()); err != nil {
		b.Fatal(err)
	}
	return benchOpen(b, path)
}

// BenchmarkSync is the floor of every commit: one page written and on the disk.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

func benchJob(n int) job.Job {
	return job.Job{
		JobID: int64(n), Cluster: "alpha", SubCluster: "main", Partition: "work", User: fmt.Sprint("user", n%50), Project: "p1",
		NumNodes: 4, Shared: job.SharedNone, State: job.Running, Start: time.Unix(1.7e9+int64(n), 0), Monitoring: job.MonitoringPending,
		Resources: []job.Resource{{Hostname: "n1"}, {Hostname: "n2"}, {Hostname: "n3"}, {Hostname: "n4"}},
		MetaData:  map[string]string{"jobName": "simulation", "jobScript": "#!/bin/sh\nsrun ./simulation\n"},
	}
}

func BenchmarkCreateJob(b *testing.B) {
	s := benchOpen(b, filepath.Join(b.TempDir(), "store.db"))
	for n := 0; b.Loop(); n++ {
		if _, err := s.Jobs().CreateJob(b.Context(), benchJob(n)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreateToken(b *testing.B) {
	s := benchOpen(b, filepath.Join(b.TempDir(), "store.db"))
	for n := 0; b.Loop(); n++ {
		t := token.Token{ID: fmt.Sprintf("%032x", n), Kind: token.KindService, UserID: "u1", Issued: time.Unix(int64(n), 0), Expires: time.Unix(2e9, 0)}
		rec := audit.Record{Time: t.Issued, Actor: "root", Action: "token.create", Object: "token/" + t.ID, Outcome: audit.Done}
		if err := s.Tokens().CreateToken(b.Context(), t, nil, rec); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetUser(b *testing.B) {
	s := benchOpen(b, filepath.Join(b.TempDir(), "store.db"))
	for n := range 1000 {
		u := identity.User{ID: identity.UserID(fmt.Sprint("id", n)), Name: fmt.Sprint("user", n), Roles: []identity.Role{identity.RoleUser}}
		if err := s.Users().CreateUser(b.Context(), u, audit.Record{Action: "user.create"}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("one at a time", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Users().GetUser(b.Context(), "user500"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("in parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Users().GetUser(context.Background(), "user500"); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// hundredThousandJobs has 50 users, 10 projects, 200 hosts, 4 hosts a job, and 100 jobs that still run.
const hundredThousandJobs = `
	WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < 100000)
	INSERT INTO jobs
	SELECT n, 100000 + n, 'alpha', 'main', 'work', 'user' || (n % 50), 'p' || (n % 10), 'simulation ' || (n % 1000), 0,
		4, 256, 0, 'none', 1, CASE WHEN n > 99900 THEN 'running' ELSE 'completed' END, 1700000000 + n * 60, 0, (n * 7919) % 86400, 86400, 0,
		3, '[{"hostname":"n' || (n % 200) || '"},{"hostname":"n' || ((n + 1) % 200) || '"},{"hostname":"n' || ((n + 2) % 200) || '"},{"hostname":"n' || ((n + 3) % 200) || '"}]',
		'{"jobName":"simulation","jobScript":"#!/bin/sh\nsrun ./simulation\n"}',
		'{"flops_any":{"base":"F/s","prefix":"G","min":1,"avg":2,"max":3},"mem_bw":{"base":"B/s","prefix":"G","min":1,"avg":2,"max":3}}',
		'{"flops_any_avg":' || ((n * 104729) % 1000) || ',"mem_bw_avg":20}', '{}', 1.5, 1, 0
	FROM seq;
	INSERT INTO job_hosts SELECT 'n' || ((id + k) % 200), id FROM jobs, (SELECT 0 AS k UNION SELECT 1 UNION SELECT 2 UNION SELECT 3);
	UPDATE jobs SET user_name = 'rare' WHERE id % 10000 = 17;
	INSERT INTO tags VALUES (1, 'type', 'name', 'global');
	INSERT INTO job_tags SELECT id, 1 FROM jobs WHERE id % 100 = 0;`

func BenchmarkListJobs(b *testing.B) {
	s := filled(b, hundredThousandJobs)
	lastStart := time.Unix(1700000000+100_000*60, 0)
	all := job.Visibility{All: true}
	for _, c := range []struct {
		name   string
		filter job.Filter
	}{
		{"newest", job.Filter{Visible: all}},
		{"page 1000", job.Filter{Visible: all, Offset: 50_000}},
		{"of a user", job.Filter{Visible: job.Visibility{User: "user7"}}},
		{"of a user or project", job.Filter{Visible: job.Visibility{User: "user7", Projects: []string{"p3"}}}},
		{"completed of a user with few", job.Filter{Visible: job.Visibility{User: "rare"}, States: []job.State{job.Completed}}},
		{"running", job.Filter{Visible: all, States: []job.State{job.Running}}},
		{"completed", job.Filter{Visible: all, States: []job.State{job.Completed}}},
		{"on a node", job.Filter{Visible: all, Node: "n17"}},
		{"by name", job.Filter{Visible: all, Name: "ation 77"}},
		{"by number", job.Filter{Visible: all, JobIDs: []int64{150_000}}},
		{"longest", job.Filter{Visible: all, Sort: job.Sort{By: job.SortDuration}}},
		{"longest, running ones until now", job.Filter{Visible: all, Now: lastStart.Add(time.Hour), Sort: job.Sort{By: job.SortDuration}}},
		{"of an hour and more", job.Filter{Visible: all, Now: lastStart.Add(time.Hour), DurationFrom: time.Hour}},
		{"of an hour and more, of a user", job.Filter{Visible: job.Visibility{User: "user7"}, Now: lastStart.Add(time.Hour), DurationFrom: time.Hour}},
		{"by footprint", job.Filter{Visible: all, Sort: job.Sort{By: job.SortFootprint, Footprint: "flops_any_avg"}}},
		{"tagged", job.Filter{Visible: all, Tags: []job.TagID{1}}},
	} {
		c.filter.Limit = 50
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				page, _, err := s.Jobs().ListJobs(b.Context(), c.filter)
				if err != nil || len(page) == 0 {
					b.Fatalf("%d jobs, %v", len(page), err)
				}
			}
		})
	}
}

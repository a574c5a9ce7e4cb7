package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

func TestARunLeavesItsRequestsAndItsEnd(t *testing.T) {
	t.Parallel()
	env := Env{Home: t.TempDir(), Clock: clock.NewManual(time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)), Args: []string{"-u", "ann:pw", "ls"}}
	l, err := startLog(env, "cw-nodectl", settings{})
	if err != nil {
		t.Fatal(err)
	}
	l.request(client.Exchange{Method: "GET", Path: "/api/v1/nodes", Status: 200, Took: 7 * time.Millisecond})
	l.request(client.Exchange{Method: "GET", Path: "/api/v1/node/n0", Err: errors.New("http://u:pw@head refused")})
	l.end(5, errors.New("eyJhbGciOiJFZERTQSJ9.e30.c2ln"))
	files, err := filepath.Glob(filepath.Join(env.Home, ".scyldcw", "logs", "cw-nodectl-20260821T120000.000-*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`tool=cw-nodectl args="[-u ann:*** ls]"`, "method=GET path=/api/v1/nodes status=200 took_ms=7\n",
		`path=/api/v1/node/n0 status=0 took_ms=0 error="http://u:***@head refused"`, `msg=ended exit_code=5 error=***`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestHowManyRecordsOfRunsAreKept(t *testing.T) {
	t.Parallel()
	for keep, want := range map[string]int{"": 5, "1": 1, "3": 3, "0": 0, "-1": 9} {
		t.Run("max_user_logs="+keep, func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC))
			env := Env{Home: t.TempDir(), Clock: now}
			s := settings{[]layer{from("file", keyUserLogs, keep)}}
			var last string
			for range 9 {
				now.Advance(time.Second)
				l, err := startLog(env, "cw-nodectl", s)
				if err != nil {
					t.Fatal(err)
				}
				if l != nil {
					last = l.file.Name()
				}
				l.end(0, nil)
			}
			files, err := filepath.Glob(filepath.Join(env.Home, ".scyldcw", "logs", "*.log"))
			if err != nil || len(files) != want {
				t.Errorf("%d files, want %d (%v)", len(files), want, err)
			}
			if want > 0 {
				if diff := cmp.Diff(last, files[len(files)-1]); diff != "" {
					t.Errorf("the last run is not among them: %s", diff)
				}
			}
		})
	}
}

func TestARunThatCannotBeRecordedGoesOn(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".scyldcw"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := startLog(Env{Home: home, Clock: clock.System{}}, "cw-nodectl", settings{})
	if err == nil || l != nil {
		t.Fatalf("%v, %v", l, err)
	}
	l.request(client.Exchange{}) // a run without a record
	l.end(0, nil)
	if l, err := startLog(Env{Clock: clock.System{}}, "cw-nodectl", settings{}); l != nil || err != nil {
		t.Errorf("without a home: %v, %v", l, err)
	}
	if _, err := startLog(Env{Home: home}, "x", settings{[]layer{from("file", keyUserLogs, "few")}}); exitCode(err) != exitUsage {
		t.Errorf("a limit that is no number: %v", err)
	}
}

package cli_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func TestOutputForms(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{
		"short.txt":         {"ls"},
		"long.txt":          {"-i", "n0,n5", "ls", "-l"},
		"long-long.txt":     {"-i", "n5", "ls", "-L"},
		"uids.txt":          {"-i", "n5", "--show-uids", "ls", "-l"},
		"table.txt":         {"--table", "ls"},
		"table-groups.txt":  {"--fields", "groups", "--table", "ls", "-l"},
		"table-long.txt":    {"--table", "-i", "n0", "ls", "-l"},
		"fields.txt":        {"--fields", "attributes._boot_config,mac,gone", "-i", "n[0-1]", "ls"},
		"list.csv":          {"--csv", "--fields", "ip,groups,attributes,last_modified", "-i", "n5", "ls"},
		"list.json":         {"--json", "-i", "n5", "ls"},
		"one-line.json":     {"--json", "--no-pretty", "--fields", "mac,groups", "ls"},
		"status-long.txt":   {"-i", "n4", "status", "-l"},
		"status-table.txt":  {"--table", "-i", "n[3-4]", "status"},
		"attribs-table.txt": {"--table", "-i", "n[3-4]", "attribs"},
	}
	for name, args := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			if code := s.nodectl(t, args...); code != 0 {
				t.Fatalf("exit code %d: %s", code, s.err.String())
			}
			golden := filepath.Join("testdata", "golden", name)
			if *update {
				if err := os.WriteFile(golden, s.out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), s.out.String()); diff != "" {
				t.Errorf("output differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRecordsCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	s := newSession(t, func(h *fakeHead) { h.nodes["n0"]["description"] = "\x1b[2Jgone\r\nline \u009bx" })
	for _, form := range []string{"--human", "--table"} {
		s.nodectl(t, "-i", "n0", form, "--fields", "description", "ls", "-l")
		if strings.ContainsAny(s.out.String(), "\x1b\r\u009b") {
			t.Errorf("%s lets control characters through: %q", form, s.out.String())
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestLostOutputIsAFailure(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	s.env.Stdout = fullDisk{}
	if code := s.nodectl(t, "ls"); code != 1 || !strings.Contains(s.err.String(), "no space left") {
		t.Errorf("exit code %d, stderr %q", code, s.err.String())
	}
}

func TestTwoNodesOfOneNameAreShownByUID(t *testing.T) {
	t.Parallel()
	s := newSession(t, func(h *fakeHead) {
		h.nodes["twin"] = map[string]any{"uid": uid(77), "name": "n0", "index": 0, "cluster": "beta"}
	})
	s.nodectl(t, "--json", "--no-pretty", "--fields", "cluster", "ls")
	for _, id := range []string{uid(0), uid(77)} {
		if !strings.Contains(s.out.String(), `"`+id+`":{"cluster"`) {
			t.Errorf("no record of %s in %s", id, s.out.String())
		}
	}
}

func TestSetSendsPatchWithOnlyTheGivenKeys(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	if code := s.nodectl(t, "-i", "n0", "set", "a=1", "b=x=y"); code != 0 {
		t.Fatal(s.err.String())
	}
	want := []string{`PATCH /api/v1/node/n0/attributes {"a":"1","b":"x=y"}`}
	s.head.mu.Lock()
	defer s.head.mu.Unlock()
	if diff := cmp.Diff(want, s.head.posts); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsOfTheUserBeatThoseOfTheSystem(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	system, user := filepath.Join(s.env.Etc, "settings.ini"), filepath.Join(s.env.Home, ".scyldcw", "settings.ini")
	extra := filepath.Join(s.env.Home, "extra.ini")

	write(system, "client.format = json\nclient.pretty = false\n")
	s.nodectl(t, "-i", "n0", "--fields", "mac", "ls")
	if want := `{"n0":{"mac":"08:00:27:00:00:00"}}` + "\n"; s.out.String() != want {
		t.Errorf("system's settings: got %q, want %q", s.out.String(), want)
	}
	write(user, "client.format = csv\n")
	s.nodectl(t, "-i", "n0", "--fields", "mac", "ls")
	if !strings.HasPrefix(s.out.String(), "name,mac\n") {
		t.Errorf("user's settings: got %q", s.out.String())
	}
	write(extra, "client.format = table\n")
	s.nodectl(t, "-c", extra, "-i", "n0", "--fields", "mac", "ls")
	if !strings.HasPrefix(s.out.String(), "Nodes | ") {
		t.Errorf("-c: got %q", s.out.String())
	}
	s.nodectl(t, "-c", extra, "--human", "-i", "n0", "ls")
	if s.out.String() != "Nodes\n  n0\n" {
		t.Errorf("option: got %q", s.out.String())
	}
	write(user, "client.format = fancy\n")
	if code := s.nodectl(t, "ls"); code != 2 || !strings.Contains(s.err.String(), `not "fancy"`) {
		t.Errorf("a format that does not exist: exit code %d, %q", code, s.err.String())
	}
	write(user, "client.authtkn = ~/gone\n")
	if code := s.nodectl(t, "ls"); code != 1 || !strings.Contains(s.err.String(), s.env.Home+"/gone") {
		t.Errorf("~/ in a setting: exit code %d, %q", code, s.err.String())
	}
}

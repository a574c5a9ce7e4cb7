package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseIDs(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "list"), []byte("n1 n2, # a comment\n\n#n9\n  n[4-5]\r\n^n2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name           string
		values         []string
		stdin          string
		items, exclude []string
	}{
		{"one name", []string{"n0"}, "", []string{"n0"}, nil},
		{"divided by commas", []string{"n0,ann,n1"}, "", []string{"n0", "ann", "n1"}, nil},
		{"repeated options are one list", []string{"n0", "n1", "n2"}, "", []string{"n0", "n1", "n2"}, nil},
		{"each once, in the order of the first", []string{"n1,n0,n1", "n0"}, "", []string{"n1", "n0"}, nil},
		{"a range", []string{"n[0-2,7]"}, "", []string{"n0", "n1", "n2", "n7"}, nil},
		{"a range with leading zeros", []string{"n[08-10]"}, "", []string{"n08", "n09", "n10"}, nil},
		{"two ranges in one name", []string{"r[1-2]n[3-4]"}, "", []string{"r1n3", "r1n4", "r2n3", "r2n4"}, nil},
		{"excluded before it is named", []string{"^n1,n[0-2]"}, "", []string{"n0", "n2"}, []string{"n1"}},
		{"an excluded range", []string{"n[0-4]", "^n[1-3]"}, "", []string{"n0", "n4"}, []string{"n1", "n2", "n3"}},
		{"all excluded", []string{"n0,^n0"}, "", nil, []string{"n0"}},
		{"blanks around commas", []string{"n0, n1 , n[3-4]"}, "", []string{"n0", "n1", "n3", "n4"}, nil},
		{"addresses and groups are taken as they are", []string{"08:00:27:00:00:01,10.0.0.1,%gpu"}, "", []string{"08:00:27:00:00:01", "10.0.0.1", "%gpu"}, nil},
		{"from stdin", []string{"-", "n9"}, "n0,n1\nn2 # end\n", []string{"n0", "n1", "n2", "n9"}, nil},
		{"from a file in the home", []string{"@~/list"}, "", []string{"n1", "n4", "n5"}, []string{"n2"}},
		{"a file inside a list", []string{"n7,@~/list,^n5"}, "", []string{"n7", "n1", "n4"}, []string{"n2", "n5"}},
		{"a list from stdin names no files", []string{"-"}, "@~/list -", []string{"@~/list", "-"}, nil},
		{"empty items", []string{",,n0,"}, "", []string{"n0"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tl := &tool{env: Env{Stdin: strings.NewReader(tt.stdin), Home: home}}
			got, err := tl.parseIDs(tt.values)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Join(tt.items, "|"), strings.Join(got.items, "|")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(strings.Join(tt.exclude, "|"), strings.Join(got.exclude, "|")); diff != "" {
				t.Errorf("exclude: %s", diff)
			}
		})
	}
}

type brokenPipe struct{}

func (brokenPipe) Read([]byte) (int, error) { return 0, errors.New("the pipe broke") }

func TestListsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	tests := []struct {
		name, value string
		stdin       io.Reader
		code        int
		want        string
	}{
		{"no such file", "@~/gone", nil, exitUsage, "read the list: open " + home + "/gone: no such file"},
		{"a folder", "@~/", nil, exitFailed, "read the list from ~/: read " + home + ": is a directory"},
		{"an open bracket", "n[0-", nil, exitUsage, `the list "n[0-"`},
		{"a range backwards", "n[3-1]", nil, exitUsage, `the list "n[3-1]"`},
		{"an excluded range that is none", "^n[x]", nil, exitUsage, `the list "n[x]"`},
		{"stdin breaks", "-", brokenPipe{}, exitFailed, "read the list from stdin: the pipe broke"},
		{"a bad range in stdin", "-", strings.NewReader("n0\nn[1\n"), exitUsage, `the list "n[1"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tl := &tool{env: Env{Stdin: tt.stdin, Home: home}}
			l, err := tl.parseIDs([]string{"n7", tt.value})
			if err == nil || !strings.Contains(err.Error(), tt.want) || exitCode(err) != tt.code {
				t.Errorf("error %v with exit code %d, want %q with %d", err, exitCode(err), tt.want, tt.code)
			}
			if len(l.items) > 0 {
				t.Errorf("items %q beside an error", l.items)
			}
		})
	}
}

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func TestContentIsOneObjectOrAList(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "c.json"), []byte("\n[{\"mac\": \"a\"},\n {\"mac\": \"b\"}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		content string
		want    []map[string]any
	}{
		{`{"mac": "a", "index": 12345678901234567890}`, []map[string]any{{"mac": "a", "index": json.Number("12345678901234567890")}}},
		{` [{"mac": "a"}] `, []map[string]any{{"mac": "a"}}},
		{"@~/c.json", []map[string]any{{"mac": "a"}, {"mac": "b"}}},
		{"[]", []map[string]any{}},
	}
	for _, tt := range tests {
		tl := &tool{env: Env{Home: home}, opts: options{content: tt.content}}
		got, err := tl.contents()
		if err != nil {
			t.Errorf("%s: %v", tt.content, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.content, diff)
		}
	}
}

func TestContentThatIsWrongIsToldWhere(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                       "--content holds neither a JSON object nor an array of them",
		"x0":                     "--content holds neither a JSON object nor an array of them: line 1: not valid JSON: invalid character 'x'",
		"null":                   "",
		`"text"`:                 "line 1: an array is expected, not a string",
		`[1]`:                    "line 1: an object is expected, not a number",
		`[{"a": 1}, null]`:       "--content: element 2 is not an object",
		"{\n\"a\": 1,\n}":        "--content: line 3: not valid JSON: invalid character '}'",
		`{"a": 1} {"b": 2}`:      "--content: line 1: there is something behind the JSON value",
		"[{\"a\": 1}]\n]":        "there is something behind the JSON value",
		"{\"a\": \"" + "unended": "--content: line 1: not valid JSON: it ends too early",
		"@/nowhere/c.json":       "read the content: open /nowhere/c.json: no such file",
	}
	for content, want := range tests {
		tl := &tool{opts: options{content: content}}
		got, err := tl.contents()
		if want == "" {
			if err != nil || len(got) != 0 {
				t.Errorf("%q: %v, %v", content, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != exitUsage {
			t.Errorf("%q: error %v, want %q", content, err, want)
		}
	}
}

func TestNewRecordsComeFromArgumentsOrContent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, content string
		args          []string
		want          string // of the error, "" for none
		count         int
	}{
		{"arguments", "", []string{"name=bob"}, "", 1},
		{"content", `[{"name": "bob"}, {"name": "ann"}]`, nil, "", 2},
		{"both", `{"name": "bob"}`, []string{"name=ann"}, "give either field=value arguments or --content", 0},
		{"neither", "", nil, "nothing to create: give at least name=", 0},
		{"an empty list", "[]", nil, "nothing to create", 0},
		{"no name", "", []string{"roles=x"}, "name= is missing", 0},
		{"an empty name", "", []string{"name="}, "name= is missing", 0},
		{"a name that is no text", `{"name": 7}`, nil, "name= is missing", 0},
		{"one of several without a name", `[{"name": "bob"}, {"roles": []}]`, nil, "element 2 has no name", 0},
		{"no assignment", "", []string{"bob"}, `"bob" is not of the form field=value`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tl := &tool{opts: options{content: tt.content}}
			got, err := tl.newRecords(tt.args, "name")
			if len(got) != tt.count {
				t.Errorf("%d records, want %d", len(got), tt.count)
			}
			if tt.want == "" && err != nil || tt.want != "" && (exitCode(err) != exitUsage || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAChangeIsOneObject(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, content string
		args          []string
		want          map[string]any // nil for an error
	}{
		{"arguments", "", []string{"description=a b", "index=3"}, map[string]any{"description": "a b", "index": 3}},
		{"content", `{"description": ""}`, nil, map[string]any{"description": ""}},
		{"a list of one", `[{"description": "x"}]`, nil, map[string]any{"description": "x"}},
		{"nothing", "", nil, nil},
		{"a list of two", `[{"a": 1}, {"b": 2}]`, nil, nil},
		{"both", `{"a": 1}`, []string{"b=2"}, nil},
		{"broken content", `{`, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tl := &tool{opts: options{content: tt.content}}
			got, err := tl.change(tt.args)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if tt.want == nil && exitCode(err) != exitUsage || tt.want != nil && err != nil {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestTwinsInOneListAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		records string
		want    string
	}{
		{"none", `[{"mac": "a", "index": 1}, {"mac": "b", "index": 2}, {"mac": "c"}]`, ""},
		{"MACs in two spellings", `[{"mac": "0A-0b-00-00-00-01"}, {"mac": "x"}, {"mac": "0a:0B:00:00:00:01"}]`, "elements 1 and 3 have the same mac"},
		{"indices", `[{"mac": "a", "index": 7}, {"mac": "b", "index": "7"}]`, "elements 1 and 2 have the same index 7"},
		{"names", `[{"mac": "a", "name": "n1"}, {"mac": "b", "name": "N1"}]`, "the same name N1; nothing was created"},
	}
	for _, tt := range tests {
		var records []map[string]any
		if err := json.Unmarshal([]byte(tt.records), &records); err != nil {
			t.Fatal(err)
		}
		err := refuseTwins(records)
		if tt.want == "" && err != nil || tt.want != "" && (exitCode(err) != exitUsage || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestCreationEndsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	taken := &client.Error{Status: 409, Reason: "taken"}
	records := []map[string]any{{"mac": "a"}, {"mac": "b", "name": "bee"}, {"mac": "taken"}, {"mac": "d"}}
	var out bytes.Buffer
	var tried []string
	tl := &tool{env: Env{Stdout: &out}}
	create := func(_ context.Context, r map[string]any) (string, error) {
		mac, _ := r["mac"].(string)
		tried = append(tried, mac)
		if mac == "taken" {
			return "", taken
		}
		return "uid-" + mac, nil
	}
	err := tl.createAll(t.Context(), records, "mac", create)
	if diff := cmp.Diff("a created (uid uid-a)\nbee created (uid uid-b)\n", out.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "taken"}, tried); diff != "" {
		t.Error(diff)
	}
	var failed *targetsError
	if !errors.As(err, &failed) || failed.total != 4 || len(failed.failed) != 2 || exitCode(err) != exitFailed {
		t.Fatalf("%v", err)
	}
	if first, second := failed.failed[0], failed.failed[1]; first.label != "taken" || !errors.Is(first.err, client.ErrConflict) ||
		second.label != "d" || second.err.Error() != "not created, since one before it failed" || !errors.Is(second.err, client.ErrConflict) {
		t.Errorf("%+v", failed.failed)
	}
	if err := tl.createAll(t.Context(), records[2:3], "mac", create); !errors.Is(err, client.ErrConflict) || errors.As(err, &failed) {
		t.Errorf("a single one: %v", err)
	}
}

package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCopy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args string
		want copyJob
		bad  string // part of the error, "" for none
	}{
		{"a r:/b", copyJob{sources: []string{"a"}, dst: "/b", push: true}, ""},
		{"a b c r:", copyJob{sources: []string{"a", "b", "c"}, dst: "", push: true}, ""},
		{"a r:~/x/", copyJob{sources: []string{"a"}, dst: "~/x/", push: true}, ""},
		{"r:/a .", copyJob{sources: []string{"/a"}, dst: "."}, ""},
		{"r:/a r:b ./c/", copyJob{sources: []string{"/a", "b"}, dst: "./c/"}, ""},
		{"./r:odd r:/b", copyJob{sources: []string{"./r:odd"}, dst: "/b", push: true}, ""},
		{"", copyJob{}, "at least one source and a destination"},
		{"r:/a", copyJob{}, "at least one source and a destination"},
		{"a b", copyJob{}, "neither a nor b is on the node; r: marks the side that is"},
		{"r:a r:b", copyJob{}, "both r:a and r:b are on the node; one side is here"},
		{"a r:b r:c", copyJob{}, "both r:b and r:c are on the node"},
		{"r:a b c", copyJob{}, "neither b nor c is on the node"},
		{"r: .", copyJob{}, `"r:" names no file`},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			got, err := parseCopy(strings.Fields(tt.args))
			if tt.bad == "" && err != nil || tt.bad != "" && (exitCode(err) != exitUsage || !strings.Contains(err.Error(), tt.bad)) {
				t.Fatalf("error %v, want %q", err, tt.bad)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(copyJob{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

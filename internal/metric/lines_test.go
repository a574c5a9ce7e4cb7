package metric_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// What stands in a text is no sample, wherever its line ends are: a log message must not write what it likes.
func TestTextsMayHaveLineEnds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", metric.MaxLine)
	tooLong := fmt.Sprintf("the line is longer than %d bytes", metric.MaxLine)
	reject := func(n int, reason string) metric.Reject { return metric.Reject{Line: n, Reason: reason} }
	for name, tt := range map[string]struct {
		lines   string
		want    []string
		rejects []metric.Reject
	}{
		"in the middle":            {"cpu,host=n1 msg=\"a\nb\",load=1\ncpu,host=n2 load=2", []string{"n1 cpu_load=1", "n2 cpu_load=2"}, nil},
		"samples in it":            {"cpu,host=n1 load=1,msg=\"\ncpu,host=n2 load=2\n\"\ncpu,host=n3 load=3\n", []string{"n1 cpu_load=1", "n3 cpu_load=3"}, nil},
		"an escaped mark":          {"cpu,host=n1 msg=\"\\\"\ncpu,host=n2 load=2\",load=1", []string{"n1 cpu_load=1"}, nil},
		"a backslash at the end":   {"cpu,host=n1 msg=\"\\\\\",load=1\ncpu,host=n2 load=2", []string{"n1 cpu_load=1", "n2 cpu_load=2"}, nil},
		"two texts":                {"cpu,host=n1 a=\"x\",b=\"\n\n\",load=1\ncpu,host=n2 load", []string{"n1 cpu_load=1"}, []metric.Reject{reject(4, noField)}},
		"a mark in a tag":          {"cpu,host=n1,x=\"y load=1\ncpu,host=n2 load=2", []string{"n1 cpu_load=1", "n2 cpu_load=2"}, nil},
		"a mark in a name":         {"cpu,host=n1 x\"=1,load=1\ncpu,host=n2 load=2", []string{"n1 cpu_load=1", "n2 cpu_load=2"}, nil},
		"a comment":                {" # msg x=\"\ncpu,host=n2 load=2", []string{"n2 cpu_load=2"}, nil},
		"a mark is missing":        {"cpu,host=n1 load=1,msg=\"a\ncpu,host=n2 load=2\n", []string{"n2 cpu_load=2"}, []metric.Reject{reject(1, "field msg: the text has no end")}},
		"too long":                 {"cpu,host=n1 msg=\"" + long + "\ncpu,host=n2 load=2\n\"\ncpu,host=n3 load=3\ncpu load=1", []string{"n3 cpu_load=3"}, []metric.Reject{reject(1, tooLong), reject(5, "tag hostname is missing")}},
		"too long in many lines":   {"cpu,host=n1 msg=\"" + strings.Repeat("cpu,host=n2 load=2\n", 5000) + "\"\ncpu,host=n3 load=3", []string{"n3 cpu_load=3"}, []metric.Reject{reject(1, tooLong)}},
		"too long, without a text": {"cpu,host=" + long + " load=1\ncpu,host=n3 load=3", []string{"n3 cpu_load=3"}, []metric.Reject{reject(1, tooLong)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, db := newService(t)
			got, err := s.WriteInflux(t.Context(), metric.Source{Cluster: "alpha"}, time.Nanosecond, strings.NewReader(tt.lines))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.rejects, got.Rejects); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.want, held(s, db)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const noField = "a field is missing: a line is <measurement>,<tags> <field>=<value>,... [<time>]"

func TestMessagesOfBothKindsMayHaveTexts(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	lines := "cpu,host=n1 msg=\"\ncpu_load,hostname=n2 value=2\n\",load=1\ncpu_load,hostname=n3 value=3"
	if _, err := s.WriteMixed(t.Context(), metric.Source{Cluster: "alpha"}, [][]byte{[]byte(lines)}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"n1 cpu_load=1", "n3 cpu_load=3"}, held(s, db)); diff != "" {
		t.Error(diff)
	}
}

// Whoever forgets a quotation mark must not swallow the messages of others.
func TestTextsEndWithTheirMessage(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	messages := [][]byte{[]byte("cpu,host=n1 load=1,msg=\""), []byte("cpu_load,hostname=n2 value=2"), []byte("cpu,host=n3 msg=\"x\",load=3\n")}
	r, err := s.WriteMixed(t.Context(), metric.Source{Cluster: "alpha"}, messages)
	if err != nil || r.Taken != 2 || r.Rejected != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if diff := cmp.Diff([]string{"n2 cpu_load=2", "n3 cpu_load=3"}, held(s, db)); diff != "" {
		t.Error(diff)
	}
}

// FuzzTexts: no text, whatever is in it, is anything but a text, for neither kind of batch.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{"", "\n", "\"\ncpu,host=n3 load=3\n", "\\\ncpu,host=n3 load=3", "a,b=\"\n# ", "\r\n", "\\\"\n\n", "x=\"\ncpu_load,hostname=n3 value=3\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > metric.MaxLine/4 {
			t.Skip()
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
		lines := "cpu,host=n1 msg=" + quoted + ",load=1,b=" + quoted + "\ncpu_load,hostname=n2 value=2"
		for _, mixed := range []bool{false, true} {
			s, db := newService(t)
			write := func() (metric.WriteResult, error) {
				if mixed {
					return s.WriteMixed(t.Context(), metric.Source{Cluster: "alpha"}, [][]byte{[]byte(lines)})
				}
				return s.WriteInflux(t.Context(), metric.Source{Cluster: "alpha"}, time.Second, strings.NewReader(lines))
			}
			if r, err := write(); err != nil || r.Taken != 2 || r.Rejected != 0 || r.Dropped != 2 {
				t.Errorf("%+v, %v", r, err)
			}
			if diff := cmp.Diff([]string{"n1 cpu_load=1", "n2 cpu_load=2"}, held(s, db)); diff != "" {
				t.Error(diff)
			}
		}
	})
}

package metric_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// held returns what the store has, as "host/device metric=last value".
func held(s *metric.Service, db *metricstore.DB) []string {
	var list []string
	for _, host := range s.Hosts("alpha") {
		for _, name := range []string{"cpu_load", "flops_any", "ipc"} {
			w := metricstore.Window{Cluster: "alpha", Host: host, Metric: name, From: 0, To: now.Unix() + 60}
			for _, r := range db.Read(nil, w, nil) {
				list = append(list, fmt.Sprintf("%s %s=%g", strings.Join(r.Key.Path()[1:], "/"), name, r.Values[len(r.Values)-1]))
			}
		}
	}
	slices.Sort(list)
	return list
}

func TestFieldsOfALineAreMetrics(t *testing.T) {
	t.Parallel()
	at := strconv.FormatInt(now.UnixNano(), 10)
	for name, tt := range map[string]struct {
		line string
		want []string
		what metric.WriteResult
	}{
		"the measurement itself": {"cpu_load,host=n1 value=1.5 " + at, []string{"n1 cpu_load=1.5"}, metric.WriteResult{Taken: 1}},
		"measurement and field":  {"cpu,host=n1 load=1.5,nosuch=2 " + at, []string{"n1 cpu_load=1.5"}, metric.WriteResult{Taken: 1, Dropped: 1}},
		"kinds of value":         {`flops,host=n1 any=3i,text="a, b=\" c",more=t ` + at, []string{"n1 flops_any=3"}, metric.WriteResult{Taken: 1, Dropped: 2}},
		"a switch":               {"cpu_load,host=n1 value=true " + at, []string{"n1 cpu_load=1"}, metric.WriteResult{Taken: 1}},
		"a switch that is off":   {"cpu_load,host=n1 value=F " + at, []string{"n1 cpu_load=0"}, metric.WriteResult{Taken: 1}},
		"a thread":               {"cpu,host=n1,cpu=cpu7 load=2 " + at, []string{"n1/hwthread7 cpu_load=2"}, metric.WriteResult{Taken: 1}},
		"all threads":            {"cpu,host=n1,cpu=cpu-total load=2 " + at, []string{"n1 cpu_load=2"}, metric.WriteResult{Taken: 1}},
		"our own device":         {"cpu_load,hostname=n1,type=socket,type-id=1 value=2 " + at, []string{"n1/socket1 cpu_load=2"}, metric.WriteResult{Taken: 1}},
		"hostname before host":   {"cpu_load,host=x,hostname=n1 value=2 " + at, []string{"n1 cpu_load=2"}, metric.WriteResult{Taken: 1}},
		"other tags":             {"cpu_load,host=n1,rack=r1,os=linux value=2 " + at, []string{"n1 cpu_load=2"}, metric.WriteResult{Taken: 1}},
		"now":                    {"cpu_load,host=n1 value=2", []string{"n1 cpu_load=2"}, metric.WriteResult{Taken: 1}},
		"two metrics in one":     {"flops_any,host=n1 value=1 " + at + "\ncpu,host=n1 load=2 " + at, []string{"n1 cpu_load=2", "n1 flops_any=1"}, metric.WriteResult{Taken: 2}},
		"nothing but text":       {`cpu,host=n1 load="high" ` + at, nil, metric.WriteResult{Dropped: 1}},
		"no line":                {"# comment\n\n", nil, metric.WriteResult{}},
		"no measurement":         {",host=n1 value=1", nil, rejected("the measurement's name is missing")},
		"no field":               {"cpu_load,host=n1", nil, rejected("a field is missing: a line is <measurement>,<tags> <field>=<value>,... [<time>]")},
		"no number":              {"cpu_load,host=n1 value=NaN", nil, rejected(`field value: value "NaN" is not a number`)},
		"a text without an end":  {`cpu_load,host=n1 value="a`, nil, rejected("field value: the text has no end")},
		"no host":                {"cpu_load value=1", nil, rejected("tag hostname is missing")},
		"a host that leads out":  {"cpu_load,host=../n1 value=1", nil, rejected(`cluster or host "../n1" contains a slash, a backslash or two dots`)},
		"no time":                {"cpu_load,host=n1 value=1 soon", nil, rejected(`time "soon" is not a whole number`)},
		"another cluster":        {"cpu_load,host=n1,cluster=nosuch value=1", nil, rejected(`unknown cluster "nosuch"`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, db := newService(t)
			got, err := s.WriteInflux(t.Context(), metric.Source{Cluster: "alpha"}, time.Nanosecond, strings.NewReader(tt.line))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.what, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.want, held(s, db)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func rejected(reason string) metric.WriteResult {
	return metric.WriteResult{Rejected: 1, Rejects: []metric.Reject{{Line: 1, Reason: reason}}}
}

func TestTimesAreInTheUnitThatIsNamed(t *testing.T) {
	t.Parallel()
	for unit, at := range map[time.Duration]int64{
		time.Nanosecond: now.UnixNano(), time.Microsecond: now.UnixMicro(), time.Millisecond: now.UnixMilli(), time.Second: now.Unix(),
	} {
		s, db := newService(t)
		if r, err := s.WriteInflux(t.Context(), metric.Source{Cluster: "alpha"}, unit, strings.NewReader(fmt.Sprintf("cpu_load,host=n1 value=1 %d", at))); err != nil || r.Taken != 1 {
			t.Fatal(unit, r, err)
		}
		if newest, _, _ := db.Latest("alpha", "n1", "cpu_load"); newest != now.Unix() {
			t.Errorf("%v: %d", unit, newest)
		}
	}
}

// Where both kinds of line come, a line of ClusterCockpit's is what it is without the other kind: its tags make no origin, and
// none of them is a thread.
func TestLinesOfBothKindsComeTogether(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lines string
		want  []string
		what  metric.WriteResult
	}{
		"both":                 {"cpu_load,hostname=n1 value=1 %[1]d\ncpu,host=n2 load=2,idle=3i %[2]d", []string{"n1 cpu_load=1", "n2 cpu_load=2"}, metric.WriteResult{Taken: 2, Dropped: 1}},
		"nanoseconds":          {"cpu_load,hostname=n1 value=1 %[2]d\nflops,host=n1 any=2 %[1]d", []string{"n1 cpu_load=1", "n1 flops_any=2"}, metric.WriteResult{Taken: 2}},
		"tags that nobody has": {"cpu_load,hostname=n1,cpu=cpu1,rack=1 value=1 %[1]d\ncpu_load,hostname=n1,cpu=cpu1,rack=2 value=2 %[1]d", []string{"n1 cpu_load=2"}, metric.WriteResult{Taken: 2}},
		"two fields and a tag": {"cpu,host=n1,cpu=cpu1 load=1,load2=2 %[2]d", []string{"n1/hwthread1 cpu_load=1"}, metric.WriteResult{Taken: 1, Dropped: 1}},
		"value and another":    {"cpu_load,host=n1 value=1,x=2 %[2]d", []string{"n1 cpu_load=1"}, metric.WriteResult{Taken: 1, Dropped: 1}},
		"another and value":    {"cpu_load,host=n1 x=1,value=2 %[2]d", []string{"n1 cpu_load=2"}, metric.WriteResult{Taken: 1, Dropped: 1}},
		"escaped":              {`cpu_load,hostname=n1,x=a\ value\=1,y=\\ b value=3`, []string{"n1 cpu_load=3"}, metric.WriteResult{Taken: 1}},
		"an event":             {`event,hostname=n1 event="a, value=1" %[1]d`, nil, metric.WriteResult{Dropped: 1}},
		"no number":            {`cpu_load,hostname=n1 value="a"`, nil, rejected(`value "\"a\"" is not a number`)},
		"no field":             {"cpu_load,hostname=n1", nil, rejected("a field is missing: a line is <measurement>,<tags> <field>=<value>,... [<time>]")},
		"no line":              {"\n# value=1\n \n", nil, metric.WriteResult{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, db := newService(t)
			lines := strings.NewReplacer("%[1]d", strconv.FormatInt(now.Unix(), 10), "%[2]d", strconv.FormatInt(now.UnixNano(), 10)).Replace(tt.lines)
			got, err := s.WriteMixed(t.Context(), metric.Source{Cluster: "alpha"}, [][]byte{[]byte(lines)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.what, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.want, held(s, db)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzMixed: a line that WriteFrom takes, WriteMixed takes as well, and makes the same of it.
func FuzzMixed(f *testing.F) {
	for _, line := range []string{
		"cpu_load,hostname=n1 value=1", "cpu_load,hostname=n1,cpu=cpu1 value=1 1795463640", `cpu_load,hostname=n1,x=\ value\=1  value=2 1795463640000000000`,
		`cpu_load,hostname=n1,x=a\\ b value=1`, " cpu_load,hostname=n1 value=1\r", "# value=1", "", `ipc,hostname=n1 value=1i `, "cpu,host=n1 load=1,x=2",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\n") {
			t.Skip()
		}
		one, oneDB := newService(t)
		both, bothDB := newService(t)
		want, err := one.WriteFrom(t.Context(), metric.Source{Cluster: "alpha"}, strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		got, err := both.WriteMixed(t.Context(), metric.Source{Cluster: "alpha"}, [][]byte{[]byte(line)})
		if err != nil {
			t.Fatal(err)
		}
		if want.Taken+want.Dropped > 0 && !cmp.Equal(want, got) {
			t.Errorf("%+v became %+v", want, got)
		}
		if want.Taken > 0 && !cmp.Equal(held(one, oneDB), held(both, bothDB)) {
			t.Errorf("%v became %v", held(one, oneDB), held(both, bothDB))
		}
	})
}

// Tags that the store does not keep must not make one series of two.
func TestTwoSourcesDoNotShareASeries(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	write := func(line string) metric.WriteResult {
		t.Helper()
		r, err := s.WriteInflux(t.Context(), metric.Source{Cluster: "alpha"}, time.Second, strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := write("cpu_load,host=n1,disk=sda,rack=1 value=1"); r.Taken != 1 {
		t.Error(r)
	}
	if r := write("cpu_load,rack=1,host=n1,disk=sda value=2"); r.Taken != 1 {
		t.Error("the same tags in another order:", r)
	}
	r := write("cpu_load,host=n1,disk=sdb,rack=1 value=3\ncpu_load,host=n2,disk=sdb,rack=1 value=4")
	if r.Taken != 1 || r.Rejected != 1 || !strings.Contains(r.Rejects[0].Reason, `another source already, which differs only in labels that are not kept (here disk="sdb", rack="1"); tell`) {
		t.Error(r)
	}
	if r := write("cpu_load,host=n1 value=3"); r.Rejected != 1 || !strings.Contains(r.Rejects[0].Reason, "not kept; tell") {
		t.Error("one that says nothing more:", r)
	}
	if r := write("cpu_load,host=n1,disk=sdb,stype=disk,stype-id=sdb value=5"); r.Taken != 1 {
		t.Error("told apart:", r)
	}
	if diff := cmp.Diff([]string{"n1 cpu_load=2", "n1/disksdb cpu_load=5", "n2 cpu_load=4"}, held(s, db)); diff != "" {
		t.Error(diff)
	}
}

func TestSamplesOfOthersAreHeldToTheRules(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	sample := func(host, name string) *metric.Foreign {
		f := &metric.Foreign{}
		f.Host, f.Metric, f.Value = []byte(host), []byte(name), 1
		return f
	}
	bad := []*metric.Foreign{
		sample("", "ipc"), sample("n1", ""), sample("a/b", "ipc"), sample("n\n1", "ipc"), sample("n1", "\xff"), sample(strings.Repeat("n", 256), "ipc"),
	}
	r, err := s.WriteSamples(t.Context(), metric.Source{Cluster: "alpha"}, slices.Values(append(bad, sample("n1", "ipc"))))
	if err != nil || r.Taken != 1 || r.Rejected != len(bad) {
		t.Errorf("%+v, %v", r, err)
	}
}

// FuzzInflux: whatever the line is, nothing breaks, and what is stored can be told by its counts.
func FuzzInflux(f *testing.F) {
	for _, line := range []string{
		"cpu,cpu=cpu0,host=n1 usage_user=1,usage_idle=2i 1795463640000000000", `m,host=a\ b v="x\"y",t=T,value=1e3`, "cpu_load,host=n1 value=1",
		`m,host=n1 v="`, "m,host=n1 v=", ",,,", "m,host=n1,cpu=cpu value=1", `m\,x,host=n1 a\=b=1u -1`, "cpu_load,host=n1 value=1\ncpu_load,host=n1,a=b value=2",
	} {
		f.Add(line)
	}
	s, _ := newService(f)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := s.WriteInflux(t.Context(), metric.Source{Cluster: "alpha"}, time.Nanosecond, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(text, "\n") + 1; r.Rejected > lines {
			t.Errorf("%d of %d lines rejected", r.Rejected, lines)
		}
	})
}

package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

const alpha = `{
  "name": "alpha",
  "metricConfig": [
    {"name": "cpu_load", "unit": {"base": ""}, "scope": "node", "timestep": 60, "aggregation": "avg", "footprint": "avg",
     "peak": 8, "normal": 8, "caution": 4, "alert": 1,
     "subClusters": [{"name": "big", "peak": 64, "normal": 64, "caution": 32, "alert": 8}]},
    {"name": "flops_any", "unit": {"base": "F/s", "prefix": "G"}, "scope": "hwthread", "timestep": 30, "aggregation": "sum",
     "peak": 100, "normal": 50, "caution": 20, "alert": 10, "restrict": true,
     "subClusters": [{"name": "big", "remove": true}]}
  ],
  "subClusters": [
    {"name": "rest", "nodes": "*", "processorType": "any", "socketsPerNode": 1, "coresPerSocket": 1, "threadsPerCore": 1,
     "topology": {"node": [0], "socket": [[0]], "memoryDomain": [[0]], "core": [[0]]}},
    {"name": "main", "nodes": "n[01-16]", "processorType": "Xeon", "socketsPerNode": 2, "coresPerSocket": 2, "threadsPerCore": 2,
     "flopRateScalar": {"unit": {"base": "F/s", "prefix": "G"}, "value": 14},
     "topology": {"node": [0,1,2,3,4,5,6,7], "socket": [[0,1,4,5],[2,3,6,7]], "memoryDomain": [[0,1,2,3,4,5,6,7]],
       "core": [[0,4],[1,5],[2,6],[3,7]],
       "accelerators": [{"id": "00000000:49:00.0", "type": "Nvidia GPU", "model": "A100"}]}},
    {"name": "big", "nodes": "fat1,fat2", "processorType": "Xeon", "socketsPerNode": 2, "coresPerSocket": 2, "threadsPerCore": 1,
     "topology": {"node": [0,1,2,3], "socket": [[0,1],[2,3]], "memoryDomain": [[0,1],[2,3]], "core": [[0],[1],[2],[3]]}}
  ]
}`

func parse(t *testing.T, text string) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestResolveSubClusterTakesTheStarLast(t *testing.T) {
	c := parse(t, alpha)
	for host, want := range map[string]string{"n01": "main", "n16": "main", "fat2": "big", "n17": "rest", "n1": "rest"} {
		sub, ok := c.ResolveSubCluster(host)
		if !ok || sub.Name != want {
			t.Errorf("%s belongs to %v, want %s", host, sub, want)
		}
	}
	c.SubClusters = c.SubClusters[1:]
	if sub, ok := c.ResolveSubCluster("n17"); ok {
		t.Errorf("n17 belongs to %s, want nothing", sub.Name)
	}
}

func TestMetricsOfAppliesOverridesAsAWhole(t *testing.T) {
	c := parse(t, alpha)
	if n := len(c.MetricsOf("main")); n != 2 {
		t.Errorf("main has %d metrics, want 2", n)
	}
	want := []cluster.MetricConfig{{
		Name: "cpu_load", Scope: metric.ScopeNode, Timestep: time.Minute, Aggregation: metric.AggregateAvg,
		// the override says nothing about the footprint, so there is none
		Limits: cluster.Limits{Peak: 64, Normal: 64, Caution: 32, Alert: 8},
	}}
	if diff := cmp.Diff(want, c.MetricsOf("big")); diff != "" {
		t.Errorf("metrics of big (-want +got):\n%s", diff)
	}
	if c.Metrics[0].Footprint != "avg" {
		t.Error("MetricsOf changed the cluster")
	}
}

func TestMeasuredLeavesOutWhatASubClusterLacks(t *testing.T) {
	c := parse(t, alpha)
	r, err := cluster.NewRegistry(c)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"cpu_load", "flops_any"}
	for host, want := range map[string][]string{"n01": all, "fat1": {"cpu_load"}, "n17": all} {
		if got := r.Measured("alpha", host); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
	c.SubClusters = c.SubClusters[2:]
	if got := r.Measured("alpha", "n17"); !slices.Equal(got, all) {
		t.Errorf("of no sub-cluster: %q", got)
	}
	if got := r.Measured("nosuch", "n01"); got != nil {
		t.Errorf("unknown cluster: %q", got)
	}
}

func TestCatalogue(t *testing.T) {
	want := metric.Catalogue{
		"cpu_load":  {Frequency: time.Minute, Aggregation: metric.AggregateAvg},
		"flops_any": {Frequency: 30 * time.Second, Aggregation: metric.AggregateSum},
	}
	if diff := cmp.Diff(want, parse(t, alpha).Catalogue()); diff != "" {
		t.Error(diff)
	}
}

func TestDerivedMetricsSurviveWriting(t *testing.T) {
	c := parse(t, strings.Replace(alpha, `"timestep": 30, "aggregation": "sum"`, `"timestep": 60, "aggregation": "p95", "derived": "rate(cpu_load) * 2"`, 1))
	text, err := cluster.Format(c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Catalogue(), parse(t, string(text)).Catalogue()); diff != "" {
		t.Error(diff)
	}
	if got := c.Catalogue()["flops_any"]; got.Derived.String() != "rate(cpu_load) * 2" || got.Aggregation != "p95" {
		t.Errorf("%+v", got)
	}
}

func TestTopologyFindsTheDomainOfAThread(t *testing.T) {
	main, ok := parse(t, alpha).SubCluster("main")
	if !ok {
		t.Fatal("no sub-cluster main")
	}
	tests := []struct {
		scope  metric.Scope
		thread int
		want   int
		ok     bool
	}{
		{metric.ScopeNode, 7, 0, true},
		{metric.ScopeSocket, 5, 0, true},
		{metric.ScopeSocket, 6, 1, true},
		{metric.ScopeMemoryDomain, 6, 0, true},
		{metric.ScopeCore, 6, 2, true},
		{metric.ScopeHWThread, 6, 6, true},
		{metric.ScopeHWThread, 8, 8, false},
		{metric.ScopeSocket, 8, -1, false},
		{metric.ScopeAccelerator, 0, -1, false},
	}
	for _, test := range tests {
		got, ok := main.Topology.DomainOf(test.scope, test.thread)
		if got != test.want || ok != test.ok {
			t.Errorf("%s of thread %d: %d, %v; want %d, %v", test.scope, test.thread, got, ok, test.want, test.ok)
		}
	}
	if diff := cmp.Diff([][]int{{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}}, main.Topology.Domains(metric.ScopeHWThread)); diff != "" {
		t.Error(diff)
	}
}

func TestParseNamesTheMemberThatIsWrong(t *testing.T) {
	tests := []struct{ old, new, want string }{
		{`"name": "alpha"`, `"name": "../alpha"`, `name: "../alpha" is not a cluster's name`},
		{`"name": "flops_any"`, `"name": "cpu_load"`, `metricConfig[1].name: metric "cpu_load" is there twice`},
		{`"name": "flops_any"`, `"nam": "flops_any"`, `metricConfig[1].name: is missing`},
		{`"scope": "hwthread"`, `"scope": "thread"`, `metricConfig[1].scope: unknown scope "thread"`},
		{`"timestep": 30`, `"timestep": 0`, `metricConfig[1].timestep: must be 1 to 86400 seconds, is 0`},
		{`"timestep": 30`, `"timestep": "30"`, "line 7: metricConfig.timestep: a whole number is expected, not a string"},
		{`"aggregation": "sum"`, `"aggregation": "total"`, `metricConfig[1].aggregation: unknown aggregation "total"`},
		{`"aggregation": "sum"`, `"derived": "cpu_load *"`, `metricConfig[1].derived: expression "cpu_load *", character 11`},
		{`"aggregation": "sum"`, `"derived": "flops_any + 1"`, `metricConfig[1].derived: flops_any is derived of itself`},
		{`"aggregation": "sum"`, `"derived": "cpu_load + 1"`, `metricConfig[1].derived: flops_any is computed every 30s, which is no multiple of the 1m0s of cpu_load`},
		{`"footprint": "avg"`, `"footprint": "mean"`, `metricConfig[0].footprint: unknown statistic "mean"`},
		{`"restrict": true`, `"energy": "heat"`, `metricConfig[1].energy: unknown kind "heat"`},
		{`{"name": "big", "remove": true}`, `{"name": "bg"}`, `metricConfig[1].subClusters[0].name: there is no sub-cluster "bg"`},
		{`{"name": "big", "remove": true}`, `{"name": "big"}, {"name": "big"}`, `metricConfig[1].subClusters[1].name: sub-cluster "big" is there twice`},
		{`"name": "main"`, `"name": "rest"`, `subClusters[1].name: sub-cluster "rest" is there twice`},
		{`n[01-16]`, `n[01-`, `subClusters[1].nodes: host list "n[01-": character 6`},
		{`"nodes": "*"`, `"node": "*"`, `subClusters[0].nodes: is missing`},
		{`[2,3,6,7]`, `[2,3,4,7]`, `subClusters[1].topology.socket: hardware thread 4 is there twice`},
		{`"node": [0],`, `"node": [-1],`, `subClusters[0].topology.node: hardware thread -1 is negative`},
		{`"id": "00000000:49:00.0"`, `"id": ""`, `subClusters[1].topology.accelerators[0].id: is missing`},
		{`"metricConfig": [`, `"metricConfig": [,`, "line 3: not valid JSON: invalid character"},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			text := strings.Replace(alpha, test.old, test.new, 1)
			if text == alpha {
				t.Fatalf("%s is not in the text", test.old)
			}
			_, err := cluster.Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestParseReportsEverythingAtOnce(t *testing.T) {
	text := strings.NewReplacer(`"timestep": 30`, `"timestep": -1`, `"scope": "node"`, `"scope": "rack"`, `"*"`, `"n["`).Replace(alpha)
	_, err := cluster.Parse([]byte(text))
	if err == nil {
		t.Fatal("no error")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 3 {
		t.Errorf("%d problems, want 3:\n%v", len(lines), err)
	}
}

func TestFormatThenParseGivesTheSameCluster(t *testing.T) {
	want := parse(t, alpha)
	text, err := cluster.Format(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, parse(t, string(text)), sameList()); diff != "" {
		t.Error(diff)
	}
	want.Name = ""
	if _, err := cluster.Format(want); err == nil {
		t.Error("a cluster without a name was written")
	}
}

func sameList() cmp.Option {
	return cmp.Comparer(func(a, b hostlist.List) bool { return a.String() == b.String() })
}

func TestLoadDirReadsWhatWriteDirWrote(t *testing.T) {
	root := filepath.Join(t.TempDir(), "archive")
	want := parse(t, alpha)
	second := parse(t, alpha)
	second.Name = "aaa"
	for _, c := range []*cluster.Cluster{want, second, want} { // writing twice replaces
		if err := cluster.WriteDir(root, c); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(root, "version.txt"), "3")
	if err := os.Mkdir(filepath.Join(root, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	r, err := cluster.LoadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*cluster.Cluster{second, want}, r.List(), sameList()); diff != "" {
		t.Error(diff)
	}
	if c, ok := r.Get("alpha"); !ok || c.Name != "alpha" {
		t.Errorf("Get(alpha) = %v, %v", c, ok)
	}
	if _, ok := r.Get("beta"); ok {
		t.Error("there is a cluster beta")
	}
}

func TestLoadDirWithoutClustersIsEmpty(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		r, err := cluster.LoadDir(dir)
		if err != nil || len(r.List()) != 0 {
			t.Errorf("%s: %v, %v", dir, r, err)
		}
	}
}

func TestLoadDirNamesTheFileThatIsWrong(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"beta": alpha, "gamma": "{"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(root, name, "cluster.json"), text)
	}
	_, err := cluster.LoadDir(root)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		filepath.Join("beta", "cluster.json") + `: name: is "alpha", but the folder is "beta"`,
		filepath.Join("gamma", "cluster.json") + ": line 1: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v\nwant %s", err, want)
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestNewRegistryRefusesTwins(t *testing.T) {
	c := parse(t, alpha)
	if _, err := cluster.NewRegistry(c, c); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("error is %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(alpha))
	f.Add([]byte(`{"name":"a","metricConfig":[{"name":"m","scope":"core","timestep":1}]}`))
	f.Add([]byte(`{"name":"a","metricConfig":[{"name":"m","scope":"core","timestep":1},{"name":"d","scope":"core","timestep":1,"derived":"m/2"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := cluster.Parse(text)
		if err != nil {
			return
		}
		again, err := cluster.Format(c)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := cluster.Parse(again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if diff := cmp.Diff(c, back, sameList(), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

func ExampleCluster_ResolveSubCluster() {
	c, err := cluster.Parse([]byte(alpha))
	if err != nil {
		fmt.Println(err)
		return
	}
	sub, _ := c.ResolveSubCluster("n07")
	socket, _ := sub.Topology.DomainOf(metric.ScopeSocket, 6)
	fmt.Println(sub.Name, "socket", socket)
	// Output: main socket 1
}

func ExampleCluster_MetricsOf() {
	c, err := cluster.Parse([]byte(alpha))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range c.MetricsOf("main") {
		fmt.Println(m.Name, m.Scope, m.Timestep, m.Peak)
	}
	// Output:
	// cpu_load node 1m0s 8
	// flops_any hwthread 30s 100
}

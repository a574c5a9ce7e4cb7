package cluster_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster/clustertest"
)

func TestRealClustersLoad(t *testing.T) {
	r, err := cluster.LoadDir(filepath.Join(clustertest.RealData(t), "job-archive"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		cluster, host, sub string
		metrics, threads   int
	}{
		{"alex", "a0224", "a40", 15, 128},
		{"alex", "a0831", "a100m80", 15, 128},
		{"emmy", "w1127", "haswell", 9, 4},
		{"emmy", "w2235", "icelake", 13, 72},
		{"fritz", "f0649", "main", 19, 72},
		{"fritz", "f2257", "spr1tb", 15, 103},
	}
	for _, test := range tests {
		c, ok := r.Get(test.cluster)
		if !ok {
			t.Fatalf("no cluster %s", test.cluster)
		}
		sub, ok := c.ResolveSubCluster(test.host)
		if !ok || sub.Name != test.sub {
			t.Errorf("%s belongs to %v, want %s", test.host, sub, test.sub)
			continue
		}
		if n := len(c.MetricsOf(sub.Name)); n != test.metrics {
			t.Errorf("%s has %d metrics, want %d", sub.Name, n, test.metrics)
		}
		if n := len(sub.Topology.Node); n != test.threads {
			t.Errorf("%s has %d threads, want %d", sub.Name, n, test.threads)
		}
	}
}

func TestRealClustersSurviveWriting(t *testing.T) {
	r, err := cluster.LoadDir(filepath.Join(clustertest.RealData(t), "job-archive"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, c := range r.List() {
		if err := cluster.WriteDir(root, c); err != nil {
			t.Fatal(err)
		}
	}
	again, err := cluster.LoadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.List(), again.List(), sameList()); diff != "" {
		t.Error(diff)
	}
}

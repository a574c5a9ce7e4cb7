package sim_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
)

func clustersim(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = sim.Main(t.Context(), sim.Env{Args: args, Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }})
	return code, out.String(), errs.String()
}

func TestConfigWritesClustersThatLoad(t *testing.T) {
	dir := t.TempDir()
	args := []string{"config", dir, "--nodes", "8"}
	want := 1
	if _, err := os.Stat("/proc/cpuinfo"); err == nil {
		args, want = append(args, "--host"), 2
	}
	if code, _, stderr := clustersim(t, args...); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	reg, err := cluster.LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(reg.List()); got != want {
		t.Fatalf("%d clusters, want %d", got, want)
	}
	c, _ := reg.Get("sim")
	for _, host := range []string{"n0", "n7"} {
		if _, ok := c.ResolveSubCluster(host); !ok {
			t.Errorf("no sub-cluster has %s", host)
		}
	}
	if sub, _ := c.ResolveSubCluster("n7"); sub.Name != "a100" || len(c.MetricsOf("a100")) != len(c.MetricsOf("milan"))+2 {
		t.Errorf("n7 is in %s; metrics: %d and %d", sub.Name, len(c.MetricsOf("a100")), len(c.MetricsOf("milan")))
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown flag", []string{"run", "--nosuch"}, 2, "unknown flag"},
		{"no archive", []string{"config"}, 2, "ARCHIVE"},
		{"no token", []string{"run"}, 2, "--token-file"},
		{"empty token file", []string{"run", "--token-file", empty}, 1, "holds no token"},
		{"too few nodes", []string{"config", t.TempDir(), "--nodes", "1"}, 2, "from 2 to 20000"},
		{"unknown tongue", []string{"load", "ask", "--speak", "flux"}, 2, "it is cockpit or influx"},
		{"odd step", []string{"config", t.TempDir(), "--step", "1500ms"}, 2, "whole seconds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := clustersim(t, tt.args...)
			if code != tt.code || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, stderr %q; want %d and %q", code, stderr, tt.code, tt.want)
			}
		})
	}
}

package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// oldFile is a checkpoint of ClusterCockpit's metric store: one metric, every minute, up to a minute ago.
func oldFile(metric string) []byte {
	return fmt.Appendf(nil, `{"from":0,"to":0,"metrics":{%q:{"frequency":60,"start":%d,"data":[1,null,3.25]}},"children":{}}`,
		metric, time.Now().Add(-3*time.Minute).Unix())
}

func lay(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheckpointsAreImportedByAFlag(t *testing.T) {
	initialised(t)
	lay(t, "var/job-archive/alpha/cluster.json", []byte(`{"name": "alpha", "subClusters": [], "metricConfig": [
		{"name": "cpu_load", "unit": {"base": ""}, "scope": "node", "timestep": 60, "peak": 8, "normal": 8, "caution": 4, "alert": 1}]}`))
	lay(t, "old/alpha/n01/1795463640.json", oldFile("cpu_load"))
	lay(t, "old/alpha/n02/1795463640.json", oldFile("power"))
	lay(t, "old/alpha/n03/1795463640.bin", []byte("rubbish"))
	for range 2 {
		code, stdout, stderr := backend(t.Context(), "-import-checkpoints", "old", "-cleanup-checkpoints")
		want := "Imported 2 samples of 1 series of 1 hosts from 3 files.\nRefused: 2 samples: metric power is not configured.\n" +
			"Not read: alpha/n03/1795463640.bin: the file is damaged: it does not begin as a snapshot\nNo errors, server flag not set. Exiting cc-backend.\n"
		if code != 0 || stdout != want || stderr != "" {
			t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
		}
	}
	code, _, stderr := backend(t.Context(), "-import-checkpoints", "nosuch")
	if code != 1 || !strings.Contains(stderr, "there is no folder nosuch") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

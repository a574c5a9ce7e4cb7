// Package clustertest finds the data of real clusters, for tests that read it.
package clustertest

import (
	"os"
	"path/filepath"
	"testing"
)

// RealData returns the folder with the data of real clusters: job-archive/ in ClusterCockpit's layout, and import/. It
// is what BRIDGEHEAD_TESTDATA names, else shared/data beside the repository. Without any the test is skipped.
func RealData(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("BRIDGEHEAD_TESTDATA"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		data := filepath.Join(dir, "..", "shared", "data")
		if info, err := os.Stat(data); err == nil && info.IsDir() {
			return data
		}
	}
	tb.Skip("no data of real clusters: set BRIDGEHEAD_TESTDATA to a folder with job-archive/ and import/")
	return ""
}

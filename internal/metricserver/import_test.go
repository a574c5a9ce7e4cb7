package metricserver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricserver"
)

func TestCheckpointsAreImportedIntoTheirOwnFolder(t *testing.T) {
	dir := t.TempDir()
	host := filepath.Join(dir, "alpha", "n01")
	if err := os.MkdirAll(host, 0o700); err != nil {
		t.Fatal(err)
	}
	file := fmt.Appendf(nil, `{"from":0,"to":0,"metrics":{"cpu_load":{"frequency":60,"start":%d,"data":[1,2.5]}},"children":{}}`, time.Now().Add(-5*time.Minute).Unix())
	if err := os.WriteFile(filepath.Join(host, "1795463640.json"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	config := settings(t, "127.0.0.1:0", "", dir)

	log := newOutput()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- metricserver.Main(ctx, metricserver.Env{Args: []string{"-loglevel", "info", "-config", config}, Stdout: io.Discard, Stderr: log})
	}()
	log.wait(t, ended)
	cancel()
	if <-ended; !strings.Contains(log.String(), "take them over with -import-checkpoints, once") {
		t.Errorf("no hint: %s", log)
	}

	var stdout, stderr bytes.Buffer
	code := metricserver.Main(t.Context(), metricserver.Env{Args: []string{"-config", config, "-import-checkpoints", dir}, Stdout: &stdout, Stderr: &stderr})
	if code != 0 || stdout.String() != "Imported 2 samples of 1 series of 1 hosts from 1 files.\n" || stderr.Len() > 0 {
		t.Errorf("exit code %d, %q, %q", code, &stdout, &stderr)
	}
	code = metricserver.Main(t.Context(), metricserver.Env{Args: []string{"-config", config, "-import-checkpoints", "/nosuch"}, Stdout: &stdout, Stderr: &stderr})
	if code != 1 || !strings.Contains(stderr.String(), "there is no folder /nosuch") {
		t.Errorf("exit code %d, %q", code, &stderr)
	}

	url, _ := start(t, "-config", config)
	now := time.Now().Unix()
	code, body := request(t, "POST", url+"/api/query", "", fmt.Sprintf(`{"cluster":"alpha","from":%d,"to":%d,"with-padding":false,"queries":[{"metric":"cpu_load","host":"n01"}]}`, now-3600, now))
	if code != 200 || !strings.Contains(body, `"data":[1.000,2.500]`) {
		t.Errorf("%d %s", code, body)
	}
}

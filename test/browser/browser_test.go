// Package browser_test walks through the pages in a real browser, on a real server with a simulated cluster.
package browser_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/porttest"
)

const (
	chromium = "/usr/bin/chromium"
	password = "correct horse battery staple"
)

// result is the last line that run.mjs prints.
type result struct {
	Token     string `json:"token"`
	TokenFor  string `json:"tokenFor"`
	Checks    int    `json:"checks"`
	FirstLoad any    `json:"firstLoad"`
}

func TestAPersonLogsInReadsAJobAndMakesAToken(t *testing.T) {
	needBrowser(t)
	dir := t.TempDir()
	build(t, dir)
	url := startHead(t, dir)
	startCluster(t, dir, url)

	shots := filepath.Join(dir, "shots")
	if keep := os.Getenv("SCREENSHOTS"); keep != "" {
		shots = keep
	}
	out := command(t, ".", "node", "run.mjs", url, "demo", password, shots, "alice")
	var res result
	if err := json.Unmarshal([]byte(lastLine(out)), &res); err != nil {
		t.Fatalf("the last line is no JSON: %v\n%s", err, out)
	}
	t.Logf("%d checks; first load: %v", res.Checks, res.FirstLoad)
	if res.TokenFor != "alice" || strings.Count(res.Token, ".") != 2 {
		t.Fatalf("no token for alice: %+v", res)
	}

	// The token that the page showed works where a script would use it, and is alice's: she sees her own jobs only.
	jobs := command(t, dir, "curl", "-fsS", "-H", "Authorization: Bearer "+res.Token, url+"/api/jobs/?items-per-page=1000")
	if strings.Contains(strings.ReplaceAll(jobs, `"user":"alice"`, ""), `"user":`) || !strings.Contains(jobs, `"total":`) {
		t.Errorf("alice's token shows %.300s", jobs)
	}
	who := command(t, dir, "curl", "-fsS", "-H", "Authorization: Bearer "+res.Token, url+"/api/v1/whoami")
	if !strings.Contains(who, `"name":"alice"`) || !strings.Contains(who, `"impersonated_by":"demo"`) {
		t.Errorf("whoami with the token: %s", who)
	}
}

func build(t *testing.T, dir string) {
	t.Helper()
	command(t, "../..", "go", "build", "-o", dir, "./cmd/cc-backend", "./cmd/clustersim")
}

// startHead sets up a head node with an administrator and a user, and returns its address once it is ready.
func startHead(t *testing.T, dir string) (url string) {
	t.Helper()
	addr := porttest.Addr(t)
	backend := filepath.Join(dir, "cc-backend")
	command(t, dir, backend, "-init")
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	// The path of a local socket is limited to 107 bytes, which a test's folder may exceed.
	config = bytes.Replace(config, []byte("./var/auth.sock"), []byte("none"), 1)
	config = bytes.Replace(config, []byte("127.0.0.1:8080"), []byte(addr), 1)
	// Nobody below has this role; the walk through the pages about people makes somebody.
	config = bytes.Replace(config, []byte(`"auth": {`), []byte(`"auth": {"totp": {"required-roles": ["support"]},`), 1)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, dir, backend, "-add-user", "demo:admin,api,role.FullAdmin:"+password)
	command(t, dir, backend, "-add-user", "alice:user:"+password)
	command(t, dir, backend, "-add-user", "clustersim:api,role.ProductionEngineer:")
	token := command(t, dir, backend, "-jwt", "clustersim")
	if err := os.WriteFile(filepath.Join(dir, "sim.token"), []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, dir, filepath.Join(dir, "clustersim"), "config", "var/job-archive", "--nodes", "8", "--step", "10s")
	background(t, dir, backend, "-server")
	url = "http://" + addr
	waitFor(t, url+"/readyz")
	return url
}

// startCluster makes an hour of history and then lives.
func startCluster(t *testing.T, dir, url string) {
	t.Helper()
	sim := filepath.Join(dir, "clustersim")
	command(t, dir, sim, "run", "--url", url, "--token-file", "sim.token", "--nodes", "8", "--step", "10s", "--backfill", "1h", "--once")
	background(t, dir, sim, "run", "--url", url, "--token-file", "sim.token", "--nodes", "8", "--step", "10s", "--backfill", "10m")
}

// command runs a program to its end and returns its standard output.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", filepath.Base(name), args, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// background runs a program until the test ends, and shows what it said if the test has failed.
func background(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background()) // t.Context ends before the cleanup that waits for it
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := cmd.Wait(); err != nil && ctx.Err() == nil || t.Failed() {
			t.Logf("%s %v: %v\n%s", filepath.Base(name), args, err, stderr.String())
		}
	})
}

// waitFor asks until the answer is 200.
func waitFor(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	client := &http.Client{}
	last := errors.New("not asked yet")
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("status %d", resp.StatusCode)
		}
		last = err
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not answer: %v", url, last)
}

package metricserver_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
	natsclient "github.com/nats-io/nats.go"

	"github.com/bridgehead-hpc/bridgehead/internal/bus/bustest"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metricserver"
)

func TestSamplesComeOverNATSAndNoneIsLostAtTheEnd(t *testing.T) {
	s := bustest.Start(t, nats.Options{Username: "store", Password: "hush hush"})
	nc := bustest.Connect(t, s.ClientURL(), natsclient.UserInfo("store", "hush hush"))

	dir := t.TempDir()
	config := configFile(t, fmt.Sprintf(`{"main": {"addr": "127.0.0.1:0"}, %s, "metric-store": {"retention-in-memory": "48h", "checkpoints": {"directory": %q},
		"nats-subscriptions": [{"subscribe-to": "metrics", "cluster-tag": "alpha"}]},
		"nats": {"address": %q, "username": "store", "password": "hush hush"}}`, metricsSection, dir, s.ClientURL()))
	url, stop := start(t, "-config", config)
	now := time.Now().Unix()
	at := func(i int) int64 { return now - 1000 - int64(60*i) }
	read := func(url string) string {
		_, body := request(t, "POST", url+"/api/query", "", fmt.Sprintf(`{"cluster":"alpha","from":%d,"to":%d,"with-data":false,"with-padding":false,"queries":[{"metric":"cpu_load","host":"n01"}]}`, now-86400, now+60))
		return body
	}
	var wall clock.System
	for deadline := wall.Now().Add(20 * time.Second); !strings.Contains(read(url), `"max":1.00`); <-wall.After(20 * time.Millisecond) {
		if wall.Now().After(deadline) {
			t.Fatal(read(url))
		}
		if err := errors.Join(nc.Publish("metrics", fmt.Appendf(nil, "cpu_load,hostname=n01 value=1 %d", now)), nc.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		if err := nc.Publish("metrics", fmt.Appendf(nil, "cpu_load,hostname=n01 value=2 %d\n", at(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if code := stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	url, _ = start(t, "-config", config)
	_, body := request(t, "POST", url+"/api/query", "", fmt.Sprintf(`{"cluster":"alpha","from":%d,"to":%d,"with-data":true,"with-stats":false,"queries":[{"metric":"cpu_load","host":"n01"}]}`, now-86400, now+60))
	if ones, twos := strings.Count(body, "1.000"), strings.Count(body, "2.000"); ones != 1 || twos != 1000 {
		t.Errorf("%d samples of 1 and %d of 2: %.300s", ones, twos, body)
	}
	_, figures := request(t, "GET", url+"/metrics", "", "")
	for _, want := range []string{"metricstore_nats_messages_total 0", "metricstore_segments ", "metricstore_unreadable_total 0", "metricstore_series 1"} {
		if !strings.Contains(figures, want) {
			t.Errorf("%s is not in %s", want, figures)
		}
	}
}

func TestEnvironmentHasThePasswordOfOneServer(t *testing.T) {
	env := func(name string) string { return map[string]string{"NATS_PASSWORD": "hush hush"}[name] }
	file := configFile(t, `{`+metricsSection+`, "retention-in-memory": "1h", "nats": [{"address": "nats://x"}, {"address": "nats://y"}]}`)
	var stderr bytes.Buffer
	code := metricserver.Main(t.Context(), metricserver.Env{Args: []string{"-config", file}, Stdout: io.Discard, Stderr: &stderr, Getenv: env})
	if code != 1 || !strings.Contains(stderr.String(), "are for one NATS server") || strings.Contains(stderr.String(), "hush") {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}

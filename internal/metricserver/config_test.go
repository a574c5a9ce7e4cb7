package metricserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricserver"
)

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const metricsSection = `"metrics": {"cpu_load": {"frequency": 60, "aggregation": null}, "flops_any": {"frequency": 10, "aggregation": "sum"}, "ipc": {"frequency": 60, "aggregation": "avg"}}`

func catalogue() metric.Catalogue {
	return metric.Catalogue{
		"cpu_load":  {Frequency: time.Minute},
		"flops_any": {Frequency: 10 * time.Second, Aggregation: metric.AggregateSum},
		"ipc":       {Frequency: time.Minute, Aggregation: metric.AggregateAvg},
	}
}

func TestBothGenerationsOfFilesAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want metricserver.Config
	}{
		"1.5": {
			`{
			"main": {"addr": "0.0.0.0:8082", "https-cert-file": "c.pem", "https-key-file": "k.pem", "user": "u", "group": "g",
				"backend-url": "http://x", "jwt-public-key": "KEY", "debug": {"dump-to-file": "dump", "gops": false}}, ` + metricsSection + `,
			"metric-store": {"retention-in-memory": "48h", "memory-cap": 2, "num-workers": 4, "checkpoint-interval": "1h",
				"checkpoints": {"file-format": "json", "directory": "/data", "max-wal-size": 1000}, "cleanup": {"mode": "archive", "directory": "/old"},
				"nats-subscriptions": [{"subscribe-to": "x", "cluster-tag": "alpha", "queue-group": "stores"}]},
			"nats": {"address": "nats://x", "username": "u", "password": "p", "clusters": ["alpha"]}, "somebody-elses": {"a": 1}}`,
			metricserver.Config{
				Addr: "0.0.0.0:8082", CertFile: "c.pem", KeyFile: "k.pem", User: "u", Group: "g", PublicKey: "KEY", BackendURL: "http://x", Metrics: catalogue(),
				Dir: "/data", Retention: 48 * time.Hour, CheckpointEvery: time.Hour, MaxLogBytes: 1000, MemoryCap: 2 << 30,
				NATS: []metricserver.NATS{{
					Config:        bus.Config{URL: "nats://x", Name: "cc-metric-store", Username: "u", Password: "p"},
					Subscriptions: []ingest.Subscription{{Subscription: bus.Subscription{Subject: "x", Queue: "stores"}, Cluster: "alpha"}},
					Clusters:      []string{"alpha"},
				}},
				Notes: []string{
					"main.debug.dump-to-file has no effect; /api/debug shows what is stored",
					"metric-store.checkpoints.file-format has no effect: files have a form of their own; those of ClusterCockpit's store are read by -import-checkpoints",
					"metric-store.cleanup.mode archive is not supported yet; samples beyond the retention are deleted",
					"section somebody-elses is unknown and ignored",
				},
			},
		},
		"0.1": {
			`{` + metricsSection + `, "checkpoints": {"interval": "12h", "directory": "./var/cp", "restore": "48h"},
			"archive": {"interval": "168h", "directory": "./var/archive"}, "http-api": {"address": "127.0.0.1:8081"},
			"retention-in-memory": "48h", "jwt-public-key": "KEY", "checkpoint": {},
			"nats": [{"address": "nats://x", "subscriptions": [{"subscribe-to": "a.>", "cluster-tag": "a"}]}, {"address": "tls://y", "creds-file-path": "c"}]}`,
			metricserver.Config{
				Addr: "127.0.0.1:8081", PublicKey: "KEY", Metrics: catalogue(), Dir: "./var/cp", Retention: 48 * time.Hour, CheckpointEvery: 12 * time.Hour,
				NATS: []metricserver.NATS{
					{
						Config:        bus.Config{URL: "nats://x", Name: "cc-metric-store"},
						Subscriptions: []ingest.Subscription{{Subscription: bus.Subscription{Subject: "a.>"}, Cluster: "a"}},
					},
					{Config: bus.Config{URL: "tls://y", Name: "cc-metric-store", CredsFile: "c"}},
				},
				Notes: []string{
					"archive is not supported yet; samples beyond the retention are deleted",
					"section checkpoint is unknown and ignored",
				},
			},
		},
		"with a head": {
			`{"main": {"jwt-public-key": "KEY", "head-url": "https://head.example.org/", "status-interval": "5s"}, ` + metricsSection + `, "metric-store": {"retention-in-memory": "1h"}}`,
			metricserver.Config{
				Addr: "localhost:8082", PublicKey: "KEY", HeadURL: "https://head.example.org", StatusInterval: 5 * time.Second,
				Metrics: catalogue(), Dir: "./var/checkpoints", Retention: time.Hour,
			},
		},
		"with limits": {
			`{"main": {}, ` + metricsSection + `, "metric-store": {"retention-in-memory": "1h"},
			"prometheus": {"timeout": "10s", "max-samples": 1, "max-series": 2, "max-steps": 3, "concurrency": 4}}`,
			metricserver.Config{
				Addr: "localhost:8082", Metrics: catalogue(), Dir: "./var/checkpoints", Retention: time.Hour,
				Limits: promql.Limits{Timeout: 10 * time.Second, MaxSamples: 1, MaxSeries: 2, MaxSteps: 3, Concurrency: 4},
			},
		},
		"with a time for the disk": {
			`{"main": {}, ` + metricsSection + `, "metric-store": {"retention-in-memory": "1h", "sync-interval": "5s"}}`,
			metricserver.Config{Addr: "localhost:8082", Metrics: catalogue(), Dir: "./var/checkpoints", Retention: time.Hour, SyncEvery: 5 * time.Second},
		},
		"with no time for the disk": {
			`{"main": {}, ` + metricsSection + `, "metric-store": {"retention-in-memory": "1h", "sync-interval": "0s"}}`,
			metricserver.Config{Addr: "localhost:8082", Metrics: catalogue(), Dir: "./var/checkpoints", Retention: time.Hour, SyncEvery: -1},
		},
		"with sections that say nothing": {
			`{"main": null, "retention-in-memory": "1h", ` + metricsSection + `, "http-api": null, "nats": null, "archive": null, "prometheus": null}`,
			metricserver.Config{Addr: "localhost:8082", Metrics: catalogue(), Dir: "./var/checkpoints", Retention: time.Hour},
		},
		"as short as can be": {
			`{"main": {}, ` + metricsSection + `, "metric-store": {"retention-in-memory": "1h"}}`,
			metricserver.Config{Addr: "localhost:8082", Metrics: catalogue(), Dir: "./var/checkpoints", Retention: time.Hour},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := metricserver.ReadConfig(configFile(t, c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSectionsMayBeInOtherFiles(t *testing.T) {
	other := configFile(t, `{"retention-in-memory": "7h"}`)
	got, err := metricserver.ReadConfig(configFile(t, `{"main": {}, `+metricsSection+`, "metric-store-file": "`+other+`"}`))
	if err != nil || got.Retention != 7*time.Hour {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestMistakesInFilesAreNamed(t *testing.T) {
	store := `"metric-store": {"retention-in-memory": "48h"}`
	for text, want := range map[string]string{
		`{"main": {`:                          "line 1: not valid JSON: it ends too early",
		"{\n\"main\": {},\n\"metrics\" {}\n}": "line 3: not valid JSON: invalid character",
		`[]`:                                  "an object is expected",
		`{"main": {"adr": "x"}}`:              `main: unknown key "adr"`,
		`{"main": {"debug": {"go": 1}}}`:      `main: unknown key "go"`,
		`{"main": {"addr": 8082}}`:            "main: addr: a string is expected, not a number",
		`{"main": {}}`:                        "section metric-store is missing",
		`{"main": {}, ` + store + `}`:         "no metric is configured",
		`{"main": {}, ` + metricsSection + `, "metric-store": {}}`:                                                                                                      "retention-in-memory is missing",
		`{"main": {}, "metric-store": {"retention-in-memory": 48}}`:                                                                                                     "48 is not a duration",
		`{"main": {}, "metric-store": {"retention-in-memory": "2d"}}`:                                                                                                   `"2d" is not a duration`,
		`{"main": {}, "metric-store": {"retention": "2d"}}`:                                                                                                             `metric-store: unknown key "retention"`,
		`{"main": {}, ` + metricsSection + `, "metric-store": {"retention-in-memory": "1h", "memory-cap": -1}}`:                                                         "cannot be negative",
		`{"main": {}, ` + metricsSection + `, "metric-store": {"retention-in-memory": "1h", "checkpoints": {"file-format": "parquet"}}}`:                                `file-format is "parquet"`,
		`{"main": {}, ` + metricsSection + `, "metric-store": {"retention-in-memory": "1h", "cleanup": {"mode": "burn"}}}`:                                              `mode is "burn"`,
		`{"main": {}, ` + store + `, "metrics": {"m": {"frequency": 0}}}`:                                                                                               "metrics: m: frequency is 0",
		`{"main": {}, ` + store + `, "metrics": {"m": {"frequency": 1, "aggregation": "mean"}}}`:                                                                        `metrics: m: aggregation: unknown aggregation "mean"`,
		`{"main": {}, ` + store + `, "metrics": {"m": {"frequency": 1, "derived": "a /"}}}`:                                                                             `metrics: m: derived: expression "a /", character 4`,
		`{"main": {}, ` + store + `, "metrics": {"m": {"frequency": 1}, "n": {"frequency": 1, "derive": "m"}}}`:                                                         `metrics: n: unknown key "derive"`,
		`{"main": {}, ` + store + `, "metrics": {"m": {"frequency": 1}, "n": {"frequency": 1, "derived": 5}}}`:                                                          `metrics: n: derived: a string is expected`,
		`{"main": {}, ` + store + `, "metrics": {"m": {"frequency": 1, "derived": ""}}}`:                                                                                `metrics: m: derived: expression "", character 1`,
		`{"main": {}, ` + store + `, "metrics": {"m": {"frequency": 1, "derived": "m + 1"}}}`:                                                                           `metrics: m: derived: m is derived of itself: m of m`,
		`{"main": {}, ` + store + `, "metrics": {"m": {"frequency": 1, "unit": "x"}}}`:                                                                                  `metrics: m: unknown key "unit"`,
		`{"main": {"https-cert-file": "x"}, ` + metricsSection + `, ` + store + `}`:                                                                                     "belong together",
		`{"main": {"backend-url": "localhost:8080"}, ` + metricsSection + `, ` + store + `}`:                                                                            "backend-url is not where cc-backend is",
		`{"main": {"head-url": "head.example.org", "jwt-public-key": "K"}, ` + metricsSection + `, ` + store + `}`:                                                      "head-url is not where a head node is",
		`{"main": {"head-url": "https://h/api", "jwt-public-key": "K"}, ` + metricsSection + `, ` + store + `}`:                                                         "head-url is not where a head node is",
		`{"main": {"head-url": "https://h"}, ` + metricsSection + `, ` + store + `}`:                                                                                    "head-url needs jwt-public-key",
		`{"main": {"head-url": "https://h", "jwt-public-key": "K", "status-interval": "1ms"}, ` + metricsSection + `, ` + store + `}`:                                   "one second is the shortest",
		`{"main": {"status-interval": "1s"}, ` + metricsSection + `, ` + store + `}`:                                                                                    "head-url does not say where it is",
		`{"main": {}, ` + metricsSection + `, ` + store + `, "nats": {"address": "nats://a:secret@b"}}`:                                                                 "nats: address: the address of a NATS server must not hold credentials",
		`{"main": {}, ` + metricsSection + `, ` + store + `, "nats": {"address": "http://bus1:4222"}}`:                                                                  "nats: address: the address of a NATS server looks like nats://bus1:4222, or tls://bus1:4222",
		`{"main": {}, ` + metricsSection + `, "metric-store": {"retention-in-memory": "1h", "memory-cap": 68719476736}}`:                                                "memory-cap is 68719476736; it is a number of GB",
		`{"main": {}, ` + metricsSection + `, ` + store + `, "nats": {"addr": "x"}}`:                                                                                    `nats: unknown key "addr"`,
		`{` + metricsSection + `, "retention-in-memory": "1h", "nats": [{"address": "nats://x"}, {"address": "nats://x", "subscriptions": [{"subscribe-to": "a b"}]}]}`: `nats[1]: subscribe-to: subject "a b" is not valid`,
		`{"main": {}, ` + metricsSection + `, ` + store + `, "prometheus": {"max-series": -1}}`:                                                                         "prometheus: max-series is -1; it is at least 1, and 200000 where nothing is said",
		`{"main": {}, ` + metricsSection + `, ` + store + `, "prometheus": {"max": 1}}`:                                                                                 `prometheus: unknown key "max"`,
		`{"main-file": "/nosuch/file"}`:                                     "main-file: open /nosuch/file",
		`{"metrics": {"m": {"frequency": 1}}, "http-api": {"addr": "x"}}`:   `http-api: unknown key "addr"`,
		`{"metrics": {"m": {"frequency": 1}}, "checkpoints": {"intvl": 1}}`: `checkpoints: unknown key "intvl"`,
	} {
		_, err := metricserver.ReadConfig(configFile(t, text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, and not %q", text, err, want)
		}
	}
	if _, err := metricserver.ReadConfig("/nosuch/config.json"); err == nil || !strings.Contains(err.Error(), "name one with -config") {
		t.Errorf("no file: %v", err)
	}
}

package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
	natsclient "github.com/nats-io/nats.go"

	"github.com/bridgehead-hpc/bridgehead/internal/bus/bustest"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	head "github.com/bridgehead-hpc/bridgehead/internal/server"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
)

// natsServer runs a NATS server at which the head has a password and a publisher another one.
func natsServer(t *testing.T) (url string, publish func(subject, message string)) {
	t.Helper()
	s := bustest.Start(t, nats.Options{Users: []*nats.User{
		{Username: "head", Password: "hush hush", Permissions: &nats.Permissions{Publish: &nats.SubjectPermission{Deny: []string{">"}}}},
		{Username: "slurm", Password: "psst psst"},
	}})
	nc := bustest.Connect(t, s.ClientURL(), natsclient.UserInfo("slurm", "psst psst"))
	return s.ClientURL(), func(subject, message string) {
		t.Helper()
		if err := errors.Join(nc.Publish(subject, []byte(message)), nc.Flush()); err != nil {
			t.Fatal(err)
		}
	}
}

// jobEvent is a line of a scheduler's adapter.
func jobEvent(function, body string) string {
	return "job,function=" + function + ` event="` + strings.ReplaceAll(body, `"`, `\"`) + `" 1795459836`
}

func TestSamplesAndEventsComeOverNATS(t *testing.T) {
	t.Parallel()
	url, publish := natsServer(t)
	h := servertest.New(t, servertest.WithClusters(sim.NewMachine("alpha", 4, time.Minute).Cluster(), sim.NewMachine("beta", 4, time.Minute).Cluster()),
		servertest.WithConfig(func(c *head.Config) {
			c.NATS = &head.NATSConfig{Address: url, Username: "head", Clusters: []string{"alpha"}}
			c.MetricStore.NATSSubscriptions = []head.NATSSubscription{{SubscribeTo: "alpha.metrics.>", ClusterTag: "alpha", QueueGroup: "stores"}}
			c.Main.APISubjects = &head.APISubjectsConfig{SubjectJobEvent: "alpha.events.job", SubjectNodeState: "alpha.events.node"}
		}), servertest.WithSecrets(func(s *head.Secrets) { s.NATSPassword = "hush hush" }))
	token, admin := h.Token(identity.RoleAPI), h.Token(identity.RoleFullAdmin)
	now := time.Now().Unix()
	host := hostOf(t, h, token)
	// Until the head listens, messages are nobody's. What is told twice is told once.
	start := func(id int, cluster string) string {
		return jobEvent("start_job", fmt.Sprintf(`{"jobId":%d,"cluster":%q,"user":"bob","project":"p","numNodes":1,"startTime":%d,"resources":[{"hostname":%q}],"tags":[{"type":"app","name":"x","scope":"global"}]}`, id, cluster, now-100, host))
	}
	job := func(id int) string {
		return h.Do(servertest.Call{Path: fmt.Sprintf("/api/jobs/?jobId=%d", id), Token: token}).Body
	}
	eventually(t, func() error {
		publish("alpha.events.job", start(77, "alpha"))
		return contains(job(77), `"jobState":"running"`)
	})
	publish("alpha.events.job", jobEvent("stop_job", fmt.Sprintf(`{"jobId":77,"cluster":"alpha","stopTime":%d,"jobState":"failed"}`, now)))
	eventually(t, func() error { return contains(job(77), `"jobState":"failed"`) })

	eventually(t, func() error {
		publish("alpha.metrics.n01", fmt.Sprintf("cpu_load,hostname=%s value=3.25 %d\ncpu_load,hostname=%s,cluster=beta value=1\nbad", host, now-30, host))
		query := fmt.Sprintf(`{"cluster":"alpha","from":%d,"to":%d,"queries":[{"metric":"cpu_load","host":%q}]}`, now-3600, now+60, host)
		return contains(h.Do(servertest.Call{Method: "POST", Path: "/api/query/", Token: token, Body: query}).Body, "3.250")
	})
	// As Telegraf's outputs.nats sends them: several fields, nanoseconds, a line a message.
	eventually(t, func() error {
		publish("alpha.metrics.telegraf", fmt.Sprintf("mem,host=%s used=7.5,total=256i,used_percent=2.9 %d000000000\n", host, now-30))
		query := fmt.Sprintf(`{"cluster":"alpha","from":%d,"to":%d,"queries":[{"metric":"mem_used","host":%q}]}`, now-3600, now+60, host)
		return contains(h.Do(servertest.Call{Method: "POST", Path: "/api/query/", Token: token, Body: query}).Body, "7.500")
	})
	eventually(t, func() error {
		publish("alpha.events.node", `nodestate event="{\"cluster\":\"alpha\",\"nodes\":[{\"hostname\":\"`+host+`\",\"states\":[\"ALLOCATED\"]}]}"`)
		return contains(h.Do(servertest.Call{Path: "/api/v1/nodes", Token: admin}).Body, `"allocated"`)
	})

	// A message may do no more than its subject, and only in the clusters of the configuration.
	publish("alpha.events.node", start(78, "alpha"))
	publish("alpha.events.job", start(79, "beta"))
	var figures string
	eventually(t, func() error {
		figures = h.Do(servertest.Call{Path: "/metrics", Token: admin}).Body
		return errors.Join(contains(figures, `bridgehead_nats_events_total{outcome="refused",subject="alpha.events.node"} 1`), contains(figures, "metricstore_nats_messages_total"))
	})
	eventually(t, func() error {
		publish("alpha.events.job", start(80, "alpha")) // behind the one for beta
		return contains(job(80), `"jobState":"running"`)
	})
	for _, id := range []int{78, 79} {
		if err := contains(job(id), `"jobState"`); err == nil {
			t.Errorf("job %d was started", id)
		}
	}
	top := h.Do(servertest.Call{Path: "/api/metrics/top/", Token: admin})
	if top.Status != http.StatusOK || !strings.Contains(top.Body, `"source":"nats alpha.metrics.>"`) || !strings.Contains(top.Body, `does not reach the cluster`) {
		t.Errorf("%d %s", top.Status, top.Body)
	}
	trail := h.Do(servertest.Call{Path: "/api/v1/audit?action=job.start", Token: admin}).Body
	if strings.Contains(figures+trail, "hush hush") {
		t.Error("the password is shown")
	}
}

func contains(text, want string) error {
	if strings.Contains(text, want) {
		return nil
	}
	return fmt.Errorf("%q is not in %.2000s", want, text)
}

// hostOf is a host of the cluster alpha.
func hostOf(t *testing.T, h *servertest.Harness, token string) string {
	t.Helper()
	var list struct {
		Clusters []struct {
			SubClusters []struct{ Nodes string } `json:"subClusters"`
		}
	}
	h.Do(servertest.Call{Path: "/api/clusters/?cluster=alpha", Token: token}).Decode(t, &list)
	name, _, _ := strings.Cut(list.Clusters[0].SubClusters[0].Nodes, ",")
	if before, numbers, ok := strings.Cut(name, "["); ok {
		first, _, _ := strings.Cut(numbers, "-")
		return before + first
	}
	return name
}

func TestWrongNATSSettingsAreTold(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		`{"main": {}, "nats": {"address": "nats://a:b@c"}}`:                                                 "nats.address: the address of a NATS server must not hold credentials",
		`{"main": {}, "nats": {"addr": "nats://c"}}`:                                                        `unknown key "addr"; the keys here are address, username`,
		`{"main": {}, "nats": {"address": "nats://c"}, "metric-store": {"nats-subscriptions": [{}]}}`:       `metric-store.nats-subscriptions[0].subscribe-to: subject "" is not valid`,
		`{"main": {"api-subjects": {}}, "nats": {"address": "nats://c"}}`:                                   "main.api-subjects: neither",
		`{"main": {"api-subjects": {"subject-job-event": "a b"}}, "nats": {"address": "nats://c"}}`:         `subject-job-event: subject "a b"`,
		`{"main": {"api-subjects": {"subject-job-event": "a", "job-concurrency": -1}}}`:                     "job-concurrency (-1)",
		`{"main": {"api-subjects": {"subject-job-event": "a"}}, "metric-store": {"nats-subscriptions": 1}}`: "nats-subscriptions: an array is expected",
	} {
		path := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := head.ReadConfig(path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "a:b") {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(`{"main": {"api-subjects": {"subject-job-event": "a"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, notes, err := head.ReadConfig(path); err != nil || len(notes) != 1 || !strings.Contains(notes[0], "main.api-subjects: there is no section nats") {
		t.Errorf("%q, %v", notes, err)
	}
}

package attack_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
)

// wicked are names that would be something else as a part of a path, in a shell, on a page, or in a terminal.
var wicked = []string{
	"..", "../../../../tmp/wicked", "/tmp/wicked", `..\..\wicked`, "a/../../wicked", "n1/..", ".", "...", "%2e%2e%2fwicked", "wicked\x00.txt", "wicked\nname",
	"\x1b[2Jwicked", "<img src=x onerror=alert(1)>", "'; DROP TABLE users; --", "$(touch wicked)", "CON", "nul", strings.Repeat("w", 300), "\u202ewicked", "ｗicked",
}

// files lists everything below a folder.
func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if rel, relErr := filepath.Rel(dir, path); relErr == nil {
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestNamesAreNoPaths sends wicked names wherever a name can be sent: as cluster, host, metric and subtype of samples, as
// node and cluster of jobs, as user, role, node, group and key of an address. Whatever is made of them stays in the
// database and in the metric store's own files, and nothing fails inside.
func TestNamesAreNoPaths(t *testing.T) {
	t.Parallel()
	h := openHead(t, servertest.WithClusters(sim.NewMachine("sim", 4, time.Minute).Cluster()))
	root, api := h.Token(identity.RoleFullAdmin), h.Token(identity.RoleAPI)
	around := filepath.Dir(h.Dir)
	before := files(t, around)
	send := func(method, path, raw, body string) {
		t.Helper()
		r := h.call(method, path, raw, body)
		if r.Status >= 500 || strings.Contains(r.Body, "goroutine ") || strings.Contains(r.Body, h.Dir) {
			t.Errorf("%s %q %q: %d %s", method, path, body, r.Status, r.Body)
		}
	}
	for _, name := range wicked {
		esc := url.PathEscape(name)
		for _, path := range []string{"/api/v1/node/", "/api/v1/admin/", "/api/v1/role/", "/api/v1/token/", "/api/v1/session/", "/api/v1/key/", "/api/v1/attribute/", "/api/jobs/metrics/", "/api/cluster/", "/"} {
			send(http.MethodGet, path+esc, root, "")
			send(http.MethodDelete, path+esc, root, "")
		}
		send(http.MethodGet, "/api/clusters/?cluster="+url.QueryEscape(name), api, "")
		send(http.MethodPost, "/api/write/?cluster="+url.QueryEscape(name), api, "cpu_load,hostname=n1 value=1 1\n")
		line := strings.NewReplacer(" ", `\ `, ",", `\,`, "=", `\=`).Replace(name)
		for _, l := range []string{"%s,hostname=n1,cluster=sim value=1 1", "cpu_load,hostname=%s,cluster=sim value=1 1", "cpu_load,hostname=n1,cluster=%s value=1 1", "cpu_load,hostname=n1,cluster=sim,type=%s,type-id=%[1]s value=1 1"} {
			send(http.MethodPost, "/api/write/", api, fmt.Sprintf(l, line)+"\n")
		}
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		quoted := string(text)
		send(http.MethodPost, "/api/jobs/start_job/", api, fmt.Sprintf(`{"jobId":1,"cluster":%s,"user":%[1]s,"project":%[1]s,"numNodes":1,"startTime":%d,"resources":[{"hostname":%[1]s}]}`, quoted, start.Unix()))
		send(http.MethodPost, "/api/jobs/start_job/", api, fmt.Sprintf(`{"jobId":1,"cluster":"sim","user":%s,"project":%[1]s,"numNodes":1,"startTime":%d,"resources":[{"hostname":%[1]s}]}`, quoted, start.Unix()))
		send(http.MethodPost, "/api/jobs/stop_job/", api, fmt.Sprintf(`{"jobId":1,"cluster":"sim","stopTime":%d,"jobState":"completed"}`, start.Unix()+600))
		send(http.MethodPost, "/api/v1/admins", root, fmt.Sprintf(`{"name":%s,"roles":["role.AuthUser"]}`, quoted))
		send(http.MethodPost, "/api/v1/nodes", root, fmt.Sprintf(`{"name":%s,"mac":"52:54:00:00:00:01"}`, quoted))
		send(http.MethodPost, "/api/v1/roles", root, fmt.Sprintf(`{"name":%s,"permissions":["JobsRead"]}`, quoted))
	}
	for _, path := range files(t, around) {
		if rel, err := filepath.Rel(filepath.Base(h.Dir), path); err == nil && filepath.IsLocal(rel) {
			if strings.Contains(path, "wicked") && !strings.HasPrefix(rel, "job-archive"+string(os.PathSeparator)+"sim") {
				t.Errorf("the head has made %q", path)
			}
			continue
		}
		if !slices.Contains(before, path) {
			t.Errorf("the head has made %q, outside of its folder", path)
		}
	}
	if _, err := os.Stat("/tmp/wicked"); err == nil {
		t.Error("the head has made /tmp/wicked")
	}
}

// TestSamplesOutOfThisWorldAreRefused: numbers that are none, times that nobody meant, and lines that are cut.
func TestSamplesOutOfThisWorldAreRefused(t *testing.T) {
	t.Parallel()
	h := newHead(t, servertest.WithClusters(sim.NewMachine("sim", 4, time.Minute).Cluster()))
	raw := h.Token(identity.RoleAPI)
	for _, value := range []string{"NaN", "Inf", "-Inf", "1e309", "9223372036854775808", "-9223372036854775809", "9223372036854775808i", "0x10", "1_000", "", `"text"`, "true", strings.Repeat("9", 4000)} {
		r := h.call(http.MethodPost, "/api/write/?cluster=sim", raw, "cpu_load,hostname=n1 value="+value+" "+at(-60)+"\n")
		if r.Status >= 500 {
			t.Errorf("value=%.40s: %d %s", value, r.Status, r.Body)
		}
	}
	for _, when := range []string{"-1", "1", "99999999999999999", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e10", "x", at(86400 * 365)} {
		r := h.call(http.MethodPost, "/api/write/?cluster=sim", raw, "cpu_load,hostname=n1 value=1 "+when+"\n")
		if r.Status >= 500 {
			t.Errorf("at %s: %d %s", when, r.Status, r.Body)
		}
	}
	want(t, "a good one, afterwards", h.call(http.MethodPost, "/api/write/?cluster=sim", raw, "cpu_load,hostname=n1 value=1 "+at(-60)+"\n"), http.StatusOK)
	query := h.call(http.MethodPost, "/api/query/", raw, `{"cluster":"sim","from":`+at(-3600)+`,"to":`+at(3600)+`,"queries":[{"metric":"cpu_load","host":"n1"}]}`)
	if query.Status >= 500 || strings.Contains(query.Body, "Inf") || strings.Contains(query.Body, "NaN") {
		t.Errorf("a question about it: %d %.300s", query.Status, query.Body)
	}
}

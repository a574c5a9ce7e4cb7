package test_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// island is a head with two clusters, and what is known of the second one.
type island struct {
	*servertest.Harness
	boss string // a token that may do everything
	ids  []string
}

// secrets are in replies about the cluster beta and in no others.
var secrets = regexp.MustCompile(`bettina|bproject|betajob|beta-attribute|424242`)

func newIsland(t *testing.T) *island {
	t.Helper()
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	h := servertest.New(t, servertest.WithClock(clock.NewManual(at)), servertest.WithClusters(
		sim.NewMachine("alpha", 4, time.Minute).Cluster(), sim.NewMachine("beta", 4, time.Minute).Cluster()))
	roles := []identity.Role{identity.RoleFullAdmin, identity.RoleAdmin}
	if _, err := h.Server.Users().Create(t.Context(), servertest.Local(), identity.NewUser{Name: "boss", Roles: roles, Password: "geheim"}); err != nil {
		t.Fatal(err)
	}
	i := &island{Harness: h, boss: h.Mint(token.MintRequest{For: "boss"}).Text}
	for _, c := range []servertest.Call{
		{Method: "POST", Path: "/api/jobs/start_job/", Body: `{"jobId": 77, "cluster": "beta", "user": "bettina", "project": "bproject", "numNodes": 1,
			"startTime": 1795000000, "resources": [{"hostname": "n1"}], "metaData": {"jobName": "betajob"}}`},
		{Method: "POST", Path: "/api/nodestate/", Body: `{"cluster": "beta", "nodes": [{"hostname": "n1", "states": ["IDLE"]}]}`},
		{Method: "POST", Path: "/api/write/", Type: "text/plain", Body: fmt.Sprintf("cpu_load,cluster=beta,hostname=n1 value=424242 %d", at.Unix()-60)},
	} {
		c.Token = i.boss
		if r := i.Do(c); r.Status >= 300 || strings.Contains(r.Body, "rejected") {
			t.Fatalf("%s: %d %s", c.Path, r.Status, r.Body)
		}
	}
	var list struct {
		Data []struct{ UID string } `json:"data"`
	}
	i.Do(servertest.Call{Path: "/api/v1/nodes?as=objects", Token: i.boss}).Decode(t, &list)
	uid := list.Data[0].UID
	r := i.Do(servertest.Call{Method: "PATCH", Path: "/api/v1/node/" + uid + "/attributes", Token: i.boss, Body: `{"place": "beta-attribute"}`})
	if r.Status != http.StatusOK {
		t.Fatal(r.Status, r.Body)
	}
	i.ids = []string{"1", uid, "n1", "boss"}
	return i
}

// sees is what there is of beta, and what could give somebody the whole of an account.
func (i *island) sees(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, path := range []string{
		"/api/jobs/1", "/api/v1/node/" + i.ids[1], "/api/debug/?selector=beta", "/api/jobs/?cluster=beta", "/api/v1/admins", "/api/v1/roles", "/api/v1/attribs",
		"/api/v1/keys", "/api/v1/cluster",
	} {
		r := i.Do(servertest.Call{Path: path, Token: i.boss})
		if r.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, r.Status, r.Body)
		}
		out[path] = r.Body
	}
	return out
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// TestTokenNarrowedToAClusterReachesNothingOfAnother calls every route with what could be about the other cluster. The
// token is that of an administrator who may do everything.
func TestTokenNarrowedToAClusterReachesNothingOfAnother(t *testing.T) {
	t.Parallel()
	i := newIsland(t)
	before := i.sees(t)
	if !secrets.MatchString(strings.Join([]string{before["/api/jobs/1"], before["/api/v1/node/"+i.ids[1]]}, "")) {
		t.Fatal("there are no secrets to be found")
	}
	bodies := []string{
		`{}`, `{"attributes": {"place": "mine"}}`, `{"place": "mine"}`, `["cpu_load"]`, `["place"]`, `"place"`, `[["beta"]]`, `[["beta", "n1"]]`,
		`{"jobId": 77, "stopTime": 1795000100}`, `{"jobId": 77, "cluster": "beta", "stopTime": 1795000100}`, `{"stopTime": 1795000100}`,
		`{"jobId": 78, "cluster": "beta", "user": "u", "project": "p", "numNodes": 1, "startTime": 1795000000, "resources": [{"hostname": "n1"}]}`,
		`{"cluster": "beta", "nodes": [{"hostname": "n1", "states": ["DOWN"]}]}`, `{"cluster": "beta", "nodes": ["n1"]}`,
		`{"cluster": "beta", "from": 1700000000, "to": 1900000000, "queries": [{"metric": "cpu_load", "host": "n1"}], "for-all-nodes": ["cpu_load"]}`,
		`{"name": "mole", "roles": ["role.FullAdmin"], "password": "geheim"}`, `{"user": "boss", "all": true}`, `{"default_group": "DefaultAttribs"}`,
		`cpu_load,cluster=beta,hostname=n1 value=1`, `cpu_load,hostname=n1 value=1`, `{"keys": ["ssh-ed25519 AAAA x"], "password": "another"}`,
	}
	narrowed := ""
	calls := 0
	for _, d := range i.Server.Dialects() {
		for _, rt := range d.Routes {
			for _, method := range rt.Methods {
				for _, path := range i.paths(rt.Path) {
					for n, body := range bodies {
						if method == http.MethodGet && n > 0 && rt.Path != "/api/query/" && rt.Path != "/api/healthcheck/" {
							continue
						}
						if narrowed == "" || strings.Contains(path, "logout") || strings.Contains(path, "oken") || strings.Contains(path, "revo") {
							narrowed = i.Mint(token.MintRequest{For: "boss", Narrowing: token.Narrowing{Clusters: []string{"alpha"}}}).Text
						}
						r := i.Do(servertest.Call{Method: method, Path: path, Token: narrowed, Body: body})
						calls++
						if found := secrets.FindString(r.Body); found != "" {
							t.Errorf("%s %s tells %q: %d %s", method, path, found, r.Status, r.Body)
						}
						if r.Status >= http.StatusInternalServerError {
							t.Errorf("%s %s %s: %d %s", method, path, body, r.Status, r.Body)
						}
					}
				}
			}
		}
	}
	if calls < 1000 {
		t.Errorf("only %d calls", calls)
	}
	if diff := cmp.Diff(before, i.sees(t)); diff != "" {
		t.Errorf("%d calls with a token for alpha have changed something (-before +after):\n%s", calls, diff)
	}
}

// paths puts what could be about beta into a path and behind it.
func (i *island) paths(pattern string) []string {
	query := "?" + url.Values{
		"cluster": {"beta"}, "node": {"n1"}, "selector": {"beta:n1"}, "to": {"1900000000"}, "ts": {"1900000000"}, "username": {"boss"}, "all-metrics": {"1"},
	}.Encode()
	if !placeholder.MatchString(pattern) {
		return []string{pattern, pattern + query}
	}
	var out []string
	for _, id := range i.ids {
		out = append(out, placeholder.ReplaceAllString(pattern, id), placeholder.ReplaceAllString(pattern, id)+query)
	}
	return out
}

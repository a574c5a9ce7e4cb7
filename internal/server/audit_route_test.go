package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// recordedBy says of every route that is no GET, except those of ClusterWare's interface, which action it leaves in the
// trail, or in parentheses why it leaves none. ClusterWare's are called one by one in internal/api/ware.
var recordedBy = map[string]string{
	"POST /api/jobs/start_job/": "(the job itself says it)", "PUT /api/jobs/start_job/": "(the job itself says it)",
	"POST /api/jobs/stop_job/": "(the job itself says it)", "PUT /api/jobs/stop_job/": "(the job itself says it)",
	"POST /api/jobs/stop_job/{id}": "(the job itself says it)", "PUT /api/jobs/stop_job/{id}": "(the job itself says it)",
	"DELETE /api/jobs/delete_job/{id}": "job.delete",
	"POST /api/jobs/{id}":              "(it reads)",
	"POST /api/healthcheck/":           "(the nodes' states say it)",
	"POST /api/nodestate/":             "(the nodes' states say it)", "PUT /api/nodestate/": "(the nodes' states say it)",
	"POST /config/users/": "user.create", "PUT /config/users/": "user.create", "DELETE /config/users/": "user.delete",
	"POST /api/user/{id}": "user.update", "POST /config/user/{id}": "user.update",
	"POST /login": "session.start", "POST /logout": "session.end",
	"POST /impersonate": "session.act", "POST /impersonate/stop": "session.return",
	"POST /oauth/token": "token.create", "POST /oauth/introspect": "(it reads)", "POST /oauth/revoke": "token.revoke",
	"POST /jwt-login": "session.start", "PUT /jwt-login": "session.start", "PATCH /jwt-login": "session.start", "DELETE /jwt-login": "session.start",
	"POST /api/write/": "(samples)", "POST /api/query/": "(it reads)", "POST /api/free/": "metrics.free",
	"POST /api/v2/write": "(samples)", "POST /write": "(samples)", "POST /query": "(it reads)", "POST /prometheus/api/v1/write": "(samples)",
	"POST /prometheus/api/v1/query": "(it reads)", "POST /prometheus/api/v1/query_range": "(it reads)",
	"POST /prometheus/api/v1/series": "(it reads)", "POST /prometheus/api/v1/labels": "(it reads)",
	"POST /prometheus/api/v1/query_exemplars": "(it reads)", "POST /prometheus/api/v1/format_query": "(it reads)",
}

func TestEveryRouteThatChangesSomethingIsRecorded(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	seen := map[string]bool{}
	for _, d := range h.Server.Dialects() {
		for _, rt := range d.Routes {
			for _, m := range rt.Methods {
				route := m + " " + rt.Path
				if m == http.MethodGet || strings.HasPrefix(rt.Path, "/api/v1/") {
					continue
				}
				seen[route] = true
				if recordedBy[route] == "" {
					t.Errorf("%s: which record does it leave? %s", route, rt.Doc)
				}
			}
		}
	}
	for route := range recordedBy {
		if !seen[route] {
			t.Errorf("%s is no route any more", route)
		}
	}
}

// TestRoutesLeaveTheRecordsThatTheyShould calls what can be called without another site or another program.
func TestRoutesLeaveTheRecordsThatTheyShould(t *testing.T) {
	t.Parallel()
	h := servertest.New(t, servertest.WithClusters(sim.NewMachine("sim", 4, 60e9).Cluster()))
	admin, api := h.Token(identity.RoleAdmin), h.Token(identity.RoleAPI)
	boss := h.Session(identity.RoleFullAdmin)
	form := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v.Encode()
	}
	start := h.Do(servertest.Call{Method: "POST", Path: "/api/jobs/start_job/", Token: api, Body: `{"jobId":1,"cluster":"sim","user":"ann","project":"p","numNodes":1,"startTime":1795000000,"resources":[{"hostname":"n1"}]}`})
	if start.Status != http.StatusCreated {
		t.Fatalf("%d %s", start.Status, start.Body)
	}
	const formType = "application/x-www-form-urlencoded"
	spare := h.Mint(token.MintRequest{For: h.User(identity.RoleAPI)}).Text
	for _, c := range []struct {
		action string
		call   servertest.Call
	}{
		{"metrics.free", servertest.Call{Method: "POST", Path: "/api/free/?to=1", Token: h.Token(identity.RoleFullAdmin), Body: `[["sim"]]`}},
		{"job.delete", servertest.Call{Method: "DELETE", Path: "/api/jobs/delete_job/1", Token: api}},
		{"user.create", servertest.Call{Method: "POST", Path: "/config/users/", Token: admin, Type: formType, Body: form("username", "ann", "role", "user", "password", "her long password")}},
		{"user.update", servertest.Call{Method: "POST", Path: "/config/user/ann", Token: admin, Type: formType, Body: form("add-role", "api")}},
		{"user.update", servertest.Call{Method: "POST", Path: "/api/user/ann", Token: admin, Type: formType, Body: form("remove-role", "api")}},
		{"session.start", servertest.Call{Method: "POST", Path: "/login", Type: formType, Body: form("username", "ann", "password", "her long password")}},
		{"token.create", servertest.Call{Path: "/api/jwt/?username=ann", Token: admin}},
		{"user.delete", servertest.Call{Method: "DELETE", Path: "/config/users/", Token: admin, Type: formType, Body: form("username", "ann")}},
		{"token.revoke", servertest.Call{Method: "POST", Path: "/oauth/revoke", Token: spare, Type: formType, Body: form("token", spare)}},
		{"session.act", servertest.Call{Method: "POST", Path: "/impersonate", Session: boss, Body: `{"user":"` + h.User(identity.RoleAPI) + `"}`}},
	} {
		before := len(trailOf(t, h))
		r := h.Do(c.call)
		if r.Status >= 400 {
			t.Errorf("%s %s: %d %s", c.call.Method, c.call.Path, r.Status, r.Body)
			continue
		}
		var actions []string
		for line := range strings.Lines(string(trailOf(t, h)[before:])) {
			var rec struct{ Action string }
			if err := json.Unmarshal([]byte(line), &rec); err != nil {
				t.Fatal(err)
			}
			actions = append(actions, rec.Action)
		}
		if !strings.Contains(strings.Join(actions, " "), c.action) {
			t.Errorf("%s %s leaves %v, want %s", c.call.Method, c.call.Path, actions, c.action)
		}
	}
}

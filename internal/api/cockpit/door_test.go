package cockpit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// testCase is one call and what is sure about its reply whatever the golden file says.
type testCase struct {
	dir, name, call, as, body string
	status                    int
	contains                  string
}

func (tc testCase) request() request {
	method, path, _ := strings.Cut(tc.call, " ")
	c := request{method: method, path: path, as: tc.as, body: tc.body}
	if tc.body != "" && !strings.ContainsAny(tc.body[:1], "{[") {
		c.contentType = form
	}
	return c
}

// changes reports whether the call may change what the next one meets.
func (tc testCase) changes() bool { return !strings.HasPrefix(tc.call, "GET ") && tc.status < 300 }

func TestRoutes(t *testing.T) {
	shared := newWorld(t) // for calls that change nothing
	for _, tc := range append(jobCases(), otherCases()...) {
		t.Run(tc.dir+"/"+tc.name, func(t *testing.T) {
			w := shared
			if tc.changes() {
				w = newWorld(t)
			}
			rec := w.do(t, tc.request())
			if rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.contains) {
				t.Errorf("%s as %s: %d %s\nwant %d with %s", tc.call, tc.as, rec.Code, rec.Body, tc.status, tc.contains)
			}
			if rec.Code >= 400 && rec.Code != http.StatusMethodNotAllowed {
				isErrorBody(t, rec.Body.Bytes())
			}
			if strings.Contains(tc.call, "points=") || strings.Contains(tc.call, "resolution=") {
				return // which samples stay is the service's choice, not the door's
			}
			golden(t, filepath.Join(tc.dir, strings.ReplaceAll(tc.name, " ", "_")+".txt"), tc.request(), rec)
		})
	}
}

func isErrorBody(t *testing.T, body []byte) {
	t.Helper()
	var f struct{ Status, Error string }
	if err := json.Unmarshal(body, &f); err != nil || f.Status == "" || f.Error == "" {
		t.Errorf("the error body is %s (%v)", body, err)
	}
}

func TestEveryRowHasACase(t *testing.T) {
	w := newWorld(t)
	rows := map[string]bool{}
	mux := http.NewServeMux()
	for _, rt := range w.door.Routes {
		for _, m := range rt.Methods {
			for _, p := range append([]string{rt.Path}, rt.Aliases...) {
				pattern := m + " " + strings.TrimRight(p, "/")
				rows[pattern] = true
				mux.Handle(pattern, http.NotFoundHandler())
			}
		}
	}
	calls := []string{"GET /api/openapi.json", "GET /api/docs", "GET /api/docs.css"} // TestDocuments
	for _, tc := range append(jobCases(), otherCases()...) {
		calls = append(calls, tc.call)
	}
	for _, call := range calls {
		method, path, _ := strings.Cut(call, " ")
		path, _, _ = strings.Cut(path, "?")
		r, err := http.NewRequestWithContext(t.Context(), method, "http://head"+strings.TrimRight(path, "/"), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		_, pattern := mux.Handler(r)
		delete(rows, pattern)
	}
	if len(rows) > 0 {
		t.Errorf("no case for %s", strings.Join(slices.Sorted(maps.Keys(rows)), ", "))
	}
}

// TestRunningJobIsWrittenAsInTheContract compares with the sample of contract clustercockpit 3.3, to the byte.
func TestRunningJobIsWrittenAsInTheContract(t *testing.T) {
	sample, err := os.ReadFile(filepath.Join("testdata", "running.json"))
	if err != nil {
		t.Fatal(err)
	}
	rec := newWorld(t).do(t, request{method: "GET", path: "/api/jobs/1", as: "script"})
	var reply struct{ Meta json.RawMessage }
	if err := json.Unmarshal(rec.Body.Bytes(), &reply); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(bytes.TrimSpace(sample)), string(reply.Meta)); diff != "" {
		t.Errorf("the job differs from the sample (-want +got):\n%s", diff)
	}
}

func TestWhatIsWantedOfTheSamplesIsPassedOn(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		want                     job.Selection
	}{
		{"all of one node", "GET", "/api/jobs/1?all-metrics=true", "", job.Selection{Scopes: []metric.Scope{metric.ScopeCore}}},
		{"all of several nodes", "GET", "/api/jobs/2?all-metrics=1", "", job.Selection{Scopes: []metric.Scope{metric.ScopeNode}}},
		{"chosen", "POST", "/api/jobs/1", `["a","b"]`, job.Selection{Metrics: []string{"a", "b"}, Scopes: []metric.Scope{metric.ScopeCore}}},
		{"none chosen", "POST", "/api/jobs/2", `[]`, job.Selection{Scopes: []metric.Scope{metric.ScopeNode}}},
		{"nothing said", "GET", "/api/jobs/metrics/1", "", job.Selection{}},
		{
			"everything said", "GET", "/api/jobs/metrics/1?metric=a&metric=b&scope=node&scope=accelerator&resolution=600&points=800", "",
			job.Selection{Metrics: []string{"a", "b"}, Scopes: []metric.Scope{metric.ScopeNode, metric.ScopeAccelerator}, Resolution: 10 * time.Minute, Points: 800},
		},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if rec := w.do(t, request{method: tt.method, path: tt.path, as: "script", body: tt.body}); rec.Code != http.StatusOK {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			if diff := cmp.Diff(tt.want, w.jobs.selected); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFailureOfTheServerIsLoggedAndNotTold(t *testing.T) {
	w := newWorld(t)
	w.jobs.broken = errors.New("disk /var/lib/secret is gone")
	for _, path := range []string{"/api/jobs/metrics/1", "/api/jobs/1?all-metrics=true"} {
		rec := w.do(t, request{method: "GET", path: path, as: "script"})
		if rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	if !strings.Contains(w.log.String(), "disk /var/lib/secret is gone") {
		t.Errorf("the log has %q", w.log)
	}
	w.jobs.broken = fault.New(fault.Unavailable, "the metric store is starting")
	for path, want := range map[string]int{"/api/jobs/metrics/1": 200, "/api/jobs/1?all-metrics=true": 503} {
		rec := w.do(t, request{method: "GET", path: path, as: "script"})
		if rec.Code != want || !strings.Contains(rec.Body.String(), "the metric store is starting") {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}

func TestStartedJobIsInTheVeryNextList(t *testing.T) {
	w := newWorld(t)
	tests := []struct{ name, body, want string }{
		{"exclusive 0", `"exclusive":0`, `"shared":"multi_user"`},
		{"exclusive 1", `"exclusive":1`, `"shared":"none"`},
		{"exclusive 2", `"exclusive":2`, `"shared":"single_user"`},
		{"shared wins", `"exclusive":1,"shared":"multi_user"`, `"shared":"multi_user"`},
		{"not told", `"smt":2`, `"shared":"none"`},
		{"never archived", `"monitoringStatus":0`, `"duration":3963,"numNodes":1`},
		{"unknown members", `"colour":"red","statistics":{"a":1}`, `"monitoringStatus":1`},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := string(rune('1' + i))
			body := `{"jobId":` + id + `,"cluster":"alpha","user":"bob","project":"p1","numNodes":1,"startTime":1795459900,"resources":[{"hostname":"n01"}],` + tt.body + `}`
			if rec := w.do(t, request{method: "POST", path: "/api/jobs/start_job/", as: "script", body: body, contentType: form}); rec.Code != http.StatusCreated {
				t.Fatalf("start: %d %s", rec.Code, rec.Body)
			}
			rec := w.do(t, request{method: "GET", path: "/api/jobs/?jobId=" + id, as: "bob"})
			if !strings.Contains(rec.Body.String(), tt.want) {
				t.Errorf("got %s, want %s", rec.Body, tt.want)
			}
		})
	}
}

func TestEditOfAUserIsKept(t *testing.T) {
	tests := []struct {
		user, body string
		roles      []identity.Role
		projects   []string
	}{
		{"bob", "add-role=support", []identity.Role{"user", "support"}, nil},
		{"bob", "add-role=user", []identity.Role{"user"}, nil},
		{"bob", "add-role=support&remove-role=user", []identity.Role{"user", "support"}, nil},
		{"bob", "add-role=manager&add-project=p2", []identity.Role{"user", "manager"}, []string{"p2"}},
		{"sender", "remove-role=api", []identity.Role{"user"}, nil},
		{"pia", "remove-role=manager", nil, nil},
		{"pia", "add-project=p2", []identity.Role{"manager"}, []string{"p1", "p2"}},
	}
	for _, tt := range tests {
		t.Run(tt.user+" "+tt.body, func(t *testing.T) {
			w := newWorld(t)
			if rec := w.do(t, request{method: "POST", path: "/config/user/" + tt.user, as: "boss", body: tt.body, contentType: form}); rec.Code != http.StatusOK {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			u, err := w.users.Get(t.Context(), identity.Local("tester"), tt.user)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(u.Roles, tt.roles) || !slices.Equal(u.Projects, tt.projects) {
				t.Errorf("roles %v, projects %v", u.Roles, u.Projects)
			}
		})
	}
}

func TestEditsAtTheSameTimeAreAllKept(t *testing.T) {
	w := newWorld(t)
	bodies := []string{"add-role=api", "add-role=support", "add-role=manager&add-project=p1", "remove-role=user"}
	var wg sync.WaitGroup
	for _, body := range bodies {
		wg.Go(func() {
			if rec := w.do(t, request{method: "POST", path: "/config/user/bob", as: "boss", body: body, contentType: form}); rec.Code != http.StatusOK {
				t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
			}
		})
	}
	wg.Wait()
	u, err := w.users.Get(t.Context(), identity.Local("tester"), "bob")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(u.Roles)
	if !slices.Equal(u.Roles, []identity.Role{"api", "manager", "support"}) || !slices.Equal(u.Projects, []string{"p1"}) {
		t.Errorf("roles %v, projects %v", u.Roles, u.Projects)
	}
}

func TestCreatedUserHasWhatTheFormSaid(t *testing.T) {
	w := newWorld(t)
	w.do(t, request{
		method: "POST", path: "/config/users/", as: "boss", contentType: form,
		body: "username=dora&password=long+enough&role=manager,+user&name=Dora+D&email=d@example.org&project=p3",
	})
	u, err := w.users.Get(t.Context(), identity.Local("tester"), "dora")
	if err != nil {
		t.Fatal(err)
	}
	if u.FullName != "Dora D" || u.Email != "d@example.org" || !slices.Equal(u.Roles, []identity.Role{"manager", "user"}) || !slices.Equal(u.Projects, []string{"p3"}) {
		t.Errorf("got %+v", u)
	}
}

func TestReportedNodeStateIsKept(t *testing.T) {
	w := newWorld(t)
	w.do(t, request{
		method: "POST", path: "/api/nodestate/", as: "script",
		body: `{"cluster":"alpha","nodes":[{"hostname":"n01","states":["MIXED","DRAIN"],"cpusAllocated":4,"memoryAllocated":16000,"gpusAllocated":1,"jobsRunning":2}]}`,
	})
	n, err := w.nodes.Get(t.Context(), identity.Local("tester"), "n01")
	if err != nil {
		t.Fatal(err)
	}
	s := n.Scheduler
	if s.State != node.StateMixed || s.CPUsAllocated != 4 || s.MemoryAllocated != 16000 || s.GPUsAllocated != 1 || s.JobsRunning != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestTokenFromTheFrontend(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ as, path, subject, actor string }{
		{"bob", "/frontend/jwt/", "bob", ""},
		{"boss", "/frontend/jwt/?username=bob", "bob", "boss"},
	} {
		rec := w.do(t, request{method: "GET", path: tt.path, as: tt.as})
		if rec.Header().Get("Cache-Control") != "no-store" || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("headers are %v", rec.Header())
		}
		c, err := w.tokens.Authenticate(t.Context(), rec.Body.String(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		actor := ""
		if c.Actor != nil {
			actor = c.Actor.Name
		}
		if c.User.Name != tt.subject || actor != tt.actor {
			t.Errorf("token of %q made by %q", c.User.Name, actor)
		}
	}
}

// TestAccess is the contract's permission matrix (3.16) for each row: + passes, - is refused, in the order of roles.
func TestAccess(t *testing.T) {
	who := []string{"", "bob", "pia", "helen", "boss", "script", "sender", "root"}
	matrix := map[string]string{
		"/api/jobs/start_job/":      "-----+-+",
		"/api/jobs/stop_job/":       "-----+-+",
		"/api/jobs/stop_job/{id}":   "-----+-+",
		"/api/jobs/delete_job/{id}": "-----+-+",
		"/api/jobs/":                "-+++++++",
		"/api/jobs/used_nodes":      "---+++-+",
		"/api/jobs/{id}":            "-+++++++",
		"/api/jobs/metrics/{id}":    "-+++++++",
		"/api/clusters/":            "-+++++++",
		"/api/healthcheck/":         "-----+-+",
		"/api/nodestate/":           "-----+-+",
		"GET /api/users/":           "----+--+",
		"POST PUT /config/users/":   "----+--+",
		"DELETE /config/users/":     "----+--+",
		"POST /api/user/{id}":       "----+--+",
		"POST /config/user/{id}":    "----+--+",
		"GET /config/roles/":        "----+--+",
		"/frontend/jwt/":            "-+++++++",
		"GET /api/openapi.json":     "++++++++",
		"GET /api/docs":             "++++++++",
		"GET /api/docs.css":         "++++++++",
	}
	w := newWorld(t)
	for _, rt := range w.door.Routes {
		want, ok := matrix[rt.Path]
		if !ok {
			want, ok = matrix[strings.Join(rt.Methods, " ")+" "+rt.Path]
		}
		if !ok {
			t.Errorf("no line for %s %s", rt.Methods, rt.Path)
			continue
		}
		got := make([]byte, 0, len(who))
		for _, name := range who {
			// Nothing that these requests ask for makes sense, so that none changes what the next one meets.
			rec := w.do(t, request{method: rt.Methods[0], path: strings.ReplaceAll(rt.Path, "{id}", "0"), as: name, body: "{}"})
			if rec.Code == http.StatusUnauthorized || rec.Code == http.StatusForbidden {
				got = append(got, '-')
			} else {
				got = append(got, '+')
			}
		}
		if string(got) != want {
			t.Errorf("%s %s: %s for %q, want %s", rt.Methods, rt.Path, got, who, want)
		}
	}
}

func TestDocuments(t *testing.T) {
	w := newWorld(t)
	doc := w.do(t, request{method: "GET", path: "/api/openapi.json"})
	golden(t, "openapi.json", request{method: "GET", path: "/api/openapi.json"}, doc)
	var parsed struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(doc.Body.Bytes(), &parsed); err != nil {
		t.Fatal(err)
	}
	for _, rt := range w.door.Routes {
		for _, m := range rt.Methods {
			if parsed.Paths[rt.Path][strings.ToLower(m)] == nil {
				t.Errorf("the document lacks %s %s", m, rt.Path)
			}
		}
	}
	page := w.do(t, request{method: "GET", path: "/api/docs/"})
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "/api/jobs/start_job/") {
		t.Errorf("page: %d", page.Code)
	}
	if css := w.do(t, request{method: "GET", path: "/api/docs.css"}); css.Code != http.StatusOK {
		t.Errorf("stylesheet: %d", css.Code)
	}
}

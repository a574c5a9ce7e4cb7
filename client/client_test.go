package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func TestBaseURLs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                "http://localhost:8080",
		"10.0.0.1/api/v1":                 "http://10.0.0.1",
		"http://head1:8080":               "http://head1:8080",
		"https://head1/api/v1/":           "https://head1",
		"https://portal.example/hpc/api":  "https://portal.example/hpc",
		"ftp://head1":                     "error: begins with http://",
		"http://":                         "error: looks like",
		"http://user:hunter2@head/api/v1": "error: neither user",
		"http://head/api/v1?x=y":          "error: neither user",
	} {
		c, err := client.New(client.Config{BaseURL: in})
		part, isError := strings.CutPrefix(want, "error: ")
		switch {
		case isError && (err == nil || !strings.Contains(err.Error(), part)):
			t.Errorf("%q: got %v, want an error with %q", in, err, part)
		case isError && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%q: the error repeats the password: %v", in, err)
		case !isError && (err != nil || c.Address() != want):
			t.Errorf("%q: got %v, %v, want %s", in, c, err, want)
		}
	}
}

func TestFailuresCarryStatusReasonAndClass(t *testing.T) {
	t.Parallel()
	classes := []error{
		client.ErrInvalid, client.ErrUnauthenticated, client.ErrDenied, client.ErrNotFound, client.ErrConflict, client.ErrServer,
	}
	for status, want := range map[int]error{
		400: client.ErrInvalid, 401: client.ErrUnauthenticated, 403: client.ErrDenied, 404: client.ErrNotFound, 409: client.ErrConflict,
		413: client.ErrInvalid, 429: client.ErrServer, 500: client.ErrServer, 503: client.ErrServer,
	} {
		h := newHead(t, map[string]reply{"GET /api/v1/node/n1": {
			status: status, header: map[string]string{"Retry-After": "7"},
			body: `{"success": false, "reason": "told so", "code": "c", "request_id": "r1", "details": ["a", "b"]}`,
		}})
		_, err := h.connect(t, client.Config{}).GetNode(t.Context(), "n1")
		want1 := &client.Error{
			Status: status, Reason: "told so", Code: "c", RequestID: "r1", Details: []string{"a", "b"}, RetryAfter: 7 * time.Second,
			Method: "GET", Path: "/api/v1/node/n1",
		}
		var got *client.Error
		if !errors.As(err, &got) {
			t.Fatalf("%d: %v", status, err)
		}
		if diff := cmp.Diff(want1, got); diff != "" {
			t.Error(diff)
		}
		for _, class := range classes {
			if is, wanted := errors.Is(err, class), errors.Is(want, class); is != wanted {
				t.Errorf("%d: errors.Is(%v) = %v", status, class, is)
			}
		}
	}
}

func TestWhatIsNoHeadIsToldSo(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]reply{
		"web page":       {body: "<html>welcome</html>"},
		"proxy's error":  {status: 502, body: "bad gateway"},
		"other JSON":     {body: `{"hello": "world"}`},
		"empty":          {},
		"redirect":       {status: 301, header: map[string]string{"Location": "https://head1/api/v1/nodes"}},
		"success, 500":   {status: 500, body: `{"success": true, "data": {}}`},
		"nodes a string": {body: `{"success": true, "data": "nodes"}`},
	} {
		h := newHead(t, map[string]reply{"GET /api/v1/nodes": r})
		list, err := h.connect(t, client.Config{}).ListNodes(t.Context())
		if err == nil {
			t.Errorf("%s: passed for a list of nodes: %v", name, list)
		}
		if name == "redirect" && !strings.Contains(err.Error(), "https://head1/api/v1/nodes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnreachableHead(t *testing.T) {
	t.Parallel()
	h := newHead(t, nil)
	c := h.connect(t, client.Config{})
	h.Close()
	_, err := c.Whoami(t.Context())
	var unreachable *client.UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Address != h.URL {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Whoami(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestSocketIsUsedInsteadOfTheNetwork(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "head.sock")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"success": true, "data": {"name": "root", "uid": %q}}`, r.Host+r.URL.Path)
	}))
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{Socket: path, BaseURL: "http://elsewhere.invalid/api/v1"})
	if err != nil {
		t.Fatal(err)
	}
	me, err := c.Whoami(t.Context())
	if err != nil || me.Name != "root" || me.UID != "localhost/api/v1/whoami" {
		t.Errorf("got %+v, %v", me, err)
	}
	if c.Address() != path {
		t.Errorf("address %q", c.Address())
	}
}

func TestNodeKeepsFieldsThatThisVersionDoesNotKnow(t *testing.T) {
	t.Parallel()
	h := newHead(t, map[string]reply{"GET /api/v1/nodes": {body: `{"success": true, "data": {
		"u10": {"uid": "u10", "name": "n10", "index": 10, "future": {"x": 12345678901234567890}},
		"u2": {"uid": "u2", "name": "n2", "index": null}}}`}})
	list, err := h.connect(t, client.Config{}).ListNodes(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	if list[0].Name != "n2" || list[0].Index != nil || list[1].Name != "n10" || *list[1].Index != 10 {
		t.Errorf("order or index is wrong: %+v", list)
	}
	if got := fmt.Sprint(list[1].Fields["future"]); got != "map[x:12345678901234567890]" {
		t.Errorf("future field: %s", got)
	}
}

func TestListsMayBeArrays(t *testing.T) {
	t.Parallel()
	h := newHead(t, map[string]reply{
		"GET /api/v1/admins": data([]any{map[string]any{"name": "b", "roles": "role.A, role.B"}, map[string]any{"name": "a", "roles": []string{"role.C"}}}),
	})
	list, err := h.connect(t, client.Config{}).ListAdmins(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "a" {
		t.Fatalf("%v, %v", list, err)
	}
	if diff := cmp.Diff(client.Strings{"role.A", "role.B"}, list[1].Roles); diff != "" {
		t.Error(diff)
	}
}

// TestRequests holds what goes over the wire for each call.
func TestRequests(t *testing.T) {
	t.Parallel()
	any1 := data(map[string]any{"access_token": "x", "name": "x"})
	h := newHead(t, map[string]reply{
		"POST /api/v1/nodes": data("u1"), "PATCH /api/v1/node/n1": any1, "DELETE /api/v1/node/n1": data(true),
		"GET /api/v1/node/a%2Fb": any1, "GET /api/v1/node/%2E%2E": any1,
		"PUT /api/v1/node/n1/attributes": any1, "PATCH /api/v1/node/n1/attributes": any1, "DELETE /api/v1/node/n1/attributes": any1,
		"GET /api/v1/node/n1/attributes": data(map[string]any{}),
		"POST /api/v1/node/n1/groups":    data([]string{}), "DELETE /api/v1/node/n1/groups": data([]string{}),
		"POST /api/v1/logout": data(true), "POST /api/v1/admins": data("u2"), "PATCH /api/v1/admin/ann": any1, "DELETE /api/v1/admin/ann": data(true),
		"POST /api/v1/admin/ann/token": any1, "DELETE /api/v1/token/t1": data(true), "GET /api/v1/tokens": data([]any{}),
		"GET /api/v1/token/t1": any1, "PATCH /api/v1/token/t1": any1, "POST /api/v1/tokens/revoke": any1, "POST /api/v1/tokens/inspect": any1,
		"POST /api/jobs/start_job/": {status: 201, body: `{"msg": "success", "id": 7}`}, "POST /api/jobs/stop_job/": {body: `{"jobId": 5, "jobState": "failed"}`},
		"GET /api/jobs/": {body: `{"jobs": [{"jobId": 5}]}`}, "POST /api/nodestate/": {}, "POST /api/write/": {},
	})
	c := h.connect(t, client.Config{Credential: client.StaticToken("tok")})
	ctx := t.Context()
	calls := []struct {
		do   func() error
		want string
	}{
		{func() error { _, err := c.CreateNode(ctx, map[string]any{"mac": "m"}); return err }, `POST /api/v1/nodes [Bearer tok] {"mac":"m"}`},
		{func() error { return c.UpdateNode(ctx, "n1", map[string]any{"index": 3}) }, `PATCH /api/v1/node/n1 [Bearer tok] {"index":3}`},
		{func() error { return c.DeleteNode(ctx, "n1") }, `DELETE /api/v1/node/n1 [Bearer tok] `},
		{func() error { _, err := c.GetNode(ctx, "a/b"); return err }, `GET /api/v1/node/a%2Fb [Bearer tok] `},
		{func() error { _, err := c.GetNode(ctx, ".."); return err }, `GET /api/v1/node/%2E%2E [Bearer tok] `},
		{func() error { return c.SetAttributes(ctx, "n1", map[string]string{"a": "b"}) }, `PUT /api/v1/node/n1/attributes [Bearer tok] {"a":"b"}`},
		{func() error { return c.MergeAttributes(ctx, "n1", map[string]string{"a": "b"}) }, `PATCH /api/v1/node/n1/attributes [Bearer tok] {"a":"b"}`},
		{func() error { return c.ClearAttributes(ctx, "n1", []string{"a"}) }, `DELETE /api/v1/node/n1/attributes [Bearer tok] ["a"]`},
		{func() error { _, err := c.Attributes(ctx, "n1"); return err }, `GET /api/v1/node/n1/attributes [Bearer tok] `},
		{func() error { _, err := c.LocalAttributes(ctx, "n1"); return err }, `GET /api/v1/node/n1/attributes?scope=local [Bearer tok] `},
		{func() error { _, err := c.ExplainAttributes(ctx, "n1"); return err }, `GET /api/v1/node/n1/attributes?explain=1 [Bearer tok] `},
		{func() error { return c.JoinGroups(ctx, "n1", []string{"g"}) }, `POST /api/v1/node/n1/groups [Bearer tok] ["g"]`},
		{func() error { return c.LeaveGroups(ctx, "n1", []string{"g"}) }, `DELETE /api/v1/node/n1/groups [Bearer tok] ["g"]`},
		{func() error { _, err := c.CreateAdmin(ctx, map[string]any{"name": "ann"}); return err }, `POST /api/v1/admins [Bearer tok] {"name":"ann"}`},
		{func() error { return c.UpdateAdmin(ctx, "ann", map[string]any{"roles": []string{}}) }, `PATCH /api/v1/admin/ann [Bearer tok] {"roles":[]}`},
		{func() error { return c.DeleteAdmin(ctx, "ann") }, `DELETE /api/v1/admin/ann [Bearer tok] `},
		{func() error { _, err := c.MintToken(ctx, "ann", client.TokenRequest{Lifetime: "1d"}); return err }, `POST /api/v1/admin/ann/token [Bearer tok] {"lifetime":"1d"}`},
		{func() error { _, err := c.ListTokens(ctx, client.TokenFilter{}); return err }, `GET /api/v1/tokens?limit=1000 [Bearer tok] `},
		{
			func() error { _, err := c.ListTokens(ctx, client.TokenFilter{User: "ann", Dead: true}); return err },
			`GET /api/v1/tokens?dead=true&limit=1000&user=ann [Bearer tok] `,
		},
		{func() error { return c.Logout(ctx, "ref") }, `POST /api/v1/logout [Bearer tok] {"refresh_token":"ref"}`},
		{func() error {
			_, err := c.MintToken(ctx, "ann", client.TokenRequest{Nodes: "n1", CIDR: []string{"10.0.0.0/8"}, Clusters: []string{"alpha"}})
			return err
		}, `POST /api/v1/admin/ann/token [Bearer tok] {"nodes":"n1","cidr":["10.0.0.0/8"],"clusters":["alpha"]}`},
		{func() error { _, err := c.GetToken(ctx, "t1"); return err }, `GET /api/v1/token/t1 [Bearer tok] `},
		{func() error { name := "x"; return c.RenameToken(ctx, "t1", client.TokenLabels{Name: &name}) }, `PATCH /api/v1/token/t1 [Bearer tok] {"name":"x"}`},
		{func() error { _, err := c.RevokeTokens(ctx, client.TokenSelection{User: "ann"}, true); return err }, `POST /api/v1/tokens/revoke [Bearer tok] {"user":"ann","dry_run":true}`},
		{func() error { _, err := c.InspectToken(ctx, "a.b.c"); return err }, `POST /api/v1/tokens/inspect [Bearer tok] {"token":"a.b.c"}`},
		{func() error { return c.RevokeToken(ctx, "t1") }, `DELETE /api/v1/token/t1 [Bearer tok] `},
		{func() error {
			id, err := c.StartJob(ctx, client.Job{JobID: 5, Cluster: "alpha", User: "ann", Project: "p", NumNodes: 1, StartTime: 100, Resources: []client.JobResource{{Hostname: "n1"}}})
			if id != 7 {
				t.Errorf("job id %d, want 7", id)
			}
			return err
		}, `POST /api/jobs/start_job/ [Bearer tok] {"jobId":5,"cluster":"alpha","user":"ann","project":"p","numNodes":1,"startTime":100,"resources":[{"hostname":"n1"}]}`},
		{func() error {
			j, err := c.StopJob(ctx, client.JobStop{JobID: 5, StopTime: 200, State: "failed"})
			if j.State != "failed" {
				t.Errorf("state %q", j.State)
			}
			return err
		}, `POST /api/jobs/stop_job/ [Bearer tok] {"jobId":5,"stopTime":200,"jobState":"failed"}`},
		{func() error {
			_, err := c.ListJobs(ctx, client.JobFilter{States: []string{"running", "failed"}, Cluster: "alpha", From: time.Unix(1, 0), To: time.Unix(2, 0), Page: 2, Items: 50})
			return err
		}, `GET /api/jobs/?cluster=alpha&items-per-page=50&page=2&start-time=1-2&state=running&state=failed [Bearer tok] `},
		{
			func() error {
				return c.ReportNodes(ctx, "alpha", []client.NodeReport{{Hostname: "n1", States: []string{"IDLE"}}})
			},
			`POST /api/nodestate/ [Bearer tok] {"cluster":"alpha","nodes":[{"hostname":"n1","states":["IDLE"],"cpusAllocated":0,"memoryAllocated":0,"gpusAllocated":0,"jobsRunning":0}]}`,
		},
		{func() error {
			return c.WriteSamples(ctx, "alpha", []client.Sample{
				{Metric: "cpu_load", Host: "n1", Time: time.Unix(60, 0), Value: 1.5},
				{Metric: "flops any", Cluster: "beta", Host: "n,2", Type: "hwthread", TypeID: "3", Time: time.Unix(61, 0), Value: 2e9},
			})
		}, "POST /api/write/?cluster=alpha [Bearer tok] cpu_load,hostname=n1,type=node value=1.5 60\nflops\\ any,cluster=beta,hostname=n\\,2,type=hwthread,type-id=3 value=2e+09 61\n"},
	}
	for _, call := range calls {
		h.asked = nil
		if err := call.do(); err != nil {
			t.Errorf("%s: %v", call.want, err)
		}
		if diff := cmp.Diff([]string{call.want}, h.asked); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTokensAreReadPageByPage(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _ := strconv.Atoi(r.URL.Query().Get("after"))
		var page []any
		for i := first + 1; i <= min(first+1000, 2300); i++ {
			page = append(page, map[string]any{"jti": strconv.Itoa(i), "user": "ann"})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "data": page})
	}))
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.ListTokens(t.Context(), client.TokenFilter{All: true})
	if err != nil || len(list) != 2300 || list[0].ID != "1" || list[2299].ID != "2300" {
		t.Errorf("%d tokens, %v", len(list), err)
	}
}

func TestCockpitFailureIsRead(t *testing.T) {
	t.Parallel()
	h := newHead(t, map[string]reply{
		"POST /api/jobs/start_job/": {status: 422, body: `{"status": "Unprocessable Entity", "error": "a job with that jobId exists"}`},
		"POST /api/write/":          {status: 401, body: "unauthorized\n"},
	})
	c := h.connect(t, client.Config{})
	if _, err := c.StartJob(t.Context(), client.Job{}); !errors.Is(err, client.ErrInvalid) || err.Error() != "a job with that jobId exists" {
		t.Errorf("start: %v", err)
	}
	if err := c.WriteSamples(t.Context(), "", nil); !errors.Is(err, client.ErrUnauthenticated) {
		t.Errorf("write: %v", err)
	}
}

func TestObserveSeesTheRequestButNoSecret(t *testing.T) {
	t.Parallel()
	h := newHead(t, map[string]reply{"GET /api/v1/whoami": data(map[string]any{"name": "ann"})})
	var seen []client.Exchange
	c := h.connect(t, client.Config{Credential: client.StaticToken("hush"), Observe: func(x client.Exchange) { seen = append(seen, x) }})
	if _, err := c.Whoami(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Method != http.MethodGet || seen[0].Path != "/api/v1/whoami" || seen[0].Status != 200 {
		t.Errorf("seen %+v", seen)
	}
	if strings.Contains(fmt.Sprintf("%+v", seen), "hush") {
		t.Error("the token was shown")
	}
}

func TestTimeIsSecondsOrNever(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		"1722624103.5": time.Date(2024, 8, 2, 18, 41, 43, 500e6, time.UTC), "0": {}, "null": {},
	} {
		var got client.Time
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	var bad client.Time
	if err := json.Unmarshal([]byte(`"noon"`), &bad); err == nil {
		t.Error("a text passed for a time")
	}
	if text, _ := json.Marshal(client.Time{Time: time.UnixMilli(1500)}); string(text) != "1.5" {
		t.Errorf("written as %s", text)
	}
}

package cockpit_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/cockpit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

var update = flag.Bool("update", false, "write the golden files")

// begin is when the first job of the contract's example started.
const begin = 1795459836

// world is the door on the real services and a real database, at a fixed time.
type world struct {
	mux    http.Handler
	door   *api.Dialect
	jobs   *watched
	users  *identity.Service
	nodes  *node.Service
	tokens *token.Service
	log    *strings.Builder
	text   map[string]string // user name -> token
}

// logins are the users of every world with their roles.
var logins = map[string][]identity.Role{
	"full":   {identity.RoleFullAdmin},
	"root":   {identity.RoleAdmin, identity.RoleAPI},
	"boss":   {identity.RoleAdmin},
	"script": {identity.RoleAPI},
	"helen":  {identity.RoleSupport},
	"pia":    {identity.RoleManager},
	"bob":    {identity.RoleUser},
	"alice":  {identity.RoleUser},
	"sender": {identity.RoleUser, identity.RoleAPI},
}

func newWorld(t *testing.T) *world {
	t.Helper()
	store := storetest.Open(t)
	now := clock.NewManual(time.Unix(begin+4027, 0))
	clusters := alpha(t)
	w := &world{log: &strings.Builder{}, text: map[string]string{}}
	w.users = identity.New(identity.Config{Store: store.Users(), Roles: identity.DefaultRoles(), Hasher: reverser{}, Clock: now})
	w.nodes = node.New(node.Config{Store: store.Nodes(), Clusters: subClusters{clusters}, Clock: now})
	w.tokens = newTokens(t, store.Tokens(), w.users, now)
	w.jobs = &watched{Service: job.New(job.Config{Store: store.Jobs(), Clusters: clusters, Live: plateau{}, Archive: &shelf{data: map[job.ID]job.Data{}}, Clock: now})}
	w.addUsers(t)
	seed(t, w.jobs.Service)

	door, err := cockpit.New(cockpit.Config{
		Jobs: w.jobs, Users: w.users, Clusters: clusters, Nodes: w.nodes, Tokens: w.tokens, Version: "test",
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.door, w.mux = door, door.Mux(api.Guard{Auth: bearer{w.tokens}})
	return w
}

func (w *world) addUsers(t *testing.T) {
	t.Helper()
	local := identity.Local("tester")
	for name, roles := range logins {
		n := identity.NewUser{Name: name, FullName: strings.ToUpper(name), Roles: roles, Password: "secret of " + name}
		if name == "pia" {
			n.Projects = []string{"p1"}
		}
		if _, err := w.users.Create(t.Context(), local, n); err != nil {
			t.Fatal(err)
		}
		minted, err := w.tokens.Mint(t.Context(), local, token.MintRequest{For: name, Kind: token.KindService})
		if err != nil {
			t.Fatal(err)
		}
		w.text[name] = minted.Text
	}
}

func newTokens(t *testing.T, store token.Store, users *identity.Service, now clock.Clock) *token.Service {
	t.Helper()
	public, private, err := token.GenerateKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := token.ParseKeys(public, private)
	if err != nil {
		t.Fatal(err)
	}
	verifier := token.NewVerifier(token.VerifierConfig{Keys: keys, Clock: now, Issuer: "https://head.example"})
	s, err := token.NewService(t.Context(), token.ServiceConfig{
		Keys: keys, Verifier: verifier, Store: store, Users: users, Clock: now, Policy: token.DefaultPolicy(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func alpha(t *testing.T) *cluster.Registry {
	t.Helper()
	hosts, err := hostlist.Parse("n[01-04]")
	if err != nil {
		t.Fatal(err)
	}
	flops := metric.Unit{Base: "F/s", Prefix: "G"}
	r, err := cluster.NewRegistry(&cluster.Cluster{
		Name: "alpha",
		Metrics: []cluster.MetricConfig{
			{
				Name: "flops_any", Unit: flops, Scope: metric.ScopeHWThread, Timestep: time.Minute, Aggregation: metric.AggregateSum,
				Limits: cluster.Limits{Footprint: "avg", Peak: 1000, Normal: 500, Caution: 100, Alert: 10.5},
			},
			{
				Name: "cpu_load", Scope: metric.ScopeNode, Timestep: time.Minute,
				Limits:      cluster.Limits{Footprint: "avg", LowerIsBetter: true, Peak: 4, Normal: 4, Caution: 3, Alert: 1},
				SubClusters: []cluster.SubClusterMetric{{Name: "old", Remove: true}},
			},
		},
		SubClusters: []cluster.SubCluster{{
			Name: "main", NodesExpr: "n[01-04]", Nodes: hosts, ProcessorType: "Example 4", SocketsPerNode: 1, CoresPerSocket: 2, ThreadsPerCore: 2,
			FlopRateScalar: cluster.Quantity{Unit: flops, Value: 10}, FlopRateSIMD: cluster.Quantity{Unit: flops, Value: 80},
			MemoryBandwidth: cluster.Quantity{Unit: metric.Unit{Base: "B/s", Prefix: "G"}, Value: 12.5},
			Topology: cluster.Topology{
				Node: []int{0, 1, 2, 3}, Socket: [][]int{{0, 1, 2, 3}}, MemoryDomain: [][]int{{0, 1, 2, 3}}, Core: [][]int{{0, 2}, {1, 3}},
				Accelerators: []cluster.Accelerator{{ID: "00000000:01:00.0", Type: "Nvidia GPU", Model: "Example"}},
			},
		}, {
			Name: "old", NodesExpr: "*", ProcessorType: "Example 1", SocketsPerNode: 1, CoresPerSocket: 1, ThreadsPerCore: 1,
			Topology: cluster.Topology{Node: []int{0}, Socket: [][]int{{0}}, MemoryDomain: [][]int{{0}}, Core: [][]int{{0}}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// seed makes job 1, the contract's example; job 2, finished and archived; and job 3, with everything that a job can have.
func seed(t *testing.T, jobs *job.Service) {
	t.Helper()
	local := identity.Local("tester")
	at := func(s int64) time.Time { return time.Unix(begin+s, 0) }
	list := []job.Job{
		{
			JobID: 1001, Cluster: "alpha", User: "bob", Project: "p1", NumNodes: 1, NumHWThreads: 4, Walltime: time.Hour, Start: at(0),
			Monitoring: job.MonitoringPending, Resources: []job.Resource{{Hostname: "n01"}}, MetaData: map[string]string{"jobName": "x"},
		},
		{
			JobID: 1002, Cluster: "alpha", User: "alice", Project: "p2", NumNodes: 2, Partition: "batch", Start: at(600),
			Monitoring: job.MonitoringPending, Resources: []job.Resource{{Hostname: "n02"}, {Hostname: "n03"}},
			Tags: []job.Tag{{Type: "app", Name: "gromacs"}},
		},
		{
			JobID: 1003, Cluster: "alpha", User: "carol", Project: "p1", NumNodes: 1, NumHWThreads: 2, NumAcc: 1, ArrayJobID: 77, SMT: 2,
			Shared: job.SharedMultiUser, Start: at(1000), Submit: at(900), RequestedMemory: 4096, Walltime: 2 * time.Hour,
			Resources: []job.Resource{{Hostname: "n04", HWThreads: []int{0, 2}, Accelerators: []string{"00000000:01:00.0"}, Configuration: "mig"}},
		},
	}
	for _, j := range list {
		if _, err := jobs.Start(t.Context(), local, j); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := jobs.Stop(t.Context(), local, job.StopRequest{Key: job.Key{JobID: 1002}, At: at(840), State: job.Failed}); err != nil {
		t.Fatal(err)
	}
	if err := jobs.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// watched is the real service of jobs; it notes what is asked of the samples, and fails on demand.
type watched struct {
	*job.Service
	selected job.Selection
	broken   error
}

func (w *watched) Data(ctx context.Context, c identity.Caller, id job.ID, sel job.Selection) (job.Job, job.Data, error) {
	w.selected = sel
	if w.broken != nil {
		return job.Job{}, nil, w.broken
	}
	return w.Service.Data(ctx, c, id, sel)
}

// reverser stands for the password hash, which is slow on purpose.
type reverser struct{}

func (reverser) HashPassword(_ context.Context, password string) (string, error) {
	return hex.EncodeToString([]byte(password)), nil
}

// subClusters finds the sub-cluster of a host.
type subClusters struct{ registry *cluster.Registry }

func (s subClusters) ResolveSubCluster(name, host string) (string, bool) {
	c, ok := s.registry.Get(name)
	if !ok {
		return "", false
	}
	sub, ok := c.ResolveSubCluster(host)
	if !ok {
		return "", false
	}
	return sub.Name, true
}

// bearer reads the two headers in which tokens come.
type bearer struct{ tokens *token.Service }

func (b bearer) Authenticate(r *http.Request, _ http.Header) (identity.Caller, error) {
	raw := r.Header.Get("X-Auth-Token")
	if raw == "" {
		raw = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	if raw == "" {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "no credential")
	}
	return b.tokens.Authenticate(r.Context(), raw, "192.0.2.1", "")
}

// plateau is a metric store in which each series has one value, a third above a whole number, and lacks its second sample.
type plateau struct{}

func (plateau) Query(_ context.Context, r metric.Request) (metric.Answer, error) {
	a := metric.Answer{Queries: r.Queries}
	for i, q := range r.Queries {
		var results []metric.Result
		devices := max(1, len(q.TypeIDs))
		if q.Aggregate {
			devices = 1
		}
		for k := range devices {
			s := metric.Series{From: r.From, Step: time.Minute}
			for at := r.From; at.Before(r.To); at = at.Add(time.Minute) {
				s.Data = append(s.Data, float64(i+k+1)+1.0/3)
			}
			if len(s.Data) > 1 {
				s.Data[1] = math.NaN()
			}
			results = append(results, metric.Result{Series: s, To: r.To})
		}
		a.Results = append(a.Results, results)
	}
	return a, nil
}

// shelf is an archive in memory.
type shelf struct {
	mu   sync.Mutex // guards data
	data map[job.ID]job.Data
}

func (s *shelf) WriteJob(_ context.Context, j job.Job, d job.Data) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data[j.ID] = d
	return nil
}

func (s *shelf) ReadData(_ context.Context, j job.Job) (job.Data, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.data[j.ID]
	if !ok {
		return nil, fault.New(fault.NotFound, "job %d is not archived", j.ID)
	}
	return d, nil
}

// request is one call of the door.
type request struct {
	method, path, as, contentType, body string
}

const form = "application/x-www-form-urlencoded"

func (w *world) do(t *testing.T, c request) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
	if c.as != "" {
		text, ok := w.text[c.as]
		if !ok {
			text = c.as
		}
		r.Header.Set("Authorization", "Bearer "+text)
	}
	if c.contentType != "" {
		r.Header.Set("Content-Type", c.contentType)
	}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

var jwt = regexp.MustCompile(`^ey[\w-]+\.[\w-]+\.[\w-]+$`)

// golden compares request and reply with the file of that name below testdata/golden.
func golden(t *testing.T, name string, c request, rec *httptest.ResponseRecorder) {
	t.Helper()
	body := jwt.ReplaceAllString(rec.Body.String(), "<token>")
	got := c.method + " " + c.path + "\nas " + c.as + "\n" + c.body + "\n---\n" +
		http.StatusText(rec.Code) + "\n" + rec.Header().Get("Content-Type") + "\n" + body
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); -update rewrites it:\n%s", path, diff)
	}
}

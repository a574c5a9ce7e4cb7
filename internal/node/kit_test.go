package node_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
)

// bench is a service on a real store with one cluster alpha, whose sub-cluster main has the hosts n0 to n9.
type bench struct {
	*node.Service
	store *sqlstore.Store
	clock *clock.Manual
}

type oneCluster struct{}

func (oneCluster) ResolveSubCluster(cluster, host string) (string, bool) {
	if cluster == "alpha" && len(host) == 2 && strings.HasPrefix(host, "n") {
		return "main", true
	}
	return "", false
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{store: storetest.Open(t), clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	b.Service = node.New(node.Config{Store: b.store.Nodes(), Clusters: oneCluster{}, Clock: b.clock})
	if err := b.EnsureDefaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// as returns a caller with the role.
func as(role identity.Role) identity.Caller {
	has, handsOn := identity.DefaultRoles().Effective([]identity.Role{role})
	return identity.Caller{
		User:        identity.User{Name: strings.TrimPrefix(string(role), "role."), Roles: []identity.Role{role}},
		Permissions: has, HandsOn: handsOn,
	}
}

// with returns a caller with exactly those permissions.
func with(ps ...identity.Permission) identity.Caller {
	return identity.Caller{User: identity.User{Name: "tester"}, Permissions: identity.SetOf(ps...)}
}

var (
	admin      = as(identity.RoleFullAdmin)
	production = as(identity.RoleProductionEngineer)
	manager    = as(identity.RoleWareManager)
	onsite     = as(identity.RoleOnsiteEngineer)
	authUser   = as(identity.RoleAuthUser)
	script     = as(identity.RoleAPI)
)

func (b *bench) mustCreate(t *testing.T, n node.NewNode) node.Node {
	t.Helper()
	created, err := b.Create(t.Context(), admin, n)
	if err != nil {
		t.Fatalf("create %+v: %v", n, err)
	}
	return created
}

func (b *bench) mustCreateGroup(t *testing.T, name string, attributes map[string]string) node.Group {
	t.Helper()
	g, err := b.CreateGroup(t.Context(), admin, node.NewGroup{Name: name, Attributes: attributes})
	if err != nil {
		t.Fatalf("create group %s: %v", name, err)
	}
	return g
}

// stored returns the node as it is kept, whoever may see what.
func (b *bench) stored(t *testing.T, uid node.UID) node.Node {
	t.Helper()
	n, err := b.store.Nodes().GetNode(t.Context(), uid)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// trail returns the audit records, newest first.
func (b *bench) trail(t *testing.T) []audit.Record {
	t.Helper()
	records, err := b.store.Audit().List(t.Context(), audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// wantFault fails unless err has the kind and its public message contains text.
func wantFault(t *testing.T, err error, kind fault.Kind, text string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(fault.Message(err), text) {
		t.Errorf("got error %v (%s), want kind %s and %q in its message", err, fault.KindOf(err), kind, text)
	}
}

func ptr[T any](v T) *T { return &v }

package identity_test

import (
	"context"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/store/storetest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// world is a service on a real store.
type world struct {
	*identity.Service
	store *sqlstore.Store
	clock *clock.Manual
}

var root = identity.Local("root")

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{store: storetest.Open(tb), clock: clock.NewManual(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))}
	w.Service = identity.New(identity.Config{Store: w.store.Users(), RoleStore: w.store.Roles(), Hasher: hasher{}, Clock: w.clock})
	return w
}

// hasher marks what it has hashed; real hashes are authn's business.
type hasher struct{}

func (hasher) HashPassword(_ context.Context, password string) (string, error) {
	return "hash of " + password, nil
}

// add creates a user from the command line, with a password and a project where his roles ask for them.
func (w *world) add(t *testing.T, name string, roles ...identity.Role) identity.User {
	t.Helper()
	n := identity.NewUser{Name: name, Roles: roles, Password: "secret"}
	for _, r := range roles {
		if r == identity.RoleManager {
			n.Projects = []string{"p1"}
		}
	}
	if roles == nil {
		n.Roles = []identity.Role{}
	}
	u, err := w.Create(t.Context(), root, n)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// as returns the caller that the user is with a session.
func (w *world) as(t *testing.T, name string) identity.Caller {
	t.Helper()
	st, err := w.Resolve(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	c := st.Caller(identity.ViaSession)
	c.Addr, c.RequestID = "192.0.2.1", "r1"
	return c
}

// last returns the newest record of the trail.
func (w *world) last(t *testing.T) audit.Record {
	t.Helper()
	recs, err := w.store.Audit().List(t.Context(), audit.Filter{Limit: 1})
	if err != nil || len(recs) != 1 {
		t.Fatal(recs, err)
	}
	return recs[0]
}

// fails checks the kind of an error and that whoever gets it learns why.
func fails(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: got %v, want %s", what, err, kind)
	}
}

// issued keeps a token that by has issued for another.
func (w *world) issued(t *testing.T, id string, by, of identity.User) {
	t.Helper()
	err := w.store.Tokens().CreateToken(t.Context(), token.Token{
		ID: id, Kind: token.KindImpersonation, UserID: of.ID, User: of.Name, IssuerID: by.ID, IssuedBy: by.Name,
		Issued: w.clock.Now(), Expires: w.clock.Now().Add(time.Hour),
	}, nil, root.Record(w.clock.Now(), "token.create", "token/"+id))
	if err != nil {
		t.Fatal(err)
	}
}

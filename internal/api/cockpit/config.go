// Package cockpit is the door for ClusterCockpit's REST clients (contract clustercockpit 3): schedulers' adapters, sites'
// scripts and the web pages. Where it differs from the original on purpose, docs/wire/clustercockpit.md says so.
package cockpit

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Jobs is what the door needs of jobs. *job.Service is one.
type Jobs interface {
	// Start registers a running job; fault.Invalid, and fault.Conflict when it is known.
	Start(ctx context.Context, c identity.Caller, j job.Job) (job.ID, error)
	// Stop ends a running job; fault.Invalid, fault.NotFound, and fault.Conflict when it has ended.
	Stop(ctx context.Context, c identity.Caller, r job.StopRequest) (job.Job, error)
	// Get returns a job that the caller may see; fault.NotFound.
	Get(ctx context.Context, c identity.Caller, id job.ID) (job.Job, error)
	// List returns a page of the jobs that the caller may see, and how many there are in all.
	List(ctx context.Context, c identity.Caller, f job.Filter) (jobs []job.Job, total int, err error)
	// Data returns a job and its samples; fault.NotFound, fault.Invalid, and fault.Unavailable while the store is away.
	Data(ctx context.Context, c identity.Caller, id job.ID, sel job.Selection) (job.Job, job.Data, error)
	// UsedNodes returns the hosts of running jobs that started before that time, by cluster.
	UsedNodes(ctx context.Context, c identity.Caller, before time.Time) (map[string][]string, error)
	// Delete removes a job; fault.NotFound.
	Delete(ctx context.Context, c identity.Caller, id job.ID) error
}

// Users is what the door needs of users. *identity.Service is one.
type Users interface {
	// Get returns the user with that name; fault.NotFound.
	Get(ctx context.Context, c identity.Caller, name string) (identity.User, error)
	// List returns all users.
	List(ctx context.Context, c identity.Caller) ([]identity.User, error)
	// Create adds a user; fault.Invalid, fault.Denied, and fault.Conflict when the name is taken.
	Create(ctx context.Context, c identity.Caller, n identity.NewUser) (identity.User, error)
	// Update changes a user; fault.NotFound, fault.Invalid, fault.Denied, fault.Conflict.
	Update(ctx context.Context, c identity.Caller, name string, up identity.Update) (identity.User, error)
	// Delete removes a user; fault.NotFound, fault.Denied, fault.Conflict.
	Delete(ctx context.Context, c identity.Caller, name string) error
	// Roles returns the table of roles.
	Roles() *identity.Roles
}

// Clusters is what the door needs of clusters. *cluster.Registry is one.
type Clusters interface {
	// List returns all clusters by name.
	List() []*cluster.Cluster
	// Get returns the cluster with that name.
	Get(name string) (*cluster.Cluster, bool)
}

// Nodes is what the door needs of nodes. *node.Service is one.
type Nodes interface {
	// Report notes what the scheduler of a cluster says of its hosts; fault.Invalid.
	Report(ctx context.Context, c identity.Caller, cluster string, reports []node.Report) error
}

// Tokens is what the door needs of tokens. *token.Service is one.
type Tokens interface {
	// Mint makes a token; fault.NotFound for an unknown user, and fault.Denied.
	Mint(ctx context.Context, c identity.Caller, r token.MintRequest) (token.Minted, error)
}

// Config is what the door is made of. All fields but Log are needed.
type Config struct {
	Jobs     Jobs
	Users    Users
	Clusters Clusters
	Nodes    Nodes
	Tokens   Tokens
	// TokenLifetime is how long a token for oneself lives; 0 leaves it to the token service. ClusterCockpit's users
	// expect the site's max-age.
	TokenLifetime time.Duration
	Version       string       // of the program, for the document
	Log           *slog.Logger // gets what clients are not told; nil drops it
}

// dialect holds the handlers.
type dialect struct{ Config }

// New returns the door. It fails when its table has a mistake.
func New(c Config) (*api.Dialect, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &dialect{c}
	door := &api.Dialect{
		Name: "cockpit", Title: "ClusterCockpit REST interface", Version: c.Version,
		Description: "Jobs, their metrics, clusters, node states and users, as ClusterCockpit's clients know them. " +
			"Times are seconds since 1970. Every path is answered with and without a slash at its end. A token goes into the header Authorization: Bearer, or X-Auth-Token.",
		Failure: d.fail, Error: reflect.TypeFor[failure](), Routes: d.routes(),
	}
	if err := door.Documented("/api/openapi.json", "/api/docs"); err != nil {
		return nil, fmt.Errorf("make cockpit door: %w", err)
	}
	if err := door.Check(); err != nil {
		return nil, fmt.Errorf("make cockpit door: %w", err)
	}
	return door, nil
}

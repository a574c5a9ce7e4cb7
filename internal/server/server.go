package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/archive"
	"github.com/bridgehead-hpc/bridgehead/internal/checkpoint"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
	"github.com/bridgehead-hpc/bridgehead/internal/trail"
)

// Options are what a server gets from its program rather than from its configuration.
type Options struct {
	Clock clock.Clock
	Log   *slog.Logger
	// Listening, when it is set, is told of each address once all are open: of port 0, only it learns what became.
	Listening func(net.Addr)
}

// Server is a head node: the parts, wired together.
type Server struct {
	*core
	config       Config
	clock        clock.Clock
	log          *slog.Logger
	listened     func(net.Addr)
	clusters     *cluster.Registry
	metrics      *metricstore.DB
	catalogues   map[string]metric.Catalogue // of the clusters, by name
	samples      *metric.Service
	archive      *archive.Dir
	jobs         *job.Service
	nodes        *node.Service
	sessions     *token.Sessions
	logins       logins
	gate         *access.Gate
	tokenFigures *tokenFigures
	refused      *refusals
	messages     messages
	trail        *trail.Service
	// exporters pass the trail on, one for each receiver.
	exporters []*trail.Exporter
	dialects  []*api.Dialect
	handler   http.Handler
}

// New opens what the configuration names and wires the parts. Nothing listens and nothing runs yet; Run does that. An
// error says in one line what is wrong and what to do.
func New(ctx context.Context, c Config, secrets Secrets, o Options) (_ *Server, err error) {
	s := &Server{config: c, clock: o.Clock, log: o.Log, listened: o.Listening}
	if s.core, err = openCore(ctx, c, secrets, o.Clock); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if problem := s.signing.Problem(); problem != "" {
		s.log.Error("tokens cannot be signed, those that exist are still good", "problem", problem)
	}
	if s.clusters, err = cluster.LoadDir(c.Archive.Path); err != nil {
		return nil, err
	}
	if err := s.openMetrics(); err != nil {
		return nil, err
	}
	checkpoint.Hint(c.MetricStore.Checkpoints.Directory, s.metrics, s.log)
	if s.archive, err = archive.OpenDir(c.Archive.Path, archive.Options{}); err != nil {
		return nil, err
	}
	s.jobs = job.New(job.Config{
		Store: s.store.Jobs(), Clusters: s.clusters, Live: s.samples, Archive: s.archive, Clock: s.clock, Log: s.log,
		Grace: time.Duration(c.Archive.Grace), Retention: time.Duration(c.MetricStore.RetentionInMemory),
	})
	s.nodes = node.New(node.Config{Store: s.store.Nodes(), Clusters: subClusters{s.clusters}, Clock: s.clock, Pattern: c.Main.NamingPattern})
	if err := s.nodes.EnsureDefaults(ctx); err != nil {
		return nil, err
	}
	s.sessions = token.NewSessions(token.SessionsConfig{
		Store: s.store.Sessions(), Users: s.users, Clock: s.clock, Key: secrets.SessionKey,
		Idle: time.Duration(c.Main.SessionIdle), Absolute: time.Duration(c.Main.SessionMaxAge),
		Acting: time.Duration(c.Main.ImpersonationMaxAge), Limit: c.Main.SessionLimit,
	})
	if err := s.openTrail(secrets); err != nil {
		return nil, err
	}
	if s.logins, err = s.openLogins(secrets); err != nil {
		return nil, err
	}
	if err := s.openNATS(secrets); err != nil {
		return nil, err
	}
	s.tokenFigures = newTokenFigures(s.tokens)
	if err := s.openDoors(); err != nil {
		return nil, err
	}
	return s, nil
}

// Close releases what New has opened. Run does it by itself.
func (s *Server) Close() error {
	var errs []error
	s.messages.close()
	if s.metrics != nil {
		errs = append(errs, s.metrics.Close())
	}
	if s.archive != nil {
		errs = append(errs, s.archive.Close())
	}
	if s.core != nil {
		errs = append(errs, s.core.Close())
	}
	return errors.Join(errs...)
}

// Handler returns everything that the server serves, as one handler.
func (s *Server) Handler() http.Handler { return s.handler }

// Dialects returns the interfaces with their route tables, for documents and tests.
func (s *Server) Dialects() []*api.Dialect { return s.dialects }

// Users returns the accounts, for tests and for programs that make them without a door.
func (s *Server) Users() *identity.Service { return s.users }

// Tokens returns the service that makes and checks tokens, for the same.
func (s *Server) Tokens() *token.Service { return s.tokens }

// openMetrics opens the metric store for the metrics that the clusters are configured to have.
func (s *Server) openMetrics() (err error) {
	c := s.config.MetricStore
	s.metrics, err = metricstore.Open(c.Checkpoints.Directory, metricstore.Options{
		Clock: s.clock, Retention: time.Duration(c.RetentionInMemory),
		CheckpointEvery: time.Duration(c.CheckpointInterval), SyncEvery: c.syncEvery(),
		MaxLogBytes: c.Checkpoints.MaxWALSize, MemoryCap: int64(c.MemoryCap) << 30, Log: s.log,
		Keep: s.neededHosts,
	})
	if errors.Is(err, metricstore.ErrLocked) {
		return fmt.Errorf("another server uses the folder %s; stop it, or change metric-store.checkpoints.directory", c.Checkpoints.Directory)
	}
	if err != nil {
		return fmt.Errorf("open metric store in %s: %w", c.Checkpoints.Directory, err)
	}
	s.catalogues = map[string]metric.Catalogue{} // made once: every batch of samples asks for one
	for _, c := range s.clusters.List() {
		s.catalogues[c.Name] = c.Catalogue()
	}
	s.samples = metric.NewService(metric.ServiceConfig{Engine: s.metrics, Clock: s.clock, Catalogue: s.catalogue, Expected: s.clusters.Measured, MinimumPoints: s.config.Main.Resampling.MinimumPoints})
	return nil
}

// neededHosts says of which hosts jobs still need the samples. When the database cannot tell, all stay for now.
func (s *Server) neededHosts() func(cluster, host string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), neededTimeout)
	defer cancel()
	needed, err := job.Needed(ctx, s.store.Jobs(), s.clock.Now())
	if err != nil {
		s.log.Warn("it cannot be told which samples jobs still need, so none are forgotten now", "error", err)
		return func(string, string) bool { return true }
	}
	return needed
}

// neededTimeout is how long the database has to tell which hosts jobs use.
const neededTimeout = 30 * time.Second

// catalogue returns the metrics of a cluster; ok is false when there is no such cluster.
func (s *Server) catalogue(name string) (c metric.Catalogue, ok bool) {
	c, ok = s.catalogues[name]
	return c, ok
}

// subClusters answers the node service's questions about hardware.
type subClusters struct{ *cluster.Registry }

// ResolveSubCluster returns the name of the sub-cluster that a host belongs to.
func (s subClusters) ResolveSubCluster(clusterName, host string) (string, bool) {
	c, ok := s.Get(clusterName)
	if !ok {
		return "", false
	}
	sub, ok := c.ResolveSubCluster(host)
	if !ok {
		return "", false
	}
	return sub.Name, true
}

// opened is the caller that disable-authentication makes of everybody.
func opened() *identity.Caller {
	c := identity.Local("anonymous")
	return &c
}

package metricserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
	"github.com/bridgehead-hpc/bridgehead/internal/checkpoint"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
	"github.com/bridgehead-hpc/bridgehead/internal/netlimit"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// grace is how long running requests may take after the end has been asked for.
const grace = 20 * time.Second

// Run serves the metric store until ctx is done. Then it finishes running requests and writes a checkpoint.
func Run(ctx context.Context, c Config, clk clock.Clock, log *slog.Logger) error {
	auth, head, err := newAuthenticator(c, clk, log)
	if err != nil {
		return err
	}
	if c.PublicKey == "" {
		log.WarnContext(ctx, "NO AUTHENTICATION: no jwt-public-key is configured, so everybody who reaches this address may read, write and delete all metrics",
			"address", c.Addr)
	}
	ln, err := listen(ctx, c, log)
	if err != nil {
		return err
	}
	defer ln.Close() //nolint:errcheck // the HTTP server has closed it, unless something failed before
	if err := becomeUser(c.User, c.Group); err != nil {
		return err
	}
	db, err := openStore(c, newBackend(c, clk, log).keepAfterFirst(), clk, log)
	if err != nil {
		return err
	}
	checkpoint.Hint(c.Dir, db, log)
	service := newService(c, db, clk)
	tasks := []run.Task{
		func(ctx context.Context) error { db.Run(ctx); return nil },
	}
	collectors := []prometheus.Collector{ingest.NewCollector(db, service)}
	if head != nil {
		head.restore()
		tasks = append(tasks, head.run)
		collectors = append(collectors, head)
	}
	feeds, closeFeeds, err := openFeeds(c, service, clk, log)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer closeFeeds()
	for _, f := range feeds {
		tasks = append(tasks, f.Run)
	}
	collectors = append(collectors, feeds)
	handler, err := newHandler(c, service, clk, auth, log, collectors)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	log.InfoContext(ctx, "listening", "address", ln.Addr().String())
	err = run.Tasks(ctx, append(tasks, func(ctx context.Context) error { return serve(ctx, ln, handler, log) })...)
	return errors.Join(err, db.Close())
}

// newAuthenticator returns who decides about credentials, and what follows the head, nil when nothing does.
func newAuthenticator(c Config, clk clock.Clock, log *slog.Logger) (api.Authenticator, *head, error) {
	if c.PublicKey == "" {
		return openDoor{}, nil, nil
	}
	keys, err := token.ParseKeys(c.PublicKey, "")
	if err != nil {
		return nil, nil, fmt.Errorf("jwt-public-key: %w", err)
	}
	if token.IsDemoKey(c.PublicKey) && !access.IsLoopback(c.Addr) {
		return nil, nil, fmt.Errorf("jwt-public-key is the demonstration key, whose private half is public, and %s can be reached from outside; make a pair with gen-keypair, or listen on localhost", c.Addr)
	}
	// Tokens of ClusterCockpit have no exp unless its operator asks for one, and its documentation's token has none.
	v := token.NewVerifier(token.VerifierConfig{Keys: keys, Clock: clk, AllowUnexpiring: true})
	door := tokenDoor{tokens: v, head: newHead(c, keys, v, clk, log)}
	if c.CheckRoles {
		door.roles = identity.DefaultRoles()
	}
	return door, door.head, nil
}

// openStore opens the folder with the samples and says what was found.
func openStore(c Config, keep func() func(cluster, host string) bool, clk clock.Clock, log *slog.Logger) (*metricstore.DB, error) {
	db, err := metricstore.Open(c.Dir, metricstore.Options{
		Clock: clk, Log: log, Retention: c.Retention, CheckpointEvery: c.CheckpointEvery, SyncEvery: c.SyncEvery, MaxLogBytes: c.MaxLogBytes, MemoryCap: c.MemoryCap,
		Keep: keep,
	})
	switch {
	case errors.Is(err, metricstore.ErrLocked):
		return nil, fmt.Errorf("the folder %s is in use by another metric store; stop it, or change checkpoints.directory", c.Dir)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the folder %s cannot be used: %w; it has to belong to the user that runs this program", c.Dir, err)
	case err != nil:
		return nil, fmt.Errorf("open the folder %s: %w", c.Dir, err)
	}
	found := db.Recovered()
	for _, what := range found.Damage {
		log.Error("samples on disk are damaged", "where", what)
	}
	log.Info("samples restored", "from_checkpoint", found.Checkpoint, "from_log", found.Log, "torn_bytes", found.TornBytes,
		"milliseconds", found.Took.Milliseconds())
	return db, nil
}

func newService(c Config, db *metricstore.DB, clk clock.Clock) *metric.Service {
	return metric.NewService(metric.ServiceConfig{
		Engine: db, Clock: clk, Catalogue: func(string) (metric.Catalogue, bool) { return c.Metrics, true },
	})
}

// newHandler returns what answers requests.
func newHandler(c Config, service *metric.Service, clk clock.Clock, auth api.Authenticator, log *slog.Logger, figures []prometheus.Collector) (http.Handler, error) {
	dialect := ingest.New(ingest.Config{Metrics: service, Log: log, StandAlone: true})
	if c.Documentation {
		if err := dialect.Documented("/swagger/doc.json", "/swagger"); err != nil {
			return nil, fmt.Errorf("document the interface: %w", err)
		}
	}
	others := []*api.Dialect{ingest.NewInflux(service, log), promql.New(promql.Config{Metrics: service, Clock: clk, Log: log, Limits: c.Limits})}
	for _, d := range append(others, dialect) {
		if err := d.Check(); err != nil {
			return nil, fmt.Errorf("routes: %w", err)
		}
	}
	mux := http.NewServeMux()
	registry := prometheus.NewRegistry()
	registry.MustRegister(figures...)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	guard := api.Guard{Auth: auth, Refused: func(r *http.Request, who identity.Caller, err error) {
		log.InfoContext(r.Context(), "refused", "path", r.URL.Path, "address", address(r), "user", who.User.Name, "error", err)
	}}
	mux.Handle("/", dialect.Mux(guard))
	for _, path := range []string{"/api/v2/", "/write", "/query", "/ping", "/health", "/ready"} {
		mux.Handle(path, others[0].Mux(guard))
	}
	mux.Handle("/prometheus/", others[1].Mux(guard))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, api.Canonical(r))
	}), nil
}

// listen opens the address, so that one in use is found before anything else happens.
func listen(ctx context.Context, c Config, log *slog.Logger) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is in use by another program; stop it, or change the address in the configuration", c.Addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", c.Addr, err)
	}
	total := netlimit.Connections()
	ln = netlimit.New(netlimit.Limits{PerAddress: total / 2, Total: total, Log: log}).Listen(ln) // half of them may come by one proxy
	if c.CertFile == "" {
		return ln, nil
	}
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load TLS certificate: %w", err), ln.Close())
	}
	return tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}), nil
}

// serve answers requests until ctx is done and lets those that run finish.
func serve(ctx context.Context, ln net.Listener, handler http.Handler, log *slog.Logger) error {
	srv := netlimit.Server(handler, log)
	return run.Tasks(ctx,
		func(context.Context) error {
			if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve: %w", err)
			}
			return nil
		},
		func(ctx context.Context) error {
			<-ctx.Done()
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
			defer cancel()
			if err := srv.Shutdown(stop); err != nil {
				return errors.Join(fmt.Errorf("shut down: %w", err), srv.Close())
			}
			return nil
		},
	)
}

// importCheckpoints takes over what ClusterCockpit's metric store has left in a folder, as the user who will serve it.
func importCheckpoints(ctx context.Context, env Env, c Config, dir string, log *slog.Logger) (err error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("-import-checkpoints: there is no folder %s", dir)
	}
	if err := becomeUser(c.User, c.Group); err != nil {
		return err
	}
	db, err := openStore(c, newBackend(c, clock.System{}, log).keep, clock.System{}, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return checkpoint.Command(ctx, checkpoint.Config{
		Dir: dir, Store: db, Catalogue: func(string) (metric.Catalogue, bool) { return c.Metrics, true },
	}, clock.System{}, env.Stdout)
}

// cleanUp drops what is older than the retention and writes a checkpoint of the rest, as the user who will serve it.
func cleanUp(c Config, log *slog.Logger) error {
	if err := becomeUser(c.User, c.Group); err != nil {
		return err
	}
	db, err := openStore(c, newBackend(c, clock.System{}, log).keep, clock.System{}, log)
	if err != nil {
		return err
	}
	return db.Close()
}

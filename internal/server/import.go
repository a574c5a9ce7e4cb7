package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/bridgehead-hpc/bridgehead/internal/checkpoint"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
)

// storeCommands does what -import-checkpoints and -cleanup-checkpoints ask for, in this order. Opening the store drops
// what is older than the retention, closing it writes the rest.
func storeCommands(ctx context.Context, env Env, c Config, f flags, log *slog.Logger) (err error) {
	if f.importCheckpoints == "" && !f.cleanupCheckpoints {
		return nil
	}
	if f.importCheckpoints != "" {
		if info, err := os.Stat(f.importCheckpoints); err != nil || !info.IsDir() {
			return fmt.Errorf("-import-checkpoints: there is no folder %s", f.importCheckpoints)
		}
	}
	s := &Server{config: c, clock: clock.System{}, log: log}
	if s.clusters, err = cluster.LoadDir(c.Archive.Path); err != nil {
		return err
	}
	st, err := sqlite.Open(ctx, c.Main.DB, sqlite.Options{}) // it knows which samples jobs still need
	if err != nil {
		return err
	}
	s.core = &core{store: st}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.openMetrics(); err != nil {
		return err
	}
	if f.importCheckpoints == "" {
		return nil
	}
	return checkpoint.Command(ctx, checkpoint.Config{Dir: f.importCheckpoints, Store: s.metrics, Catalogue: s.catalogue}, s.clock, env.Stdout)
}

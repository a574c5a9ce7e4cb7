package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/journal"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
)

// Env is the program's surroundings.
type Env struct {
	Args           []string
	Stdout, Stderr io.Writer
	Getenv         func(string) string
}

// version is set when the program is linked.
var version = "devel"

// Main is the program cc-backend (contract clustercockpit 2.1). It returns the exit code: 0 ok, 1 failed, 2 usage.
func Main(ctx context.Context, env Env) int {
	f, err := parseFlags(env.Args, env.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case err == nil:
		err = runCommand(ctx, env, f)
	}
	if err != nil {
		// Whatever -loglevel says, a program that fails says why, in one line.
		journal.New(env.Stderr, slog.LevelError, f.logDate).Error(journal.Sentence(err)) //nolint:sloglint // the error is the message
		return 1
	}
	return 0
}

func runCommand(ctx context.Context, env Env, f flags) error {
	switch {
	case f.version:
		return printVersion(env.Stdout)
	case f.init:
		return scaffold(ctx, env.Stdout)
	}
	c, notes, err := ReadConfig(f.config)
	if err != nil {
		return err
	}
	if done, err := schemaCommand(ctx, env.Stdout, c, f); done || err != nil {
		return err
	}
	secrets, err := ReadSecrets(".env", env.Getenv)
	if err != nil {
		return err
	}
	if err := accountCommands(ctx, env, c, secrets, f); err != nil {
		return err
	}
	log := journal.New(env.Stderr, f.level, f.logDate)
	if err := storeCommands(ctx, env, c, f, log); err != nil {
		return err
	}
	if f.server && f.cleanupCheckpoints { // it ends the program, as it always has
		return nil
	}
	if !f.server {
		_, err := fmt.Fprintln(env.Stdout, "No errors, server flag not set. Exiting cc-backend.")
		return err
	}
	for _, n := range notes {
		log.Warn("configuration: " + n) //nolint:sloglint // the note is the message
	}
	s, err := New(ctx, c, secrets, Options{Clock: clock.System{}, Log: log})
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

func printVersion(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Bridgehead\nVersion:\t%s\nSQL db version:\t%d\nJob archive version:\t%d\n", version, sqlite.LatestVersion(), 3)
	return err
}

// schemaCommand does what the flags about the database ask for. done says that the program ends with it.
func schemaCommand(ctx context.Context, out io.Writer, c Config, f flags) (done bool, err error) {
	db := c.Main.DB
	report := func(name, what string, n int64, err error) (bool, error) {
		if err == nil {
			_, err = fmt.Fprintf(out, "%s Success: %s SQLite database at '%s' to version %d.\n", name, what, db, n)
		}
		return true, err
	}
	switch {
	case f.migrateDB:
		n, err := sqlite.Migrate(ctx, db)
		return report("MigrateDB", "Migrated", n, err)
	case f.revertDB:
		n, err := sqlite.Revert(ctx, db)
		return report("RevertDB", "Reverted", n, err)
	case f.forceDB:
		n, err := sqlite.Version(ctx, db)
		return report("ForceDB", "Forced", n, err)
	case f.optimizeDB:
		if err := sqlite.Optimize(ctx, db); err != nil {
			return true, err
		}
		_, err := fmt.Fprintf(out, "OptimizeDB Success: Optimized SQLite database at '%s'.\n", db)
		return true, err
	}
	return false, nil
}

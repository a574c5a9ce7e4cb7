// Package metricserver is the program cc-metric-store: the metric store on its own, with nothing of the head but the
// public key that verifies tokens.
package metricserver

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/journal"
)

// Env is the program's surroundings.
type Env struct {
	Args           []string
	Stdout, Stderr io.Writer
	Getenv         func(string) string // nil knows nothing
}

// version is set when the program is linked.
var version = "devel"

// flags are the options of cc-metric-store (contract clustercockpit 2.2).
type flags struct {
	config, logLevel            string
	importDir                   string
	dev, gops, logDate, version bool
	cleanup, roles              bool
	level                       slog.Level
}

// errUsage means that usage has been printed and the program ends with exit code 2.
var errUsage = errors.New("usage")

// Main is the program cc-metric-store. It returns the exit code: 0 ok, 1 failed, 2 usage. It runs until ctx is done.
func Main(ctx context.Context, env Env) int {
	f, err := parseFlags(env)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case err == nil:
		err = runCommand(ctx, env, f)
	}
	if err != nil {
		journal.New(env.Stderr, slog.LevelError, f.logDate).Error(journal.Sentence(err)) //nolint:sloglint // the one line that a failed program leaves
		return 1
	}
	return 0
}

func parseFlags(env Env) (flags, error) {
	var f flags
	fs := flag.NewFlagSet("cc-metric-store", flag.ContinueOnError)
	fs.SetOutput(env.Stderr)
	fs.StringVar(&f.config, "config", "./config.json", "configuration `file`")
	fs.StringVar(&f.logLevel, "loglevel", "warn", "debug, info, warn, err or crit")
	fs.BoolVar(&f.logDate, "logdate", false, "date and time in log lines")
	fs.BoolVar(&f.dev, "dev", false, "serve the interface's documentation at /swagger/")
	fs.BoolVar(&f.gops, "gops", false, "accepted for compatibility and without effect")
	fs.StringVar(&f.importDir, "import-checkpoints", "", "take over the samples that ClusterCockpit's metric store has left in this `folder`, then exit")
	fs.BoolVar(&f.cleanup, "cleanup-checkpoints", false, "drop samples that are older than the retention, then exit")
	fs.BoolVar(&f.roles, "check-roles", false, "give a token the rights of its roles; without it every valid token may do everything")
	fs.BoolVar(&f.version, "version", false, "print the version and exit")
	if err := fs.Parse(env.Args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return f, flag.ErrHelp
		}
		return f, errUsage
	}
	if fs.NArg() > 0 {
		return f, fmt.Errorf("unexpected argument %q: options begin with a dash", fs.Arg(0))
	}
	var err error
	f.level, err = journal.ParseLevel(f.logLevel)
	return f, err
}

func runCommand(ctx context.Context, env Env, f flags) error {
	if f.version {
		_, err := fmt.Fprintf(env.Stdout, "Bridgehead metric store\nVersion:\t%s\n", version)
		return err
	}
	c, err := ReadConfig(f.config)
	if err != nil {
		return err
	}
	c.Documentation, c.CheckRoles = f.dev, f.roles
	if env.Getenv != nil {
		if err := c.useSecrets(env.Getenv); err != nil {
			return err
		}
	}
	log := journal.New(env.Stderr, f.level, f.logDate)
	for _, n := range c.Notes {
		log.WarnContext(ctx, "configuration: "+n) //nolint:sloglint // the note is the message
	}
	if f.importDir != "" {
		return importCheckpoints(ctx, env, c, f.importDir, log)
	}
	if f.cleanup {
		return cleanUp(c, log)
	}
	return Run(ctx, c, clock.System{}, log)
}

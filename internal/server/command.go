package server

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/journal"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
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
	if !f.server {
		_, err := fmt.Fprintln(env.Stdout, "No errors, server flag not set. Exiting cc-backend.")
		return err
	}
	log := journal.New(env.Stderr, f.level, f.logDate)
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

// accountCommands does what -add-user, -del-user and -jwt ask for, in this order.
func accountCommands(ctx context.Context, env Env, c Config, s Secrets, f flags) (err error) {
	if f.addUser == "" && f.delUser == "" && f.jwt == "" {
		return nil
	}
	if c.Main.DisableAuthentication && (f.addUser != "" || f.delUser != "") {
		return errors.New("-add-user and -del-user make no sense while main.disable-authentication is set")
	}
	co, err := openCore(ctx, c, s, clock.System{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, co.Close()) }()
	who := identity.Local(osUser())
	if f.addUser != "" {
		if err := co.addUser(ctx, who, f.addUser); err != nil {
			return plain("-add-user", err)
		}
	}
	if f.delUser != "" {
		if err := co.users.Delete(ctx, who, f.delUser); err != nil {
			return plain("-del-user", err)
		}
	}
	if f.jwt != "" {
		return co.printJWT(ctx, env, who, f, time.Duration(c.Auth.JWTs.MaxAge))
	}
	return nil
}

// plain leaves of a user's mistake what he can do something about, without the way that the error took through the
// program. What is the program's own fault keeps it.
func plain(doing string, err error) error {
	if fault.KindOf(err) == fault.Internal {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %s", doing, fault.Message(err))
}

func osUser() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}

func (co *core) addUser(ctx context.Context, who identity.Caller, value string) error {
	v, err := parseAddUser(value)
	if err != nil {
		return err
	}
	roles, err := co.users.Roles().Parse(v.roles...)
	if err != nil {
		return err
	}
	_, err = co.users.Create(ctx, who, identity.NewUser{Name: v.name, Roles: roles, Password: v.password})
	return err
}

// printJWT prints the one line that scripts take apart: the token is what follows the last blank.
func (co *core) printJWT(ctx context.Context, env Env, who identity.Caller, f flags, maxAge time.Duration) error {
	u, err := co.users.Get(ctx, who, f.jwt)
	if err != nil {
		return plain("getting user '"+f.jwt+"'", err)
	}
	if !slices.Contains(u.Roles, identity.RoleAPI) {
		_, _ = fmt.Fprintf(env.Stderr, "%suser '%s' does not have the role api: routes that write will refuse the token\n", journal.Prefix(slog.LevelWarn), f.jwt)
	}
	m, err := co.tokens.Mint(ctx, who, token.MintRequest{
		For: u.Name, Lifetime: cmp.Or(f.jwtLifetime, maxAge), Name: "cc-backend -jwt", Purpose: f.jwtPurpose,
	})
	if err != nil {
		return plain("make token", err)
	}
	_, err = fmt.Fprintf(env.Stdout, "JWT: Successfully generated JWT for user '%s': %s\n", u.Name, m.Text)
	return err
}

// policy turns the configuration into the lifetimes that the token service holds: max-age caps them all.
func policy(c JWTConfig) token.Policy { return token.Policy{MaxLifetime: time.Duration(c.MaxAge)} }

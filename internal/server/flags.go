package server

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/journal"
)

// flags are the options of cc-backend (contract clustercockpit 2.1).
type flags struct {
	server, dev, init, version     bool
	migrateDB, revertDB, forceDB   bool
	optimizeDB, cleanupCheckpoints bool
	importCheckpoints              string
	logDate, noServer, gops        bool
	addUser, delUser, jwt          string
	unbindUser                     string
	jwtLifetime                    Lifetime
	jwtName, jwtPurpose            string
	syncLDAP                       bool
	config, logLevel               string
	level                          slog.Level
}

// errUsage means that usage has been printed and the program ends with exit code 2.
var errUsage = errors.New("usage")

func parseFlags(args []string, stderr io.Writer) (flags, error) {
	var f flags
	fs := flag.NewFlagSet("cc-backend", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.BoolVar(&f.server, "server", false, "start the web server after all one-shot actions")
	fs.BoolVar(&f.dev, "dev", false, "accepted for compatibility: the API documents are always at /api/docs and /api/v1/docs")
	fs.BoolVar(&f.init, "init", false, "make config.json, .env, ./var and the database in an empty folder, then exit")
	fs.BoolVar(&f.migrateDB, "migrate-db", false, "bring the database to this version's schema, then exit")
	fs.BoolVar(&f.revertDB, "revert-db", false, "go back one schema version, then exit")
	fs.BoolVar(&f.forceDB, "force-db", false, "accepted for compatibility: migrations are transactions and leave nothing to clear; exit")
	fs.BoolVar(&f.optimizeDB, "optimize-db", false, "compact and analyse the database, then exit")
	fs.StringVar(&f.importCheckpoints, "import-checkpoints", "", "take over the samples that ClusterCockpit's metric store has left in this `folder`")
	fs.BoolVar(&f.cleanupCheckpoints, "cleanup-checkpoints", false, "drop samples that are older than the retention, then exit")
	fs.StringVar(&f.addUser, "add-user", "", "create a local user, `name:role[,role...]:password`; the roles are those of both families, such as admin,api or role.FullAdmin")
	fs.StringVar(&f.delUser, "del-user", "", "delete the user with this `name`")
	fs.StringVar(&f.unbindUser, "unbind-user", "", "forget to whom at the OpenID Connect provider the user with this `name` belongs; the next login by that name binds him anew")
	fs.BoolVar(&f.syncLDAP, "sync-ldap", false, "take over the users of the LDAP directory once, as auth.ldap says")
	fs.StringVar(&f.jwt, "jwt", "", "print a token for the user with this `name`")
	fs.TextVar(&f.jwtLifetime, "jwt-lifetime", Lifetime(0), "`lifetime` of the token of -jwt, such as 30d; without it the longest that is allowed, auth.jwts.max-age")
	fs.StringVar(&f.jwtName, "jwt-name", "", "label of the token of -jwt, shown in lists")
	fs.StringVar(&f.jwtPurpose, "jwt-purpose", "", "what the token of -jwt is for, shown in lists")
	fs.StringVar(&f.config, "config", "./config.json", "configuration `file`")
	fs.StringVar(&f.logLevel, "loglevel", "warn", "debug, info, warn, err or crit")
	fs.BoolVar(&f.logDate, "logdate", false, "date and time in log lines")
	fs.BoolVar(&f.gops, "gops", false, "accepted for compatibility and without effect")
	fs.BoolVar(&f.version, "version", false, "print the version and exit")
	fs.BoolVar(&f.noServer, "no-server", false, "accepted for old scripts and without effect")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return f, flag.ErrHelp
		}
		return f, errUsage
	}
	if fs.NArg() > 0 {
		return f, fmt.Errorf("unexpected argument %q: options begin with a dash", fs.Arg(0))
	}
	level, err := journal.ParseLevel(f.logLevel)
	f.level = level
	return f, err
}

// newUserFlag is the value of -add-user, split at the first two colons: a password may contain more.
type newUserFlag struct {
	name, password string
	roles          []string
}

func parseAddUser(value string) (newUserFlag, error) {
	parts := strings.SplitN(value, ":", 3)
	if len(parts) != 3 || parts[0] == "" {
		// The value may hold a password, so the message does not repeat it.
		return newUserFlag{}, errors.New("the value is not of the form name:role[,role...]:password")
	}
	u := newUserFlag{name: parts[0], password: parts[2], roles: []string{}}
	if parts[1] != "" {
		u.roles = strings.Split(parts[1], ",")
	}
	return u, nil
}

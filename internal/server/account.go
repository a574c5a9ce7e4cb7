package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/user"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/journal"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// accountCommands does what -add-user, -del-user, -unbind-user, -sync-ldap and -jwt ask for, in this order.
func accountCommands(ctx context.Context, env Env, c Config, s Secrets, f flags) (err error) {
	if f.addUser+f.delUser+f.unbindUser+f.jwt == "" && !f.syncLDAP {
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
	for _, c := range []struct {
		flag, value string
		do          func(ctx context.Context, who identity.Caller, value string) error
	}{{"-add-user", f.addUser, co.addUser}, {"-del-user", f.delUser, co.users.Delete}, {"-unbind-user", f.unbindUser, co.users.Unbind}} {
		if c.value == "" {
			continue
		}
		if err := c.do(ctx, who, c.value); err != nil {
			return plain(c.flag, err)
		}
	}
	if f.syncLDAP {
		if err := co.syncLDAP(ctx, env, c, s, f); err != nil {
			return plain("-sync-ldap", err)
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
		For: u.Name, Lifetime: cmp.Or(time.Duration(f.jwtLifetime), maxAge), Cut: f.jwtLifetime == 0,
		Name: cmp.Or(f.jwtName, "cc-backend -jwt"), Purpose: f.jwtPurpose,
	})
	if err != nil {
		return plain("make token", err)
	}
	_, err = fmt.Fprintf(env.Stdout, "JWT: Successfully generated JWT for user '%s': %s\n", u.Name, m.Text)
	return err
}

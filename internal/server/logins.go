package server

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/crosslogin"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/directory"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/oidc"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/journal"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// logins is all ways to log in.
type logins struct {
	service   *authn.Service
	factors   *authn.Factors
	keys      *authn.KeyLogins
	directory *directory.Logins   // nil without auth.ldap
	provider  access.SingleSignOn // nil without auth.oidc
	label     string              // of provider
	cross     access.CrossLogins  // nil where no token of another site is believed
}

// openLogins builds what the configuration asks for. Nothing is connected to yet.
func (s *Server) openLogins(secrets Secrets) (l logins, err error) {
	host, err := os.Hostname()
	if err != nil {
		return l, fmt.Errorf("find out this head's name: %w", err)
	}
	limiter := authn.NewLimiter(s.clock)
	if l.factors, err = s.openFactors(secrets, limiter, host); err != nil {
		return l, err
	}
	c := authn.Config{
		Users: s.users, Passwords: s.passwords, Factors: l.factors, Limiter: limiter, Audit: s.store.Audit(), Clock: s.clock, Log: s.log,
	}
	if l.directory, err = s.openDirectory(s.config.Auth.LDAP, secrets, s.log); err != nil {
		return l, err
	}
	if l.directory != nil {
		c.Backends = append(c.Backends, l.directory)
	}
	if path := s.config.Auth.Exec.Path; path != "" {
		program, err := authn.NewCommand(path)
		if err != nil {
			return l, fmt.Errorf("auth.exec.path: %w", err)
		}
		c.Backends = append(c.Backends, program)
	}
	l.service = authn.NewService(c)
	if l.keys, err = authn.NewKeyLogins(l.service, host, secrets.SessionKey); err != nil {
		return l, err
	}
	if err := s.openProvider(&l, secrets); err != nil {
		return l, err
	}
	return l, s.openCrossLogins(&l, secrets)
}

// openFactors builds the second factors. Their secrets are sealed with a key of their own.
func (s *Server) openFactors(secrets Secrets, limiter *authn.Limiter, host string) (*authn.Factors, error) {
	box, err := seal.New(secrets.SessionKey, "second factor")
	if err != nil {
		return nil, fmt.Errorf("SESSION_KEY: %w", err)
	}
	return authn.NewFactors(authn.FactorsConfig{
		Store: s.store.Factors(), Users: s.users, Passwords: s.passwords, Limiter: limiter, Box: box, Clock: s.clock, Issuer: host,
	}), nil
}

// openDirectory builds the logins of the LDAP directory; nil when none is configured.
func (co *core) openDirectory(c *LDAPConfig, secrets Secrets, log *slog.Logger) (*directory.Logins, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // none is a normal answer
	}
	var roots *x509.CertPool
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("auth.ldap.ca-file: %w", err)
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("auth.ldap.ca-file: %s holds no certificate in PEM", c.CAFile)
		}
	}
	d, err := directory.New(directory.Config{
		URL: c.URL, StartTLS: c.StartTLS, Roots: roots, UserBase: c.UserBase, UserFilter: c.UserFilter, UserBind: c.UserBind,
		SearchDN: c.SearchDN, Password: secrets.LDAPPassword, UIDAttr: c.UIDAttr, NameAttr: c.UsernameAttr,
	})
	if err != nil {
		return nil, fmt.Errorf("auth.ldap: %w", err)
	}
	rules := directory.Rules{CreateOnLogin: c.SyncUserOnLogin, UpdateOnLogin: c.UpdateUserOnLogin, DeleteOld: c.SyncDelOldUsers}
	return directory.NewLogins(d, co.users, rules, log), nil
}

// openProvider builds the login at an OpenID Connect provider.
func (s *Server) openProvider(l *logins, secrets Secrets) error {
	c := s.config.Auth.OIDC
	if c == nil {
		return nil
	}
	roles := make(map[string]identity.Role, len(c.Roles))
	for theirs, ours := range c.Roles {
		known, err := s.users.Roles().Parse(ours)
		if err != nil {
			return fmt.Errorf("auth.oidc.roles, %q: %s", theirs, fault.Message(err))
		}
		roles[theirs] = known[0]
	}
	box, err := seal.New(secrets.SessionKey, "oidc login")
	if err != nil {
		return fmt.Errorf("SESSION_KEY: %w", err)
	}
	p, err := oidc.New(oidc.Config{
		Issuer: c.Provider, ClientID: secrets.OIDCClientID, ClientSecret: secrets.OIDCClientSecret, Scopes: c.Scopes, Hosts: c.Hosts,
		Claims: oidc.Claims{Username: c.Claims.Username, FullName: c.Claims.Name, Email: c.Claims.Email, Projects: c.Claims.Projects, Roles: c.Claims.Roles},
		Roles:  roles, Create: c.SyncUserOnLogin, Update: c.UpdateUserOnLogin,
	}, l.service, box, s.clock)
	if err != nil {
		return fmt.Errorf("auth.oidc: %w", err)
	}
	host := c.Provider
	if u, err := url.Parse(c.Provider); err == nil {
		host = u.Host
	}
	l.provider, l.label = p, cmp.Or(c.Label, host)
	return nil
}

// openCrossLogins builds the login with tokens of other sites, where there is a key for one or a cookie that brings one.
func (s *Server) openCrossLogins(l *logins, secrets Secrets) error {
	c := s.config.Auth.JWTs
	if len(secrets.CrossLoginKey) == 0 && c.CookieName == "" {
		return nil
	}
	var trusted []identity.Role
	if c.TrustedRoles != nil {
		var err error
		if trusted, err = s.users.Roles().Parse(c.TrustedRoles...); err != nil {
			return fmt.Errorf("auth.jwts.trusted-roles: %s", fault.Message(err))
		}
	}
	cross, err := crosslogin.New(crosslogin.Config{
		Secret: secrets.CrossLoginKey, Issuer: c.TrustedIssuer, Public: secrets.CrossLoginPublic, Own: s.tokens,
		Validate: c.ValidateUser, Create: c.SyncUserOnLogin, Update: c.UpdateUserOnLogin, Trusted: trusted,
	}, l.service, s.clock)
	if err != nil {
		return err
	}
	l.cross = cross
	return nil
}

// syncTime is how long one look at a whole directory may take.
const syncTime = 5 * time.Minute

// syncDirectory takes over the users of the directory, at once and then regularly. A failure is logged and tried again.
func (s *Server) syncDirectory(ctx context.Context) error {
	every := time.Duration(s.config.Auth.LDAP.SyncInterval)
	if every <= 0 {
		<-ctx.Done()
		return nil
	}
	for ctx.Err() == nil {
		done, err := syncOnce(ctx, s.logins.directory)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.Error("the users of the directory could not be taken over", "error", err)
		case err == nil:
			s.log.Info("users of the directory taken over", "added", done.Added, "updated", done.Updated, "removed", done.Removed, "skipped", done.Skipped)
		}
		_ = clock.Sleep(ctx, s.clock, every) // the loop ends with ctx
	}
	return nil
}

func syncOnce(ctx context.Context, d *directory.Logins) (directory.Synced, error) {
	ctx, cancel := context.WithTimeout(ctx, syncTime)
	defer cancel()
	return d.Sync(ctx)
}

// syncLDAP does what -sync-ldap asks for.
func (co *core) syncLDAP(ctx context.Context, env Env, c Config, secrets Secrets, f flags) error {
	d, err := co.openDirectory(c.Auth.LDAP, secrets, journal.New(env.Stderr, f.level, f.logDate))
	if err != nil {
		return fault.New(fault.Invalid, "%s", err.Error())
	}
	if d == nil {
		return fault.New(fault.Invalid, "config.json has no auth.ldap, which says where the directory is")
	}
	done, err := syncOnce(ctx, d)
	if err != nil {
		return fault.Because(fault.KindOf(err), err, "%s", err.Error()) // whoever is on the command line may read it all
	}
	_, err = fmt.Fprintf(env.Stdout, "Synchronised users with the LDAP directory: %s.\n", done)
	return err
}

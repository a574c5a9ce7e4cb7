package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// core is what the command line needs as well as the server: the database, the users and the tokens. It opens neither
// ports nor the metric store, so that -add-user works while a server runs.
type core struct {
	store     *sqlstore.Store
	signing   *token.Keys
	passwords *authn.Passwords
	users     *identity.Service
	tokens    *token.Service
}

func openCore(ctx context.Context, c Config, s Secrets, clk clock.Clock) (*core, error) {
	outside := c.Main.outside()
	if token.IsDemoKey(s.PublicKey) && outside != "" {
		return nil, fmt.Errorf("JWT_PUBLIC_KEY is the demo key that everybody knows; it is refused on %s, which is not a loopback address; make your own with gen-keypair", outside)
	}
	if string(s.SessionKey) == demoSession() && outside != "" {
		return nil, fmt.Errorf("SESSION_KEY is the demo key that everybody knows; it is refused on %s, which is not a loopback address; make your own with: head -c 32 /dev/urandom | base64", outside)
	}
	// Before anything is opened: a mistake in the environment makes no database.
	if _, err := token.ParsePair(s.PublicKey, s.PrivateKey); err != nil {
		return nil, fmt.Errorf("JWT_PUBLIC_KEY, JWT_PRIVATE_KEY: %w", err)
	}
	st, err := sqlite.Open(ctx, c.Main.DB, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	co := &core{store: st, passwords: authn.NewPasswords()}
	co.users = identity.New(identity.Config{Store: st.Users(), RoleStore: st.Roles(), Bindings: st.Bindings(), Hasher: co.passwords, Clock: clk})
	if err := co.users.LoadRoles(ctx); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	if err := co.users.RequireFactor(st.Factors(), c.Auth.TOTP.RequiredRoles...); err != nil {
		return nil, errors.Join(fmt.Errorf("auth.totp.required-roles: %s", fault.Message(err)), st.Close())
	}
	if err := co.openTokens(ctx, c, s, clk); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return co, nil
}

// openTokens opens the signing keys and the service that makes tokens with them.
func (co *core) openTokens(ctx context.Context, c Config, s Secrets, clk clock.Clock) error {
	box, err := seal.New(s.SessionKey, token.SealPurpose)
	if err != nil {
		return fmt.Errorf("SESSION_KEY: %w", err)
	}
	co.signing, err = token.OpenKeys(ctx, token.KeysConfig{
		Store: co.store.SigningKeys(), Clock: clk, Box: box, Public: s.PublicKey, Private: s.PrivateKey,
	})
	if err != nil {
		return err
	}
	keys, uri := co.signing.Ring(), ""
	if c.Main.PublicURL != "" {
		uri = c.Main.PublicURL + token.StatusPath
	}
	co.tokens, err = token.NewService(ctx, token.ServiceConfig{
		Keys: keys, Signing: co.signing, Store: co.store.Tokens(), Users: co.users, Clock: clk,
		Verifier: token.NewVerifier(token.VerifierConfig{Keys: keys, Clock: clk, AllowUnexpiring: c.Auth.JWTs.AllowUnexpiring}),
		Policy:   c.Auth.policy(), Warnings: co.store.TokenWarnings(), Status: co.store.StatusList(), StatusURI: uri, StatusTTL: time.Duration(c.Auth.JWTs.StatusTTL),
	})
	return err
}

// demoSession is the well-known session key, decoded as ReadSecrets decodes one.
func demoSession() string {
	key, _ := base64.StdEncoding.DecodeString(token.DemoSessionKey) // a constant that is valid
	return string(key)
}

// Close closes the database.
func (co *core) Close() error {
	if err := co.store.Close(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

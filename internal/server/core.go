package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// core is what the command line needs as well as the server: the database, the users and the tokens. It opens neither
// ports nor the metric store, so that -add-user works while a server runs.
type core struct {
	store     *sqlstore.Store
	keys      *token.Keyring
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
	keys, err := token.ParseKeys(s.PublicKey, s.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("JWT_PUBLIC_KEY, JWT_PRIVATE_KEY: %w", err)
	}
	st, err := sqlite.Open(ctx, c.Main.DB, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	co := &core{store: st, keys: keys, passwords: authn.NewPasswords()}
	co.users = identity.New(identity.Config{Store: st.Users(), Roles: identity.DefaultRoles(), Hasher: co.passwords, Clock: clk})
	co.tokens, err = token.NewService(ctx, token.ServiceConfig{
		Keys: keys, Store: st.Tokens(), Users: co.users, Clock: clk,
		Verifier: token.NewVerifier(token.VerifierConfig{Keys: keys, Clock: clk, AllowUnexpiring: c.Auth.JWTs.AllowUnexpiring}),
		Policy:   policy(c.Auth.JWTs),
	})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return co, nil
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

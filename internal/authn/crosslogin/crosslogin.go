// Package crosslogin lets people in with a JWT that another site of the same house has issued for that (contract
// clustercockpit 1.6): a portal's link with a token under a shared secret, or a cookie with a token under its public key.
//
// Such a token becomes a browser session and nothing else, and is good once.
package crosslogin

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Config says whose tokens are believed and what is made of them.
type Config struct {
	Secret []byte            // of tokens in links, HS256 or HS512; empty believes none
	Issuer string            // whose tokens in cookies are signed with Public
	Public ed25519.PublicKey // nil believes only the site's own tokens in cookies
	Own    Own               // checks the site's own tokens
	// Validate asks for an account that exists, of whatever source. Without it, accounts with a local password are not
	// opened: who can sign for the portal should not become this head's administrator.
	Validate bool
	// Create makes accounts for who has none; Update brings them up to date at every login.
	Create, Update bool
	// Trusted are the roles that tokens may give; nil is user and manager.
	Trusted []identity.Role
}

// Own checks the site's own tokens. *token.Service is one.
type Own interface {
	// Authenticate returns the caller behind a token; fault.Unauthenticated.
	Authenticate(ctx context.Context, raw, addr, requestID string) (identity.Caller, error)
}

// Admitter lets people in. *authn.Service is one.
type Admitter interface {
	// Outside lets in whom find finds.
	Outside(ctx context.Context, via identity.Via, a identity.Attempt, find func(context.Context) (authn.Arrival, error)) (identity.User, error)
}

const (
	maxLength = 8 << 10
	leeway    = 30 * time.Second
	// minSecret is how long a shared secret is at least: that of HS256's hash (RFC 7518 section 3.2).
	minSecret = 32
	hmacBlock = 64 // bytes that SHA-256 takes at once; SHA-512 takes more
	// maxUsed is how many tokens are remembered while they could be used again.
	maxUsed = 1 << 17
)

// Logins lets people in with tokens of others. It is safe for concurrent use.
type Logins struct {
	Config
	site  Admitter
	clock clock.Clock
	used  *authn.Once
}

// New returns logins by token. It fails where c cannot be right.
func New(c Config, site Admitter, clk clock.Clock) (*Logins, error) {
	if n := len(c.Secret); n > 0 && n < minSecret {
		return nil, fmt.Errorf("CROSS_LOGIN_JWT_HS512_KEY has %d bytes; it needs at least %d random ones in base64, as printed by: head -c 64 /dev/urandom | base64", n, minSecret)
	}
	if n := len(c.Secret); n > 0 && n < hmacBlock {
		// HMAC fills a key with zeros up to a block, so this is the same key. The library would refuse the shorter one.
		c.Secret = append(slices.Clone(c.Secret), make([]byte, hmacBlock-n)...)
	}
	if c.Public != nil && c.Issuer == "" {
		return nil, errors.New("CROSS_LOGIN_JWT_PUBLIC_KEY is set and auth.jwts.trusted-issuer does not say whose key it is")
	}
	if c.Trusted == nil {
		c.Trusted = []identity.Role{identity.RoleUser, identity.RoleManager}
	}
	return &Logins{c, site, clk, authn.NewOnce(clk, maxUsed)}, nil
}

// Links reports whether tokens in links are believed.
func (l *Logins) Links() bool { return len(l.Secret) > 0 }

// Link lets in whom a token from a link names; fault.Unauthenticated, fault.TooMany.
func (l *Logins) Link(ctx context.Context, raw string, a identity.Attempt) (identity.User, error) {
	return l.site.Outside(ctx, identity.ViaJWT, a, func(context.Context) (authn.Arrival, error) {
		if !l.Links() {
			return authn.Arrival{}, refuse(errors.New("no key for tokens in links is configured"))
		}
		return l.verify(raw, "", l.Secret, jose.HS256, jose.HS512)
	})
}

// Cookie lets in whom a token from a cookie names; fault.Unauthenticated, fault.TooMany.
func (l *Logins) Cookie(ctx context.Context, raw string, a identity.Attempt) (identity.User, error) {
	return l.site.Outside(ctx, identity.ViaJWT, a, func(ctx context.Context) (authn.Arrival, error) {
		issuer, err := peekIssuer(raw)
		switch {
		case err != nil:
			return authn.Arrival{}, refuse(err)
		case issuer == "":
			return l.own(ctx, raw, a)
		case issuer != l.Issuer || l.Public == nil:
			return authn.Arrival{}, fault.New(fault.Unauthenticated, "untrusted JWT issuer")
		}
		return l.verify(raw, issuer, l.Public, jose.EdDSA)
	})
}

// refuse is what every token gets that is not good, with the reason for the trail.
func refuse(reason error) error {
	return fault.Because(fault.Unauthenticated, reason, "invalid token")
}

// limiting are the claims of tokens that are for something. A session would not keep to them.
var limiting = []string{"kind", "act", "permissions", "read_only", "nodes", "cidr", "clusters"}

// own takes a token under this site's key, as ClusterCockpit's own tools make one. One that this head has made is for
// something and has limits; a session has neither.
func (l *Logins) own(ctx context.Context, raw string, a identity.Attempt) (authn.Arrival, error) {
	payload, err := split(raw)
	if err != nil {
		return authn.Arrival{}, refuse(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil {
		return authn.Arrival{}, refuse(errors.New("the token's payload is no object"))
	}
	for _, name := range limiting {
		if _, has := members[name]; has {
			return authn.Arrival{}, refuse(errors.New("a token for interfaces is not good for a login"))
		}
	}
	c, err := l.Own.Authenticate(ctx, raw, a.Addr, a.RequestID)
	if err != nil {
		return authn.Arrival{}, err
	}
	if c.Expires.IsZero() {
		return authn.Arrival{}, refuse(errors.New("the token has no exp"))
	}
	into := []identity.AuthSource{identity.AuthToken, identity.AuthLDAP, identity.AuthLocal, identity.AuthOIDC}
	return authn.Arrival{Name: c.User.Name, Into: into}, l.once(raw, c.Expires)
}

// once refuses a token that has been used.
func (l *Logins) once(raw string, until time.Time) error {
	sum := sha256.Sum256([]byte(raw))
	err := l.used.Use(string(sum[:]), until)
	if fault.Is(err, fault.Conflict) {
		return refuse(errors.New("the token has been used before"))
	}
	return err
}

// split refuses bytes that could be read in two ways, before anything else looks at them.
func split(raw string) (payload []byte, err error) {
	if len(raw) > maxLength {
		return nil, errors.New("the token is too long")
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, errors.New("the token does not have three parts")
	}
	for i, part := range parts {
		decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") || len(decoded) == 0 {
			return nil, errors.New("the token is not strict base64")
		}
		if i == 1 {
			payload = decoded
		}
	}
	return payload, nil
}

// verify checks a token and makes of it who has come. issuer is whose it has to be, "" asks nobody.
func (l *Logins) verify(raw, issuer string, key any, algorithms ...jose.SignatureAlgorithm) (authn.Arrival, error) {
	if _, err := split(raw); err != nil {
		return authn.Arrival{}, refuse(err)
	}
	t, err := jwt.ParseSigned(raw, algorithms)
	if err != nil {
		return authn.Arrival{}, refuse(fmt.Errorf("parse: %w", err))
	}
	if h := t.Headers[0]; len(h.ExtraHeaders) > 1 || h.JSONWebKey != nil || !plainType(h) {
		return authn.Arrival{}, refuse(errors.New("the header has more than alg, kid and typ"))
	}
	var c claims
	if err := t.Claims(key, &c); err != nil {
		return authn.Arrival{}, refuse(fmt.Errorf("verify: %w", err))
	}
	if err := c.inTime(l.clock.Now()); err != nil {
		return authn.Arrival{}, refuse(err)
	}
	if issuer != "" && c.Issuer != issuer {
		return authn.Arrival{}, refuse(errors.New("the token is of another issuer than it seemed"))
	}
	a, err := l.arrival(c)
	if err != nil {
		return authn.Arrival{}, refuse(err)
	}
	return a, l.once(raw, c.Expiry.Time())
}

// plainType reports whether a header has no member but typ beside alg and kid, and that is the usual one.
func plainType(h jose.Header) bool {
	for name, value := range h.ExtraHeaders {
		if name != jose.HeaderType || value != "JWT" {
			return false
		}
	}
	return true
}

// arrival makes of the claims who has come.
func (l *Logins) arrival(c claims) (authn.Arrival, error) {
	if c.Subject == "" {
		return authn.Arrival{}, errors.New("the token names no user")
	}
	a := authn.Arrival{
		Name: c.Subject, FullName: string(c.Name), Projects: c.Projects, Managed: l.Trusted,
		Into:   []identity.AuthSource{identity.AuthToken, identity.AuthLDAP},
		Create: l.Create && !l.Validate, Update: l.Update && !l.Validate,
	}
	if l.Validate {
		a.Into = append(a.Into, identity.AuthLocal, identity.AuthOIDC)
	}
	for _, r := range c.Roles {
		if role := identity.Role(r); slices.Contains(l.Trusted, role) && !slices.Contains(a.Roles, role) {
			a.Roles = append(a.Roles, role)
		}
	}
	return a, nil
}

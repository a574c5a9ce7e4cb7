// Package oidc lets people in whom an OpenID Connect provider vouches for (contract clustercockpit 1.6): authorization code
// flow with PKCE, state and nonce.
//
// What a login needs between its two halves is in a cookie of that browser, sealed; the head remembers nothing about
// logins that never end.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	oidclib "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// Config says who the provider is and what is made of what it says.
type Config struct {
	Issuer                 string // where discovery begins
	ClientID, ClientSecret string
	Scopes                 []string // besides openid; nil asks for profile and roles
	// Hosts are further hosts of the provider, with port where it is not the usual one. No request goes anywhere else.
	Hosts  []string
	Claims Claims
	// Roles says which role of ours a role of the provider is. Those of ClusterCockpit mean themselves.
	Roles map[string]identity.Role
	// Create makes accounts for who has none; Update brings them up to date at every login.
	Create, Update bool
}

// Admitter lets people in. *authn.Service is one.
type Admitter interface {
	// Outside lets in whom find finds.
	Outside(ctx context.Context, via identity.Via, a identity.Attempt, find func(context.Context) (authn.Arrival, error)) (identity.User, error)
}

// Logins are logins by a provider. It is safe for concurrent use.
type Logins struct {
	Config
	site   Admitter
	box    *seal.Box
	clock  clock.Clock
	client *http.Client
	used   *authn.Once

	mu       sync.Mutex // guards all below; held while the provider is discovered, so that a burst of logins asks once
	provider *oidclib.Provider
	failure  error // of the last discovery
	failed   time.Time
}

// New returns logins by the provider. It fails where c cannot be right, and asks the provider nothing yet: a head starts
// without it.
func New(c Config, site Admitter, box *seal.Box, clk clock.Clock) (*Logins, error) {
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, fmt.Errorf("provider %q is not the address of a provider, as in https://idp.example.org/realms/hpc", c.Issuer)
	}
	if c.ClientID == "" || c.ClientSecret == "" {
		return nil, errors.New("OID_CLIENT_ID and OID_CLIENT_SECRET are needed in the environment or in .env")
	}
	if c.Scopes == nil {
		c.Scopes = []string{"profile", "roles"}
	}
	c.Claims = c.Claims.withDefaults()
	return &Logins{
		Config: c, site: site, box: box, clock: clk, used: authn.NewOnce(clk, 1<<16),
		client: guarded(u.Scheme, append([]string{u.Host}, c.Hosts...), nil),
	}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// pause is how long a provider that did not answer is not asked again.
const pause = 5 * time.Second

// discovered returns the provider with its endpoints, found out at the first login; fault.Unavailable.
func (l *Logins) discovered(ctx context.Context) (*oidclib.Provider, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.provider != nil {
		return l.provider, nil
	}
	if l.failure != nil && l.clock.Now().Sub(l.failed) < pause {
		return nil, l.failure
	}
	// The provider keeps the context for fetching keys later, when this request is over.
	p, err := oidclib.NewProvider(oidclib.ClientContext(context.WithoutCancel(ctx), l.client), l.Issuer)
	if err != nil {
		l.failure, l.failed = fault.Because(fault.Unavailable, err, "the login provider does not answer; try again in a moment"), l.clock.Now()
		return nil, l.failure
	}
	l.provider, l.failure = p, nil
	return p, nil
}

func (l *Logins) oauth(p *oidclib.Provider, back string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: l.ClientID, ClientSecret: l.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: back,
		Scopes: append([]string{oidclib.ScopeOpenID}, slices.Clone(l.Scopes)...),
	}
}

// Begin returns where the browser goes to log in, and what it keeps in a cookie meanwhile. back is the address of this
// head to which the provider sends it back, and to the path where it goes then; fault.Unavailable.
func (l *Logins) Begin(ctx context.Context, back, to string) (location, cookie string, err error) {
	p, err := l.discovered(ctx)
	if err != nil {
		return "", "", err
	}
	s := newState(back, to, l.clock.Now().Add(stateTime))
	cookie, err = s.seal(l.box)
	if err != nil {
		return "", "", err
	}
	return l.oauth(p, back).AuthCodeURL(s.State, oidclib.Nonce(s.Nonce), oauth2.S256ChallengeOption(s.Verifier)), cookie, nil
}

// Finish ends the login that a cookie of Begin belongs to, with the parameters that the provider has sent the browser
// back with, and returns the user and the path to go to. It fails with fault.Unauthenticated, fault.TooMany and
// fault.Unavailable.
func (l *Logins) Finish(ctx context.Context, cookie string, query url.Values, a identity.Attempt) (u identity.User, to string, err error) {
	to = "/"
	u, err = l.site.Outside(ctx, identity.ViaOIDC, a, func(ctx context.Context) (authn.Arrival, error) {
		s, err := openState(l.box, cookie, l.clock.Now())
		if err != nil {
			return authn.Arrival{}, refuse(err)
		}
		to = s.To
		return l.arrival(ctx, s, query)
	})
	return u, to, err
}

// refuse is what every login gets that is not good, with the reason for the trail.
func refuse(reason error) error {
	return fault.Because(fault.Unauthenticated, reason, "the login did not succeed; begin again")
}

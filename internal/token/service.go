package token

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Users finds accounts and decides who may act for whom. *identity.Service is one.
type Users interface {
	// Resolve returns what the user with that name may do now; fault.NotFound, and fault.Unauthenticated when he is
	// disabled.
	Resolve(ctx context.Context, name string) (identity.Standing, error)
	// ResolveID is Resolve for the id.
	ResolveID(ctx context.Context, id identity.UserID) (identity.Standing, error)
	// MayActAs returns nil, or fault.Denied with the reason.
	MayActAs(ctx context.Context, actor identity.Caller, target identity.User, narrowed identity.Set) error
	// OnRevoke has f called with the ids of tokens that fell with a change of a user, before that change returns.
	OnRevoke(f func(ids []string))
}

// ServiceConfig is what a Service needs.
type ServiceConfig struct {
	Keys *Keyring
	// Signing is where the keys of the ring change; nil when they do not.
	Signing  *Keys
	Verifier *Verifier // its issuer becomes the iss of what is minted
	Store    Store
	Users    Users
	Clock    clock.Clock
	Policy   Policy
	// StatusURI is where others find the status list; "" means StatusPath, on whatever head the token is from.
	StatusURI string
	// Status says what is in the status list; without it there is none.
	Status StatusStore
	// StatusTTL is how long the list may be kept; 0 means DefaultStatusTTL.
	StatusTTL time.Duration
	// Warnings keeps which warnings have been given; nil gives none.
	Warnings WarningStore
}

// StatusPath is where a head serves its status list.
const StatusPath = "/.well-known/token-status-list"

// Service mints, checks, lists and revokes tokens. It is safe for concurrent use.
type Service struct {
	keys      *Keyring
	signing   *Keys
	verifier  *Verifier
	store     Store
	users     Users
	clock     clock.Clock
	policy    Policy
	statusURI string
	status    statusList
	indexes   indexes
	warnings  WarningStore
	revoked   revoked
	uses      uses
}

// NewService returns a service that knows what has been revoked so far, and learns from c.Users what is revoked together
// with a change of a user.
func NewService(ctx context.Context, c ServiceConfig) (*Service, error) {
	s := &Service{
		keys: c.Keys, signing: c.Signing, verifier: c.Verifier, store: c.Store, users: c.Users, clock: c.Clock, policy: c.Policy.withDefaults(),
		statusURI: cmp.Or(c.StatusURI, StatusPath), status: statusList{store: c.Status, ttl: cmp.Or(c.StatusTTL, DefaultStatusTTL)}, warnings: c.Warnings,
	}
	c.Users.OnRevoke(s.revoked.add) // first, so that nothing falls between this and what is read now
	if c.Signing != nil {
		c.Signing.OnRevoke(s.revoked.add)
	}
	ids, err := c.Store.RevokedTokens(ctx, c.Clock.Now())
	if err != nil {
		return nil, fmt.Errorf("load revoked tokens: %w", err)
	}
	s.revoked.add(ids)
	return s, nil
}

// Authenticate returns the caller behind a token: the account as it is in the database now, with its rights narrowed by
// the token. Every refusal is fault.Unauthenticated with the same message and a RefusedError as cause.
func (s *Service) Authenticate(ctx context.Context, raw, addr, requestID string) (identity.Caller, error) {
	claims, err := s.verify(ctx, raw)
	if err != nil {
		return identity.Caller{}, err
	}
	if claims.Kind == KindRefresh {
		return identity.Caller{}, refuse(claims, "a refresh token opens nothing")
	}
	if err := claims.Admit(addr); err != nil {
		return identity.Caller{}, err
	}
	c, err := s.caller(ctx, claims)
	if err != nil {
		return identity.Caller{}, err
	}
	c.Addr, c.RequestID = addr, requestID
	if claims.ID != "" {
		s.uses.note(Use{ID: claims.ID, At: s.clock.Now(), Addr: addr})
	}
	return c, nil
}

// verify is the verifier's Verify. When a token names a key that is not known here, another program may have made it
// active a moment ago: the keys are read again, but no more often than Keys.seek allows.
func (s *Service) verify(ctx context.Context, raw string) (Claims, error) {
	claims, err := s.verifier.Verify(raw)
	var refused *RefusedError
	if err == nil || s.signing == nil || !errors.As(err, &refused) || !refused.unknownKey || !s.signing.seek(ctx) {
		return claims, err
	}
	return s.verifier.Verify(raw)
}

// Refresh returns a new access token for a refresh token, which stays good; fault.Unauthenticated.
func (s *Service) Refresh(ctx context.Context, raw, addr, requestID string) (Minted, error) {
	return s.refresh(ctx, raw, Narrowing{}, addr, requestID)
}

func (s *Service) refresh(ctx context.Context, raw string, n Narrowing, addr, requestID string) (Minted, error) {
	claims, err := s.verify(ctx, raw)
	if err != nil {
		return Minted{}, err
	}
	if claims.Kind != KindRefresh {
		return Minted{}, refuse(claims, "not a refresh token")
	}
	if err := claims.Admit(addr); err != nil {
		return Minted{}, err
	}
	c, err := s.caller(ctx, claims)
	if err != nil {
		return Minted{}, err
	}
	c.Addr, c.RequestID = addr, requestID
	s.uses.note(Use{ID: claims.ID, At: s.clock.Now(), Addr: addr})
	return s.Mint(ctx, c, MintRequest{Kind: KindAccess, Parent: claims.ID, Narrowing: n})
}

// caller turns verified claims into who asks, unless the token has been revoked or the account says otherwise. From where
// he asks, Admit looks at.
func (s *Service) caller(ctx context.Context, claims Claims) (identity.Caller, error) {
	if s.revoked.has(claims.ID) {
		return identity.Caller{}, refuse(claims, "revoked")
	}
	st, err := s.subject(ctx, claims)
	if err != nil {
		return identity.Caller{}, unlessRefused(claims, err)
	}
	c := claims.Bind(st.Caller(identity.ViaToken))
	if claims.Actor != nil {
		if err := s.stillActs(ctx, *claims.Actor, c.User, c.Permissions); err != nil {
			return identity.Caller{}, unlessRefused(claims, err)
		}
		c.Actor = claims.Actor
		// What the user may hand on was no part of the question whether the actor may act as him.
		c.HandsOn = c.Permissions
	}
	return c, nil
}

// subject finds the account. Tokens of ours name it by an id that is never used again; foreign ones only by its name.
func (s *Service) subject(ctx context.Context, claims Claims) (identity.Standing, error) {
	if claims.UserID == "" {
		if claims.Subject == "" {
			return identity.Standing{}, fault.New(fault.NotFound, "no sub")
		}
		return s.users.Resolve(ctx, claims.Subject)
	}
	st, err := s.users.ResolveID(ctx, claims.UserID)
	if err == nil && st.User.Name != claims.Subject {
		err = fault.New(fault.NotFound, "the account is not of that name")
	}
	return st, err
}

// stillActs asks again, with everybody's rights as they are now, whether the actor may act as the user. So a token falls
// with its actor: disabled, deleted or demoted.
func (s *Service) stillActs(ctx context.Context, a identity.Actor, as identity.User, narrowed identity.Set) error {
	if a.ID == "" { // the head's own command line
		return nil
	}
	actor, err := s.users.ResolveID(ctx, a.ID)
	if err != nil {
		return err
	}
	return s.users.MayActAs(ctx, actor.Caller(""), as, narrowed)
}

// unlessRefused turns what an account has against its token into the one refusal, and lets failures pass.
func unlessRefused(claims Claims, err error) error {
	switch fault.KindOf(err) { //nolint:exhaustive // all other kinds are failures
	case fault.NotFound, fault.Unauthenticated, fault.Denied:
		return refuse(claims, err.Error())
	default:
		return fmt.Errorf("authenticate token: %w", err)
	}
}

// revoked is the set of ids of revoked tokens, so that the next request with one is refused without asking the store.
type revoked struct {
	mu      sync.RWMutex // guards ids
	ids     map[string]struct{}
	changes atomic.Uint64 // how often something was added
}

func (r *revoked) has(id string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.ids[id]
	return ok
}

func (r *revoked) add(ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids == nil {
		r.ids = make(map[string]struct{}, len(ids))
	}
	for _, id := range ids {
		r.ids[id] = struct{}{}
	}
	if len(ids) > 0 {
		r.changes.Add(1)
	}
}

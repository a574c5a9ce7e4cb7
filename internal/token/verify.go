package token

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

const (
	// maxLength is how many bytes a token may have.
	maxLength = 8 << 10
	// leeway is how far the clock of another machine may be ahead of ours. It applies to when a token begins to be good,
	// never to when it ends: nobody's token lives longer than was said.
	leeway = 30 * time.Second
)

// VerifierConfig is what a Verifier needs.
type VerifierConfig struct {
	Keys  *Keyring
	Clock clock.Clock
	// Issuer is whose tokens these are; "" means DefaultIssuer.
	Issuer string
	// AllowUnexpiring accepts foreign tokens without exp, while a site migrates.
	AllowUnexpiring bool
}

// Verifier checks tokens from the public key alone. It has no store: what has been revoked it does not know. It is safe
// for concurrent use.
type Verifier struct {
	keys            *Keyring
	clock           clock.Clock
	issuer          string
	allowUnexpiring bool
	verified        cache
}

// DefaultIssuer is the issuer of a site that has given itself no other name. Sites are told apart by their keys.
const DefaultIssuer = "bridgehead"

// NewVerifier returns a verifier.
func NewVerifier(c VerifierConfig) *Verifier {
	c.Issuer = cmp.Or(c.Issuer, DefaultIssuer)
	return &Verifier{keys: c.Keys, clock: c.Clock, issuer: c.Issuer, allowUnexpiring: c.AllowUnexpiring}
}

// RefusedError is the cause of every refusal of a token: why, and whose it was. Subject, Actor and ID are only set
// when the signature was good, so that they can be believed.
type RefusedError struct {
	Reason  string
	Subject string
	Actor   string // who had it made to act as the subject, "" when that is nobody
	ID      string

	unknownKey bool // the token names a key that is not in the ring
}

// Error returns the reason, and whose token it was when that is known.
func (e *RefusedError) Error() string {
	if e.Subject == "" && e.ID == "" {
		return e.Reason
	}
	return fmt.Sprintf("%s (token %q of %q)", e.Reason, e.ID, e.Subject)
}

// refuse returns what every refused token gets: one message for all reasons, and the reason for the trail.
func refuse(c Claims, reason string) error {
	cause := &RefusedError{Reason: reason, Subject: c.Subject, ID: c.ID}
	if c.Actor != nil {
		cause.Actor = c.Actor.Name
	}
	return fault.Because(fault.Unauthenticated, cause, "invalid token")
}

// refuseUnread refuses a token of which nothing can be believed.
func refuseUnread(err error) error {
	cause := &RefusedError{Reason: err.Error(), unknownKey: errors.Is(err, errUnknownKey)}
	return fault.Because(fault.Unauthenticated, cause, "invalid token")
}

// Verify returns the claims of a good token; fault.Unauthenticated otherwise, always with the same message and a
// RefusedError as cause. The slices in the claims are shared and must not be changed.
//
// The order is the point: bytes that could be read in two ways are refused before anything is decoded, the key alone
// says which algorithm it is, and no claim is looked at before the signature over it has been found good.
func (v *Verifier) Verify(raw string) (Claims, error) {
	now := v.clock.Now()
	key := cacheKey(raw)
	c, ok := v.verified.get(key)
	if !ok || v.keys.now.Load().get(c.KeyID) == nil { // what a key has verified is forgotten with it
		var err error
		if c, err = v.read(raw); err != nil {
			return Claims{}, refuseUnread(err)
		}
		if err := v.acceptable(c); err != nil {
			return Claims{}, refuse(c, err.Error())
		}
		v.verified.put(key, c)
	}
	if err := inTime(c, now); err != nil {
		return Claims{}, refuse(c, err.Error())
	}
	return c, nil
}

// read returns the claims of a token with a good signature, whatever they say.
func (v *Verifier) read(raw string) (Claims, error) {
	text, key, err := v.keys.open(raw, maxLength, "JWT")
	if err != nil {
		return Claims{}, err
	}
	c, err := parseClaims(text)
	c.KeyID = key.id
	return c, err
}

// acceptable reports what this verifier has against claims, apart from the time.
func (v *Verifier) acceptable(c Claims) error {
	if c.Issuer != "" && c.Issuer != v.issuer {
		return fmt.Errorf("issuer %q", c.Issuer)
	}
	if len(c.Audience) > 0 && !slices.Contains(c.Audience, Audience) {
		return fmt.Errorf("audience %q", c.Audience)
	}
	if c.Issuer != "" {
		return c.complete()
	}
	if c.Expires.IsZero() && !v.allowUnexpiring {
		return errors.New("no exp")
	}
	return nil
}

// inTime reports whether the token is not good yet or no longer.
func inTime(c Claims, now time.Time) error {
	switch {
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return errors.New("expired")
	case c.NotBefore.After(now.Add(leeway)):
		return errors.New("not good yet")
	case c.IssuedAt.After(now.Add(leeway)):
		return errors.New("issued in the future")
	}
	return nil
}

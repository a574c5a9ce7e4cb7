package token

import (
	"cmp"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// RefusedError is the cause of every refusal of a token: why, and whose it was. Subject and ID are only set when the
// signature was good, so that they can be believed.
type RefusedError struct {
	Reason  string
	Subject string
	ID      string
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
	return fault.Because(fault.Unauthenticated, &RefusedError{Reason: reason, Subject: c.Subject, ID: c.ID}, "invalid token")
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
	if !ok {
		var err error
		if c, err = v.read(raw); err != nil {
			return Claims{}, refuse(Claims{}, err.Error())
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
	head, payload, sig, err := split(raw)
	if err != nil {
		return Claims{}, err
	}
	if head != v.keys.header { // our own tokens all begin the same
		if err := v.checkHeader(head); err != nil {
			return Claims{}, err
		}
	}
	var signature [ed25519.SignatureSize]byte
	if len(sig) != base64.RawURLEncoding.EncodedLen(len(signature)) {
		return Claims{}, errors.New("signature has the wrong length")
	}
	if _, err := strict.Decode(signature[:], []byte(sig)); err != nil {
		return Claims{}, errors.New("signature is not strict base64")
	}
	text, err := strict.DecodeString(payload)
	if err != nil {
		return Claims{}, errors.New("payload is not strict base64")
	}
	if !ed25519.Verify(v.keys.public, []byte(raw[:len(head)+1+len(payload)]), signature[:]) {
		return Claims{}, errors.New("signature does not verify")
	}
	c, err := parseClaims(string(text))
	c.KeyID = v.keys.id
	return c, err
}

// strict is base64 in which every value is written in exactly one way. It would still skip line breaks, which split has
// refused before.
var strict = base64.RawURLEncoding.Strict()

// split cuts a token into its three parts, in which nothing but the alphabet of base64url is left.
func split(raw string) (head, payload, sig string, err error) { //nolint:revive // a token has three parts
	if len(raw) > maxLength {
		return "", "", "", fmt.Errorf("longer than %d bytes", maxLength)
	}
	dots := 0
	for i := range len(raw) {
		switch c := raw[i]; {
		case 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_':
		case c == '.':
			dots++
		default:
			return "", "", "", errors.New("a byte that no token has")
		}
	}
	if dots != 2 {
		return "", "", "", errors.New("not three parts")
	}
	head, rest, _ := strings.Cut(raw, ".")
	payload, sig, _ = strings.Cut(rest, ".")
	return head, payload, sig, nil
}

// checkHeader accepts a header that says nothing but alg, kid and typ, and of those nothing that contradicts the key.
// Whatever else a header could ask for (crit, b64, zip, jwk, jku, x5u, cty ...) is refused with it.
func (v *Verifier) checkHeader(head string) error {
	text, err := strict.DecodeString(head)
	if err != nil {
		return errors.New("header is not strict base64")
	}
	var alg string
	r := newReader(string(text))
	r.object(func(name string) {
		value := r.str()
		switch {
		case name == "alg":
			alg = value
		case name == "kid" && value == v.keys.id:
		case name == "typ" && strings.EqualFold(value, "JWT"):
		case name == "kid":
			r.fail("no key with that kid")
		default:
			r.fail("header member %q", name)
		}
	})
	if err := r.end(); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if alg != "EdDSA" && alg != "Ed25519" {
		return fmt.Errorf("alg %q: only EdDSA, which is Ed25519, is supported", alg)
	}
	return nil
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

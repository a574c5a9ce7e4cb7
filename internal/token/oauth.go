package token

import (
	"cmp"
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Exchange asks for a token in exchange for others (RFC 8693).
type Exchange struct {
	Subject string // a token of who asks; with an actor, a token of the user to act as
	Actor   string // a token of who is to act as the subject; "" when it is the subject himself
	// MintRequest is what is wanted of the new token. With For, who asks acts as that user.
	MintRequest
	Addr      string
	RequestID string
}

// Granted is a fresh token with what it permits at this moment.
type Granted struct {
	Minted
	Permissions identity.Set
}

// Exchange makes a token for who holds the given ones. By a subject's token alone it is one for himself, which goes no
// further than that one, or with For one to act as somebody else. By an actor's token as well, it is one for the actor to
// act as the subject, which goes no further than the subject's token. Mint makes all of them, by its rules.
//
// A token that is no good is fault.Unauthenticated; otherwise it fails as Mint does.
func (s *Service) Exchange(ctx context.Context, x Exchange) (_ Granted, err error) {
	defer fault.Wrap(&err, "exchange token")
	c, err := s.Authenticate(ctx, cmp.Or(x.Actor, x.Subject), x.Addr, x.RequestID)
	if err != nil {
		return Granted{}, err
	}
	r := x.MintRequest
	if x.Actor != "" {
		if r, err = s.asSubject(ctx, x); err != nil {
			return Granted{}, err
		}
	}
	m, err := s.Mint(ctx, c, r)
	if err != nil {
		return Granted{}, err
	}
	return s.granted(ctx, m)
}

// asSubject returns the request for a token as the user whose token x.Subject is, no wider than that token.
func (s *Service) asSubject(ctx context.Context, x Exchange) (MintRequest, error) {
	r := x.MintRequest
	subject, err := s.Authenticate(ctx, x.Subject, x.Addr, x.RequestID)
	if err != nil {
		return r, err
	}
	switch {
	case subject.Actor != nil:
		return r, fault.New(fault.Denied, "the subject's token is one with which somebody else acts as him already")
	case r.For != "" && r.For != subject.User.Name:
		return r, fault.New(fault.Invalid, "the subject's token is of user %q, not of %q", subject.User.Name, r.For)
	}
	r.For = subject.User.Name
	claims, err := s.verify(ctx, x.Subject)
	if err != nil {
		return r, err
	}
	if r.Narrowing, err = r.narrowing(subject); err != nil {
		return r, err
	}
	if r.Permissions != nil || claims.Permissions != nil || claims.ReadOnly {
		r.Permissions, err = names(r.Narrow(subject.Permissions))
	}
	return r, err
}

// Renew is Refresh for a token that may be narrower than the login, and that also says what the new token permits.
func (s *Service) Renew(ctx context.Context, raw string, n Narrowing, addr, requestID string) (Granted, error) {
	m, err := s.refresh(ctx, raw, n, addr, requestID)
	if err != nil {
		return Granted{}, err
	}
	return s.granted(ctx, m)
}

// granted reads what a token that was just made permits out of the token itself.
func (s *Service) granted(ctx context.Context, m Minted) (Granted, error) {
	claims, err := s.verify(ctx, m.Text)
	if err != nil {
		return Granted{}, err
	}
	c, err := s.caller(ctx, claims)
	return Granted{m, c.Permissions}, err
}

// Introspection is what a token says that is good, and what it permits at this moment.
type Introspection struct {
	Claims
	Effective identity.Set
}

// Introspect looks at a token for c: any with TokensRead, otherwise c's own. It is no use of the token. Whatever is not
// good, or not for c to see, is fault.Unauthenticated (RFC 7662).
func (s *Service) Introspect(ctx context.Context, c identity.Caller, raw string) (Introspection, error) {
	claims, err := s.verify(ctx, raw)
	if err != nil {
		return Introspection{}, err
	}
	of, err := s.caller(ctx, claims)
	if err != nil {
		return Introspection{}, err
	}
	if !c.Can(identity.TokensRead) && (of.User.ID == "" || of.User.ID != c.User.ID) {
		return Introspection{}, refuse(claims, "introspected by somebody else")
	}
	return Introspection{claims, of.Permissions}, nil
}

// Surrender revokes a token of any kind by its text: whoever has it may make it useless, from anywhere (RFC 7009). It is
// no error when it is not good anyway. A foreign token that has no id cannot be revoked and is fault.Invalid.
func (s *Service) Surrender(ctx context.Context, raw, addr, requestID string) error {
	claims, err := s.verify(ctx, raw)
	if err != nil {
		return unlessUseless(err)
	}
	c, err := s.caller(ctx, claims)
	if err != nil {
		return unlessUseless(err)
	}
	if claims.ID == "" {
		return fault.New(fault.Invalid, "a token without jti cannot be revoked; it ends at its exp")
	}
	c.Addr, c.RequestID = addr, requestID
	_, err = s.Revoke(ctx, c, Filter{ID: claims.ID})
	return unlessUseless(err)
}

// unlessUseless lets failures pass, but not that a token is no good.
func unlessUseless(err error) error {
	if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

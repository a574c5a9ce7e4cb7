package token

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Get returns the record of a token. Without TokensRead it has to be one of the caller's own or one that he has issued;
// any other is fault.NotFound, as is one that does not exist.
func (s *Service) Get(ctx context.Context, c identity.Caller, id string) (_ Token, err error) {
	defer fault.Wrap(&err, "get token")
	return s.visible(ctx, c, id, identity.TokensRead)
}

// visible returns a token that is the caller's own, or that he has issued, or any when he has the permission.
func (s *Service) visible(ctx context.Context, c identity.Caller, id string, need identity.Permission) (Token, error) {
	t, err := s.store.GetToken(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Token{}, err
	}
	if err != nil || !c.Can(need) && !ownedBy(c, t.UserID, t.IssuerID) {
		return Token{}, fault.Because(fault.NotFound, err, "no token %q", id)
	}
	return t, nil
}

// List returns the records of the matching tokens, newest first. Without TokensRead these are the caller's own, or those
// that he has issued when the filter names him as the issuer; asking for somebody else's is fault.Denied.
func (s *Service) List(ctx context.Context, c identity.Caller, f Filter) (_ []Token, err error) {
	defer fault.Wrap(&err, "list tokens")
	if f, err = f.seenBy(c); err != nil {
		return nil, err
	}
	return s.store.ListTokens(ctx, f)
}

// Count returns how many tokens List would give without a page, by kind.
func (s *Service) Count(ctx context.Context, c identity.Caller, f Filter) (_ map[Kind]int, err error) {
	defer fault.Wrap(&err, "count tokens")
	if f, err = f.seenBy(c); err != nil {
		return nil, err
	}
	return s.store.CountTokens(ctx, f)
}

// seenBy narrows the filter to what the caller may see.
func (f Filter) seenBy(c identity.Caller) (Filter, error) {
	if c.Can(identity.TokensRead) {
		return f, nil
	}
	if f.UserID == "" && f.IssuerID == "" {
		f.UserID = c.User.ID
	}
	if !ownedBy(c, f.UserID, f.IssuerID) {
		return Filter{}, identity.DeniedError(identity.TokensRead)
	}
	return f, nil
}

// ownedBy reports whether the caller is the user or the issuer.
func ownedBy(c identity.Caller, user, issuer identity.UserID) bool {
	return c.User.ID != "" && (user == c.User.ID || issuer == c.User.ID)
}

// Labels is a change to what people call a token. A nil field stays as it is.
type Labels struct{ Name, Purpose *string }

// Rename changes name and purpose of a token and returns its record. It needs TokensWrite, or that the token is the
// caller's own or issued by him; fault.NotFound otherwise, fault.Denied with an impersonation token, and fault.Invalid
// for labels that cannot be.
func (s *Service) Rename(ctx context.Context, c identity.Caller, id string, l Labels) (_ Token, err error) {
	defer fault.Wrap(&err, "rename token")
	if c.Actor != nil {
		return Token{}, fault.New(fault.Denied, "an impersonation token cannot rename tokens")
	}
	t, err := s.visible(ctx, c, id, identity.TokensWrite)
	if err != nil {
		return Token{}, err
	}
	rec := c.Record(s.clock.Now(), "token.update", "token/"+t.ID)
	rec.Details = map[string]string{"user": t.User}
	if l.Name != nil {
		t.Name, rec.Details["name"] = *l.Name, *l.Name
	}
	if l.Purpose != nil {
		t.Purpose, rec.Details["purpose"] = *l.Purpose, *l.Purpose
	}
	if s.policy.RequirePurpose && l.Purpose != nil && t.Purpose == "" {
		return Token{}, fault.New(fault.Invalid, "say what the token is for: a purpose is required here")
	}
	if err := checkTexts(t.Name, t.Purpose); err != nil {
		return Token{}, err
	}
	return t, s.store.LabelToken(ctx, t.ID, t.Name, t.Purpose, rec)
}

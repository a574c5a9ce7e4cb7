package token

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// List returns the records of the matching tokens, newest first. Without TokensRead these are the caller's own, or those
// that he has issued when the filter names him as the issuer; asking for somebody else's is fault.Denied.
func (s *Service) List(ctx context.Context, c identity.Caller, f Filter) (_ []Token, err error) {
	defer fault.Wrap(&err, "list tokens")
	if !c.Can(identity.TokensRead) {
		if f.UserID == "" && f.IssuerID == "" {
			f.UserID = c.User.ID
		}
		if !ownedBy(c, f.UserID, f.IssuerID) {
			return nil, identity.DeniedError(identity.TokensRead)
		}
	}
	return s.store.ListTokens(ctx, f)
}

// Revoke revokes the live matching tokens and returns how many those were; List with Live set counts them beforehand. A
// filter without any field is all tokens; one with a page is fault.Invalid. When Revoke returns, the next request with any of them is refused.
//
// Without TokensWrite the filter must name a token by id, or the caller as user or issuer; somebody else's token is
// fault.NotFound then. With an impersonation token only that token itself can be revoked.
func (s *Service) Revoke(ctx context.Context, c identity.Caller, f Filter) (n int, err error) {
	defer fault.Wrap(&err, "revoke tokens")
	if c.Actor != nil && (f.ID == "" || f.ID != c.TokenID) {
		return 0, fault.New(fault.Denied, "an impersonation token can only revoke itself")
	}
	if !c.Can(identity.TokensWrite) {
		if err := s.mayRevoke(ctx, c, f); err != nil {
			return 0, err
		}
	}
	now := s.clock.Now().UTC()
	f.Live = now
	rec := c.Record(now, "token.revoke", revokeObject(f))
	rec.Details = map[string]string{}
	for what, value := range map[string]string{
		"user_id": string(f.UserID), "issuer_id": string(f.IssuerID), "key_id": f.KeyID, "kind": string(f.Kind),
	} {
		if value != "" {
			rec.Details[what] = value
		}
	}
	ids, err := s.store.RevokeTokens(ctx, f, rec)
	if err != nil {
		return 0, err
	}
	s.revoked.add(ids)
	return len(ids), nil
}

// mayRevoke lets people revoke what is theirs.
func (s *Service) mayRevoke(ctx context.Context, c identity.Caller, f Filter) error {
	if f.ID == "" {
		if ownedBy(c, f.UserID, f.IssuerID) {
			return nil
		}
		return identity.DeniedError(identity.TokensWrite)
	}
	t, err := s.store.GetToken(ctx, f.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err != nil || !ownedBy(c, t.UserID, t.IssuerID) {
		return fault.Because(fault.NotFound, err, "no token %q", f.ID)
	}
	return nil
}

// ownedBy reports whether the caller is the user or the issuer.
func ownedBy(c identity.Caller, user, issuer identity.UserID) bool {
	return c.User.ID != "" && (user == c.User.ID || issuer == c.User.ID)
}

func revokeObject(f Filter) string {
	if f.ID != "" {
		return "token/" + f.ID
	}
	return "tokens"
}

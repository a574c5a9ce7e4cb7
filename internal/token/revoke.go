package token

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Revocation says which tokens are to be revoked.
type Revocation struct {
	Filter
	// All revokes every token of everybody, that of the caller too. It has to be said: a filter that was left empty by
	// mistake revokes nothing.
	All    bool
	DryRun bool // only counts
}

// RevokeMany revokes the live tokens that match and returns the ids of those it revoked, and how many they are; with
// DryRun only how many it would be. With a refresh token go the access tokens of its login. It is one transaction. When it returns, the next request with any of them is refused.
//
// Without TokensWrite the filter must name a token by id, or the caller as user or issuer; somebody else's token is
// fault.NotFound then. With an impersonation token only that token itself can be revoked. A revocation that selects
// nothing, or page by page, is fault.Invalid.
func (s *Service) RevokeMany(ctx context.Context, c identity.Caller, r Revocation) (ids []string, n int, err error) {
	defer fault.Wrap(&err, "revoke tokens")
	if c.Actor != nil && (r.ID == "" || r.ID != c.TokenID) {
		return nil, 0, fault.New(fault.Denied, "an impersonation token can only revoke itself")
	}
	if !c.Can(identity.TokensWrite) {
		if err := s.mayRevoke(ctx, c, r.Filter); err != nil {
			return nil, 0, err
		}
	}
	if err := r.check(); err != nil {
		return nil, 0, err
	}
	now := s.clock.Now().UTC()
	r.Live, r.Made = now, true
	if r.DryRun {
		counts, err := s.store.CountTokens(ctx, r.Filter)
		return nil, total(counts), err
	}
	rec := c.Record(now, "token.revoke", revokeObject(r.Filter))
	rec.Details = r.details()
	if ids, err = s.store.RevokeTokens(ctx, r.Filter, rec); err != nil {
		return nil, 0, err
	}
	s.revoked.add(ids)
	return ids, len(ids), nil
}

// Revoke is RevokeMany for a filter that selects something; it returns how many tokens it has revoked.
func (s *Service) Revoke(ctx context.Context, c identity.Caller, f Filter) (n int, err error) {
	_, n, err = s.RevokeMany(ctx, c, Revocation{Filter: f})
	return n, err
}

func (r Revocation) check() error {
	f := r.Filter
	if f.After != "" || f.Limit != 0 {
		return fault.New(fault.Invalid, "tokens are revoked all at once, not page by page")
	}
	f.Live, f.Expired, f.Revoked, f.Made = time.Time{}, time.Time{}, false, false // only live tokens are revoked
	switch empty := f == (Filter{}); {
	case empty && !r.All:
		return fault.New(fault.Invalid, "which tokens are to be revoked? Name a token, a user, an issuer or a key, or say that it is all of them")
	case !empty && r.All:
		return fault.New(fault.Invalid, "all tokens, or those of one user, issuer or key: not both")
	}
	return nil
}

// details says for the trail what was selected.
func (f Filter) details() map[string]string {
	d := map[string]string{}
	for what, value := range map[string]string{
		"user_id": string(f.UserID), "issuer_id": string(f.IssuerID), "key_id": f.KeyID, "kind": string(f.Kind), "text": f.Text,
	} {
		if value != "" {
			d[what] = value
		}
	}
	return d
}

func total(counts map[Kind]int) (n int) {
	for _, of := range counts {
		n += of
	}
	return n
}

// mayRevoke lets people revoke what is theirs.
func (s *Service) mayRevoke(ctx context.Context, c identity.Caller, f Filter) error {
	if f.ID == "" {
		if ownedBy(c, f.UserID, f.IssuerID) {
			return nil
		}
		return identity.DeniedError(identity.TokensWrite)
	}
	_, err := s.visible(ctx, c, f.ID, identity.TokensWrite)
	return err
}

func revokeObject(f Filter) string {
	if f.ID != "" {
		return "token/" + f.ID
	}
	return "tokens"
}

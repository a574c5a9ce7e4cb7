package token

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// State is how a token's life stands.
type State string

// The states of tokens.
const (
	Live    State = "live"
	Expired State = "expired"
	Revoked State = "revoked" // whether it would have expired meanwhile or not
)

// StateAt returns the state of the token at that time.
func (t Token) StateAt(now time.Time) State {
	switch {
	case !t.Revoked.IsZero():
		return Revoked
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return Expired
	default:
		return Live
	}
}

// Filter selects tokens. Zero fields do not select.
type Filter struct {
	ID       string
	UserID   identity.UserID
	IssuerID identity.UserID
	KeyID    string
	Kind     Kind
	Live     time.Time // only those neither revoked nor expired at this time
	Expired  time.Time // only those that have expired by this time without having been revoked
	Revoked  bool      // only those that have been revoked
	Before   time.Time // only those that expire before this time
	Made     bool      // also tokens whose parent is one of those, where ID or Kind selects refresh tokens; to revoke and to count
	Text     string    // part of id, name, purpose, user or issuer, in any case
	After    string    // page: tokens that come after this id in the listing order (newest first)
	Limit    int       // 0 means all
}

// In returns the filter narrowed to tokens that are in that state at that time.
func (f Filter) In(s State, now time.Time) Filter {
	switch s {
	case Live:
		f.Live = now
	case Expired:
		f.Expired = now
	case Revoked:
		f.Revoked = true
	}
	return f
}

// Store keeps the records of tokens. Each change is one transaction with its audit record.
type Store interface {
	// CreateToken adds the record of a minted token, on the basis of what those accounts were when that was decided; ones
	// without id are nobody's. fault.NotFound when one is gone, fault.Denied when one is disabled, fault.Conflict when one
	// is not what it was, or when the parent of the token has been revoked.
	CreateToken(ctx context.Context, t Token, basis []identity.User, rec audit.Record) error
	// GetToken returns the token with that jti; fault.NotFound.
	GetToken(ctx context.Context, id string) (Token, error)
	// ListTokens returns the matching tokens, newest first.
	ListTokens(ctx context.Context, f Filter) ([]Token, error)
	// CountTokens returns how many tokens match, by kind.
	CountTokens(ctx context.Context, f Filter) (map[Kind]int, error)
	// LabelToken sets name and purpose of the token with that jti; fault.NotFound.
	LabelToken(ctx context.Context, id, name, purpose string, rec audit.Record) error
	// RevokeTokens revokes every live matching token and returns the ids of those it revoked.
	RevokeTokens(ctx context.Context, f Filter, rec audit.Record) ([]string, error)
	// RevokedTokens returns the ids of revoked tokens that have not expired at that time.
	RevokedTokens(ctx context.Context, at time.Time) ([]string, error)
	// TouchTokens notes uses. It is best effort and not audited.
	TouchTokens(ctx context.Context, uses []Use) error
	// DeleteTokens forgets at most so many tokens of those kinds that expired before that time, and returns how many
	// those were.
	DeleteTokens(ctx context.Context, kinds []Kind, before time.Time, most int) (int, error)
}

// Package token makes and checks the signed tokens that open every door.
//
// A token is a compact JWS, signed with Ed25519, that anybody can verify from the public key alone. There is one
// function that mints and one that verifies; keys, lifetimes and the rules of impersonation live here. Tokens are
// listed, limited, cached and revoked by their jti, never by their text.
package token

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Kind says what a token is for.
type Kind string

// The kinds of token.
const (
	KindAccess        Kind = "access"        // tools, short-lived, comes with a refresh token
	KindRefresh       Kind = "refresh"       // good only for a new access token
	KindService       Kind = "service"       // scripts and services, made on purpose with a lifetime
	KindImpersonation Kind = "impersonation" // made by an actor who acts as somebody else
)

// Claims is what a token says. Times have whole seconds.
type Claims struct {
	Issuer      string
	Audience    []string
	Subject     string          // user name
	UserID      identity.UserID // "" in foreign tokens; binds the token to one account, not to its name
	ID          string          // jti; "" in foreign tokens
	KeyID       string          // kid of the key that verified it
	IssuedAt    time.Time
	NotBefore   time.Time
	Expires     time.Time // zero only for foreign tokens, where a site allows them
	Roles       []string
	Kind        Kind // "" in foreign tokens
	Actor       *identity.Actor
	StatusIndex int64 // place in the status list; 0 has none
	Narrowing
}

// Narrowing is how much less a token may do than its user. Empty fields do not narrow.
type Narrowing struct {
	Permissions []string // only these
	ReadOnly    bool     // only those that read
	Nodes       string   // only per-node permissions, and only on these nodes: a host list such as n[1-16],login*
	CIDRs       []string // only from these addresses
	Clusters    []string // only these clusters
}

// Token is the record of a token that was minted here. Its text is not kept.
type Token struct {
	ID        string // jti
	KeyID     string
	Kind      Kind
	UserID    identity.UserID // the subject
	User      string
	IssuedBy  string          // actor's name
	IssuerID  identity.UserID // actor's id, "" for the command line
	Name      string          // label for people
	Purpose   string
	Issued    time.Time
	Expires   time.Time
	LastUsed  time.Time // zero when never; kept to the minute
	LastAddr  string
	Revoked   time.Time // zero while good
	RevokedBy string

	StatusIndex int64 // place in the status list; 0 has none
	Narrowing
}

// Filter selects tokens. Zero fields do not select.
type Filter struct {
	ID       string
	UserID   identity.UserID
	IssuerID identity.UserID
	KeyID    string
	Kind     Kind
	Live     time.Time // only those neither revoked nor expired at this time
	After    string    // page: tokens that come after this id in the listing order (newest first)
	Limit    int       // 0 means all
}

// Use is one use of a token, noted in batches.
type Use struct {
	ID   string
	At   time.Time
	Addr string
}

// Store keeps the records of tokens. Each change is one transaction with its audit record.
type Store interface {
	// CreateToken adds the record of a minted token.
	CreateToken(ctx context.Context, t Token, rec audit.Record) error
	// GetToken returns the token with that jti; fault.NotFound.
	GetToken(ctx context.Context, id string) (Token, error)
	// ListTokens returns the matching tokens, newest first.
	ListTokens(ctx context.Context, f Filter) ([]Token, error)
	// RevokeTokens revokes every live matching token and returns the ids of those it revoked.
	RevokeTokens(ctx context.Context, f Filter, rec audit.Record) ([]string, error)
	// RevokedTokens returns the ids of revoked tokens that have not expired at that time.
	RevokedTokens(ctx context.Context, at time.Time) ([]string, error)
	// TouchTokens notes uses. It is best effort and not audited.
	TouchTokens(ctx context.Context, uses []Use) error
}

// Session is a browser's login, kept on the server. The browser holds the only copy of the secret.
type Session struct {
	Hash    string // keyed hash of the secret; the primary key
	UserID  identity.UserID
	Created time.Time
	Seen    time.Time
	Expires time.Time // absolute limit
	Addr    string
	Agent   string // User-Agent, cut to 200 bytes
}

// SessionStore keeps sessions.
type SessionStore interface {
	// CreateSession adds a session.
	CreateSession(ctx context.Context, s Session, rec audit.Record) error
	// GetSession returns the session with that hash; fault.NotFound.
	GetSession(ctx context.Context, hash string) (Session, error)
	// TouchSession notes that a session was used.
	TouchSession(ctx context.Context, hash string, seen time.Time) error
	// DeleteSession ends a session; it is no error when there is none.
	DeleteSession(ctx context.Context, hash string, rec audit.Record) error
	// DeleteSessionsBefore drops sessions that were last seen before idle or whose limit is before now.
	DeleteSessionsBefore(ctx context.Context, idle, now time.Time) error
}

// MintRequest asks for a token.
type MintRequest struct {
	For      string        // name of the user it is for; "" means the caller himself
	Kind     Kind          // "" means KindService for oneself and KindImpersonation for others
	Lifetime time.Duration // 0 means the default of the kind
	Name     string        // label for people
	Purpose  string
	Narrowing
}

// Minted is a fresh token. Text is shown once and not kept.
type Minted struct {
	Token
	Text string
}

// Package token makes and checks the signed tokens that open every door.
//
// A token is a compact JWS, signed with Ed25519, that anybody can verify from the public key alone. There is one
// function that mints and one that verifies; keys, lifetimes and the rules of impersonation live here. Tokens are
// listed, limited, cached and revoked by their jti, never by their text.
package token

import (
	"net/netip"
	"time"

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
	StatusIndex int64  // place in the status list; 0 has none
	StatusURI   string // where that list is
	Narrowing

	// What the narrowing comes to, worked out once when the claims are read.
	nodes    []identity.NodeSet
	networks []netip.Prefix
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
	// Parent is the jti of the refresh token of the login that an access token belongs to. It is revoked with that one.
	Parent string

	StatusIndex int64 // place in the status list; 0 has none
	Narrowing
}

// Use is one use of a token, noted in batches.
type Use struct {
	ID   string
	At   time.Time
	Addr string
}

// MintRequest asks for a token.
type MintRequest struct {
	For      string        // name of the user it is for; "" means the caller himself
	Kind     Kind          // "" means KindService for oneself and KindImpersonation for others
	Lifetime time.Duration // 0 means the default of the kind
	Cut      bool          // cuts Lifetime to what is allowed, where more would be refused
	Name     string        // label for people
	Purpose  string
	Parent   string // jti of the refresh token of the same login, with which the new token is to be revoked; "" is none
	Narrowing
}

// Minted is a fresh token. Text is shown once and not kept.
type Minted struct {
	Token
	Text string
}

package identity

import (
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// Via is the kind of credential that a caller came with.
type Via string

// The kinds of credential.
const (
	ViaToken   Via = "token"   // a signed token
	ViaSession Via = "session" // a browser session
	ViaSocket  Via = "socket"  // the local socket: the operating system vouches for the user
	ViaCommand Via = "command" // a command line flag on the head itself

	ViaPassword Via = "password" // a name and a password, of which another credential comes
)

// Actor is who really acts behind an impersonation token.
type Actor struct {
	Name    string
	ID      UserID // binds to the account, not to its name; "" for the command line and in foreign tokens
	TokenID string // jti of the credential with which the token was made, "" when it was no token
}

// Caller is who asks: the subject whose rights apply, the actor behind it, and the credential's limits.
type Caller struct {
	User  User
	Actor *Actor // nil unless impersonated
	Via   Via
	// Permissions is what the caller may do now: the roles in the database, narrowed by the credential.
	Permissions Set
	// HandsOn is what the caller may give to others; it includes Permissions.
	HandsOn Set
	// Limits are the nodes that roles and credential leave for some permissions; all of them hold.
	Limits []NodeLimit
	// Clusters are those that the credential reaches; nil is all of them.
	Clusters []string
	// Nodes and CIDRs are what else the credential is narrowed to, as the token says it: what is made with it inherits
	// them. Limits has the effect of Nodes.
	Nodes string
	CIDRs []string
	// Narrowed says that the credential gives less than the user has. It must not open a way to all of it: it changes no
	// keys, passwords or second factors.
	Narrowed bool
	// Enrols says that the caller may set up his second factor, and do nothing else before.
	Enrols    bool
	TokenID   string    // jti, "" unless Via is ViaToken
	TokenKind string    // kind claim, "" unless Via is ViaToken
	SessionID string    // names the session in lists and opens nothing, "" unless Via is ViaSession
	Expires   time.Time // when the credential ends; zero when it does not
	Addr      string    // client address without port
	RequestID string
}

// Can reports whether the caller has the permission.
func (c Caller) Can(p Permission) bool { return c.Permissions.Has(p) }

// Require returns fault.Denied, naming the permission, unless the caller has it.
func (c Caller) Require(p Permission) error {
	switch {
	case c.Can(p):
		return nil
	case c.Enrols:
		return enrolFirst(p)
	}
	return DeniedError(p)
}

// DeniedError is the refusal that names the missing permission.
func DeniedError(p Permission) error {
	return fault.Because(fault.Denied, MissingError(p), "permission %s is required", p)
}

// MissingError is the cause of a refusal for want of a permission; errors.As finds out which.
type MissingError Permission

// Error names the permission.
func (e MissingError) Error() string { return "missing permission " + Permission(e).String() }

// HasRole reports whether the caller's user has the role.
func (c Caller) HasRole(r Role) bool { return slices.Contains(c.User.Roles, r) }

// ActorName returns who really acts: the actor under impersonation, else the user.
func (c Caller) ActorName() string {
	if c.Actor != nil {
		return c.Actor.Name
	}
	return c.User.Name
}

// Record begins the audit record of something that the caller does at time now.
func (c Caller) Record(now time.Time, action, object string) audit.Record {
	return audit.Record{
		Time: now.UTC(), Actor: c.ActorName(), Subject: c.User.Name, TokenID: c.TokenID, Via: string(c.Via),
		Addr: c.Addr, RequestID: c.RequestID, Action: action, Object: seal.Mask(object), Outcome: audit.Done,
	}
}

// Local returns the caller for a command line flag on the head itself: whoever can read the secrets of the head may do
// everything, and the trail names the operating system's user.
func Local(osUser string) Caller {
	return Caller{User: User{Name: osUser}, Via: ViaCommand, Permissions: All(), HandsOn: All()}
}

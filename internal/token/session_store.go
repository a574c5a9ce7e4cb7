package token

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Session is a browser's login, kept on the server. The browser holds the only copy of the secret.
type Session struct {
	Hash    string // keyed hash of the secret; the primary key
	UserID  identity.UserID
	ActorID identity.UserID // who acts as the user in this session; "" is the user himself
	Method  string          // how the login was made that it continues, see Origin
	Created time.Time
	Seen    time.Time
	Expires time.Time // absolute limit
	Resumes time.Time // absolute limit of the actor's own login, to which he returns; zero without an actor
	Addr    string
	Agent   string // User-Agent, cut to 200 bytes
	// Rights is a fingerprint of what the user and the actor could do when the session got its secret. Former is the hash
	// of the secret that it had before, "" when it has had no other, and Renewed when that changed.
	Rights  string
	Former  string
	Renewed time.Time
}

// ID returns the name that the session has in lists and in the trail. It opens nothing.
func (v Session) ID() string { return sessionID(v.Hash) }

// is reports whether id is the session's, or was before its rights changed.
func (v Session) is(id string) bool {
	return v.ID() == id || v.Former != "" && sessionID(v.Former) == id
}

func sessionID(hash string) string { return hash[:min(len(hash), SessionIDLength)] }

// SessionIDLength is how many hexadecimal digits a session's id has.
const SessionIDLength = 16

// HolderID returns whose browser it is: the actor's when there is one, else the user's.
func (v Session) HolderID() identity.UserID {
	if v.ActorID != "" {
		return v.ActorID
	}
	return v.UserID
}

// SessionFilter selects sessions. Zero fields do not select.
type SessionFilter struct {
	ID     string          // that one; it also goes by the id that it had before its rights changed
	UserID identity.UserID // those in which this user acts, or somebody acts as him
	Except string          // all but the one with this id
}

// SessionStore keeps sessions. Each change is one transaction with its audit record, which gets the ids of the sessions
// that have ended with it.
type SessionStore interface {
	// CreateSession adds a session. When its holder then has more than most, those end that were not used for longest; 0
	// sets no limit. fault.NotFound when the user or the actor is gone, fault.Unauthenticated when one is disabled.
	CreateSession(ctx context.Context, s Session, most int, rec audit.Record) error
	// ReplaceSession is CreateSession in the place of the session with that id; fault.Conflict when that has ended.
	ReplaceSession(ctx context.Context, id string, s Session, rec audit.Record) error
	// RenewSession writes Hash, Former, Rights, Renewed and Seen of the session that has the hash s.Former until now;
	// fault.Conflict when none has.
	RenewSession(ctx context.Context, s Session, rec audit.Record) error
	// GetSession returns the session with that hash, or with that former one; fault.NotFound.
	GetSession(ctx context.Context, hash string) (Session, error)
	// ListSessions returns the matching sessions, the one that was used last first.
	ListSessions(ctx context.Context, f SessionFilter) ([]Session, error)
	// TouchSession notes that a session was used.
	TouchSession(ctx context.Context, hash string, seen time.Time) error
	// EndSessions ends the matching sessions and returns how many. Where nothing ends, nothing is recorded.
	EndSessions(ctx context.Context, f SessionFilter, rec audit.Record) (int, error)
	// DeleteSessionsBefore drops sessions that were last seen before idle or whose limit is before now.
	DeleteSessionsBefore(ctx context.Context, idle, now time.Time) error
}

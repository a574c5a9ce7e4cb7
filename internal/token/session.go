package token

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// SessionsConfig is what Sessions needs.
type SessionsConfig struct {
	Store SessionStore
	Users Users
	Clock clock.Clock
	Key   []byte // of the keyed hash under which secrets are stored: SESSION_KEY
	// Idle ends a session that is not used for so long; 0 never does.
	Idle time.Duration
	// Absolute ends a session this long after the login; 0 means a week.
	Absolute time.Duration
	// Acting is how long somebody may act as another user before he has to log in again; 0 means an hour.
	Acting time.Duration
	// Limit is how many sessions a user may have at once; 0 sets no limit.
	Limit int
}

// Sessions keeps the logins of browsers. Nothing about the user is in the cookie: ended is ended, and rights are looked
// up on every request. It is safe for concurrent use.
type Sessions struct{ SessionsConfig }

// NewSessions returns the sessions in c.Store.
func NewSessions(c SessionsConfig) *Sessions {
	if c.Absolute == 0 {
		c.Absolute = 7 * day
	}
	if c.Acting == 0 {
		c.Acting = time.Hour
	}
	return &Sessions{c}
}

// touchEvery is how exactly the store knows when a session was last used.
const touchEvery = time.Minute

// Origin is where and how a session begins.
type Origin struct {
	Addr      string // client address without port
	Agent     string // User-Agent
	RequestID string
	Method    string // how the user proved who he is: "password", "ldap", "oidc", "jwt"
}

// Start begins a session of u, who has just proved who he is, and returns its secret, which nobody else keeps, and when
// it ends at the latest. Of more sessions than a user may have, those end that were not used for longest.
func (s *Sessions) Start(ctx context.Context, u identity.User, o Origin) (secret string, expires time.Time, err error) {
	secret, session := s.begin(u.ID, o)
	session.Expires = session.Created.Add(s.Absolute)
	if session.Rights, err = s.rightsNow(ctx, session); err != nil {
		return "", time.Time{}, fmt.Errorf("start session: %w", err)
	}
	c := identity.Caller{User: u, Via: identity.ViaSession, Addr: o.Addr, RequestID: o.RequestID}
	rec := c.Record(session.Created, "session.start", "user/"+u.Name)
	rec.Details = map[string]string{"session": session.ID(), "method": o.Method}
	if err := s.Store.CreateSession(ctx, session, s.Limit, rec); err != nil {
		return "", time.Time{}, fmt.Errorf("start session: %w", err)
	}
	return secret, session.Expires, nil
}

// begin returns a new session of a user, which has no limit yet, and its secret.
func (s *Sessions) begin(user identity.UserID, o Origin) (secret string, _ Session) {
	now := s.Clock.Now().UTC()
	secret = newSecret()
	return secret, Session{
		Hash: s.hash(secret), UserID: user, Method: o.Method, Created: now, Seen: now, Addr: o.Addr,
		Agent: strings.ToValidUTF8(o.Agent[:min(len(o.Agent), 200)], ""),
	}
}

// Enter returns the caller behind a session's secret, and the secret that takes its place from now on, "" when it stays;
// fault.Unauthenticated, always with the same message. Where somebody acts as the user, he is asked about anew.
func (s *Sessions) Enter(ctx context.Context, secret, addr, requestID string) (c identity.Caller, renewed string, err error) {
	session, err := s.get(ctx, secret)
	if err != nil {
		return identity.Caller{}, "", err
	}
	now := s.Clock.Now().UTC()
	if !s.lives(session, now) {
		return identity.Caller{}, "", refuseSession("ended by time")
	}
	c, rights, err := s.caller(ctx, session)
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.Denied):
		return identity.Caller{}, "", refuseSession(err.Error())
	case err != nil:
		return identity.Caller{}, "", fmt.Errorf("authenticate session: %w", err)
	}
	c.Addr, c.RequestID = addr, requestID
	switch former := session.Hash != s.hash(secret); {
	case former && session.taken():
		return c, "", nil
	case former: // the browser may not know it yet
		return c, s.successor(secret), nil
	case rights != session.Rights && !session.inGrace(now):
		return s.renew(ctx, session, secret, rights, c)
	case now.Sub(session.Seen) >= touchEvery || !session.taken():
		if err := s.Store.TouchSession(ctx, session.Hash, now); err != nil {
			return identity.Caller{}, "", fmt.Errorf("authenticate session: %w", err)
		}
	}
	return c, "", nil
}

// lives reports whether time has not ended a session.
func (s *Sessions) lives(session Session, now time.Time) bool {
	return now.Before(session.Expires) && (s.Idle <= 0 || now.Sub(session.Seen) < s.Idle)
}

// caller returns who uses a session, with what he may do now, and a fingerprint of that.
func (s *Sessions) caller(ctx context.Context, session Session) (c identity.Caller, now string, err error) {
	st, actor, err := s.standings(ctx, session)
	if err != nil {
		return identity.Caller{}, "", err
	}
	c = st.Caller(identity.ViaSession)
	c.SessionID, c.Expires = session.ID(), session.Expires
	if session.ActorID != "" {
		c = acting(c, actor.User)
		err = s.Users.MayActAs(ctx, actor.Caller(identity.ViaSession), st.User, st.Permissions)
	}
	return c, rights(st, actor), err
}

// End ends a session. It is no error when there is none.
func (s *Sessions) End(ctx context.Context, secret, addr, requestID string) error {
	session, err := s.get(ctx, secret)
	if fault.Is(err, fault.Unauthenticated) {
		return nil
	}
	if err != nil {
		return err
	}
	c := identity.Caller{Via: identity.ViaSession, Addr: addr, RequestID: requestID}
	if c.User, err = s.user(ctx, session.UserID); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	if session.ActorID != "" {
		actor, err := s.user(ctx, session.ActorID)
		if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		c = acting(c, actor)
	}
	rec := c.Record(s.Clock.Now(), "session.end", "user/"+c.User.Name)
	if _, err := s.Store.EndSessions(ctx, SessionFilter{ID: session.ID()}, rec); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// user returns an account by its id. One that is deleted or disabled goes by the id, so that its sessions can be ended
// all the same.
func (s *Sessions) user(ctx context.Context, id identity.UserID) (identity.User, error) {
	st, err := s.Users.ResolveID(ctx, id)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unauthenticated) {
		return identity.User{ID: id, Name: string(id)}, nil
	}
	return st.User, err
}

// Sweep drops the sessions that time has ended.
func (s *Sessions) Sweep(ctx context.Context) error {
	now := s.Clock.Now().UTC()
	var idle time.Time
	if s.Idle > 0 {
		idle = now.Add(-s.Idle)
	}
	if err := s.Store.DeleteSessionsBefore(ctx, idle, now); err != nil {
		return fmt.Errorf("sweep sessions: %w", err)
	}
	return nil
}

// get finds the session of a secret, whatever its age. That the session has another secret by now does not matter at once.
func (s *Sessions) get(ctx context.Context, secret string) (Session, error) {
	if !isSecret(secret) {
		return Session{}, refuseSession("not a session's secret")
	}
	hash := s.hash(secret)
	session, err := s.Store.GetSession(ctx, hash)
	switch {
	case fault.Is(err, fault.NotFound):
		return Session{}, refuseSession("no such session")
	case err != nil:
		return Session{}, fmt.Errorf("get session: %w", err)
	case session.Hash != hash && !session.inGrace(s.Clock.Now()):
		return Session{}, refuseSession("the session has another secret since its rights changed")
	}
	return session, nil
}

func refuseSession(reason string) error {
	return fault.Because(fault.Unauthenticated, &RefusedError{Reason: reason}, "invalid session")
}

package token

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
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
}

// Sessions keeps the logins of browsers. Nothing about the user is in the cookie: ended is ended, and rights are looked
// up on every request. It is safe for concurrent use.
type Sessions struct{ SessionsConfig }

// NewSessions returns the sessions in c.Store.
func NewSessions(c SessionsConfig) *Sessions {
	if c.Absolute == 0 {
		c.Absolute = 7 * day
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
// it ends at the latest.
func (s *Sessions) Start(ctx context.Context, u identity.User, o Origin) (secret string, expires time.Time, err error) {
	now := s.Clock.Now().UTC()
	secret = newSecret()
	expires = now.Add(s.Absolute)
	c := identity.Caller{User: u, Via: identity.ViaSession, Addr: o.Addr, RequestID: o.RequestID}
	rec := c.Record(now, "session.start", "user/"+u.Name)
	session := Session{
		Hash: s.hash(secret), UserID: u.ID, Created: now, Seen: now, Expires: expires, Addr: o.Addr,
		Agent: strings.ToValidUTF8(o.Agent[:min(len(o.Agent), 200)], ""),
	}
	if err := s.Store.CreateSession(ctx, session, rec); err != nil {
		return "", time.Time{}, fmt.Errorf("start session: %w", err)
	}
	return secret, expires, nil
}

// Authenticate returns the caller behind a session's secret; fault.Unauthenticated, always with the same message.
func (s *Sessions) Authenticate(ctx context.Context, secret, addr, requestID string) (identity.Caller, error) {
	session, err := s.get(ctx, secret)
	if err != nil {
		return identity.Caller{}, err
	}
	now := s.Clock.Now().UTC()
	if !now.Before(session.Expires) || s.Idle > 0 && now.Sub(session.Seen) >= s.Idle {
		return identity.Caller{}, refuseSession("ended by time")
	}
	st, err := s.Users.ResolveID(ctx, session.UserID)
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Unauthenticated):
		return identity.Caller{}, refuseSession(err.Error())
	case err != nil:
		return identity.Caller{}, fmt.Errorf("authenticate session: %w", err)
	}
	if now.Sub(session.Seen) >= touchEvery {
		if err := s.Store.TouchSession(ctx, session.Hash, now); err != nil {
			return identity.Caller{}, fmt.Errorf("authenticate session: %w", err)
		}
	}
	c := st.Caller(identity.ViaSession)
	c.Expires, c.Addr, c.RequestID = session.Expires, addr, requestID
	return c, nil
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
	switch st, err := s.Users.ResolveID(ctx, session.UserID); {
	case err == nil:
		c.User = st.User
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Unauthenticated): // deleted or disabled: ends all the same
		c.User.Name = string(session.UserID)
	default:
		return fmt.Errorf("end session: %w", err)
	}
	rec := c.Record(s.Clock.Now(), "session.end", "user/"+c.User.Name)
	if err := s.Store.DeleteSession(ctx, session.Hash, rec); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
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

// get finds the session of a secret, whatever its age.
func (s *Sessions) get(ctx context.Context, secret string) (Session, error) {
	if !isSecret(secret) {
		return Session{}, refuseSession("not a session's secret")
	}
	session, err := s.Store.GetSession(ctx, s.hash(secret))
	if fault.Is(err, fault.NotFound) {
		return Session{}, refuseSession("no such session")
	}
	if err != nil {
		return Session{}, fmt.Errorf("get session: %w", err)
	}
	return session, nil
}

func refuseSession(reason string) error {
	return fault.Because(fault.Unauthenticated, &RefusedError{Reason: reason}, "invalid session")
}

// hash returns under what the session of a secret is stored: without the key, a stolen database says nothing about the
// secrets, and rows put into it open nothing.
func (s *Sessions) hash(secret string) string {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte(secret))
	return hex.EncodeToString(mac.Sum(nil))
}

// A session's secret is the prefix, 256 random bits, and a checksum. Prefix and checksum let scanners find leaked
// secrets without false alarms, and let us refuse garbage without asking the store.
const secretPrefix = "bhs_"

func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	body := secretPrefix + encode(b[:])
	return body + checksum(body)
}

func isSecret(s string) bool {
	const length = len(secretPrefix) + 43 + 8
	return len(s) == length && strings.HasPrefix(s, secretPrefix) && s[length-8:] == checksum(s[:length-8])
}

func checksum(body string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body)))
}

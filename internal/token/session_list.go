package token

import (
	"context"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// SessionInfo is a session as people see it.
type SessionInfo struct {
	Session
	User    string // whose rights apply
	Actor   string // who acts as the user, "" when it is the user himself
	Current bool   // the one with which the list was asked for
}

// List returns the living sessions in which that user acts, or somebody acts as him, the one that was used last first. ""
// is the caller himself; asking for somebody else's is fault.Denied without TokensRead.
func (s *Sessions) List(ctx context.Context, c identity.Caller, user identity.UserID) (_ []SessionInfo, err error) {
	defer fault.Wrap(&err, "list sessions")
	if user == "" {
		user = c.User.ID
	}
	if user != c.User.ID || user == "" {
		if err := c.Require(identity.TokensRead); err != nil {
			return nil, err
		}
	}
	all, err := s.Store.ListSessions(ctx, SessionFilter{UserID: user})
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	all = slices.DeleteFunc(all, func(v Session) bool { return !s.lives(v, now) })
	infos := make([]SessionInfo, len(all))
	names := map[identity.UserID]string{"": ""}
	for i, v := range all {
		for _, id := range []identity.UserID{v.UserID, v.ActorID} {
			if _, known := names[id]; known {
				continue
			}
			u, err := s.user(ctx, id)
			if err != nil {
				return nil, err
			}
			names[id] = u.Name
		}
		infos[i] = SessionInfo{Session: v, User: names[v.UserID], Actor: names[v.ActorID], Current: v.is(c.SessionID)}
	}
	return infos, nil
}

// Revoke ends the session with that id: one of the caller's own, or any with TokensWrite; fault.NotFound for others. The
// next request with it is refused. Who acts as somebody else can only end the session in which he does so.
func (s *Sessions) Revoke(ctx context.Context, c identity.Caller, id string) (err error) {
	defer fault.Wrap(&err, "revoke session")
	none := fault.New(fault.NotFound, "no session %q", id)
	if !isSessionID(id) {
		return none
	}
	if c.Actor != nil && id != c.SessionID {
		return fault.New(fault.Denied, "who acts as somebody else can only end the session in which he does so")
	}
	f := SessionFilter{ID: id}
	if !c.Can(identity.TokensWrite) {
		if c.User.ID == "" {
			return identity.DeniedError(identity.TokensWrite)
		}
		f.UserID = c.User.ID
	}
	found, err := s.Store.ListSessions(ctx, f)
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return none
	}
	n, err := s.end(ctx, c, f, found[0].UserID, "session/"+id)
	if err == nil && n == 0 {
		return none
	}
	return err
}

// RevokeAll ends all sessions of a user but the one that c comes with, and returns how many those were. "" is the caller
// himself; somebody else's needs TokensWrite. Who acts as somebody else is refused.
func (s *Sessions) RevokeAll(ctx context.Context, c identity.Caller, user identity.UserID) (n int, err error) {
	defer fault.Wrap(&err, "revoke sessions")
	if c.Actor != nil {
		return 0, fault.New(fault.Denied, "who acts as somebody else can only end the session in which he does so")
	}
	if user == "" {
		user = c.User.ID
	}
	if user != c.User.ID || user == "" {
		if err := c.Require(identity.TokensWrite); err != nil {
			return 0, err
		}
	}
	if user == "" {
		return 0, fault.New(fault.Invalid, "the user whose sessions are to end is missing")
	}
	return s.end(ctx, c, SessionFilter{UserID: user, Except: c.SessionID}, user, "sessions")
}

func (s *Sessions) end(ctx context.Context, c identity.Caller, f SessionFilter, user identity.UserID, object string) (int, error) {
	u, err := s.user(ctx, user)
	if err != nil {
		return 0, err
	}
	rec := c.Record(s.Clock.Now(), "session.revoke", object)
	rec.Details = map[string]string{"user": u.Name}
	return s.Store.EndSessions(ctx, f, rec)
}

func isSessionID(id string) bool {
	return len(id) == SessionIDLength && strings.Trim(id, "0123456789abcdef") == ""
}

package token

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// StartActing lets c, whose credential is a session, act as the user of that name in the browser: his session ends, and
// another one takes its place in which he is that user's actor. The rules are those of an impersonation token: identity's
// MayActAs, which is asked again at every request, and no chains. It lasts for Acting at most, and never longer than the
// session that it replaces.
//
// It fails with fault.Invalid when c has no session, with fault.Denied, with fault.NotFound for an unknown user, and with
// fault.Conflict when the session has ended meanwhile.
func (s *Sessions) StartActing(ctx context.Context, c identity.Caller, target string, o Origin) (secret string, expires time.Time, err error) {
	defer fault.Wrap(&err, "act as %q", target)
	if err := c.Require(identity.AdminsWrite); err != nil {
		return "", time.Time{}, err // before anything can be learnt about the user
	}
	if c.Actor != nil {
		return "", time.Time{}, fault.New(fault.Denied, "you act as somebody else already; stop that first")
	}
	old, err := s.own(ctx, c)
	if err != nil {
		return "", time.Time{}, err
	}
	st, err := s.Users.Resolve(ctx, target)
	switch {
	case fault.Is(err, fault.Unauthenticated): // about him, not about the caller
		return "", time.Time{}, fault.Because(fault.Denied, err, "user %q is disabled", target)
	case fault.Is(err, fault.NotFound):
		return "", time.Time{}, fault.Because(fault.NotFound, err, "no user %q", target)
	case err != nil:
		return "", time.Time{}, err
	}
	if err := s.Users.MayActAs(ctx, c, st.User, st.Permissions); err != nil {
		return "", time.Time{}, err
	}
	secret, session := s.begin(st.User.ID, o)
	session.ActorID, session.Method, session.Resumes = c.User.ID, old.Method, old.Expires
	session.Expires = earlier(old.Expires, session.Created.Add(s.Acting))
	as := acting(identity.Caller{User: st.User, Via: c.Via, Addr: o.Addr, RequestID: o.RequestID}, c.User)
	return secret, session.Expires, s.replace(ctx, old, session, as, "session.act")
}

// StopActing gives c, who acts as somebody else in a session, a session of his own in its place, which ends when the one
// would have ended in which he began to act. It fails with fault.Invalid when c does not act in a session, with
// fault.Unauthenticated when his own account is gone or disabled, and with fault.Conflict when the session has ended
// meanwhile.
func (s *Sessions) StopActing(ctx context.Context, c identity.Caller, o Origin) (secret string, expires time.Time, err error) {
	defer fault.Wrap(&err, "stop acting")
	old, err := s.own(ctx, c)
	if err != nil {
		return "", time.Time{}, err
	}
	if old.ActorID == "" {
		return "", time.Time{}, fault.New(fault.Invalid, "you do not act as somebody else")
	}
	secret, session := s.begin(old.ActorID, o)
	session.Method, session.Expires = old.Method, old.Resumes
	return secret, session.Expires, s.replace(ctx, old, session, c, "session.return")
}

// own returns the session that c came with.
func (s *Sessions) own(ctx context.Context, c identity.Caller) (Session, error) {
	if c.Via != identity.ViaSession || c.SessionID == "" {
		return Session{}, fault.New(fault.Invalid, "this is only possible in a browser's session")
	}
	found, err := s.Store.ListSessions(ctx, SessionFilter{ID: c.SessionID})
	if err != nil {
		return Session{}, err
	}
	if len(found) != 1 || !s.lives(found[0], s.Clock.Now()) {
		return Session{}, fault.New(fault.Conflict, "the session has ended meanwhile")
	}
	return found[0], nil
}

// replace puts one session into the place of another; c is who acts as whom in the one that is about acting.
func (s *Sessions) replace(ctx context.Context, old, session Session, c identity.Caller, action string) (err error) {
	if session.Rights, err = s.rightsNow(ctx, session); err != nil {
		return err
	}
	rec := c.Record(session.Created, action, "user/"+c.User.Name)
	rec.Details = map[string]string{"session": session.ID(), "expires": session.Expires.Format(time.RFC3339)}
	return s.Store.ReplaceSession(ctx, old.ID(), session, rec)
}

// acting returns c with an actor behind it. What the user may hand on was no part of the question whether the actor may
// act as him.
func acting(c identity.Caller, actor identity.User) identity.Caller {
	c.Actor = &identity.Actor{Name: actor.Name, ID: actor.ID}
	c.HandsOn = c.Permissions
	return c
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

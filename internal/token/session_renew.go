package token

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// A session whose rights have changed since it got its secret gets another one with its next request, so that no copy of
// the old one comes to mean more, or less, than it did when it was made.
//
// The new secret follows from the old one and the key of the site. Of several requests that come at the same time each
// works out the same one, so that it does not matter whose reply reaches the browser first, last, or not at all; without
// the key nobody can work it out.

// renewalGrace is how long the old secret is good for beside the new one: for requests that were on their way with it. So
// long, too, there is no other renewal, or the old one of these requests would be forgotten.
const renewalGrace = 30 * time.Second

// inGrace reports whether the secret of before is good as well.
func (v Session) inGrace(now time.Time) bool {
	return v.Former != "" && now.Before(v.Renewed.Add(renewalGrace))
}

// taken reports whether somebody has used the secret that the session has now.
func (v Session) taken() bool { return !v.Seen.Before(v.Renewed) }

// successor is the secret that follows another one. What is hashed begins like no secret, so that this is nobody's hash.
func (s *Sessions) successor(secret string) string {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte("successor of " + secret))
	return secretOf(mac.Sum(nil))
}

// renew gives the session another secret, because c may now do other things than when it got the one that it has.
func (s *Sessions) renew(ctx context.Context, v Session, secret, rights string, c identity.Caller) (identity.Caller, string, error) {
	now, next := s.Clock.Now().UTC(), s.successor(secret)
	after := v
	after.Hash, after.Former, after.Rights, after.Renewed = s.hash(next), v.Hash, rights, now
	after.Seen = now.Add(-time.Microsecond) // see taken
	c.SessionID = after.ID()
	rec := c.Record(now, "session.renew", "user/"+c.User.Name)
	rec.Details = map[string]string{"session": after.ID(), "former": v.ID()}
	switch err := s.Store.RenewSession(ctx, after, rec); {
	case fault.Is(err, fault.Conflict): // another request was faster, or the session has ended
		return s.Enter(ctx, secret, c.Addr, c.RequestID)
	case err != nil:
		return identity.Caller{}, "", fmt.Errorf("renew session: %w", err)
	}
	return c, next, nil
}

// standings returns what the user of a session may do now, and what the actor may when there is one.
func (s *Sessions) standings(ctx context.Context, v Session) (user, actor identity.Standing, err error) {
	if user, err = s.Users.ResolveID(ctx, v.UserID); err != nil || v.ActorID == "" {
		return user, actor, err
	}
	actor, err = s.Users.ResolveID(ctx, v.ActorID)
	return user, actor, err
}

// rightsNow is what rights says of a session that is about to begin.
func (s *Sessions) rightsNow(ctx context.Context, v Session) (string, error) {
	user, actor, err := s.standings(ctx, v)
	return rights(user, actor), err
}

// rights is a fingerprint of all that the roles of those give them.
func rights(all ...identity.Standing) string {
	h := sha256.New()
	for _, st := range all {
		_, _ = fmt.Fprintf(h, "%q %q %v %v %d\n", st.User.Roles, st.User.Projects, st.Permissions, st.HandsOn, st.MaxLifetime) // a hash takes everything
		for _, l := range st.Limits {
			_, _ = fmt.Fprintf(h, "%v %q\n", l.Permissions, l.Nodes.String())
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

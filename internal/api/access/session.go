package access

import (
	"context"
	"net/http"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// SessionKeeper starts and ends browser logins. *token.Sessions is one.
type SessionKeeper interface {
	// Start makes a session and returns the secret that only the browser keeps; fault.Unauthenticated and fault.NotFound
	// for a user who has been disabled or deleted meanwhile.
	Start(ctx context.Context, u identity.User, o token.Origin) (secret string, expires time.Time, err error)
	// End closes a session. It is no error when there is none.
	End(ctx context.Context, secret, addr, requestID string) error
	// StartActing puts a session in which the caller acts as the user of that name into the place of his own; fault.Denied,
	// fault.NotFound, fault.Invalid without a session, fault.Conflict.
	StartActing(ctx context.Context, c identity.Caller, target string, o token.Origin) (secret string, expires time.Time, err error)
	// StopActing puts a session of the actor's own into the place of that one; fault.Invalid, fault.Conflict.
	StopActing(ctx context.Context, c identity.Caller, o token.Origin) (secret string, expires time.Time, err error)
}

// begin starts the session of a user who has just proved by that method who he is, and sends his browser on to a path.
// Sessions that were open in this browser end, so that no id survives a login, whoever has put it there.
func (d door) begin(ctx context.Context, r *http.Request, u identity.User, method, to string) (api.Responder, error) {
	secret, expires, err := d.Sessions.Start(ctx, u, d.origin(ctx, r, method))
	if err != nil {
		return nil, err
	}
	if err := d.endSessions(ctx, r); err != nil {
		return nil, err
	}
	return redirect{cookie: d.cookie(r, secret, expires), to: localPath(to)}, nil
}

// endSessions ends the sessions that a request names.
func (d door) endSessions(ctx context.Context, r *http.Request) error {
	for _, secret := range sessionSecrets(r) {
		if err := d.Sessions.End(ctx, secret, d.Gate.ClientAddr(r), RequestID(ctx)); err != nil {
			return err
		}
	}
	return nil
}

func (d door) origin(ctx context.Context, r *http.Request, method string) token.Origin {
	return token.Origin{Addr: d.Gate.ClientAddr(r), Agent: r.UserAgent(), RequestID: RequestID(ctx), Method: method}
}

// cookie returns the cookie that lasts as long as its session may.
func (d door) cookie(r *http.Request, secret string, expires time.Time) *http.Cookie {
	return sessionCookie(r, secret, secondsLeft(d.Clock, expires))
}

package access

import (
	"context"
	"net/http"
	"net/netip"
	"path"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Tokens checks signed tokens. *token.Service is one.
type Tokens interface {
	// Authenticate returns the caller behind a token; fault.Unauthenticated.
	Authenticate(ctx context.Context, raw, addr, requestID string) (identity.Caller, error)
}

// Sessions keeps browser logins. *token.Sessions is one.
type Sessions interface {
	// Enter returns the caller behind a session's secret, and the secret that takes its place, "" when it stays;
	// fault.Unauthenticated.
	Enter(ctx context.Context, secret, addr, requestID string) (c identity.Caller, renewed string, err error)
}

// Users finds accounts. *identity.Service is one.
type Users interface {
	// Resolve returns the user and what he may do now; fault.NotFound, fault.Unauthenticated when disabled.
	Resolve(ctx context.Context, name string) (identity.Standing, error)
}

// Gate finds out who sends a request. It is the api.Authenticator of the head node.
//
// A token in a header comes first, then the session cookie, then the operating system's word about who is at the other
// end of the local socket. A bad credential is refused, even if another one would be good: what was presented on
// purpose decides. Tokens in cookies or in the query string are not looked at.
type Gate struct {
	Tokens   Tokens
	Sessions Sessions
	Users    Users
	Clock    clock.Clock
	// Proxies are the peers whose X-Forwarded-For and X-Real-Ip are believed.
	Proxies []netip.Prefix
	// APIAllowed are the addresses from which tokens are accepted below /api, and where clients of InfluxDB 1 write; empty
	// means everywhere.
	APIAllowed []netip.Prefix
	// Open, when set, admits everybody as this caller: the switch disable-authentication.
	Open *identity.Caller
}

// Authenticate implements api.Authenticator. The caller has address and request id also where the error is not nil.
func (g *Gate) Authenticate(r *http.Request, reply http.Header) (identity.Caller, error) {
	addr, id := g.ClientAddr(r), RequestID(r.Context())
	c, err := g.authenticate(r, reply, addr, id)
	c.Addr, c.RequestID = addr, id
	return c, err
}

func (g *Gate) authenticate(r *http.Request, reply http.Header, addr, id string) (identity.Caller, error) {
	if g.Open != nil {
		return *g.Open, nil
	}
	raw, err := tokenFrom(r)
	if err != nil {
		return identity.Caller{}, err
	}
	if raw != "" {
		if err := g.allowed(r, addr); err != nil {
			return identity.Caller{}, err
		}
		return g.Tokens.Authenticate(r.Context(), raw, addr, id)
	}
	if secrets := sessionSecrets(r); len(secrets) > 0 {
		c, renewed, err := g.Sessions.Enter(r.Context(), secrets[0], addr, id)
		if err == nil && renewed != "" {
			setCookie(reply, sessionCookie(r, renewed, secondsLeft(g.Clock, c.Expires)))
		}
		return c, err
	}
	if name, ok := peerUser(r.Context()); ok {
		return g.fromSocket(r.Context(), name)
	}
	return identity.Caller{}, fault.New(fault.Unauthenticated, "no user for secured check")
}

// fromSocket trusts the operating system: its user is the user of the same name here.
func (g *Gate) fromSocket(ctx context.Context, name string) (identity.Caller, error) {
	st, err := g.Users.Resolve(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return identity.Caller{}, fault.Because(fault.Unauthenticated, err,
			"the operating system's user %s is no user here; an administrator creates one with: cw-adminctl create name=%s roles=...", name, name)
	}
	if err != nil {
		return identity.Caller{}, err
	}
	return st.Caller(identity.ViaSocket), nil
}

// allowed holds api-allowed-ips (contract clustercockpit 1.5).
func (g *Gate) allowed(r *http.Request, addr string) error {
	where := path.Clean(r.URL.Path) // however many slashes and dots somebody puts in
	below := strings.HasPrefix(where+"/", "/api/") && !strings.HasPrefix(where+"/", "/api/v1/")
	if len(g.APIAllowed) == 0 || !below && !isOldInflux(where) {
		return nil
	}
	ip, err := netip.ParseAddr(addr)
	if err == nil && contains(g.APIAllowed, ip) {
		return nil
	}
	return fault.New(fault.Unauthenticated, "unknown ip: %s", addr)
}

// tokenFrom returns the token that a request carries, "" when there is none. ClusterCockpit's clients use X-Auth-Token,
// or Authorization with or without the word Bearer (contract clustercockpit 1.3). Two tokens that differ are refused:
// what stands between a client and this server may look at the other one. A scheme that is no token's beside
// X-Auth-Token is that of a proxy, whose business it is.
func tokenFrom(r *http.Request) (string, error) {
	h := r.Header
	if len(h.Values("Authorization")) > 1 || len(h.Values("X-Auth-Token")) > 1 {
		return "", fault.New(fault.Unauthenticated, "more than one token")
	}
	bearer, other := h.Get("Authorization"), h.Get("X-Auth-Token")
	scheme, rest, ok := strings.Cut(bearer, " ")
	influx, err := InfluxToken(r)
	switch {
	case err != nil:
		return "", err
	case influx != "":
		bearer, ok = influx, false
	case ok && strings.EqualFold(scheme, "Bearer"):
		bearer, ok = rest, false
	}
	switch {
	case other != "" && !ok && bearer != "" && bearer != other:
		return "", fault.New(fault.Unauthenticated, "more than one token")
	case other != "":
		return other, nil
	case ok:
		return "", fault.New(fault.Unauthenticated, "this authorization scheme is not supported; Bearer is") // it may be a secret, sent without one
	default:
		return bearer, nil
	}
}

type contextKey uint8

const (
	peerKey contextKey = iota
	requestKey
)

// WithPeer returns a context in which the operating system vouches for the named user: for the connections of the
// local socket, and nothing else.
func WithPeer(ctx context.Context, osUser string) context.Context {
	return context.WithValue(ctx, peerKey, osUser)
}

func peerUser(ctx context.Context) (string, bool) {
	name, ok := ctx.Value(peerKey).(string)
	return name, ok && name != ""
}

// WithRequestID returns a context that carries the request's id into logs, errors and the audit trail.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey, id)
}

// RequestID returns the id that WithRequestID put into ctx, "" without one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey).(string)
	return id
}

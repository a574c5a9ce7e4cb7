package metricserver

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// verifier checks tokens. *token.Verifier is one.
type verifier interface {
	// Verify returns the claims of a good token; fault.Unauthenticated otherwise.
	Verify(raw string) (token.Claims, error)
}

// rights is everything that can be done here.
func rights() identity.Set {
	return identity.SetOf(identity.MetricsRead, identity.MetricsWrite, identity.MetricsAdmin)
}

// openDoor lets everybody do everything, as the store does without a public key.
type openDoor struct{}

// Authenticate implements api.Authenticator.
func (openDoor) Authenticate(r *http.Request, _ http.Header) (identity.Caller, error) {
	return identity.Caller{Permissions: rights(), Addr: address(r)}, nil
}

// tokenDoor asks for a token.
type tokenDoor struct {
	tokens verifier
	head   *head           // says what was revoked; nil: nobody does
	roles  *identity.Roles // nil: a valid token gives all rights, whatever its roles are
}

// Authenticate implements api.Authenticator. Only the header Authorization with the word Bearer counts (contract
// clustercockpit 1.3), but where clients of InfluxDB write, which have ways of their own.
func (d tokenDoor) Authenticate(r *http.Request, _ http.Header) (identity.Caller, error) {
	raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	influx, err := access.InfluxToken(r)
	if err != nil {
		return identity.Caller{}, err
	}
	if influx != "" {
		raw, ok = influx, true
	}
	if !ok || len(r.Header.Values("Authorization")) > 1 { // whoever stands in between may have looked at the other one
		return identity.Caller{}, fault.New(fault.Unauthenticated, "Use JWT Authentication")
	}
	claims, err := d.tokens.Verify(raw)
	if err != nil {
		return identity.Caller{}, fmt.Errorf("authenticate: %w", err)
	}
	if claims.Kind == token.KindRefresh {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "invalid token")
	}
	if d.head != nil && d.head.revoked(claims) {
		return identity.Caller{}, fault.Because(fault.Unauthenticated, fmt.Errorf("token %q of %q is revoked", claims.ID, claims.Subject), "invalid token")
	}
	addr := address(r)
	if err := claims.Admit(addr); err != nil {
		return identity.Caller{}, fmt.Errorf("authenticate: %w", err)
	}
	return claims.Bind(identity.Caller{
		User: identity.User{Name: claims.Subject, ID: claims.UserID}, Actor: claims.Actor, Via: identity.ViaToken,
		Permissions: d.permissions(claims), Addr: addr,
	}), nil
}

// permissions returns what the user of a token may do: everything, unless the token's roles count.
func (d tokenDoor) permissions(c token.Claims) identity.Set {
	may := rights()
	if d.roles != nil {
		var roles []identity.Role
		for _, name := range c.Roles {
			roles = append(roles, identity.Role(name))
		}
		has, _ := d.roles.Effective(roles)
		may = may.Intersect(has)
	}
	return may
}

// address returns the client's address without the port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

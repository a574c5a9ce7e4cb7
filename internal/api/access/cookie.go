package access

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// SessionCookie is the name of the session's cookie (contract clustercockpit 1.6).
const SessionCookie = "session"

// HostCookie is its name under TLS: browsers take a cookie of such a name only from this very host, over TLS and for
// every path. No page of a neighbour and nobody on the line can plant one.
const HostCookie = "__Host-" + SessionCookie

// underTLS reports whether the browser came by TLS, to us or to the proxy in front. A client that only says so gets a
// cookie that it does not send back.
func underTLS(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// sessionSecrets returns the secrets of the sessions that a request names; the first one counts.
func sessionSecrets(r *http.Request) []string {
	names := []string{SessionCookie, HostCookie}
	if underTLS(r) {
		names = []string{HostCookie, SessionCookie}
	}
	var secrets []string
	for _, name := range names {
		for _, c := range r.CookiesNamed(name) {
			if c.Value != "" {
				secrets = append(secrets, c.Value)
			}
		}
	}
	return secrets
}

// sessionCookie returns the session's cookie; a negative maxAge deletes it. It is Secure wherever the browser came by
// TLS: over plain HTTP, which some sites use inside the cluster, a Secure cookie would never come back.
func sessionCookie(r *http.Request, value string, maxAge int) *http.Cookie {
	secure, name := underTLS(r), SessionCookie
	if secure {
		name = HostCookie
	}
	return &http.Cookie{ //nolint:gosec // Secure depends on the connection, see above
		Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure,
	}
}

func secondsLeft(c clock.Clock, until time.Time) int { return int(until.Sub(c.Now()).Seconds()) }

// setCookie puts a cookie into a reply, in the place of one of that name which is there already: a request may renew its
// session and then end it.
func setCookie(reply http.Header, c *http.Cookie) {
	const name = "Set-Cookie"
	kept := slices.DeleteFunc(reply.Values(name), func(line string) bool { return strings.HasPrefix(line, c.Name+"=") })
	reply[name] = append(kept, c.String())
}

package access

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// ClientAddr returns the client's address without port: the peer's, or what a configured proxy says it is. It is "" for
// the local socket.
func (g *Gate) ClientAddr(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !contains(g.Proxies, peer) {
		return host
	}
	if real := r.Header.Get("X-Real-Ip"); real != "" {
		return cleanAddr(real, host)
	}
	// The last entry is the one that our own proxy has added; those before it are the client's to invent.
	hops := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
	return cleanAddr(hops[len(hops)-1], host)
}

func cleanAddr(text, otherwise string) string {
	ip, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil {
		return otherwise
	}
	return ip.String()
}

func contains(prefixes []netip.Prefix, ip netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}

// IsLoopback reports whether a listen address can only be reached from this machine.
func IsLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

package oidc

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// dialer connects to hosts. What a name means is asked of others, at every connection anew, so the address is looked at
// when the connection is about to be made: nobody who answers for a name of the provider sends the head to itself, or to
// where machines of a cloud find their own secrets. Private networks are no secret, providers are often in one.
//
// Addresses that the site itself has written down are trusted, and so is the proxy of the environment.
type dialer struct {
	hosts []string      // that the site names, without ports
	names *net.Resolver // nil is the system's
}

func (d dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	nd := net.Dialer{Timeout: replyTime, Resolver: d.names}
	if slices.Contains(d.hosts, host) && host != "localhost" { // else it is the proxy
		nd.Control = d.control
	}
	return nd.DialContext(ctx, network, addr)
}

// control is asked when a socket is about to connect.
func (d dialer) control(_, addr string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return fmt.Errorf("the provider has the address %q: %w", addr, err)
	}
	ip := plain(ap.Addr())
	if isInside(ip) && !slices.Contains(d.hosts, ip.String()) {
		return fmt.Errorf("the provider's name means %s, which is of this machine or of its link; if that is meant, auth.oidc.hosts can list the address", ip)
	}
	return nil
}

// translated is what networks without IPv4 write before an address of it (RFC 6052).
var translated = netip.MustParsePrefix("64:ff9b::/96")

// plain returns the address of IPv4 that one of IPv6 stands for, if it does.
func plain(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if b := ip.As16(); ip.Is6() && translated.Contains(ip) {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return ip
}

// isInside reports whether an address is of this machine, of its link, or of nobody.
func isInside(ip netip.Addr) bool {
	metadata := netip.AddrFrom16([16]byte{0xfd, 0, 0x0e, 0xc2, 14: 0x02, 15: 0x54}) // fd00:ec2::254
	return ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip == metadata ||
		ip.Is4() && (ip.As4()[0] == 0 || ip.As4()[0] >= 240)
}

// hostNames returns hosts without their ports.
func hostNames(hosts []string) []string {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h
		if host, _, err := net.SplitHostPort(h); err == nil {
			names[i] = host
		}
	}
	return names
}

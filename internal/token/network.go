package token

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// canonicalNetworks brings networks and addresses into the form that a token has: 10.0.0.0/8, fd00::/8, 192.0.2.1/32.
func canonicalNetworks(texts []string) ([]string, error) {
	if texts == nil {
		return nil, nil
	}
	var out []netip.Prefix
	for _, text := range texts {
		p, err := parseNetwork(strings.TrimSpace(text))
		if err != nil {
			return nil, fault.Because(fault.Invalid, err, "%q is not a network: an address, or one with the length of its prefix, as in 10.1.0.0/16", text)
		}
		out = append(out, p)
	}
	return networkTexts(out)
}

func parseNetwork(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, errors.New("neither an address nor a network")
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, errors.New("an IPv4 network written as IPv6")
	}
	return p.Masked(), nil
}

// networkTexts writes networks down, sorted, those left out that lie in others.
func networkTexts(networks []netip.Prefix) ([]string, error) {
	slices.SortFunc(networks, func(a, b netip.Prefix) int { return a.Compare(b) })
	var out []string
	var kept []netip.Prefix
	for _, p := range networks {
		if inside := func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }; !slices.ContainsFunc(kept, inside) {
			kept = append(kept, p)
			out = append(out, p.String())
		}
	}
	if len(out) == 0 || len(out) > maxNetworks {
		return nil, fault.New(fault.Invalid, "a token is narrowed to 1 to %d networks, not to %d", maxNetworks, len(out))
	}
	return out, nil
}

// bothNetworks returns the networks that are in one of a and in one of b. Of two networks, one has the other in it, or
// they have nothing in common.
func bothNetworks(a, b []string) ([]string, error) {
	if a == nil || b == nil {
		return slices.Concat(a, b), nil
	}
	left, err := parseNetworks(a)
	if err != nil {
		return nil, err
	}
	right, err := parseNetworks(b)
	if err != nil {
		return nil, err
	}
	var both []netip.Prefix
	for _, p := range left {
		for _, q := range right {
			if p.Overlaps(q) {
				both = append(both, narrower(p, q))
			}
		}
	}
	if len(both) == 0 {
		return nil, fault.New(fault.Invalid, "the token would be good from nowhere: your own is good from %s only", strings.Join(b, ", "))
	}
	return networkTexts(both)
}

func narrower(p, q netip.Prefix) netip.Prefix {
	if p.Bits() > q.Bits() {
		return p
	}
	return q
}

// parseNetworks reads networks in the form that a token has, and no other.
func parseNetworks(texts []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil || p != p.Masked() || p.String() != text || p.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is not a network as in 10.1.0.0/16", text)
		}
		out[i] = p
	}
	return out, nil
}

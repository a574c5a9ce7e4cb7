package token

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Admit refuses addresses from which the token is not good, and callers of whom no address is known, when it is good
// from some only. The refusal says no more than any other does.
func (c Claims) Admit(addr string) error {
	if len(c.networks) == 0 {
		return nil
	}
	ip, err := netip.ParseAddr(addr)
	ip = ip.Unmap().WithZone("")
	if err != nil || !slices.ContainsFunc(c.networks, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return refuse(c, fmt.Sprintf("used from %q, good from %s only", addr, strings.Join(c.CIDRs, ", ")))
	}
	return nil
}

// Bind narrows a caller, who has what his user may do now, to what the token leaves, and says with which token he came.
func (c Claims) Bind(to identity.Caller) identity.Caller {
	to.TokenID, to.TokenKind, to.Expires = c.ID, string(c.Kind), c.Expires
	to.Narrowed = !c.None()
	to.Nodes, to.CIDRs, to.Clusters = c.Nodes, c.CIDRs, c.Clusters
	if c.narrowsRights() {
		to.Permissions = c.Narrow(to.Permissions)
		to.HandsOn = to.Permissions
	}
	for _, nodes := range c.nodes {
		to.Limits = append(slices.Clip(to.Limits), identity.NodeLimit{Permissions: identity.PerNode(), Nodes: nodes})
	}
	return to
}

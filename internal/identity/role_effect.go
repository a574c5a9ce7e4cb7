package identity

import (
	"slices"
	"time"
)

// Effective returns the permissions that a holder of all the given roles has, and what he may hand on to others. That
// includes his own, but nothing that he has on some nodes only: what he hands on would hold everywhere.
//
// Roles add up, with two exceptions: NoAccess takes everything away, and api gives its full set only when it stands alone
// or beside an administrator's role. Beside user, manager or support it is the mark that the account may send samples,
// not a licence to steer every job.
func (t *Roles) Effective(roles []Role) (has, handsOn Set) {
	if slices.Contains(roles, RoleNoAccess) {
		return Set{}, Set{}
	}
	var free, delegates Set // given without a limit
	for _, r := range roles {
		g := t.given(r, roles)
		has = has.Union(g.Permissions)
		if g.Nodes != nil {
			g.Permissions, g.Delegates = g.Permissions.Minus(PerNode()), g.Delegates.Minus(PerNode())
		}
		free, delegates = free.Union(g.Permissions), delegates.Union(g.Delegates)
	}
	limited := has.Minus(free)
	return has, has.Union(delegates).Minus(limited)
}

// Limits returns the nodes that the given roles leave for some permissions. A permission is not limited when one of the
// roles gives it without a limit; else it holds on the nodes of all roles that give it.
func (t *Roles) Limits(roles []Role) []NodeLimit {
	if slices.Contains(roles, RoleNoAccess) {
		return nil
	}
	var free Set
	var limited []Grant
	for _, r := range roles {
		if g := t.given(r, roles); g.Nodes == nil {
			free = free.Union(g.Permissions)
		} else {
			limited = append(limited, g)
		}
	}
	if len(limited) == 0 {
		return nil
	}
	var limits []NodeLimit
	for _, p := range PerNode().Minus(free).List() {
		nodes := nodesFor(p, limited)
		if nodes == nil {
			continue
		}
		i := slices.IndexFunc(limits, func(l NodeLimit) bool { return l.Nodes.String() == nodes.String() })
		if i < 0 {
			i, limits = len(limits), append(limits, NodeLimit{Nodes: nodes})
		}
		limits[i].Permissions = limits[i].Permissions.Union(SetOf(p))
	}
	return limits
}

// nodesFor returns the nodes on which one of the grants gives p; nil when none gives it.
func nodesFor(p Permission, limited []Grant) NodeSet {
	var sets anyNodes
	for _, g := range limited {
		same := slices.ContainsFunc(sets, func(s NodeSet) bool { return s.String() == g.Nodes.String() })
		if g.Permissions.Has(p) && !same {
			sets = append(sets, g.Nodes)
		}
	}
	switch len(sets) {
	case 0:
		return nil
	case 1:
		return sets[0]
	default:
		return sets
	}
}

// MaxLifetime returns the smallest cap that one of the roles sets to the life of tokens, 0 when none does.
func (t *Roles) MaxLifetime(roles []Role) (least time.Duration) {
	for _, r := range roles {
		if d := t.grants[r].MaxLifetime; d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return least
}

// given is what r gives in the company of roles. Every ClusterWare administrator is an authenticated user; where his role
// has a limit to nodes, that holds for this part as well.
func (t *Roles) given(r Role, roles []Role) Grant {
	g := t.grants[r]
	if r == RoleAPI && t.apiIsLimited(roles) {
		g.Permissions = g.Permissions.Intersect(SetOf(MetricsWrite, ClustersRead, AdminsWriteSelf))
	}
	if r.isWare() {
		g.Permissions = g.Permissions.Union(t.grants[RoleAuthUser].Permissions)
	}
	return g
}

// apiIsLimited reports whether api stands beside a role of people who are no administrators.
func (t *Roles) apiIsLimited(roles []Role) bool {
	any := func(of ...Role) bool {
		return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(of, r) })
	}
	return any(RoleUser, RoleManager, RoleSupport) && !any(RoleAdmin, RoleFullAdmin)
}

// reach is everything that the roles could give, to do or to hand on. What they give on some nodes only counts as if it
// were everywhere. NoAccess hides nothing: otherwise who may not touch a full administrator could still do so while that
// one is locked out.
func (t *Roles) reach(roles []Role) (all Set) {
	for _, r := range roles {
		if r != RoleNoAccess {
			g := t.given(r, roles)
			all = all.Union(g.Permissions).Union(g.Delegates)
		}
	}
	return all
}

// widens says what somebody gains whose roles were of t and are after of table; "" when it is nothing. It
// need not look at nodes: what somebody has on some of them only is nothing that he may hand on, so that whoever asks here
// has been refused a role that gives it.
func (t *Roles) widens(roles []Role, table *Roles, after []Role) string {
	had, _ := t.Effective(roles)
	has, handsOn := table.Effective(after)
	if over := has.Minus(had).Union(handsOn.Minus(t.reach(roles))); over != (Set{}) {
		return some(over)
	}
	if was, is := t.MaxLifetime(roles), table.MaxLifetime(after); was > 0 && (is == 0 || is > was) {
		return "tokens that live longer than " + was.String()
	}
	return ""
}

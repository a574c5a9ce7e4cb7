package identity

import (
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// Role is the name of a set of permissions. ClusterCockpit's roles are bare words, ClusterWare's begin with "role.";
// a user may have roles of both families.
type Role string

// The roles that come with the program.
const (
	RoleAPI     Role = "api"
	RoleUser    Role = "user"
	RoleManager Role = "manager"
	RoleSupport Role = "support"
	RoleAdmin   Role = "admin"

	RoleFullAdmin          Role = "role.FullAdmin"
	RoleWareManager        Role = "role.Manager"
	RoleProductionEngineer Role = "role.ProductionEngineer"
	RoleImageEngineer      Role = "role.ImageEngineer"
	RoleOnsiteEngineer     Role = "role.OnsiteEngineer"
	RoleAuthUser           Role = "role.AuthUser"
	RoleNoAccess           Role = "role.NoAccess"
)

// Grant is what a role gives.
type Grant struct {
	Role        Role
	Display     string // name for people
	Description string
	Permissions Set
	// Delegates is what a holder may hand on to others beyond his own permissions: by creating users with such rights
	// or by minting tokens for them. It is how a manager may hand out production rights that he does not hold himself.
	Delegates Set
}

// Roles is the table of all roles, looked up by name. It is read-only after it has been made.
type Roles struct {
	order  []Role
	grants map[Role]Grant
}

// DefaultRoles returns the table of the roles that come with the program: ClusterCockpit's five
// (contract clustercockpit 1.4) and ClusterWare's (contract clusterware 2.9, 2.10).
func DefaultRoles() *Roles {
	t := &Roles{grants: map[Role]Grant{}}
	for _, g := range append(cockpitGrants(), wareGrants()...) {
		t.order = append(t.order, g.Role)
		t.grants[g.Role] = g
	}
	return t
}

// List returns every role, in the order in which lists show them.
func (t *Roles) List() []Grant {
	list := make([]Grant, 0, len(t.order))
	for _, r := range t.order {
		list = append(list, t.grants[r])
	}
	return list
}

// Get returns what r gives.
func (t *Roles) Get(r Role) (Grant, bool) {
	g, ok := t.grants[r]
	return g, ok
}

// Parse returns the roles with the given names, without duplicates, in the given order. It fails with fault.Invalid on
// the first name that is not a role, and says which names are.
func (t *Roles) Parse(names ...string) ([]Role, error) {
	roles := make([]Role, 0, len(names))
	for _, name := range names {
		r := Role(strings.TrimSpace(name))
		if r == "role.ImagingEngineer" { // the name that some of ClusterWare's pages use
			r = RoleImageEngineer
		}
		if _, ok := t.grants[r]; !ok {
			return nil, fault.New(fault.Invalid, "unknown role %q; the roles are %s", name, t.names())
		}
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles, nil
}

func (t *Roles) names() string {
	names := make([]string, 0, len(t.order))
	for _, r := range t.order {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// Effective returns the permissions that a holder of all the given roles has, and what he may hand on to others, which
// always includes his own. Roles add up, with two exceptions: NoAccess takes everything away, and api gives its full
// set only when it stands alone or beside an administrator's role. Beside user, manager or support it is the mark that
// the account may send samples, not a licence to steer every job.
func (t *Roles) Effective(roles []Role) (has, handsOn Set) {
	if slices.Contains(roles, RoleNoAccess) {
		return Set{}, Set{}
	}
	for _, r := range roles {
		g := t.grants[r]
		if r == RoleAPI && t.apiIsLimited(roles) {
			g.Permissions = SetOf(MetricsWrite, ClustersRead, AdminsWriteSelf)
		}
		if strings.HasPrefix(string(r), "role.") { // every ClusterWare administrator is an authenticated user
			g.Permissions = g.Permissions.Union(t.grants[RoleAuthUser].Permissions)
		}
		has = has.Union(g.Permissions)
		handsOn = handsOn.Union(g.Delegates)
	}
	return has, handsOn.Union(has)
}

// apiIsLimited reports whether api stands beside a role of people who are no administrators.
func (t *Roles) apiIsLimited(roles []Role) bool {
	any := func(of ...Role) bool {
		return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(of, r) })
	}
	return any(RoleUser, RoleManager, RoleSupport) && !any(RoleAdmin, RoleFullAdmin)
}

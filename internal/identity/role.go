package identity

import (
	"maps"
	"slices"
	"strings"
	"time"

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

// roleImagingEngineer is the name that some of ClusterWare's pages use for role.ImageEngineer.
const roleImagingEngineer Role = "role.ImagingEngineer"

// isWare reports whether the role is of ClusterWare's family, as all roles are that a site makes itself.
func (r Role) isWare() bool { return strings.HasPrefix(string(r), "role.") }

// isFixed reports whether the role is what it is at every site: what can be relied on when all else has been changed.
func (r Role) isFixed() bool { return r == RoleFullAdmin || r == RoleNoAccess }

// Grant is what a role gives.
type Grant struct {
	Role        Role
	Display     string // name for people
	Description string
	Permissions Set
	// Delegates is what a holder may hand on to others beyond his own permissions: by creating users with such rights
	// or by minting tokens for them. It is how a manager may hand out production rights that he does not hold himself.
	Delegates Set
	// Nodes are those on which the permissions of PerNode hold; nil is all of them. A role with a limit hands none of
	// these permissions on.
	Nodes NodeSet
	// MaxLifetime caps the tokens that stand for holders; 0 does not.
	MaxLifetime time.Duration

	System     bool      // it comes with the program
	Changed    bool      // it comes with the program, and this site has changed it
	Modified   time.Time // zero for what comes with the program
	ModifiedBy string
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
		g.System = true
		t.order = append(t.order, g.Role)
		t.grants[g.Role] = g
	}
	return t
}

// List returns every role, in the order in which lists show them: those that come with the program, then this site's by
// name.
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

// with returns the table with g in it, in the place of what was there under its name.
func (t *Roles) with(g Grant) *Roles {
	after := &Roles{order: slices.Clone(t.order), grants: maps.Clone(t.grants)}
	if old, known := after.grants[g.Role]; known {
		g.System = old.System
	} else {
		at := slices.IndexFunc(after.order, func(r Role) bool { return !after.grants[r].System && r > g.Role })
		if at < 0 {
			at = len(after.order)
		}
		after.order = slices.Insert(after.order, at, g.Role)
	}
	after.grants[g.Role] = g
	return after
}

// without returns the table without r.
func (t *Roles) without(r Role) *Roles {
	after := &Roles{order: slices.Clone(t.order), grants: maps.Clone(t.grants)}
	after.order = slices.DeleteFunc(after.order, func(x Role) bool { return x == r })
	delete(after.grants, r)
	return after
}

// Parse returns the roles with the given names, without duplicates, in the given order. It fails with fault.Invalid on
// the first name that is not a role, and says which names are.
func (t *Roles) Parse(names ...string) ([]Role, error) {
	roles := make([]Role, 0, len(names))
	for _, name := range names {
		r := Role(strings.TrimSpace(name))
		if r == roleImagingEngineer {
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

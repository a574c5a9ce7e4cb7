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

func cockpitGrants() []Grant {
	user := SetOf(ClustersRead, JobsRead, AdminsWriteSelf)
	manager := user.Union(SetOf(JobsReadProject))
	support := user.Union(SetOf(JobsReadAll, MetricsRead, TagsWrite, NodesRead, NodesReadAttribs))
	api := SetOf(ClustersRead, JobsRead, JobsReadAll, JobsWrite, TagsWrite, MetricsRead, MetricsWrite, MetricsAdmin,
		NodeStatesWrite, AdminsWriteSelf)
	admin := support.Union(api).Union(reads()).Union(SetOf(AdminsWrite, TokensRead, TokensWrite, AuditRead)).
		Minus(SetOf(NodesReadReserv, AttribGroupsReadReserv))
	// An administrator of ClusterCockpit reads jobs and manages users in the browser; the writing half of REST is for
	// accounts that carry api as well.
	adminAlone := admin.Minus(SetOf(JobsWrite, MetricsWrite, MetricsAdmin, NodeStatesWrite))
	all := user.Union(manager).Union(support).Union(api).Union(admin)
	return []Grant{
		{Role: RoleAPI, Display: "API", Description: "Scripts: start and stop jobs, send samples and node states", Permissions: api},
		{Role: RoleUser, Display: "User", Description: "Reads the jobs that he started himself", Permissions: user},
		{Role: RoleManager, Display: "Project manager", Description: "Reads the jobs of the projects that he manages", Permissions: manager},
		{Role: RoleSupport, Display: "Support", Description: "Reads every job and every node", Permissions: support},
		{Role: RoleAdmin, Display: "Administrator", Description: "Reads everything, manages users and their tokens", Permissions: adminAlone, Delegates: all},
	}
}

// reads is every permission to read, the reserved ones too, but neither the audit trail nor other people's jobs and
// tokens: those belong to roles of their own.
func reads() Set {
	return SetOf(ActionsRead, AdminsRead, AttribGroupsRead, AttribGroupsReadReserv, BootConfigsRead, CertsRead, ClusterRead,
		DistrosRead, DynGroupsRead, GitReposRead, HeadsRead, HealthChecksRead, HostnamesRead, IbnetsRead, ImagesRead,
		MultitenancyRead, NamingPoolsRead, NetworksRead, NodesRead, NodesReadAttribs, NodesReadReserv, ReposRead,
		StateMapsRead, ClustersRead)
}

func wareGrants() []Grant {
	authUser := reads().Minus(SetOf(NodesReadReserv, AttribGroupsReadReserv)).Union(SetOf(AdminsWriteSelf))
	onsite := reads().Union(SetOf(AdminsWriteSelf, NodesPowerControl, NodesWrite, NamingPoolsWrite))
	images := reads().Union(SetOf(AdminsWriteSelf, ImagesWrite, BootConfigsWrite, DistrosWrite, ReposWrite, GitReposWrite))
	production := onsite.Union(images).Union(SetOf(NodesWriteGroups, NodesWriteAttribs, NodesWriteReserv, NodesExecCommand,
		AttribGroupsWrite, AttribGroupsWriteReserv, DynGroupsWrite, StateMapsWrite, HealthChecksWrite, ActionsWrite,
		NetworksWrite, HostnamesWrite, IbnetsWrite))
	manager := reads().Union(SetOf(AdminsWriteSelf, AdminsWrite, TokensRead, TokensWrite, AuditRead))
	return []Grant{
		{Role: RoleFullAdmin, Display: "Full Admin", Description: "Everything", Permissions: All()},
		{
			Role: RoleWareManager, Display: "Manager", Description: "Manages administrators and mints tokens for them; reads the rest",
			Permissions: manager, Delegates: manager.Union(production),
		},
		{Role: RoleProductionEngineer, Display: "Production Engineer", Description: "Runs production: nodes, attributes, images, boot", Permissions: production},
		{Role: RoleImageEngineer, Display: "Image Engineer", Description: "Builds images and boot configurations", Permissions: images},
		{Role: RoleOnsiteEngineer, Display: "Onsite Engineer", Description: "Works at the racks: power, adding and removing nodes", Permissions: onsite},
		{Role: RoleAuthUser, Display: "Authenticated User", Description: "Reads everything but reserved attributes", Permissions: authUser},
		{Role: RoleNoAccess, Display: "No Access", Description: "Takes away what all other roles give", Permissions: Set{}},
	}
}

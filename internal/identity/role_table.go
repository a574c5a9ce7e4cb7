package identity

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

package identity

// Description says in one line what the permission allows.
func (p Permission) Description() string {
	if p > noPermission && p < permissionEnd {
		return permissionTexts[p]
	}
	return ""
}

// Reads reports whether the permission only reads.
func (p Permission) Reads() bool { return ReadOnly().Has(p) }

// PerNode reports whether the permission is about single nodes, so that a limit to some nodes holds for it.
func (p Permission) PerNode() bool { return PerNode().Has(p) }

var permissionTexts = [permissionEnd]string{
	ActionsRead:             "Read the actions that run when something happens",
	ActionsWrite:            "Create, change and delete such actions",
	AdminsRead:              "Read the accounts and their roles",
	AdminsWrite:             "Create, change and delete accounts and roles, and act as other accounts, within what one may hand on",
	AdminsWriteSelf:         "Change one's own name, mail address and keys, and make tokens for oneself",
	AttribGroupsRead:        "Read attribute groups, without their reserved attributes",
	AttribGroupsReadReserv:  "Read the reserved attributes of groups, whose names begin with _",
	AttribGroupsWrite:       "Create, change and delete attribute groups; this reaches every node that is in them",
	AttribGroupsWriteReserv: "Set and remove the reserved attributes of groups",
	BootConfigsRead:         "Read boot configurations",
	BootConfigsWrite:        "Create, change and delete boot configurations",
	CertsRead:               "Read certificates, and the public halves of the keys that sign tokens",
	CertsWrite:              "Issue and revoke certificates; rotate and remove the keys that sign tokens",
	ClusterRead:             "Read the settings of this installation",
	ClusterWrite:            "Change the settings of this installation",
	DistrosRead:             "Read the distributions that images are built from",
	DistrosWrite:            "Create, change and delete distributions",
	DynGroupsRead:           "Read the groups that nodes are in because of a rule",
	DynGroupsWrite:          "Create, change and delete such groups",
	GitReposRead:            "Read which git repositories are known",
	GitReposWrite:           "Add, change and remove git repositories",
	HeadsRead:               "Read the head nodes",
	HeadsWrite:              "Add, change and remove head nodes",
	HealthChecksRead:        "Read health checks and their results",
	HealthChecksWrite:       "Create, change and delete health checks",
	HostnamesRead:           "Read additional host names and addresses",
	HostnamesWrite:          "Create, change and delete additional host names",
	IbnetsRead:              "Read InfiniBand networks",
	IbnetsWrite:             "Create, change and delete InfiniBand networks",
	ImagesRead:              "Read images",
	ImagesWrite:             "Create, change, upload and delete images",
	MultitenancyRead:        "Read tenants and what they have",
	MultitenancyWrite:       "Create, change and delete tenants",
	NamingPoolsRead:         "Read naming pools",
	NamingPoolsWrite:        "Create, change and delete naming pools",
	NetworksRead:            "Read networks",
	NetworksWrite:           "Create, change and delete networks",
	NodesRead:               "Read nodes, their state and their hardware",
	NodesReadAttribs:        "Read the attributes of nodes, without the reserved ones",
	NodesReadReserv:         "Read the reserved attributes of nodes, whose names begin with _",
	NodesWrite:              "Create, change, rename and delete nodes",
	NodesWriteAttribs:       "Set and remove attributes of nodes, but for the reserved ones",
	NodesWriteGroups:        "Put nodes into attribute groups and take them out",
	NodesWriteReserv:        "Set and remove the reserved attributes of nodes",
	NodesPowerControl:       "Switch nodes on and off, and restart them",
	NodesExecCommand:        "Run commands on nodes through the head",
	ReposRead:               "Read software repositories",
	ReposWrite:              "Add, change and remove software repositories",
	StateMapsRead:           "Read how the states of nodes are named",
	StateMapsWrite:          "Change how the states of nodes are named",
	UseAiAgent:              "Use the assistant",

	ClustersRead:    "Read the clusters, their sub-clusters and which metrics they have",
	JobsRead:        "Read one's own jobs and their metrics",
	JobsReadProject: "Read every job of the projects that one manages; only the role manager has projects",
	JobsReadAll:     "Read every job and its metrics",
	JobsWrite:       "Start, stop, change and delete jobs",
	TagsWrite:       "Make tags of jobs that everybody sees",
	MetricsRead:     "Read the samples of nodes, whether a job ran there or not",
	MetricsWrite:    "Send samples",
	MetricsAdmin:    "Free and dump the memory of the metric store",
	NodeStatesWrite: "Report what the scheduler thinks of nodes",
	TokensRead:      "List everybody's tokens and sessions",
	TokensWrite:     "Revoke everybody's tokens and end everybody's sessions",
	AuditRead:       "Read the audit trail",
}

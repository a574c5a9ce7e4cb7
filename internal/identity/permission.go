package identity

import (
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// Permission names one thing that somebody may do. The names that ClusterWare has are its names; the rest follow their
// pattern. There is one catalogue for both dialects.
type Permission uint8

// The catalogue. Each primitive has at least Read and Write. The order is not part of any contract: permissions are
// stored and sent by name.
const (
	noPermission Permission = iota

	// ClusterWare's catalogue (contracts: clusterware 2.10).

	ActionsRead
	ActionsWrite
	AdminsRead
	AdminsWrite
	AdminsWriteSelf
	AttribGroupsRead
	AttribGroupsReadReserv
	AttribGroupsWrite
	AttribGroupsWriteReserv
	BootConfigsRead
	BootConfigsWrite
	CertsRead
	CertsWrite
	ClusterRead
	ClusterWrite
	DistrosRead
	DistrosWrite
	DynGroupsRead
	DynGroupsWrite
	GitReposRead
	GitReposWrite
	HeadsRead
	HeadsWrite
	HealthChecksRead
	HealthChecksWrite
	HostnamesRead
	HostnamesWrite
	IbnetsRead
	IbnetsWrite
	ImagesRead
	ImagesWrite
	MultitenancyRead
	MultitenancyWrite
	NamingPoolsRead
	NamingPoolsWrite
	NetworksRead
	NetworksWrite
	NodesRead
	NodesReadAttribs
	NodesReadReserv
	NodesWrite
	NodesWriteAttribs
	NodesWriteGroups
	NodesWriteReserv
	NodesPowerControl
	NodesExecCommand
	ReposRead
	ReposWrite
	StateMapsRead
	StateMapsWrite
	UseAiAgent

	// What the ClusterCockpit side needs.

	// ClustersRead is to read the cluster, sub-cluster and metric configuration.
	ClustersRead
	// JobsRead is to read one's own jobs and their metrics.
	JobsRead
	// JobsReadProject is to read every job of the projects one manages.
	JobsReadProject
	// JobsReadAll is to read every job.
	JobsReadAll
	// JobsWrite is to start, stop, edit and delete jobs.
	JobsWrite
	// TagsWrite is to make tags that everybody sees.
	TagsWrite
	// MetricsRead is to read samples of nodes, whether a job ran there or not.
	MetricsRead
	// MetricsWrite is to write samples.
	MetricsWrite
	// MetricsAdmin is to free and dump the metric store's memory.
	MetricsAdmin
	// NodeStatesWrite is to report what the scheduler thinks of the nodes.
	NodeStatesWrite
	// TokensRead is to list the tokens of everybody.
	TokensRead
	// TokensWrite is to revoke the tokens of everybody.
	TokensWrite
	// AuditRead is to read the audit trail.
	AuditRead

	permissionEnd
)

// String returns the permission's name in the catalogue.
func (p Permission) String() string {
	if p > noPermission && p < permissionEnd {
		return permissionNames[p]
	}
	return "none"
}

var permissionNames = [permissionEnd]string{
	ActionsRead: "ActionsRead", ActionsWrite: "ActionsWrite",
	AdminsRead: "AdminsRead", AdminsWrite: "AdminsWrite", AdminsWriteSelf: "AdminsWriteSelf",
	AttribGroupsRead: "AttribGroupsRead", AttribGroupsReadReserv: "AttribGroupsReadReserv",
	AttribGroupsWrite: "AttribGroupsWrite", AttribGroupsWriteReserv: "AttribGroupsWriteReserv",
	BootConfigsRead: "BootConfigsRead", BootConfigsWrite: "BootConfigsWrite",
	CertsRead: "CertsRead", CertsWrite: "CertsWrite",
	ClusterRead: "ClusterRead", ClusterWrite: "ClusterWrite",
	DistrosRead: "DistrosRead", DistrosWrite: "DistrosWrite",
	DynGroupsRead: "DynGroupsRead", DynGroupsWrite: "DynGroupsWrite",
	GitReposRead: "GitReposRead", GitReposWrite: "GitReposWrite",
	HeadsRead: "HeadsRead", HeadsWrite: "HeadsWrite",
	HealthChecksRead: "HealthChecksRead", HealthChecksWrite: "HealthChecksWrite",
	HostnamesRead: "HostnamesRead", HostnamesWrite: "HostnamesWrite",
	IbnetsRead: "IbnetsRead", IbnetsWrite: "IbnetsWrite",
	ImagesRead: "ImagesRead", ImagesWrite: "ImagesWrite",
	MultitenancyRead: "MultitenancyRead", MultitenancyWrite: "MultitenancyWrite",
	NamingPoolsRead: "NamingPoolsRead", NamingPoolsWrite: "NamingPoolsWrite",
	NetworksRead: "NetworksRead", NetworksWrite: "NetworksWrite",
	NodesRead: "NodesRead", NodesReadAttribs: "NodesReadAttribs", NodesReadReserv: "NodesReadReserv",
	NodesWrite: "NodesWrite", NodesWriteAttribs: "NodesWriteAttribs", NodesWriteGroups: "NodesWriteGroups",
	NodesWriteReserv: "NodesWriteReserv", NodesPowerControl: "NodesPowerControl", NodesExecCommand: "NodesExecCommand",
	ReposRead: "ReposRead", ReposWrite: "ReposWrite",
	StateMapsRead: "StateMapsRead", StateMapsWrite: "StateMapsWrite", UseAiAgent: "UseAiAgent",
	ClustersRead: "ClustersRead",
	JobsRead:     "JobsRead", JobsReadProject: "JobsReadProject", JobsReadAll: "JobsReadAll", JobsWrite: "JobsWrite",
	TagsWrite: "TagsWrite", MetricsRead: "MetricsRead", MetricsWrite: "MetricsWrite", MetricsAdmin: "MetricsAdmin",
	NodeStatesWrite: "NodeStatesWrite", TokensRead: "TokensRead", TokensWrite: "TokensWrite", AuditRead: "AuditRead",
}

// ParsePermission returns the permission with that name.
func ParsePermission(name string) (Permission, bool) {
	i := slices.Index(permissionNames[:], name)
	if name == "" || i < 0 {
		return noPermission, false
	}
	return Permission(i), true
}

// ParsePermissions returns the set of the permissions with those names. It fails with fault.Invalid on the first name
// that is not in the catalogue.
func ParsePermissions(names ...string) (Set, error) {
	var s Set
	for _, name := range names {
		p, ok := ParsePermission(name)
		if !ok {
			return Set{}, fault.New(fault.Invalid, "unknown permission %q; the catalogue has names such as NodesRead or ImagesWrite", name)
		}
		s = s.Union(SetOf(p))
	}
	return s, nil
}

// ReadOnly returns the set of every permission that only reads. The catalogue's names say which those are.
func ReadOnly() Set {
	var s Set
	for p := noPermission + 1; p < permissionEnd; p++ {
		if strings.Contains(permissionNames[p], "Read") {
			s = s.Union(SetOf(p))
		}
	}
	return s
}

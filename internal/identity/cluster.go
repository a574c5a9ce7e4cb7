package identity

import "github.com/bridgehead-hpc/bridgehead/internal/fault"

// PerCluster returns the permissions that are about what is in clusters, and a few that only read what all clusters
// share. A credential that reaches some clusters has no others: with an account, a role or a shared group that it could
// change, its holder would get at the other clusters all the same.
func PerCluster() Set {
	return PerNode().Union(SetOf(ClustersRead, ClusterRead, AttribGroupsRead, AttribGroupsReadReserv,
		JobsRead, JobsReadProject, JobsReadAll, JobsWrite, MetricsRead, MetricsWrite, MetricsAdmin, NodeStatesWrite))
}

// RequireCluster returns fault.Denied unless the caller's credential reaches the cluster of that name. It says the same
// of clusters that there are and of those that there are not.
func (c Caller) RequireCluster(name string) error {
	if c.InCluster(name) {
		return nil
	}
	return fault.New(fault.Denied, "your token does not reach the cluster %q", name)
}

// keepsNarrow refuses a narrowed credential what would give its holder the whole of his account: keys, passwords and
// second factors of his own.
func (c Caller) keepsNarrow(u User) error {
	if c.Narrowed && c.is(u) {
		return fault.New(fault.Denied, "a narrowed token cannot change how you log in")
	}
	return nil
}

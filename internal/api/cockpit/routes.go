package cockpit

import (
	"net/http"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// routes is the table (contract clustercockpit 3.2). What a caller sees beyond the permission, the services decide.
func (d *dialect) routes() []api.Route {
	var (
		readJobs   = api.Needs(identity.JobsRead, identity.JobsReadProject, identity.JobsReadAll)
		allJobs    = api.Needs(identity.JobsReadAll)
		writeJobs  = api.Needs(identity.JobsWrite)
		nodeStates = api.Needs(identity.NodeStatesWrite)
		clusters   = api.Needs(identity.ClustersRead)
		readUsers  = api.Needs(identity.AdminsRead)
		writeUsers = api.Needs(identity.AdminsWrite)
	)
	return []api.Route{
		api.Row("POST PUT", "/api/jobs/start_job/", writeJobs, "Register a job that has begun to run.", d.startJob).WithStatus(http.StatusCreated),
		api.Row("POST PUT", "/api/jobs/stop_job/", writeJobs, "Mark a running job as ended, found by the scheduler's number.", d.stopJob),
		api.Row("POST PUT", "/api/jobs/stop_job/{id}", writeJobs, "Mark a running job as ended, found by its database id.", d.stopJobByID),
		api.Row("DELETE", "/api/jobs/delete_job/{id}", writeJobs, "Remove a job from the database. Its archive stays.", d.deleteJob),
		api.Row("GET", "/api/jobs/", readJobs, "List jobs, newest start first.", d.listJobs).Alias("/userapi/jobs/"),
		api.Row("GET", "/api/jobs/used_nodes", allJobs, "List the hosts on which jobs run, by cluster. Each cluster is also a member beside usedNodes.", d.usedNodes),
		api.Row("GET", "/api/jobs/{id}", readJobs, "Get one job and, when asked, all its metrics.", d.getJob).Alias("/userapi/jobs/{id}"),
		api.Row("POST", "/api/jobs/{id}", readJobs, "Get one job and the metrics that the body names.", d.getJobMetrics).Alias("/userapi/jobs/{id}"),
		api.Row("GET", "/api/jobs/metrics/{id}", readJobs, "Get metrics of one job. What is wrong with the job is told in the reply, with status 200.", d.jobMetrics).Alias("/userapi/jobs/metrics/{id}"),

		api.Row("GET", "/api/clusters/", clusters, "List the clusters with their hardware and metrics.", d.listClusters),
		api.Row("POST PUT", "/api/nodestate/", nodeStates, "Report what the scheduler says of its nodes.", d.reportNodes),
		api.Row("POST", "/api/healthcheck/", nodeStates, "Report what the scheduler says of its nodes, at the path where cc-backend 1.5 takes it as well.", d.reportNodes),

		api.Row("GET", "/api/users/", readUsers, "List the users.", d.listUsers).Alias("/config/users/"),
		api.Row("POST PUT", "/config/users/", writeUsers, "Create a user.", d.createUser).Alias("/api/users/").Produces("text/plain"),
		api.Row("DELETE", "/config/users/", writeUsers, "Delete a user, his tokens and his sessions.", d.deleteUser).Alias("/api/users/"),
		api.Row("POST", "/api/user/{id}", writeUsers, "Add or remove a role or project of a user.", d.editUser),
		api.Row("POST", "/config/user/{id}", writeUsers, "Add or remove a role or project of a user.", d.editUserInPlace),
		api.Row("GET", "/config/roles/", readUsers, "List the roles that a user can be given.", d.listRoles).Alias("/api/roles/"),

		api.Row("GET", "/frontend/jwt/", api.LoggedIn(), "Make a token for oneself or, with AdminsWrite, for another user.", d.makeToken).
			Alias("/api/jwt/").Produces("text/plain"),
	}
}

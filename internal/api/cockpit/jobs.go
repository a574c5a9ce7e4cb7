package cockpit

import (
	"context"
	"fmt"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// jobPath names a job by its database id.
type jobPath struct {
	ID int64 `path:"id" doc:"Database id of the job, not the scheduler's number."`
}

type started struct {
	Msg string `json:"msg" doc:"Always success." example:"success"`
	ID  int64  `json:"id" doc:"Database id of the job."`
}

// stopRequest is the wish to end a job. state is what some documentation calls jobState.
type stopRequest struct {
	JobID     *int64 `json:"jobId" doc:"Number that the scheduler gave; required unless the path has the database id."`
	Cluster   string `json:"cluster" doc:"Narrows the search."`
	StartTime int64  `json:"startTime" doc:"Narrows the search; otherwise the latest start wins."`
	StopTime  *int64 `json:"stopTime" required:"true" doc:"Seconds since 1970." example:"1795463900"`
	JobState  string `json:"jobState" doc:"State in which it ended, in any case. Default: completed." example:"completed"`
	State     string `json:"state" doc:"Older name of jobState."`
}

func (d *dialect) startJob(ctx context.Context, r api.Request[api.None, startRequest]) (started, error) {
	j, err := r.Body.job()
	if err != nil {
		return started{}, err
	}

	id, err := d.Jobs.Start(ctx, r.Caller, j)

	return started{Msg: "success", ID: int64(id)}, err
}

func (d *dialect) stopJob(ctx context.Context, r api.Request[api.None, stopRequest]) (jobReply, error) {
	if r.Body.JobID == nil {
		return jobReply{}, fault.New(fault.Invalid, "the field 'jobId' is required")
	}
	req, err := r.Body.request()
	if err != nil {
		return jobReply{}, err
	}
	req.Key = job.Key{JobID: *r.Body.JobID, Cluster: r.Body.Cluster, Start: fromUnix(r.Body.StartTime)}

	j, err := d.Jobs.Stop(ctx, r.Caller, req)

	return toJob(j), err
}

func (d *dialect) stopJobByID(ctx context.Context, r api.Request[jobPath, stopRequest]) (jobReply, error) {
	req, err := r.Body.request()
	if err != nil {
		return jobReply{}, err
	}
	req.ID = job.ID(r.Params.ID)

	j, err := d.Jobs.Stop(ctx, r.Caller, req)

	return toJob(j), err
}

func (s stopRequest) request() (job.StopRequest, error) {
	if s.StopTime == nil {
		return job.StopRequest{}, fault.New(fault.Invalid, "the field 'stopTime' is required")
	}
	state := s.JobState
	if state == "" {
		state = s.State
	}
	return job.StopRequest{At: fromUnix(*s.StopTime), State: job.State(strings.ToLower(state))}, nil
}

// deleteJob succeeds for a job that is not there: whoever deletes twice has what he wanted (contract clustercockpit 3.2,
// number 17).
func (d *dialect) deleteJob(ctx context.Context, r api.Request[jobPath, api.None]) (message, error) {
	err := d.Jobs.Delete(ctx, r.Caller, job.ID(r.Params.ID))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return message{}, err
	}
	return message{fmt.Sprintf("Successfully deleted job %d", r.Params.ID)}, nil
}

type usedNodesParams struct {
	TS     int64  `query:"ts" required:"true" doc:"Only jobs that started before this time, in seconds since 1970."`
	Format string `query:"format" doc:"map leaves out usedNodes and has only the clusters." enum:"map"`
}

// usedNodesReply lists hosts by cluster. The metric store's client reads the clusters at the top, all others below
// usedNodes.
type usedNodesReply map[string]any

func (d *dialect) usedNodes(ctx context.Context, r api.Request[usedNodesParams, api.None]) (usedNodesReply, error) {
	if f := r.Params.Format; f != "" && f != "map" {
		return nil, fault.New(fault.Invalid, "unknown format %q: it is map, or left out", f)
	}

	used, err := d.Jobs.UsedNodes(ctx, r.Caller, fromUnix(r.Params.TS))
	if err != nil {
		return nil, err
	}

	reply := usedNodesReply{}
	for cluster, hosts := range used {
		reply[cluster] = hosts
	}
	if r.Params.Format == "" {
		reply["usedNodes"] = used
	}
	return reply, nil
}

package cockpit

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// nodeStates is a report of a scheduler (contract clustercockpit 3.9).
type nodeStates struct {
	Cluster string      `json:"cluster" required:"true" example:"alpha"`
	Nodes   []nodeState `json:"nodes" required:"true"`
}

type nodeState struct {
	Hostname        string   `json:"hostname" required:"true" example:"n01"`
	States          []string `json:"states" doc:"The scheduler's flags, in any case." example:"ALLOCATED"`
	CPUsAllocated   int      `json:"cpusAllocated"`
	MemoryAllocated int64    `json:"memoryAllocated" doc:"In MB."`
	GPUsAllocated   int      `json:"gpusAllocated"`
	JobsRunning     int      `json:"jobsRunning"`
}

func (d *dialect) reportNodes(ctx context.Context, r api.Request[api.None, nodeStates]) (api.None, error) {
	reports := make([]node.Report, len(r.Body.Nodes))
	for i, n := range r.Body.Nodes {
		reports[i] = node.Report{
			Host: n.Hostname, States: n.States, CPUsAllocated: n.CPUsAllocated, MemoryAllocated: n.MemoryAllocated,
			GPUsAllocated: n.GPUsAllocated, JobsRunning: n.JobsRunning,
		}
	}
	return api.None{}, d.Nodes.Report(ctx, r.Caller, r.Body.Cluster, reports)
}

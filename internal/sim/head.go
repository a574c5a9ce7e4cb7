package sim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// remote is a head node that is reached by its public interfaces.
type remote struct{ c *client.Client }

// NewHead returns the head node behind a client, whose token needs the permissions of role api, and NodesWrite for
// registering nodes.
func NewHead(c *client.Client) Head { return remote{c} }

// slots is how many nodes a rack has.
const slots = 8

// RegisterNodes implements Head. Nodes get hardware addresses from the locally administered range.
func (r remote) RegisterNodes(ctx context.Context, cluster string, nodes []Node) error {
	known, err := r.c.ListNodes(ctx)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, n := range known {
		have[n.MAC] = true
	}
	for i, n := range nodes {
		mac := fmt.Sprintf("02:00:00:00:%02x:%02x", i/256, i%256)
		if have[mac] {
			continue
		}
		_, err := r.c.CreateNode(ctx, map[string]any{
			"mac": mac, "name": n.Name, "index": i, "cluster": cluster, "type": "simulated",
			"ip": fmt.Sprintf("10.54.%d.%d", i/250, i%250+1), "description": n.Processor,
			"attributes": map[string]string{"rack": fmt.Sprintf("r%02d", i/slots+1), "slot": strconv.Itoa(i%slots + 1)},
		})
		if err != nil {
			return fmt.Errorf("node %s: %w", n.Name, err)
		}
	}
	return nil
}

// RunningJobs implements Head.
func (r remote) RunningJobs(ctx context.Context, cluster string) (running map[int64]time.Time, last int64, err error) {
	jobs, err := r.c.ListJobs(ctx, client.JobFilter{States: []string{"running"}, Cluster: cluster, Items: 10000})
	if err != nil {
		return nil, 0, err
	}
	running = map[int64]time.Time{}
	for _, j := range jobs {
		running[j.JobID] = time.Unix(j.StartTime, 0)
		last = max(last, j.JobID)
	}
	newest, err := r.c.ListJobs(ctx, client.JobFilter{Cluster: cluster, Items: 100})
	for _, j := range newest {
		last = max(last, j.JobID)
	}
	return running, last, err
}

// StartJob implements Head.
func (r remote) StartJob(ctx context.Context, m Machine, j *Job) error {
	job := client.Job{
		JobID: j.ID, Cluster: m.Name, User: j.User, Project: j.Project, Partition: "main", NumNodes: len(j.Nodes),
		Shared: "none", SMT: 1, StartTime: j.Start.Unix(), SubmitTime: j.Start.Add(-time.Minute).Unix(),
		Walltime: int64(j.Walltime.Seconds()), MetaData: map[string]string{"jobName": j.Profile.Name, "jobScript": script(j)},
	}
	for _, i := range j.Nodes {
		n := m.Nodes[i]
		res := client.JobResource{Hostname: n.Name}
		for a := range n.Accelerators {
			res.Accelerators = append(res.Accelerators, accelerator(a))
		}
		job.Resources = append(job.Resources, res)
		job.NumHWThreads += n.Threads()
		job.NumAcc += n.Accelerators
	}
	return known(r.c.StartJob(ctx, job))
}

// known takes the refusal of an event that the head has seen before as success: it was sent again after a reply got
// lost.
func known[T any](_ T, err error) error {
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == 422 {
		return nil
	}
	return err
}

func script(j *Job) string {
	app, _, _ := strings.Cut(j.Profile.Name, "-")
	return fmt.Sprintf("#!/bin/bash\n#SBATCH --nodes=%d\n#SBATCH --time=%s\nmodule load %s\nsrun %s\n", len(j.Nodes), j.Walltime, app, app)
}

// StopJob implements Head.
func (r remote) StopJob(ctx context.Context, cluster string, id int64, start, end time.Time, state string) error {
	return known(r.c.StopJob(ctx, client.JobStop{JobID: id, Cluster: cluster, StartTime: start.Unix(), StopTime: end.Unix(), State: state}))
}

// ReportNodes implements Head.
func (r remote) ReportNodes(ctx context.Context, m Machine, jobs []*Job) error {
	reports := make([]client.NodeReport, len(m.Nodes))
	for i, n := range m.Nodes {
		reports[i] = client.NodeReport{Hostname: n.Name, States: []string{"IDLE"}}
	}
	for _, j := range jobs {
		for _, i := range j.Nodes {
			n := m.Nodes[i]
			reports[i] = client.NodeReport{
				Hostname: n.Name, States: []string{"ALLOCATED"}, CPUsAllocated: n.Threads(),
				MemoryAllocated: int64(n.MemGB * 1000), GPUsAllocated: n.Accelerators, JobsRunning: 1,
			}
		}
	}
	return r.c.ReportNodes(ctx, m.Name, reports)
}

// WriteSamples implements Head.
func (r remote) WriteSamples(ctx context.Context, cluster string, lines []byte) error {
	return r.c.WriteLines(ctx, cluster, lines)
}

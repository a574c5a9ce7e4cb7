package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Job is a job in ClusterCockpit's spelling. Times are seconds since 1970.
type Job struct {
	ID           int64             `json:"id,omitempty"` // database id, set by the head
	JobID        int64             `json:"jobId"`        // the scheduler's number
	Cluster      string            `json:"cluster"`
	SubCluster   string            `json:"subCluster,omitempty"`
	User         string            `json:"user"`
	Project      string            `json:"project"`
	Partition    string            `json:"partition,omitempty"`
	ArrayJobID   int64             `json:"arrayJobId,omitempty"`
	NumNodes     int               `json:"numNodes"`
	NumHWThreads int               `json:"numHwthreads,omitempty"`
	NumAcc       int               `json:"numAcc,omitempty"`
	Shared       string            `json:"shared,omitempty"`
	SMT          int               `json:"smt,omitempty"`
	StartTime    int64             `json:"startTime"`
	SubmitTime   int64             `json:"submitTime,omitempty"`
	Walltime     int64             `json:"walltime,omitempty"`
	Duration     int64             `json:"duration,omitempty"`
	State        string            `json:"jobState,omitempty"`
	Resources    []JobResource     `json:"resources"`
	MetaData     map[string]string `json:"metaData,omitempty"`
	Tags         []JobTag          `json:"tags,omitempty"`
}

// JobResource is what a job has of one host.
type JobResource struct {
	Hostname      string   `json:"hostname"`
	HWThreads     []int    `json:"hwthreads,omitempty"`
	Accelerators  []string `json:"accelerators,omitempty"`
	Configuration string   `json:"configuration,omitempty"`
}

// JobTag is a mark on a job.
type JobTag struct {
	ID    int64  `json:"id,omitempty"`
	Type  string `json:"type"`
	Name  string `json:"name"`
	Scope string `json:"scope,omitempty"`
}

// StartJob tells the head that a job has started, and returns its database id; ErrInvalid, also for a job that the
// head already has.
func (c *Client) StartJob(ctx context.Context, j Job) (id int64, err error) {
	var reply struct {
		ID int64 `json:"id"`
	}
	err = c.cockpit(ctx, request{method: http.MethodPost, path: "/jobs/start_job/", body: j}, &reply)
	return reply.ID, err
}

// JobStop tells which job ends, when and how.
type JobStop struct {
	JobID     int64  `json:"jobId"`
	Cluster   string `json:"cluster,omitempty"`
	StartTime int64  `json:"startTime,omitempty"`
	StopTime  int64  `json:"stopTime"`
	State     string `json:"jobState,omitempty"` // "" means completed
}

// StopJob tells the head that a job has ended, and returns the job; ErrNotFound, and ErrInvalid when it does not run.
func (c *Client) StopJob(ctx context.Context, s JobStop) (Job, error) {
	var j Job
	err := c.cockpit(ctx, request{method: http.MethodPost, path: "/jobs/stop_job/", body: s}, &j)
	return j, err
}

// JobFilter selects jobs. Zero fields do not select.
type JobFilter struct {
	States       []string
	Cluster      string
	Project      string
	From, To     time.Time // limits of the start time; both or none
	Page, Items  int       // from 1; 0 leaves it to the head
	WithMetaData bool
}

func (f JobFilter) query() url.Values {
	q := url.Values{}
	for _, s := range f.States {
		q.Add("state", s)
	}
	set := func(name, value string, wanted bool) {
		if wanted {
			q.Set(name, value)
		}
	}
	set("cluster", f.Cluster, f.Cluster != "")
	set("project", f.Project, f.Project != "")
	set("start-time", strconv.FormatInt(f.From.Unix(), 10)+"-"+strconv.FormatInt(f.To.Unix(), 10), !f.From.IsZero())
	set("page", strconv.Itoa(f.Page), f.Page > 0)
	set("items-per-page", strconv.Itoa(f.Items), f.Items > 0)
	set("with-metadata", "true", f.WithMetaData)
	return q
}

// ListJobs returns a page of the jobs that match, newest first.
func (c *Client) ListJobs(ctx context.Context, f JobFilter) ([]Job, error) {
	var reply struct {
		Jobs []Job `json:"jobs"`
	}
	err := c.cockpit(ctx, request{method: http.MethodGet, path: "/jobs/", query: f.query()}, &reply)
	return reply.Jobs, err
}

// NodeReport is what the scheduler says of a node.
type NodeReport struct {
	Hostname        string   `json:"hostname"`
	States          []string `json:"states"` // the scheduler's flags
	CPUsAllocated   int      `json:"cpusAllocated"`
	MemoryAllocated int64    `json:"memoryAllocated"` // MB
	GPUsAllocated   int      `json:"gpusAllocated"`
	JobsRunning     int      `json:"jobsRunning"`
}

// ReportNodes tells the head what the scheduler says of the nodes of a cluster.
func (c *Client) ReportNodes(ctx context.Context, cluster string, nodes []NodeReport) error {
	body := map[string]any{"cluster": cluster, "nodes": nodes}
	return c.cockpit(ctx, request{method: http.MethodPost, path: "/nodestate/", body: body}, nil)
}

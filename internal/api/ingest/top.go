package ingest

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

type topParams struct {
	Cluster string `query:"cluster" doc:"Only this one."`
	Limit   int    `query:"limit" doc:"How many metrics and hosts are listed; 0 means 20, and -1 all."`
}

// topReply tells what the samples take up.
type topReply struct {
	Total   usage   `json:"total" doc:"Of all series together."`
	Metrics []usage `json:"metrics" doc:"By metric, those with the most series first."`
	Hosts   []usage `json:"hosts" doc:"By host, likewise."`
	// Rejected is left out for a credential that does not reach all clusters and nodes: the lines of others are none of its
	// business.
	Rejected []rejection `json:"rejected,omitempty" doc:"The last rejected lines, the newest first, at most five of one request."`
}

// usage is what some series take up.
type usage struct {
	Cluster        string  `json:"cluster,omitempty" example:"alpha"`
	Name           string  `json:"name,omitempty" doc:"The metric or host." example:"flops_any"`
	Series         int     `json:"series"`
	Slots          int64   `json:"slots" doc:"Places for samples, gaps included."`
	MemoryBytes    int64   `json:"memory_bytes"`
	DiskBytes      int64   `json:"disk_bytes"`
	BytesPerSample float64 `json:"bytes_per_sample" doc:"Memory and disk by slot."`
}

// rejection is a line that was rejected.
type rejection struct {
	Time   string `json:"time" example:"2026-11-24T12:00:00Z"`
	Source string `json:"source,omitempty" doc:"The user who sent it, or the subject on which it came."`
	Line   int    `json:"line" doc:"Its number in the request."`
	Error  string `json:"error" doc:"What was wrong with it."`
}

// topRows is how many metrics and hosts are listed when nobody says.
const topRows = 20

func (d *dialect) top(ctx context.Context, r api.Request[topParams, api.None]) (topReply, error) {
	limit := r.Params.Limit
	switch {
	case limit < -1:
		return topReply{}, fault.New(fault.Invalid, "limit is %d; it is a number of rows, or -1 for all", limit)
	case limit == 0:
		limit = topRows
	}
	if err := mayAsk(r.Caller, r.Params.Cluster); err != nil {
		return topReply{}, err
	}
	top := d.Metrics.Top(ctx, func(cluster, host string) bool {
		return (r.Params.Cluster == "" || cluster == r.Params.Cluster) && r.InCluster(cluster) && r.CanOn(identity.MetricsAdmin, host)
	})
	reply := topReply{Total: toUsage(metric.UsageOf{Usage: top.Total}), Metrics: toUsages(top.Metrics, limit), Hosts: toUsages(top.Hosts, limit)}
	if reach(r.Caller) == nil && !limitedTo(r.Caller, identity.MetricsAdmin) {
		for _, j := range d.Metrics.Rejections() {
			reply.Rejected = append(reply.Rejected, rejection{j.Time.UTC().Format(time.RFC3339), j.Source, j.Line, j.Reason})
		}
	}
	return reply, nil
}

func toUsages(list []metric.UsageOf, limit int) []usage {
	if limit >= 0 {
		list = list[:min(limit, len(list))]
	}
	out := make([]usage, len(list))
	for i, u := range list {
		out[i] = toUsage(u)
	}
	return out
}

func toUsage(u metric.UsageOf) usage {
	return usage{u.Cluster, u.Name, u.Series, u.Slots, u.Memory, u.Disk, u.BytesPerSlot()}
}

// sender is what a sender of lines is called among the rejected ones.
func sender(c identity.Caller) string {
	if c.User.Name != "" {
		return c.User.Name
	}
	return c.Addr
}

package ingest

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

type queryParams struct {
	Version string `query:"version" doc:"v1 or v2; both are answered alike."`
}

// queryBody asks for samples.
type queryBody struct {
	Cluster     string      `json:"cluster" doc:"The cluster." example:"alpha"`
	From        int64       `json:"from" doc:"Begin of the window in Unix seconds." example:"1795463640"`
	To          int64       `json:"to" doc:"End of the window in Unix seconds; it is not part of it." example:"1795463820"`
	Queries     []queryItem `json:"queries,omitempty" doc:"What is asked for; each has a list of results in the reply."`
	ForAllNodes []string    `json:"for-all-nodes,omitempty" doc:"Metrics to ask every node of the cluster for."`
	WithStats   *bool       `json:"with-stats,omitempty" doc:"Whether minimum, mean and maximum are wanted. Default true."`
	WithData    *bool       `json:"with-data,omitempty" doc:"Whether the samples are wanted. Default true."`
	WithPadding *bool       `json:"with-padding,omitempty" doc:"Whether the samples are filled with null to the window. Default true."`
}

// queryItem asks for one metric of one host.
type queryItem struct {
	Metric     string `json:"metric" doc:"The metric." example:"flops_any"`
	Host       string `json:"host" doc:"The host." example:"n01"`
	Resolution int64  `json:"resolution" doc:"Seconds between two samples; 0 means as stored."`
	Aggregate  bool   `json:"aggreg" doc:"Whether the devices make one series."`
	// Aggregation and Resampling are ours.
	Aggregation string   `json:"aggregation,omitempty" doc:"How devices make one series, instead of as the metric is configured: sum, avg, min, max, median, or a percentile such as p95. It implies aggreg." example:"p95"`
	Resampling  string   `json:"resample-algo,omitempty" doc:"How the resolution is reached: lttb, average or minmax. None means lttb, and only for series of at least 1000 samples." example:"minmax"`
	Type        *string  `json:"type,omitempty" doc:"Type of the devices; none means the host itself." example:"hwthread"`
	TypeIDs     []string `json:"type-ids,omitempty" doc:"The devices, by their ids."`
	SubType     *string  `json:"subtype,omitempty" doc:"Type of the parts of a device."`
	SubTypeIDs  []string `json:"subtype-ids,omitempty" doc:"The parts, by their ids."`
	Scale       float64  `json:"scale-by,omitempty" doc:"Factor for all values; 0 and 1 mean none."`
}

func (d *dialect) query(ctx context.Context, r api.Request[queryParams, queryBody]) (queryReply, error) {
	if v := r.Params.Version; v != "" && v != "v1" && v != "v2" {
		return queryReply{}, fault.New(fault.Invalid, "version %q is not known: it is v1 or v2", v)
	}
	body := &r.Body
	if err := mayAsk(r.Caller, body.Cluster); err != nil {
		return queryReply{}, err
	}
	request := metric.Request{
		Sees:    sight(r.Caller),
		Cluster: body.Cluster, From: moment(body.From), To: moment(body.To), ForAllNodes: body.ForAllNodes,
		NoStats: isFalse(body.WithStats), NoData: isFalse(body.WithData), NoPadding: isFalse(body.WithPadding),
	}
	for i := range body.Queries {
		request.Queries = append(request.Queries, body.Queries[i].parse())
	}

	answer, err := d.Metrics.Query(ctx, request)
	if err != nil {
		return queryReply{}, err
	}

	reply := queryReply{answer: answer, stats: !request.NoStats, data: !request.NoData}
	if len(body.ForAllNodes) > 0 {
		reply.queries = append(append([]queryItem{}, body.Queries...), expanded(answer.Queries[len(body.Queries):])...)
	}
	return reply, nil
}

// moment returns a time of Unix seconds. What is too far off for a time to be compared becomes some thousand years.
func moment(seconds int64) time.Time {
	const most = 1 << 40
	return time.Unix(min(max(seconds, -most), most), 0)
}

func isFalse(b *bool) bool { return b != nil && !*b }

func (q *queryItem) parse() metric.Query {
	query := metric.Query{
		Metric: q.Metric, Host: q.Host, TypeIDs: q.TypeIDs, SubTypeIDs: q.SubTypeIDs, Aggregate: q.Aggregate,
		Resolution: time.Duration(q.Resolution) * time.Second, Scale: q.Scale,
		Aggregation: metric.Aggregation(q.Aggregation), Resampling: metric.Resampling(q.Resampling),
	}
	if q.Type != nil {
		query.Type = *q.Type
	}
	if q.SubType != nil {
		query.SubType = *q.SubType
	}
	return query
}

// expanded returns the queries that for-all-nodes has made.
func expanded(queries []metric.Query) []queryItem {
	items := make([]queryItem, len(queries))
	for i, q := range queries {
		items[i] = queryItem{Metric: q.Metric, Host: q.Host}
	}
	return items
}

package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

type freeParams struct {
	To int64 `query:"to" required:"true" doc:"Samples before this time, in Unix seconds, are forgotten."`
}

func (d *dialect) free(ctx context.Context, r api.Request[freeParams, [][]string]) (api.Text, error) {
	for _, path := range r.Body {
		if err := mayFree(r.Caller, path); err != nil {
			return "", err
		}
	}
	before := time.Unix(r.Params.To, 0)
	if d.Freeing != nil {
		if err := d.Freeing(ctx, r.Caller, r.Body, before); err != nil {
			return "", err
		}
	}
	n, err := d.Metrics.Free(ctx, r.Body, before)
	if err != nil {
		return "", err
	}
	return api.Text(fmt.Sprintf("buffers freed: %d\n", n)), nil
}

type debugParams struct {
	Selector string `query:"selector" doc:"Where the tree begins: cluster, host and device, with colons in between." example:"alpha:n01"`
}

// debugReply is a level of the tree: metrics with what is stored of them, and the levels below by their names.
type debugReply struct {
	Data map[string]any `json:"data" doc:"Metrics with a list of stretches, and levels below with the same."`
}

// stretch is samples without a large gap.
type stretch struct {
	Start int64 `json:"start"`
	Len   int   `json:"len"`
	End   int64 `json:"end"`
}

func (d *dialect) debug(ctx context.Context, r api.Request[debugParams, api.None]) (debugReply, error) {
	var path []string
	if r.Params.Selector != "" {
		path = splitSelector(r.Params.Selector)
	}
	if len(path) > 0 {
		if err := r.RequireCluster(path[0]); err != nil {
			return debugReply{}, err
		}
	}
	held, err := d.Metrics.Inspect(ctx, path)
	if err != nil {
		return debugReply{}, err
	}
	return debugReply{tree(seen(r.Caller, held), len(path))}, nil
}

// splitSelector returns the names of a selector. What follows the second colon is the device: the ids of accelerators
// have colons of their own.
func splitSelector(s string) []string { return strings.SplitN(s, ":", 3) }

// tree makes a tree of the series, without the first levels.
func tree(held []metric.Held, depth int) map[string]any {
	root := map[string]any{}
	for _, h := range held {
		level := root
		for _, name := range h.Path[depth:] {
			child, ok := level[name].(map[string]any)
			if !ok {
				child = map[string]any{}
				level[name] = child
			}
			level = child
		}
		stretches := make([]stretch, len(h.Extents))
		for i, e := range h.Extents {
			stretches[i] = stretch{e.From, e.Slots, e.To}
		}
		level[h.Metric] = stretches
	}
	return root
}

type healthParams struct {
	Cluster string `query:"cluster" doc:"The cluster, when there is no body."`
	Node    string `query:"node" doc:"The node, when there is no body."`
}

// healthBody asks for the health of nodes.
type healthBody struct {
	Cluster string   `json:"cluster" example:"alpha"`
	Nodes   []string `json:"nodes"`
	Metrics []string `json:"metric-names,omitempty" doc:"The metrics that are looked at; none means all that the node should send."`
}

// nodeHealth is the health of a node.
type nodeHealth struct {
	State         string `json:"State" enum:"full,partial,failed"`
	HealthMetrics string `json:"HealthMetrics" doc:"JSON text with the lists degraded and missing."`
}

// healthMetrics is the content of nodeHealth.HealthMetrics.
type healthMetrics struct {
	Degraded []string `json:"degraded"`
	Missing  []string `json:"missing"`
}

func (d *dialect) health(ctx context.Context, r api.Request[healthParams, *healthBody]) (map[string]nodeHealth, error) {
	body := r.Body
	if body == nil {
		body = &healthBody{Cluster: r.Params.Cluster}
		if r.Params.Node != "" {
			body.Nodes = []string{r.Params.Node}
		}
	}
	if body.Cluster == "" || len(body.Nodes) == 0 {
		return nil, fault.New(fault.Invalid, "the cluster and at least one node are needed, in a JSON body or as ?cluster= and ?node=")
	}

	if err := mayAsk(r.Caller, body.Cluster); err != nil {
		return nil, err
	}
	if sees := sight(r.Caller); sees != nil {
		body.Nodes = slices.DeleteFunc(body.Nodes, func(host string) bool { return !sees(host) })
	}

	reply := map[string]nodeHealth{}
	for host, h := range d.Metrics.Health(ctx, body.Cluster, body.Nodes, body.Metrics) {
		details, err := json.Marshal(healthMetrics{nonNil(h.Degraded), nonNil(h.Missing)})
		if err != nil {
			return nil, fmt.Errorf("encode health: %w", err)
		}
		reply[host] = nodeHealth{State: string(h.State), HealthMetrics: string(details)}
	}
	return reply, nil
}

// nonNil makes an absent list an empty one, which JSON tells apart.
func nonNil(list []string) []string { return append([]string{}, list...) }

package sim

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// Querier asks a metric store. It returns how many bytes the answer had.
type Querier interface {
	// Query sends the body of a query (contract clustercockpit 3.11) and reads the whole answer.
	Query(ctx context.Context, body []byte) (int64, error)
}

// Ask is one kind of question to a metric store.
type Ask struct {
	Name  string
	Body  []byte
	Times int
}

// Asked says how long the answers to a question took.
type Asked struct {
	Name  string
	Bytes int64
	Took  []time.Duration // sorted
}

// Asks returns the questions of the tables of the manual, over a window that ends at to: eight metrics of nodes, four
// metrics of 72 threads taken together, and one metric of all 72 threads as they are.
func (l Workload) Asks(to time.Time, hosts int, span time.Duration, times int) []Ask {
	name := func(kind string) string { return kind + "/" + strconv.Itoa(hosts) + "n/" + span.String() }
	ask := func(kind string, metrics []string, scope string, more map[string]any) Ask {
		var queries []map[string]any
		for h := range min(hosts, l.Nodes) {
			for _, m := range metrics {
				q := map[string]any{"metric": m, "host": l.Host(h)}
				if scope != "" {
					q["type"] = scope
				}
				queries = append(queries, q)
			}
		}
		body := map[string]any{"cluster": l.Cluster, "from": to.Add(-span).Unix(), "to": to.Unix(), "queries": queries}
		for k, v := range more {
			body[k] = v
		}
		data, _ := json.Marshal(body) // numbers and texts only
		return Ask{name(kind), data, times}
	}
	threads := l.Metrics("hwthread")
	return []Ask{
		ask("node8", l.Metrics("node"), "", nil),
		ask("agg4", threads[:4], "", nil),
		ask("stats-agg4", threads[:4], "", map[string]any{"with-data": false}),
		ask("raw1", threads[4:5], "hwthread", nil),
	}
}

// Run asks a question as often as it says, one after the other.
func (a Ask) Run(ctx context.Context, clk clock.Clock, to Querier) (Asked, error) {
	r := Asked{Name: a.Name}
	for range a.Times {
		began := clk.Now()
		n, err := to.Query(ctx, a.Body)
		if err != nil {
			return r, err
		}
		r.Bytes = n
		r.Took = append(r.Took, clk.Now().Sub(began))
	}
	slices.Sort(r.Took)
	return r, nil
}

// Quantile returns the q-quantile of sorted times, 0 of none.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

package metric_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// manyHosts stores two hours of hosts with four threads each, with gaps.
func manyHosts(tb testing.TB, s *metric.Service, hosts int) {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var lines strings.Builder
	for h := range hosts {
		for m := range 120 {
			for id := range 4 {
				if r.IntN(20) > 0 {
					fmt.Fprintf(&lines, "flops_any,hostname=n%02d,type=hwthread,type-id=%d value=%d %d\n", h, id, r.IntN(1000), minutesAgo(m+1).Unix())
				}
			}
			fmt.Fprintf(&lines, "cpu_load,hostname=n%02d value=%d %d\n", h, r.IntN(1000), minutesAgo(m+1).Unix())
		}
	}
	if _, err := s.Write(tb.Context(), "alpha", strings.NewReader(lines.String())); err != nil {
		tb.Fatal(err)
	}
}

// manyQueries are several questions about each of the hosts.
func manyQueries(hosts int) (queries []metric.Query) {
	for h := range hosts {
		host := fmt.Sprintf("n%02d", h)
		queries = append(queries,
			metric.Query{Metric: "flops_any", Host: host},
			metric.Query{Metric: "cpu_load", Host: host, Scale: 2},
			metric.Query{Metric: "flops_any", Host: host, Type: "hwthread"},
			metric.Query{Metric: "flops_any", Host: host, Aggregation: "p90"},
			metric.Query{Metric: "nosuch", Host: host})
	}
	return queries
}

func sameResult(a, b metric.Result) bool {
	text := func(r metric.Result) string { return fmt.Sprint(r.From, r.To, r.Step, r.Statistics, r.Err) }
	same := func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
	return text(a) == text(b) && slices.EqualFunc(a.Data, b.Data, same)
}

// However many goroutines answer however many requests, each query has the answer that it has alone, also in memory that
// other answers had before.
func TestManyQueriesAreAnsweredAsEachAlone(t *testing.T) {
	t.Parallel()
	const hosts = 30
	s, _ := newService(t)
	manyHosts(t, s, hosts)
	request := metric.Request{Cluster: "alpha", From: minutesAgo(200), To: now, Queries: manyQueries(hosts)}
	var alone [][]metric.Result
	for _, q := range request.Queries {
		one := request
		one.Queries = []metric.Query{q}
		a, err := s.Query(t.Context(), one)
		if err != nil {
			t.Fatal(err)
		}
		alone = append(alone, a.Results[0])
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 3 {
				a, err := s.Query(t.Context(), request)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range alone {
					if !slices.EqualFunc(alone[i], a.Results[i], sameResult) {
						t.Errorf("query %d gives %v, not %v", i, a.Results[i], alone[i])
					}
				}
				for _, results := range a.Results {
					for _, r := range results {
						for i := range r.Data {
							r.Data[i] = math.Inf(1) // whoever gets the memory next must not see it
						}
					}
				}
				a.Release()
			}
		})
	}
	wg.Wait()
}
